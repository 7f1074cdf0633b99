"""What a silence holds back, and what one would have held back: in numbers, and event by event."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, cast, func, select

from contracts.records import Contract
from events.tables import event_transitions, events
from store.database import at
from subscriptions.matching import Sees, wanted_in_sql
from subscriptions.places import told_place
from subscriptions.tables import deliveries, subscriptions
from subscriptions.types import NewSilence

PREVIEW_S = 7 * 86_400.0
NAMED = 200
"""How many events are named, the newest."""


class HiddenEvent(Contract):
    """An event and how many of its deliveries are held back; `started_utc` in s since 1970."""

    event: str
    type: str
    camera: str
    zone: str
    started_utc: float
    open: bool
    deliveries: int


class Hidden(Contract):
    """What a silence hides.

    Attributes:
        count: deliveries held back, of all events.
        events: the newest of those that the asker may see, at most `NAMED`.
    """

    count: int
    events: tuple[HiddenEvent, ...]


def held_back(connection: Connection, number: int, seen: ColumnElement[bool]) -> Hidden:
    """What a silence has held back until now.

    Args:
        seen: which events the asker may know of, as a condition on `events`.
    """
    d = deliveries.c
    count: int = connection.execute(select(func.count()).where(d.silence == number)).scalar_one()
    source = deliveries.join(events, events.c.id == d.event_id)
    return Hidden(count=count, events=_named(connection, select().select_from(source).where(d.silence == number), seen))


def would_hold_back(
    connection: Connection, new: NewSilence, now: float, sees: Sees, seen: ColumnElement[bool]
) -> Hidden:
    """What it would have held back of the last seven days."""
    t, e, s = event_transitions.c, events.c, subscriptions.c
    place = told_place()
    silenced = cast(new.wanted.model_dump(mode="json"), subscriptions.c.wanted.type)
    query = (
        select()
        .select_from(event_transitions.join(events, e.id == t.event_id).join(subscriptions, s.deleted.is_(None)))
        .where(
            t.received >= at(now - PREVIEW_S),
            s.enabled,
            s.department == new.department,
            wanted_in_sql(silenced, place),
            wanted_in_sql(s.wanted, place),
            sees(s.department, place),
        )
    )
    if new.subscription is not None:
        query = query.where(s.id == new.subscription)
    count: int = connection.execute(query.add_columns(func.count())).scalar_one()
    return Hidden(count=count, events=_named(connection, query, seen))


def _named(connection: Connection, of: Select[Any], seen: ColumnElement[bool]) -> tuple[HiddenEvent, ...]:
    """Its events; `of` has a row for each delivery."""
    e = events.c
    query = (
        of.add_columns(e.id, e.type, e.camera, e.zone, e.started, e.is_open, func.count())
        .where(seen)
        .group_by(e.id)
        .order_by(e.started.desc(), e.id)
        .limit(NAMED)
    )
    return tuple(
        HiddenEvent(
            event=id_,
            type=type_,
            camera=camera,
            zone=zone,
            started_utc=started.timestamp(),
            open=is_open,
            deliveries=count,
        )
        for id_, type_, camera, zone, started, is_open, count in connection.execute(query)
    )
