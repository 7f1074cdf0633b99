"""What the city's existing platform says of a case lands in the case's history. In the caller's transaction."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from cases import store
from cases.act import CannotAct
from cases.book import Book
from cases.exchange import outbox
from cases.exchange.mapping import Mapping, Update, UpdateRefused
from cases.exchange.tables import exchange_callbacks, exchange_cases
from cases.flow import step_for
from cases.service import perform
from contracts.errors import StaleRevision
from store.database import at

Outcome = Literal["done", "nothing", "older", "known"]


class Message(NamedTuple):
    """A call-back as it came: its id, the time it was signed, s since 1970 UTC, and the SHA-256 of its body."""

    id: str
    stamp: int
    sha256: str


class Replayed(StaleRevision):
    """The very message was taken before, or its id stands for another one."""


def receive(
    connection: Connection, message: Message, said: Update, pictures: tuple[str, ...], now: float, book: Book
) -> Outcome:
    """Takes a call-back once.

    Args:
        pictures: keys in the object store.

    Returns:
        done: the case has changed; nothing: it stood so already; older: a newer change was taken before; known: the
        platform tells it again, and it was taken.

    Raises:
        Replayed: see there.
        UpdateRefused, CannotAct: see `apply`.
    """
    c = exchange_callbacks.c
    row = {"message": message.id, "case_id": said.case, "seq": said.seq, "stamp": message.stamp}
    fresh = insert(exchange_callbacks).values(**row, sha256=message.sha256, outcome="nothing", at=at(now))
    new = connection.execute(fresh.on_conflict_do_nothing().returning(c.message)).scalar_one_or_none()
    mine = c.message == message.id
    if new is None:
        known = connection.execute(select(exchange_callbacks).where(mine).with_for_update()).one()
        if known.sha256 != message.sha256 or message.stamp <= known.stamp:
            raise Replayed("webhook-id: this message was taken before", "send news with an id and a time of its own")
        connection.execute(update(exchange_callbacks).where(mine).values(stamp=message.stamp))
        return "known"
    outcome = apply(connection, said, pictures, now, book)
    connection.execute(update(exchange_callbacks).where(mine).values(outcome=outcome))
    return outcome


def apply(connection: Connection, said: Update, pictures: tuple[str, ...], now: float, book: Book) -> Outcome:
    """The case follows their change as far as the transition table allows.

    Raises:
        UpdateRefused: the case was never told there.
        CannotAct: it cannot become that from where it stands, or something is missing.
    """
    mapping = _mapping(book)
    c = exchange_cases.c
    link = connection.execute(select(exchange_cases).where(c.case_id == said.case).with_for_update()).one_or_none()
    if link is None:
        raise UpdateRefused(mapping.fields["case"], "no case of ours that you were told of", "see your own list")
    if said.seq <= link.seq:
        return "older"
    changed = False
    for do in mapping.callbacks[said.status]:
        case = store.read(connection, said.case, lock=True)
        assert case is not None
        if mapping.statuses.get(case.state.status) != said.status and step_for(case.state.status, do.action):
            facts = do.facts(said, pictures)
            perform(connection, said.case, do.action, do.duty, mapping.platform, facts, now, book)
            changed = True
    theirs = said.theirs or link.theirs
    connection.execute(update(exchange_cases).where(c.case_id == said.case).values(theirs=theirs))
    _arrived(connection, said, mapping)
    return "done" if changed else "nothing"


def _arrived(connection: Connection, said: Update, mapping: Mapping) -> None:
    """Their word must be the case's now; where it is one that none of ours stands for (退回), they hear ours."""
    case = store.read(connection, said.case)
    assert case is not None
    word = mapping.statuses.get(case.state.status)
    if said.status in mapping.statuses.values() and word != said.status:
        raise CannotAct(
            f"{mapping.fields['status']}: a case that is {case.state.status} cannot become {said.status!r}",
            "look at it in the console",
        )
    mine = exchange_cases.c.case_id == said.case
    connection.execute(update(exchange_cases).where(mine).values(seq=said.seq))
    if word is not None and word != said.status:
        outbox.tell_again(connection, said.case, said.seq, mapping)


def _mapping(book: Book) -> Mapping:
    assert book.exchange is not None
    return book.exchange
