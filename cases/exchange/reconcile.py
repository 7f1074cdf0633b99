"""What differs between their list and ours, and what is done about it. Comparing is pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, case, func, select

from cases.act import CannotAct
from cases.book import Book
from cases.exchange import outbox
from cases.exchange.callback import apply
from cases.exchange.mapping import Mapping, Update
from cases.exchange.tables import exchange_cases, exchange_outbox
from cases.tables import cases
from cases.types import OPEN, Status
from contracts.records import Contract
from store.database import at

Kind = Literal["missing_there", "missing_here", "status_differs", "newer_there"]


@dataclass(frozen=True, slots=True)
class Ours:
    """A case as the exchange knows it.

    Attributes:
        revision: the newest that was told; None: none yet.
        status: their word for where it stands; None where there is none.
        seq: the newest of their changes that was taken.
        settled: nothing is on its way, and was not when their list was asked for.
    """

    case: int
    revision: int | None
    status: str | None
    seq: int
    settled: bool


class Difference(Contract):
    """One case that differs; `ours`, `theirs` in their words, None where it is missing."""

    kind: Kind
    case: int
    ours: str | None = None
    theirs: Update | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of a difference: `text` says what was done, or, where nothing was, why it is left to people."""

    done: bool
    text: str


def left(why: object) -> Repair:
    """Nothing was done."""
    return Repair(False, f"left to you: {why}")


def compare(ours: Iterable[Ours], theirs: Iterable[Update]) -> list[Difference]:
    """What differs, by case. What is on its way is no difference, unless they have news.

    `newer_there`: they have changed it since we heard; `status_differs`: they have heard all and say otherwise, or
    know an older one of ours; `missing_there`, `missing_here`: one of both does not have it.
    """
    listed: dict[int, Update] = {}
    for item in theirs:
        known = listed.get(item.case)
        if known is None or _order(item) > _order(known):
            listed[item.case] = item
    found = []
    for mine in ours:
        other = listed.pop(mine.case, None)
        kind = _kind(mine, other)
        if kind is not None:
            found.append(Difference(kind=kind, case=mine.case, ours=mine.status, theirs=other))
    found += [Difference(kind="missing_here", case=number, theirs=item) for number, item in listed.items()]
    return sorted(found, key=lambda one: one.case)


def _kind(mine: Ours, other: Update | None) -> Kind | None:
    if other is None:
        return "missing_there" if mine.settled else None
    if other.seq > mine.seq:
        return "newer_there"
    behind = other.revision is not None and other.revision != mine.revision
    if mine.settled and mine.status is not None and (other.status != mine.status or behind):
        return "status_differs"
    return None


def _order(item: Update) -> tuple[int, int, str]:
    return item.seq, -1 if item.revision is None else item.revision, item.status


def ours(connection: Connection, mapping: Mapping, asked: float) -> list[Ours]:
    """All cases of the exchange.

    Args:
        asked: when their list was asked for, s since 1970 UTC: what was told later may not be in it.
    """
    o = exchange_outbox.c
    told = func.max(case((o.state == "told", o.revision)))
    moving = func.bool_or((o.state == "waiting") | (o.done >= at(asked)))
    query = (
        select(exchange_cases.c.case_id, exchange_cases.c.seq, cases.c.status, told, moving)
        .join(cases, cases.c.id == exchange_cases.c.case_id)
        .join(exchange_outbox, o.case_id == exchange_cases.c.case_id)
        .group_by(exchange_cases.c.case_id, exchange_cases.c.seq, cases.c.status)
    )
    return [
        Ours(number, revision, mapping.statuses.get(Status(status)), seq, not moves)
        for number, seq, status, revision, moves in connection.execute(query)
    ]


def repair(connection: Connection, one: Difference, pictures: tuple[str, ...], now: float, book: Book) -> Repair:
    """Does what is safe, and says what: their news is taken as a call-back would be, where the transition table allows
    it; a case that has ended here stays so, and they are told again, as they are of whatever else they have not or
    have otherwise. The rest is left to people.

    Args:
        pictures: of their news; keys in the object store.

    Raises:
        CityVisionError: it cannot be done; names the reason.
    """
    mapping = book.exchange
    if one.kind == "missing_here" or mapping is None:
        return left("a case is never made from their list")
    reason = ""
    if one.kind == "newer_there" and one.theirs is not None:
        try:
            with connection.begin_nested():
                return Repair(True, f"taken: {apply(connection, one.theirs, pictures, now, book)}")
        except CannotAct as error:
            if one.ours not in {mapping.statuses.get(status) for status in frozenset(Status) - OPEN}:
                return left(error)
            reason = f": {error.message}"
    outbox.tell_again(connection, one.case, 0 if one.theirs is None else one.theirs.seq, mapping)
    return Repair(True, f"told again{reason}")
