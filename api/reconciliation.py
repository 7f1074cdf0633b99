"""Both lists held against each other, and what is safe to do about it: for the door and the command."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from api.pictures import keep_texts
from cases.book import Book
from cases.exchange import outbox, reconcile
from cases.exchange.mapping import Mapping
from cases.exchange.reconcile import Difference, Repair
from cases.exchange.remote import Link, Platform
from contracts.errors import CityVisionError
from governance import audit, holds
from store.objects import ObjectStore

Begin = Callable[[], AbstractContextManager[Connection]]
"""A transaction of its own."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs.

    Attributes:
        listed: how many cases they have that came from here.
        unread: what of their list cannot be read, in one line each.
    """

    listed: int
    differences: list[Difference]
    unread: list[str]


async def compared(begin: Begin, link: Link, mapping: Mapping) -> Compared:
    """Asks for their list and compares; changes nothing. No transaction is open while they take their time.

    Raises:
        PlatformAway: their list cannot be had.
    """
    with begin() as connection:
        asked = outbox.moment(connection)
    platform = Platform(link, mapping)
    try:
        theirs, unread = await platform.listed()
    finally:
        await platform.close()
    with begin() as connection:
        found = reconcile.compare(reconcile.ours(connection, mapping, asked), theirs)
    return Compared(len(theirs), found, unread)


def repaired(begin: Begin, one: Difference, book: Book, objects: ObjectStore, who: str) -> Repair:
    """Does what is safe about a difference, and audits it."""
    now = time.time()
    try:
        with begin() as connection:
            sent = () if one.theirs is None else one.theirs.pictures
            if sent:
                holds.lock(connection)  # a sweep that deletes the same bytes comes before this, or leaves them
            kept = keep_texts(objects, sent, "pictures")
            made = reconcile.repair(connection, one, tuple(picture.key for picture in kept), now, book)
            what = {"case": one.case, "kind": one.kind, "done": made.text}
            audit.record(connection, who, "exchange.repaired", what, now)
    except CityVisionError as error:
        return reconcile.left(error)
    return made
