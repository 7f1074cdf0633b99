"""Hours not watched: shown wherever events are counted, because not watching is not calm."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from api import sight
from api.deps import ConnectionDep, CounterDep, PoolDep
from api.pool_view import PoolView
from api.schemas import UnwatchedReport, UnwatchedRow, UnwatchedTotal
from events import queries
from events.types import EventFilter, UnwatchedHours

router = APIRouter(prefix="/api/unwatched", tags=["unwatched"])

_DAY_S = 86_400.0
_EVERY_RULE = "*"


def by_camera(rows: Iterable[UnwatchedHours]) -> dict[str, float]:
    """Of each camera the hours in which all of it did not watch, plus those of its least watched rule."""
    whole: dict[str, float] = defaultdict(float)
    worst: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.algorithm == _EVERY_RULE:
            whole[row.camera] += row.hours
        else:
            worst[row.camera] = max(worst[row.camera], row.hours)
    return {camera: whole[camera] + worst[camera] for camera in whole.keys() | worst.keys()}


def total(rows: Iterable[UnwatchedHours]) -> UnwatchedTotal:
    """Summed over cameras."""
    hours = by_camera(rows).values()
    return UnwatchedTotal(hours=sum(hours), cameras=sum(one > 0 for one in hours))


def total_for(
    connection: Connection, pool: PoolView, which: EventFilter, visible: frozenset[str] | None
) -> UnwatchedTotal:
    """What a count by `which` has to be read with: the same cameras, rules and window.

    Args:
        visible: the cameras that the asker may see; None: all.
    """
    cameras = which.cameras
    if which.departments or which.grids or visible is not None:
        cameras = tuple(
            camera.id
            for camera in pool.pool.cameras
            if (visible is None or camera.id in visible)
            and (not which.cameras or camera.id in which.cameras)
            and (not which.departments or camera.department in which.departments)
            and (not which.grids or camera.grid in which.grids)
        )
        if not cameras:
            return UnwatchedTotal(hours=0, cameras=0)
    until = time.time() if which.until is None else which.until
    return total(queries.unwatched_hours(connection, which.since or 0.0, until, cameras, which.types))


def _visible(asked: Collection[str], visible: frozenset[str] | None) -> tuple[str, ...] | None:
    """Cameras to ask for (none named: all); None: there is none that may be seen."""
    if visible is None:
        return tuple(asked)
    return tuple(sorted(visible & set(asked) if asked else visible)) or None


@router.get("")
def unwatched(
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: CounterDep,
    since: Annotated[float | None, Query(description="default: a day before `until`", ge=0, le=1e11)] = None,
    until: Annotated[float | None, Query(description="default: now", ge=0, le=1e11)] = None,
    camera: Annotated[list[str] | None, Query(max_length=200)] = None,
) -> UnwatchedReport:
    """How long which rule of which camera did not watch, and why; most hours first."""
    until = time.time() if until is None else until
    since = max(0.0, until - _DAY_S) if since is None else since
    asked = _visible(camera or (), sight.counted_cameras(connection, viewer))
    if asked is None:
        return UnwatchedReport(since=since, until=until, total=UnwatchedTotal(hours=0, cameras=0), rows=[])
    found = queries.unwatched_hours(connection, since, until, asked)
    ongoing = {(one.camera, one.algorithm): one for one in queries.unwatched_now(connection, asked)}
    rows = []
    for row in sorted(found, key=lambda row: -row.hours):
        now = ongoing.get((row.camera, row.algorithm))
        known = pool.cameras.get(row.camera)
        rows.append(
            UnwatchedRow(
                camera=row.camera,
                camera_name=pool.camera_name(row.camera),
                department=known.department if known else "",
                algorithm=row.algorithm,
                hours=row.hours,
                by_reason=row.by_reason,
                ongoing_since_utc=now.start_utc if now else None,
                ongoing_reason=now.reason if now else "",
            )
        )
    return UnwatchedReport(since=since, until=until, total=total(found), rows=rows)
