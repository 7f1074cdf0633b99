"""Cases: the list, one case with its history, those opened by hand, what is done to it, incidents."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from sqlalchemy import Connection

from api.case_counts import FilterDep, lately
from api.case_schemas import ActionBody, CaseBook, CaseCategory, CaseList, CaseView, IncidentView, NewCaseBody
from api.deps import (
    BookDep,
    CaseworkerDep,
    ConnectionDep,
    DispatcherDep,
    Number,
    PoolDep,
    SightDep,
    ViewerDep,
)
from api.pool_view import PoolView
from api.problems import NotFound, Problem, wrong
from api.reader import ReaderDep
from api.schemas import UnwatchedTotal
from cases import queries, service
from cases.act import offers
from cases.book import Book
from cases.flow import TABLE, WORDS, office, possible
from cases.incident import bulk_offers
from cases.queries import CaseDetail, CaseFilter, Order, Sight
from cases.types import Action, Case, Duty, Facts, NewCase, Status
from contracts.errors import Forbidden
from governance import access, audit, people
from governance.access import Viewer
from governance.roles import Right

router = APIRouter(prefix="/api", tags=["cases"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (404, 409, 422)}


@router.get("/cases", responses={422: {"model": Problem}})
def list_cases(
    connection: ConnectionDep,
    pool: PoolDep,
    sight: SightDep,
    wanted: FilterDep,
    viewer: CaseworkerDep,
    book: BookDep,
    order: Annotated[Order, Query(description="newest first, or the soonest due first")] = "newest",
    after: Annotated[int | None, Query(ge=1, le=2**62, description="id of the last case of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=queries.MAX_LIMIT)] = 50,
) -> CaseList:
    """Cases that match, and how many hours of the filter's time (else of the last 24) nobody watched."""
    page, following, total = queries.list_cases(connection, sight, wanted, time.time(), after, limit, order)
    return _page(pool, page, following, total, lately(connection, viewer, book, pool, wanted))


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


@router.post("/cases", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}})
def create_case(
    body: NewCaseBody, connection: ConnectionDep, pool: PoolDep, sight: SightDep, user: DispatcherDep, book: BookDep
) -> CaseView:
    """A case by hand, or from the hotline: it enters the same table as those of events. With a camera it stands in that
    one's grid and with its department; with a zone what the camera sees there joins it."""
    now = time.time()
    about = _about(body, pool, book, now)
    case = service.accept(connection, about, Duty.CENTRE, user.name, now, book)
    audit.record(connection, user.name, "case.accepted", {"case": case.id, "source": case.source}, now)
    return _view(connection, user, book, _detail(connection, sight, case.id))


@router.get("/cases/{number}", responses={404: {"model": Problem}})
def get_case(
    number: Number, connection: ConnectionDep, sight: SightDep, reader: ReaderDep, viewer: CaseworkerDep, book: BookDep
) -> CaseView:
    """One case: its history, the events behind it with the reason for each, every second look, and what the one who
    asks can do to it now."""
    found = _detail(connection, sight, number)
    reader.reads(connection, "case.read", {"case": number})
    return _view(connection, viewer, book, found)


@router.post("/cases/{number}/actions", responses=_REFUSED)
def act_on_case(
    number: Number,
    body: ActionBody,
    connection: ConnectionDep,
    pool: PoolDep,
    sight: SightDep,
    user: CaseworkerDep,
    book: BookDep,
) -> CaseView:
    """Does something to a case. `revision` is the one the person saw: who comes second is told (409). What is sent
    again under the same `key`, because no answer arrived, is done once."""
    found = _detail(connection, sight, number)
    case = found.case
    _require_department(pool, book, body.facts)
    _require_pictures(found, body.facts)
    now, duty = time.time(), _duty(connection, user, body.action, (case.state.handler,))
    facts = body.facts
    service.perform(
        connection, number, body.action, duty, user.name, facts, now, book, revision=body.revision, key=body.key or ""
    )
    # Also where it is out of their sight by now: who gives back the case of others' camera is told that it is done.
    done = _detail(connection, Sight(everything=True), number)
    if done.case.revision != case.revision:  # else it was done before, under the same key
        audit.record(connection, user.name, f"case.{body.action}", {"case": number, "note": facts.note}, now)
    return _view(connection, user, book, done)


