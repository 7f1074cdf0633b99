"""The weather, as the dispatch centre or a weather service tells it: spells of one kind, in some grids or everywhere.

Nothing here looks at pictures: what a camera shows as rain may be a hose. Whoever knows says when it begins and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from contracts.records import Contract
from events.tables import weather_spells
from store.database import at

_w = weather_spells.c
LISTED = 200


class Weather(StrEnum):
    """What a spell is of."""

    RAIN = "rain"
    SNOW = "snow"
    FOG = "fog"
    DUST = "dust"
    WIND = "wind"


class Spell(Contract):
    """Weather of one kind that stands, or stood. Times are s since 1970 UTC.

    Attributes:
        grids: where; empty: in the whole city.
        until_utc: None: it still stands.
        said_by: who told of it.
    """

    id: int
    kind: Weather
    grids: tuple[str, ...]
    since_utc: float
    until_utc: float | None
    said_by: str


def begin(connection: Connection, kind: Weather, grids: Sequence[str], since: float, who: str) -> Spell:
    """Weather that stands from `since` (s since 1970 UTC) on. What stands there already is told once: that spell comes
    back."""
    where = sorted(set(grids))
    values = {"kind": kind.value, "grids": where, "since": at(since), "said_by": who}
    told = insert(weather_spells).values(values)
    new = told.on_conflict_do_nothing(index_elements=[_w.kind, _w.grids], index_where=_w.until.is_(None))
    row = connection.execute(new.returning(weather_spells)).one_or_none()
    if row is None:
        query = select(weather_spells).where(_w.kind == kind.value, _w.grids == where, _w.until.is_(None))
        row = connection.execute(query).one()
    return _spell(row)


def end(connection: Connection, number: int, until: float) -> Spell | None:
    """Ends a spell at `until` (s since 1970 UTC); None: none with that number stands."""
    ended = update(weather_spells).where(_w.id == number, _w.until.is_(None)).values(until=at(until))
    row = connection.execute(ended.returning(weather_spells)).one_or_none()
    return None if row is None else _spell(row)


def spells(connection: Connection, since: float, until: float) -> list[Spell]:
    """Those that stood between two moments (s since 1970 UTC), newest first, at most `LISTED`."""
    query = select(weather_spells).where(_w.since < at(until), or_(_w.until.is_(None), _w.until > at(since)))
    return [_spell(row) for row in connection.execute(query.order_by(_w.since.desc(), _w.id.desc()).limit(LISTED))]


def weather_at(connection: Connection, grid: str, utc: float) -> Weather | None:
    """What stands in a grid at a moment (s since 1970 UTC): where several do, what began last. None: nothing that
    anybody told of."""
    stands = (_w.since <= at(utc), or_(_w.until.is_(None), _w.until > at(utc)), _there(grid))
    query = select(_w.kind).where(*stands).order_by(_w.since.desc(), _w.id.desc()).limit(1)
    kind = connection.execute(query).scalar_one_or_none()
    return None if kind is None else Weather(kind)


def _there(grid: str) -> ColumnElement[bool]:
    return or_(func.cardinality(_w.grids) == 0, _w.grids.any_() == grid)


def _spell(row: Row[Any]) -> Spell:
    return Spell(
        id=row.id,
        kind=Weather(row.kind),
        grids=tuple(row.grids),
        since_utc=row.since.timestamp(),
        until_utc=None if row.until is None else row.until.timestamp(),
        said_by=row.said_by,
    )
