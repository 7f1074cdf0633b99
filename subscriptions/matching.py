"""Whether an event is wanted: once as a pure rule, once in SQL. A property test holds them together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, ColumnElement, func

from contracts.hours import Hours, Spans
from contracts.records import Event
from subscriptions.types import Wanted


def wants(wanted: Wanted, event: Event) -> bool:
    """Whether the transition `event` matches."""
    zones = {event.zone, f"{event.camera}/{event.zone}"}
    return (
        (not wanted.types or event.type in wanted.types)
        and (not wanted.zones or bool(zones & set(wanted.zones)))
        and (not wanted.grids or event.grid in wanted.grids)
        and (not wanted.cameras or event.camera in wanted.cameras)
        and (not wanted.severities or event.severity in wanted.severities)
        and (not wanted.transitions or event.transition in wanted.transitions)
        and (wanted.hours is None or within(wanted.hours, event.utc))
    )


def within(hours: Hours, utc: float) -> bool:
    """Whether a moment lies in the working hours."""
    local = datetime.fromtimestamp(utc, UTC).astimezone(ZoneInfo(hours.zone))
    day, minute = local.date(), local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in _spans(hours, day))


def _spans(hours: Hours, day: date) -> Spans:
    if day in hours.workdays:
        return hours.workday_hours
    return () if day in hours.holidays else hours.week[day.weekday()]


class Place(NamedTuple):
    """The columns, or bound values, of a transition that a query asks about."""

    department: ColumnElement[Any]
    camera: ColumnElement[Any]
    zone: ColumnElement[Any]
    grid: ColumnElement[Any]
    type: ColumnElement[Any]
    severity: ColumnElement[Any]
    transition: ColumnElement[Any]
    at: ColumnElement[Any]


# (the department that asks, what it asks about) -> whether it may see it. Handed in by whoever joins the rooms.
Sees = Callable[[ColumnElement[Any], Place], ColumnElement[bool]]


def wanted_in_sql(wanted: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
    """`wants` as a condition (migration 0018); `wanted` is a JSONB column that holds a `Wanted`."""
    asked = (place.type, place.camera, place.zone, place.grid, place.severity, place.transition, place.at)
    return func.wanted_contains(wanted, *asked, type_=Boolean)
