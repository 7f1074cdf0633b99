"""Cases in numbers, and beside each number the hours in which nobody watched: no case is not the same as calm."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection, FromClause, select

from api import sight
from api.case_schemas import CaseStatistics, CaseTally
from api.coverage import total
from api.deps import ConnectionDep, CounterDep, DoorsDep, PoolDep, sight_of
from api.pool_view import PoolView
from api.problems import Problem
from api.schemas import UnwatchedTotal
from cases import queries
from cases.book import Book
from cases.queries import CaseFilter, Dimension, Sight
from cases.tables import case_decisions, cases
from cases.types import Status
from events.coverage import unwatched_by_window
from events.queries import unwatched_hours
from events.tables import events
from events.types import UnwatchedHours
from governance.access import Viewer
from governance.roles import Right

router = APIRouter(prefix="/api", tags=["cases"])

By = Dimension | Literal["algorithm"]
Ids = Annotated[list[str] | None, Query(max_length=200)]
_DAY_S = 86_400.0
_MOST_DAYS = 1000  # of which hours are told one by one
_WHOLE_CAMERA = "*"


def case_filter(
    state: Annotated[list[Status] | None, Query()] = None,
    category: Ids = None,
    owner: Ids = None,
    handler: Ids = None,
    grid: Ids = None,
    source: Ids = None,
    late: bool | None = None,
    incident: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    since: Annotated[float | None, Query(description="opened at or after, s since 1970 UTC", ge=0, le=1e11)] = None,
    until: Annotated[float | None, Query(description="opened before, s since 1970 UTC", ge=0, le=1e11)] = None,
) -> CaseFilter:
    """The filters that list and statistics share."""
    return CaseFilter(
        statuses=tuple(state or ()),
        categories=tuple(category or ()),
        owners=tuple(owner or ()),
        handlers=tuple(handler or ()),
        grids=tuple(grid or ()),
        sources=tuple(source or ()),
        late=late,
        incident=incident,
        since_utc=since,
        until_utc=until,
    )


FilterDep = Annotated[CaseFilter, Depends(case_filter)]


@dataclass(frozen=True, slots=True)
class Watching:
    """Whose watching a count of cases is read with.

    Attributes:
        cameras: empty: all; None: there is none that the asker may see or that the filter leaves.
        types: of events that make such cases; empty: all.
        since, until: s since 1970.
    """

    cameras: tuple[str, ...] | None
    types: tuple[str, ...]
    since: float
    until: float

    def hours(self, connection: Connection) -> tuple[UnwatchedHours, ...]:
        """Of each rule of each camera."""
        if self.cameras is None:
            return ()
        return unwatched_hours(connection, self.since, self.until, self.cameras, self.types)


def watching(
    connection: Connection, viewer: Viewer, book: Book, pool: PoolView, wanted: CaseFilter, since: float
) -> Watching:
    """What a count by `wanted` is read with.

    Args:
        since: where the filter names no beginning, s since 1970.
    """
    everything = viewer.can(Right.COUNT) or viewer.can(Right.DISPATCH)
    visible = None if everything else sight.counted_cameras(connection, viewer)
    cameras: tuple[str, ...] | None = ()
    if wanted.grids or visible is not None:
        some = (one for one in pool.pool.cameras if not wanted.grids or one.grid in wanted.grids)
        cameras = tuple(one.id for one in some if visible is None or one.id in visible) or None
    making = [one for one in book.categories if not wanted.categories or one.code in wanted.categories]
    types = tuple(event for one in making for event in one.events)
    if wanted.categories and not types:
        cameras = None  # such cases come from people alone
    until = time.time() if wanted.until_utc is None else wanted.until_utc
    begin = since if wanted.since_utc is None else wanted.since_utc
    return Watching(cameras, types, begin, max(begin, until))


def lately(connection: Connection, viewer: Viewer, book: Book, pool: PoolView, wanted: CaseFilter) -> UnwatchedTotal:
    """What a list of cases is read with: the filter's time, else the last 24 hours."""
    until = time.time() if wanted.until_utc is None else wanted.until_utc
    return total(watching(connection, viewer, book, pool, wanted, max(0.0, until - _DAY_S)).hours(connection))


