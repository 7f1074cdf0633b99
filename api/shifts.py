"""Shift handover (交接班) of the dispatch centre: whose shift it is, what is handed over, and who took over.

The rooms meet here: cases tell what is open, subscriptions what is silenced, events what is not watched.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from sqlalchemy import Connection

from api.deps import BookDep, ConnectionDep, DispatcherDep, Number, PoolDep, ShiftReaderDep
from api.pool_view import PoolView
from api.problems import NotFound, Problem
from api.shift_schemas import (
    AnswerBody,
    CurrentShift,
    HandoverBody,
    HandoverDetail,
    HandoverPage,
    ReliefBody,
    ShiftBegin,
)
from cases import queries as case_queries
from cases.queries import Sight
from cases.shift import service, store
from cases.shift.summary import ShiftCase
from cases.shift.types import Answer, HandedCamera, HandedSilence, Handover, Snapshot
from events import queries as event_queries
from governance import access, audit
from governance.access import Viewer
from store.database import at
from subscriptions import store as subscription_store
from subscriptions.tables import subscription_silences

router = APIRouter(prefix="/api/shifts", tags=["shifts"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 409, 422)}
_EVERYTHING = Sight(everything=True)  # the centre is responsible for every case


@router.get("/current")
def current_shift(connection: ConnectionDep, _viewer: ShiftReaderDep, book: BookDep) -> CurrentShift:
    """Whose shift it is at the centre. A handover that waits changes nothing until somebody else confirms it."""
    now = time.time()
    shift = store.current(connection, book.centre)
    waiting = None if shift is None else store.waiting(connection, shift.id, now)
    return CurrentShift(desk=book.centre, shift=shift, waiting=waiting, now_utc=now)


@router.post("", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def begin_shift(body: ShiftBegin, connection: ConnectionDep, user: DispatcherDep, book: BookDep) -> CurrentShift:
    """The centre's first shift. Every later one begins by taking over (409 where somebody is on shift)."""
    now = time.time()
    shift = service.begin(connection, book.centre, user.name, body.until_utc, now)
    audit.record(connection, user.name, "shift.begun", {"shift": shift.id, "desk": shift.desk}, now)
    return CurrentShift(desk=book.centre, shift=shift, waiting=None, now_utc=now)


@router.get("/draft", responses={422: {"model": Problem}})
def draft_handover(
    connection: ConnectionDep,
    viewer: DispatcherDep,
    book: BookDep,
    pool: PoolDep,
    until: Annotated[float, Query(description="the end of the next shift, s since 1970 UTC", ge=0, le=1e11)],
) -> Snapshot:
    """What a handover would say now: computed from what is open, silenced and not watched."""
    return _drawn(connection, viewer, pool, book.centre, until, time.time(), HandoverBody(until_utc=until))


