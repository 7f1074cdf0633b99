"""Silences of cases, for the dispatch centre: no cases of some events for a while, and what that hides."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, status
from pydantic import Field
from sqlalchemy import ColumnElement, Connection, func, select, true

from api.deps import ConnectionDep, DispatcherDep, Number, PoolDep
from api.pool_view import PoolView
from api.problems import NotFound, Problem
from api.schemas import Body
from cases import queries, service
from cases.decide import Silence
from cases.queries import HeldBack
from cases.tables import case_decisions
from events.tables import events
from governance import audit
from store.database import at

router = APIRouter(prefix="/api/case-silences", tags=["cases"])

PREVIEW_S = 7 * 86_400.0
NAMED = 200
_BECAME = ("new", "join", "reopen")
_d, _e = case_decisions.c, events.c


class SilencedBody(Body):
    """Which events; empty lists mean all."""

    types: list[str] = Field(default_factory=list, max_length=50)
    cameras: list[str] = Field(default_factory=list, max_length=500)
    grids: list[str] = Field(default_factory=list, max_length=500)


class SilenceBody(SilencedBody):
    """Empty lists mean all."""

    note: str = Field(min_length=1, max_length=2000)
    from_utc: float | None = Field(None, ge=0, le=1e11, description="by default now")
    until_utc: float = Field(ge=0, le=1e11)


class UncasedEvent(Body):
    """An event that makes no case because of a silence, or would have made or joined one (`case`) without it."""

    event: str
    type: str
    camera: str
    camera_name: str
    zone: str
    zone_name: str
    started_utc: float
    open: bool
    case: int | None


class CasesHidden(Body):
    """What a silence keeps from the centre."""

    count: int = Field(description="events")
    began: int = Field(description="how many of them began a case of their own; 0 of those that were silenced")
    events: list[UncasedEvent] = Field(description="the newest, at most 200")


@router.get("")
def list_silences(
    connection: ConnectionDep,
    _viewer: DispatcherDep,
    over: Annotated[bool, Query(description="those that have ended too")] = False,
) -> list[HeldBack]:
    """Silences that are still to end, with how many events each has kept from becoming cases."""
    return list(queries.silences(connection, time.time(), over=over))


@router.post("", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}})
def add_silence(body: SilenceBody, connection: ConnectionDep, user: DispatcherDep) -> list[HeldBack]:
    """No cases of some events for a while. It always ends, and says why."""
    now = time.time()
    about = Silence(
        0,
        user.name,
        body.note,
        body.from_utc or now,
        body.until_utc,
        frozenset(body.types),
        frozenset(body.cameras),
        frozenset(body.grids),
    )
    number = service.silence(connection, about)
    audit.record(connection, user.name, "silence.begun", {"silence": number, "note": body.note}, now)
    return list(queries.silences(connection, now))


@router.post("/preview", responses={422: {"model": Problem}})
def preview_case_silence(
    body: SilencedBody, connection: ConnectionDep, pool: PoolDep, _viewer: DispatcherDep
) -> CasesHidden:
    """Which events of the last seven days that made or joined cases it would have kept from it."""
    wanted = ((_e.type, body.types), (_e.camera, body.cameras), (_e.grid, body.grids))
    meant = [column.in_(values) for column, values in wanted if values]
    since = _e.started >= at(time.time() - PREVIEW_S)
    return _hidden(connection, pool, since, _d.kind.in_(_BECAME), *meant)


@router.get("/{number}/hidden", responses={404: {"model": Problem}})
def case_silence_hides(number: Number, connection: ConnectionDep, pool: PoolDep, _viewer: DispatcherDep) -> CasesHidden:
    """Which events it has kept from becoming cases until now."""
    if all(one.id != number for one in queries.silences(connection, time.time(), over=True)):
        raise NotFound(f"no silence {number}")
    return _hidden(connection, pool, _d.silence_id == number)


@router.delete("/{number}", responses={422: {"model": Problem}})
def end_silence(number: Number, connection: ConnectionDep, user: DispatcherDep) -> list[HeldBack]:
    """It ends now."""
    now = time.time()
    service.end_silence(connection, number, now)
    audit.record(connection, user.name, "silence.ended", {"silence": number}, now)
    return list(queries.silences(connection, now))


def _hidden(connection: Connection, pool: PoolView, *which: ColumnElement[bool]) -> CasesHidden:
    """Decided events that fulfil `which`; the centre handles all cases, so it may know of all of them."""
    source = case_decisions.join(events, _e.id == _d.event_id)
    counted = select(func.count(), func.count().filter(_d.kind == "new")).select_from(source).where(true(), *which)
    count, began = connection.execute(counted).one()
    named = (
        select(_e.id, _e.type, _e.camera, _e.zone, _e.started, _e.is_open, _d.case_id)
        .select_from(source)
        .where(*which)
        .order_by(_e.started.desc(), _e.id)
        .limit(NAMED)
    )
    found = [
        UncasedEvent(
            event=row.id,
            type=row.type,
            camera=row.camera,
            camera_name=pool.camera_name(row.camera),
            zone=row.zone,
            zone_name=pool.zone_name(row.camera, row.zone),
            started_utc=row.started.timestamp(),
            open=row.is_open,
            case=row.case_id,
        )
        for row in connection.execute(named)
    ]
    return CasesHidden(count=count, began=began, events=found)