@router.get("/cases/statistics", responses={422: {"model": Problem}})
def case_statistics(
    connection: ConnectionDep,
    viewer: CounterDep,
    wanted: FilterDep,
    doors: DoorsDep,
    pool: PoolDep,
    by: Annotated[By, Query()] = "category",
) -> CaseStatistics:
    """Cases by one dimension: how many, how many late, how long they took, and the hours that nobody watched there. By
    algorithm: that of the event which made the case, "" for those that people opened. Days are those of the city's time
    zone. Days, grids, departments, algorithms and categories without a case are told too where nobody watched."""
    whose = Sight(everything=True) if viewer.can(Right.COUNT) else sight_of(connection, viewer)
    zone = doors.book.timezone
    tallies = queries.tallies(connection, whose, wanted, _algorithm() if by == "algorithm" else by, time.time(), zone)
    looked = watching(connection, viewer, doors.book, pool, wanted, 0.0)
    rows = looked.hours(connection)
    hours: Mapping[str, float] | None
    if by == "day":
        hours = _by_day(connection, looked, ZoneInfo(zone), [one.value for one in tallies])
    else:
        hours = _by_value(by, rows, pool, doors.book, looked.types)
    told = [
        CaseTally(**one.model_dump(), unwatched_hours=None if hours is None else hours.get(one.value, 0.0))
        for one in tallies
    ]
    there = {one.value for one in tallies}
    told += [
        CaseTally(value=value, cases=0, late=0, closed=0, median_hours=None, unwatched_hours=lost)
        for value, lost in (hours or {}).items()
        if value not in there and lost > 0
    ]
    told.sort(key=lambda one: one.value if by == "day" else (-one.cases, -(one.unwatched_hours or 0), one.value))
    return CaseStatistics(unwatched=total(rows), rows=told)


def _algorithm() -> FromClause:
    """Which algorithm saw the event that made a case: cases know the event, events their provenance."""
    made = case_decisions.c
    return (
        select(events.c.state["provenance"]["algorithm"].astext.label("value"))
        .join(case_decisions, made.event_id == events.c.id)
        .where(made.case_id == cases.c.id, made.kind == "new")
        .limit(1)
        .lateral()
    )


def _by_value(
    by: By, rows: Iterable[UnwatchedHours], pool: PoolView, book: Book, types: tuple[str, ...]
) -> dict[str, float] | None:
    """Hours by value of a dimension; None: its values have no cameras of their own."""
    values: dict[str, Callable[[UnwatchedHours], Iterable[str]]] = {
        "grid": lambda row: _place(pool, row.camera, "grid"),
        "department": lambda row: _place(pool, row.camera, "department"),
        "algorithm": lambda row: _rules(pool, row, types),
        "category": lambda row: {one.code for kind in _rules(pool, row, types) if (one := book.for_event(kind))},
    }
    if by not in values:
        return None
    found: dict[str, list[UnwatchedHours]] = defaultdict(list)
    for row in rows:
        for value in values[by](row):
            found[value].append(row)
    return {value: total(of).hours for value, of in found.items()}


def _place(pool: PoolView, camera: str, what: Literal["grid", "department"]) -> tuple[str, ...]:
    known = pool.cameras.get(camera)
    return () if known is None else (str(getattr(known, what)),)


def _rules(pool: PoolView, row: UnwatchedHours, types: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that did not watch: all of the camera's where the whole of it was away."""
    if row.algorithm != _WHOLE_CAMERA:
        return (row.algorithm,)
    camera = pool.cameras.get(row.camera)
    return () if camera is None else tuple(rule for rule in camera.algorithms if rule in types)


def _by_day(connection: Connection, looked: Watching, zone: ZoneInfo, there: list[str]) -> dict[str, float]:
    """Hours by day of the city, the newest `_MOST_DAYS`.

    Args:
        there: days that have cases, the first first; before them nothing is told where no beginning was asked for.
    """
    if looked.cameras is None:
        return {}
    begin = looked.since
    if begin == 0.0:
        begin = datetime.fromisoformat(there[0]).replace(tzinfo=zone).timestamp() if there else looked.until
    begin = max(begin, looked.until - _MOST_DAYS * _DAY_S)
    days = list(_days(begin, looked.until, zone))
    hours = unwatched_by_window(connection, [(start, end) for _, start, end in days], looked.cameras, looked.types)
    return {name: total(rows).hours for (name, _, _), rows in zip(days, hours, strict=True)}


def _days(since: float, until: float, zone: ZoneInfo) -> Iterator[tuple[str, float, float]]:
    """Each day's name, and where it begins and ends within the time, s since 1970."""
    day = datetime.fromtimestamp(since, zone).date()
    while True:
        first = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp()
        following = day + timedelta(days=1)
        last = datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC).timestamp()
        if first >= until:
            return
        yield day.isoformat(), max(first, since), min(last, until)
        day = following
