"""Cases: the list, one case with its history, what is done to it, incidents, statistics, pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, status
from sqlalchemy import Connection, FromClause, select

from api.deps import (
    BookDep,
    CaseworkerDep,
    ConnectionDep,
    CounterDep,
    DispatcherDep,
    DoorsDep,
    Number,
    PoolDep,
    SightDep,
    ViewerDep,
    sight_of,
)
from api.pool_view import PoolView
from api.problems import NotFound, Problem
from api.schemas import ActionBody, CaseBook, CaseCategory, CaseList, NewCaseBody
from cases import queries, service
from cases.flow import TABLE, WORDS, possible
from cases.queries import CaseDetail, CaseFilter, Dimension, Sight, Tally
from cases.tables import case_decisions, cases
from cases.types import Action, Case, Duty, NewCase, Status
from contracts.errors import Forbidden
from events.tables import events
from governance import access, audit
from governance.access import Viewer
from governance.roles import Right

router = APIRouter(prefix="/api", tags=["cases"])

Ids = Annotated[list[str] | None, Query(max_length=200)]
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (404, 409, 422)}


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


@router.get("/cases", responses={422: {"model": Problem}})
def list_cases(
    connection: ConnectionDep,
    pool: PoolDep,
    sight: SightDep,
    wanted: FilterDep,
    after: Annotated[int | None, Query(ge=1, le=2**62, description="id of the last case of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=queries.MAX_LIMIT)] = 50,
) -> CaseList:
    """Cases that match, newest first."""
    page, following, total = queries.list_cases(connection, sight, wanted, time.time(), after, limit)
    return _page(pool, page, following, total)


@router.get("/cases/book")
def case_book(_viewer: ViewerDep, book: BookDep, pool: PoolDep) -> CaseBook:
    """The categories of the rule book, and what can be done to a case of each status, by whom and with what."""
    return CaseBook(
        centre=book.centre,
        departments=pool.departments,
        categories=[
            CaseCategory(code=one.code, name=dict(one.name), events=list(one.events), closes=one.closes)
            for one in book.categories
        ],
        words={action.value: word for action, word in WORDS.items()},
        steps={source.value: {step.action.value: list(step.needs) for step in possible(source)} for source in Status},
    )


@router.get("/cases/statistics", responses={422: {"model": Problem}})
def case_statistics(
    connection: ConnectionDep,
    viewer: CounterDep,
    wanted: FilterDep,
    doors: DoorsDep,
    by: Annotated[Dimension | Literal["algorithm"], Query()] = "category",
) -> list[Tally]:
    """Cases by one dimension: how many, how many late, and how long they took. By algorithm: that of the event which
    made the case, "" for those that people opened. Days are those of the city's time zone."""
    sight = Sight(everything=True) if viewer.can(Right.COUNT) else sight_of(connection, viewer)
    dimension = _algorithm() if by == "algorithm" else by
    return list(queries.tallies(connection, sight, wanted, dimension, time.time(), doors.book.timezone))


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


@router.post("/cases", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}})
def create_case(
    body: NewCaseBody, connection: ConnectionDep, sight: SightDep, user: DispatcherDep, book: BookDep
) -> CaseDetail:
    """A case by hand, or from the hotline: it enters the same table as those of events."""
    now = time.time()
    said = body.model_dump(exclude={"started_utc"})
    about = NewCase(**said, department=book.centre, started_utc=body.started_utc or now)
    case = service.accept(connection, about, Duty.CENTRE, user.name, now, book)
    audit.record(connection, user.name, "case.accepted", {"case": case.id, "source": case.source}, now)
    return _detail(connection, sight, case.id)


@router.get("/cases/{number}", responses={404: {"model": Problem}})
def get_case(number: Number, connection: ConnectionDep, sight: SightDep) -> CaseDetail:
    """One case: its history, the events behind it with the reason for each, and every second look."""
    return _detail(connection, sight, number)


@router.post("/cases/{number}/actions", responses=_REFUSED)
def act_on_case(
    number: Number, body: ActionBody, connection: ConnectionDep, sight: SightDep, user: CaseworkerDep, book: BookDep
) -> CaseDetail:
    """Does something to a case. `revision` is the one the person saw: who comes second is told (409). What is sent
    again under the same `key`, because no answer arrived, is done once."""
    case = _detail(connection, sight, number).case
    now, duty = time.time(), _duty(connection, user, body.action, (case.state.handler,))
    facts = body.facts
    service.perform(
        connection, number, body.action, duty, user.name, facts, now, book, revision=body.revision, key=body.key or ""
    )
    done = _detail(connection, sight, number)
    if done.case.revision != case.revision:  # else it was done before, under the same key
        audit.record(connection, user.name, f"case.{body.action}", {"case": number, "note": facts.note}, now)
    return done


@router.post("/incidents/{number}/actions", responses=_REFUSED)
def act_on_incident(
    number: Number,
    body: ActionBody,
    connection: ConnectionDep,
    pool: PoolDep,
    sight: SightDep,
    user: CaseworkerDep,
    book: BookDep,
) -> CaseList:
    """Does the same to every case of a mass incident that allows it; where one of those fails, to none."""
    now = time.time()
    done = queries.members(connection, sight, number, [step.source for step in TABLE if step.action is body.action])
    if not done:
        raise NotFound(f"incident {number} has no case to which {body.action} could be done")
    duty = _duty(connection, user, body.action, queries.handlers(connection, done))
    service.bulk(connection, done, body.action, duty, user.name, body.facts, now, book)
    audit.record(connection, user.name, f"case.{body.action}", {"incident": number, "cases": list(done)}, now)
    page, following, total = queries.list_cases(connection, sight, CaseFilter(incident=number), now)
    return _page(pool, page, following, total)


def _page(pool: PoolView, page: Sequence[Case], following: int | None, total: int) -> CaseList:
    places = {case.id: pool.place_name("", case.camera, case.zone) for case in page if case.camera}
    return CaseList(cases=list(page), places=places, next_after=following, total=total)


def _detail(connection: Connection, sight: Sight, number: int) -> CaseDetail:
    found = queries.get_case(connection, sight, number)
    if found is None:
        raise NotFound(f"no case {number}")
    return found


def _duty(connection: Connection, viewer: Viewer, action: Action, handlers: Sequence[str]) -> Duty:
    """In which office somebody does this: the centre's, where they have it; else that of the department which has
    the case. An administrator acts in the one that may.

    Raises:
        Forbidden: the case is with somebody else.
    """
    handlers_alone = any(step.action is action and step.who == {Duty.HANDLER} for step in TABLE)
    if viewer.can(Right.DISPATCH) and not (viewer.can(Right.HANDLE) and handlers_alone):
        return Duty.CENTRE
    if not viewer.everything and not set(handlers) <= set(access.departments(connection, viewer)):
        raise Forbidden("the case is with another department", "it can be done by the department that has it")
    return Duty.HANDLER