@router.get("/incidents/{number}", responses={404: {"model": Problem}})
def get_incident(number: Number, connection: ConnectionDep, sight: SightDep, viewer: CaseworkerDep) -> IncidentView:
    """A mass incident: how many of its cases have which status, and what the one who asks can do to all of them."""
    groups = queries.groups(connection, sight, number)
    if not groups:
        raise NotFound(f"no incident {number}")
    statuses: Counter[Status] = Counter()
    for group in groups:
        statuses[group.status] += group.cases
    offers = bulk_offers(groups, lambda handlers: _duties(connection, viewer, handlers))
    return IncidentView(incident=number, cases=statuses.total(), statuses=dict(statuses), offers=offers)


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
    """Does the same to every case of a mass incident that allows it; where one of those fails, to none. What is sent
    again under the same `key` is done once; a `revision` is of one case and says nothing here."""
    now = time.time()
    _require_department(pool, book, body.facts)
    if body.facts.pictures:
        raise wrong("facts.pictures", "a picture shows one place", "leave them out, or act case by case")
    before = queries.done_under(connection, sight, number, body.key) if body.key else None
    if before is None:
        _act_on_all(connection, sight, user, book, number, body, now)
    elif before is not body.action:
        raise wrong("key", f"{before} was done under it", "give each action a key of its own")
    page, following, total = queries.list_cases(connection, sight, CaseFilter(incident=number), now)
    unwatched = lately(connection, user, book, pool, CaseFilter())
    return _page(pool, page, following, total, unwatched)


def _act_on_all(
    connection: Connection, sight: Sight, user: Viewer, book: Book, number: int, body: ActionBody, now: float
) -> None:
    done = queries.members(connection, sight, number, [step.source for step in TABLE if step.action is body.action])
    if not done:
        raise NotFound(f"incident {number} has no case to which {body.action} could be done")
    duty = _duty(connection, user, body.action, queries.handlers(connection, done))
    service.bulk(connection, done, body.action, duty, user.name, body.facts, now, book, key=body.key or "")
    audit.record(connection, user.name, f"case.{body.action}", {"incident": number, "cases": list(done)}, now)


def _about(body: NewCaseBody, pool: PoolView, book: Book, now: float) -> NewCase:
    """Raises Invalid: the pool has no such camera or zone."""
    camera = pool.cameras.get(body.camera)
    if body.camera and camera is None:
        raise wrong("camera", f"no camera {body.camera}", "name one of the pool, or none and an address alone")
    if body.zone and pool.zone(body.camera, body.zone) is None:
        known = ", ".join(zone.id for zone in camera.zones) if camera else ""
        raise wrong("zone", f"no zone {body.zone} of the camera {body.camera!r}", f"one of: {known or 'none'}")
    said = body.model_dump(exclude={"started_utc"}) | ({"grid": body.grid or camera.grid} if camera else {})
    return NewCase(
        **said,
        place=book.place(body.camera, body.zone) if body.zone else "",
        department=camera.department if camera else book.centre,
        started_utc=body.started_utc or now,
    )


def _require_department(pool: PoolView, book: Book, facts: Facts) -> None:
    """Raises Invalid: nobody would have the case."""
    if facts.department and facts.department not in {*pool.departments, book.centre}:
        known = ", ".join(sorted(pool.departments))
        raise wrong("facts.department", f"no department {facts.department}", f"one of: {known}")


def _require_pictures(found: CaseDetail, facts: Facts) -> None:
    """Raises Invalid: one was not sent to this case, or is not kept any more."""
    there = {one.key for one in found.pictures if one.deleted_utc is None}
    for place, key in enumerate(facts.pictures):
        if key not in there:
            fix = "send each to the case first, and give the key of the answer"
            raise wrong(f"facts.pictures[{place}]", "no picture of this case", fix)


def _page(
    pool: PoolView, page: Sequence[Case], following: int | None, total: int, unwatched: UnwatchedTotal
) -> CaseList:
    places = {case.id: pool.place_name("", case.camera, case.zone) for case in page if case.camera}
    return CaseList(cases=list(page), places=places, next_after=following, total=total, unwatched=unwatched)


def _detail(connection: Connection, sight: Sight, number: int) -> CaseDetail:
    found = queries.get_case(connection, sight, number)
    if found is None:
        raise NotFound(f"no case {number}")
    return found


def _view(connection: Connection, viewer: Viewer, book: Book, found: CaseDetail) -> CaseView:
    duties = _duties(connection, viewer, (found.case.state.handler,))
    names = people.display_names(connection, {line.who for line in found.lines})
    return CaseView(**dict(found), offers=offers(found.case.state, duties, book), names=names)


def _duties(connection: Connection, viewer: Viewer, handlers: Sequence[str]) -> frozenset[Duty]:
    """The offices that somebody holds towards cases that these departments have: the centre's, that of the handler, or
    both (an administrator)."""
    own = viewer.everything or set(handlers) <= set(access.departments(connection, viewer))
    held = {Duty.CENTRE: viewer.can(Right.DISPATCH), Duty.HANDLER: viewer.can(Right.HANDLE) and own}
    return frozenset(duty for duty, holds in held.items() if holds)


def _duty(connection: Connection, viewer: Viewer, action: Action, handlers: Sequence[str]) -> Duty:
    """In which office somebody does this.

    Raises:
        Forbidden: the case is with somebody else.
    """
    duties = _duties(connection, viewer, handlers)
    if not duties:
        raise Forbidden("the case is with another department", "it can be done by the department that has it")
    return office(action, duties) or min(duties)  # where it is in none of them, the table says so