@router.post("/{number}/handover", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def sign_handover(
    number: Number, body: HandoverBody, connection: ConnectionDep, user: DispatcherDep, book: BookDep, pool: PoolDep
) -> HandoverDetail:
    """Whoever is on shift signs its handover: drawn anew, kept as it is, its SHA-256 in the audit chain."""
    now = time.time()
    store.lock(connection, book.centre)
    snapshot = _drawn(connection, user, pool, book.centre, body.until_utc, now, body)
    tell = _teller(connection, user, "shift.signed", number, now)
    handover = service.sign(connection, number, snapshot, user.name, body.note, body.until_utc, now, tell)
    return _detail(connection, handover)


@router.post("/{number}/relief", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def relieve_shift(
    number: Number, body: ReliefBody, connection: ConnectionDep, user: DispatcherDep, book: BookDep, pool: PoolDep
) -> HandoverDetail:
    """Takes over from a shift that does not hand over, with the reason; how things stand is kept all the same."""
    now = time.time()
    store.lock(connection, book.centre)
    wanted = HandoverBody(until_utc=body.until_utc)
    snapshot = _drawn(connection, user, pool, book.centre, body.until_utc, now, wanted)
    tell = _teller(connection, user, "shift.relieved", number, now)
    handover = service.relieve(connection, number, snapshot, user.name, body.note, body.until_utc, now, tell)
    return _detail(connection, handover)


@router.get("/handovers", responses={422: {"model": Problem}})
def list_handovers(
    connection: ConnectionDep,
    _viewer: ShiftReaderDep,
    book: BookDep,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="id of the last one of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HandoverPage:
    """Handovers of the centre, the newest first, also those that were refused or withdrawn."""
    page, following = store.listed(connection, book.centre, time.time(), before, limit)
    return HandoverPage(handovers=list(page), next_before=following)


@router.get("/handovers/{number}", responses={404: {"model": Problem}})
def get_handover(number: Number, connection: ConnectionDep, _viewer: ShiftReaderDep, book: BookDep) -> HandoverDetail:
    """One handover as it was signed, and whether it still is what the audit chain says."""
    return _detail(connection, _known(connection, book.centre, number))


@router.post("/handovers/{number}/answer", responses={404: {"model": Problem}, **_REFUSED})
def answer_handover(
    number: Number, body: AnswerBody, connection: ConnectionDep, user: DispatcherDep, book: BookDep
) -> HandoverDetail:
    """Somebody else confirms, and is on shift from then on, or refuses with a note; whoever signed may withdraw. Who
    comes second is told what happened (409)."""
    _known(connection, book.centre, number)
    store.lock(connection, book.centre)
    now = time.time()
    handover, shift = service.answer(connection, book.centre, number, body.answer, user.name, body.note, now)
    what = {"handover": number, "shift": handover.shift.id, "sha256": handover.sha256, "note": body.note}
    if body.answer is Answer.CONFIRMED:
        what |= {"begins": shift.id, "late_s": round(handover.late_s)}
    audit.record(connection, user.name, f"shift.{body.answer}", what, now)
    return _detail(connection, handover)


def _known(connection: Connection, desk: str, number: int) -> Handover:
    found = store.read(connection, desk, number, time.time())
    if found is None:
        raise NotFound(f"no handover {number}")
    return found


def _detail(connection: Connection, handover: Handover) -> HandoverDetail:
    document, digest = store.document_of(connection, handover.id)
    told = audit.line(connection, handover.audit)
    intact = digest == handover.sha256 and told is not None and told.what.get("sha256") == digest
    return HandoverDetail(handover=handover, snapshot=document.snapshot, intact=intact)


def _teller(connection: Connection, viewer: Viewer, action: str, shift: int, now: float) -> service.Tell:
    def tell(digest: str) -> int:
        return audit.record(connection, viewer.name, action, {"shift": shift, "sha256": digest}, now).id

    return tell


def _drawn(
    connection: Connection, viewer: Viewer, pool: PoolView, desk: str, until: float, now: float, said: HandoverBody
) -> Snapshot:
    """Everything that is handed over: of cases all, of deliveries the silences of the viewer's own department."""
    notes = {one.case: one.note for one in said.cases}
    snapshot, found = service.draft(connection, desk, _EVERYTHING, until, now, _where(pool), notes)
    silences = (*_case_silences(connection, now), *_delivery_silences(connection, viewer, now))
    start = now if snapshot.since_utc is None else snapshot.since_utc
    cameras = _unwatched(connection, pool, found, start, now)
    return snapshot.model_copy(update={"silences": silences, "cameras": cameras})


def _where(pool: PoolView) -> Callable[[ShiftCase], str]:
    return lambda case: pool.place_name(case.address, case.camera, case.zone)


def _case_silences(connection: Connection, now: float) -> Iterable[HandedSilence]:
    for one in case_queries.silences(connection, now):
        yield HandedSilence(
            kind="cases",
            number=one.id,
            who=one.who,
            note=one.note,
            from_utc=one.from_utc,
            until_utc=one.until_utc,
            hidden=one.events,
        )


def _delivery_silences(connection: Connection, viewer: Viewer, now: float) -> Iterable[HandedSilence]:
    s = subscription_silences.c
    running = [access.owns(viewer, s.department), s.until > at(now)]
    for one in reversed(subscription_store.silences(connection, running)):
        yield HandedSilence(
            kind="deliveries",
            number=one.id,
            who=one.who,
            department=one.department,
            note=one.note,
            from_utc=one.from_utc,
            until_utc=one.until_utc,
            hidden=one.hidden,
        )


def _unwatched(
    connection: Connection, pool: PoolView, found: Sequence[ShiftCase], start: float, now: float
) -> tuple[HandedCamera, ...]:
    """Of the cameras behind open cases those that do not watch now, most cases first: nobody sees there whether it is
    over, and no second look can be answered."""
    behind = Counter(case.camera for case in found if case.camera)
    if not behind:
        return ()
    names = sorted(behind)
    hours = {
        (one.camera, one.algorithm): one.hours for one in event_queries.unwatched_hours(connection, start, now, names)
    }
    blind = [
        HandedCamera(
            camera=one.camera,
            name=pool.camera_name(one.camera),
            algorithm=one.algorithm,
            reason=one.reason,
            since_utc=one.start_utc,
            hours=hours.get((one.camera, one.algorithm), 0.0),
            cases=behind[one.camera],
        )
        for one in event_queries.unwatched_now(connection, names)
    ]
    return tuple(sorted(blind, key=lambda one: (-one.cases, one.camera, one.algorithm)))
