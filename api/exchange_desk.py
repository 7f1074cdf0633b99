"""How the exchange with the city's existing platform goes, and what the dispatch centre can do about it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from api import reconciliation
from api.deps import BookDep, ConnectionDep, DispatcherDep, DoorsDep, Number
from api.doors import Doors
from api.problems import NotFound, Problem
from api.schemas import Body
from cases.book import Book
from cases.exchange import outbox
from cases.exchange.mapping import Mapping
from cases.exchange.outbox import Outlook
from cases.exchange.reconcile import Difference, Kind, Repair
from cases.exchange.remote import Link
from governance import audit
from store.guard import Guard, networks

router = APIRouter(prefix="/api/exchange", tags=["exchange"])
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (404, 422, 503)}
_SHOWN = 100


class ExchangeOut(Body):
    """How the exchange goes."""

    platform: str | None = Field(description="what the platform is called; null: no cases are exchanged here")
    outlook: Outlook


class ReconcileBody(Body):
    """What to do about what differs."""

    repair: bool = Field(False, description="take their news, tell them ours again; else only look")


class DifferenceOut(Body):
    """One case that differs; `ours`, `theirs` in their words, null where it is missing."""

    case: int
    kind: Kind
    ours: str | None
    theirs: str | None
    change: int | None = Field(description="their count of changes of it")
    outcome: Literal["found", "done", "left"] = Field(description="only looked at; repaired; left to people")
    done: str = Field(description="what was done, or why nothing was")


class Reconciled(Body):
    """Their list held against ours."""

    asked_utc: float
    listed: int = Field(description="cases there that came from here")
    differences: list[DifferenceOut]
    unread: list[str] = Field(description="what of their list cannot be read")


def _mapping(book: Book) -> Mapping:
    if book.exchange is None:
        raise NotFound("no cases are exchanged here", "set CITYVISION_EXCHANGE_URL")
    return book.exchange


def _link(doors: Doors) -> Link:
    settings = doors.settings
    if settings.exchange_url is None:
        raise NotFound("no cases are exchanged here", "set CITYVISION_EXCHANGE_URL")
    return Link(settings.exchange_url, settings.exchange_keys, Guard(networks(settings.delivery_networks)))


@router.get("")
def exchange_outlook(connection: ConnectionDep, book: BookDep, _viewer: DispatcherDep) -> ExchangeOut:
    """How much waits, since when and why; and what the platform will not hear, the newest first."""
    name = None if book.exchange is None else book.exchange.platform
    return ExchangeOut(platform=name, outlook=outbox.outlook(connection, _SHOWN))


@router.post("/cases/{number}/retry", responses=_REFUSED)
def retry_exchange(number: Number, connection: ConnectionDep, book: BookDep, viewer: DispatcherDep) -> ExchangeOut:
    """The platform is told once more how a case stands now, where it has refused the newest it was told of it."""
    if not outbox.retry(connection, number, _mapping(book)):
        raise NotFound(f"nothing of case {number} was refused that is still news", "look again")
    audit.record(connection, viewer.name, "exchange.retried", {"case": number})
    return exchange_outlook(connection, book, viewer)


@router.post("/reconciliation", responses=_REFUSED)
def reconcile_exchange(body: ReconcileBody, doors: DoorsDep, viewer: DispatcherDep) -> Reconciled:
    """Asks for their list now and compares; with `repair` does what is safe. 503 while the platform is away."""
    mapping, now = _mapping(doors.book), time.time()
    found = asyncio.run(reconciliation.compared(doors.engine.begin, _link(doors), mapping))
    told = []
    for one in found.differences:
        made = None
        if body.repair:
            made = reconciliation.repaired(doors.engine.begin, one, doors.book, doors.objects, viewer.name)
        told.append(_difference(one, made))
    with doors.engine.begin() as connection:
        what = {"listed": found.listed, "differences": len(told), "repair": body.repair}
        audit.record(connection, viewer.name, "exchange.reconciled", what)
    return Reconciled(asked_utc=now, listed=found.listed, differences=told, unread=found.unread)


def _difference(one: Difference, made: Repair | None) -> DifferenceOut:
    """Args: made: what became of it; None: it was only looked at."""
    return DifferenceOut(
        case=one.case,
        kind=one.kind,
        ours=one.ours,
        theirs=None if one.theirs is None else one.theirs.status,
        change=None if one.theirs is None else one.theirs.seq,
        outcome="found" if made is None else "done" if made.done else "left",
        done="" if made is None else made.text,
    )
