"""Shifts as they change hands. Every function works in its caller's transaction; times are s since 1970 UTC.

Whose a desk is, is decided under a lock of its own by `cases.shift.rota`, and written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from cases.act import CannotAct
from cases.queries import Sight
from cases.shift import rota, store
from cases.shift.summary import ShiftCase, summarise
from cases.shift.types import Answer, Document, Handover, Shift, Snapshot
from contracts.errors import ConfigError, StaleRevision

Tell = Callable[[str], int]
"""Writes the line of the audit chain that names a document's SHA-256, in the same transaction; its number."""


def draft(
    connection: Connection,
    desk: str,
    sight: Sight,
    until: float,
    now: float,
    where: Callable[[ShiftCase], str],
    notes: Mapping[int, str] | None = None,
) -> tuple[Snapshot, tuple[ShiftCase, ...]]:
    """How things stand, less what other rooms know (silences, cameras); and all open cases.

    Args:
        until: the end of the next shift.
        where: what the place of a case is called.
        notes: by case, of whoever hands over.

    Raises:
        CannotAct: a note is about a case that is not open.
    """
    noted = {number: note for number, note in (notes or {}).items() if note.strip()}
    found = store.open_cases(connection, sight.condition(), now)
    if strange := noted.keys() - {case.id for case in found}:
        raise CannotAct(f"notes: case {min(strange)} is not open", "say it in the note of the handover")
    shift = store.current(connection, desk)
    start = now if shift is None else shift.opened_utc
    opened, closed = store.since(connection, sight.condition(), start)
    seen = summarise(found, noted, now, until, where)
    return Snapshot(
        desk=desk,
        shift=None if shift is None else shift.id,
        who="" if shift is None else shift.who,
        since_utc=None if shift is None else shift.opened_utc,
        drawn_utc=now,
        until_utc=until,
        by_status=seen.by_status,
        marked=seen.marked,
        opened=opened,
        closed=closed,
        cases=seen.cases,
        left_out=seen.left_out,
        incidents=seen.incidents,
    ), tuple(found)


def begin(connection: Connection, desk: str, who: str, until: float, now: float) -> Shift:
    """The first shift of a desk.

    Raises:
        StaleRevision, CannotAct: see `rota.begin`.
    """
    store.lock(connection, desk)
    after = rota.begin(_standing(connection, desk, now)[0], who, until, now)
    assert after.duty is not None
    store.open_shift(connection, desk, after.duty)
    return _current(connection, desk)


def sign(
    connection: Connection, shift: int, snapshot: Snapshot, who: str, note: str, until: float, now: float, tell: Tell
) -> Handover:
    """Whoever is on shift signs its handover.

    Args:
        shift: the one that the person saw.

    Raises:
        StaleRevision, Forbidden, CannotAct: see `rota.sign`; it is another shift by now.
    """
    store.lock(connection, snapshot.desk)
    before, _ = _seen(connection, snapshot, shift, now)
    rota.sign(before, who, until, now)
    document = Document(snapshot=snapshot, note=note, signed_by=who, signed_utc=now, relief=False)
    number = store.keep(connection, shift, document, until, tell(store.text_of(document)[1]))
    return _read(connection, snapshot.desk, number, now)


def answer(
    connection: Connection, desk: str, number: int, what: Answer, who: str, note: str, now: float
) -> tuple[Handover, Shift]:
    """Confirms a handover (their shift begins), refuses or withdraws it; what it is now, and whose shift it is.

    Raises:
        ConfigError: there is no such handover.
        StaleRevision: it was answered already; the message says by whom and how.
        Forbidden, CannotAct: see `rota.answer`.
    """
    store.lock(connection, desk)
    handover = store.read(connection, desk, number, now)
    if handover is None:
        raise ConfigError(f"there is no handover {number}", "see the list of handovers")
    if handover.answer is not None:
        raise StaleRevision(f"handover {number} was {handover.answer} by {handover.answered_by}", "look at it again")
    before, shift = _standing(connection, desk, now)
    after = rota.answer(before, what, who, note, now)
    store.answer(connection, number, what, who, note, now)
    if what is Answer.CONFIRMED:
        _change(connection, shift, after)
    return _read(connection, desk, number, now), _current(connection, desk)


def relieve(
    connection: Connection, shift: int, snapshot: Snapshot, who: str, note: str, until: float, now: float, tell: Tell
) -> Handover:
    """Takes over from a shift that does not hand over.

    Raises:
        StaleRevision, Forbidden, CannotAct: see `rota.relieve`; it is another shift by now.
    """
    store.lock(connection, snapshot.desk)
    before, lasting = _seen(connection, snapshot, shift, now)
    after = rota.relieve(before, who, note, until, now)
    document = Document(snapshot=snapshot, note=note, signed_by=who, signed_utc=now, relief=True)
    number = store.keep(connection, shift, document, until, tell(store.text_of(document)[1]))
    store.answer(connection, number, Answer.CONFIRMED, who, "", now)
    _change(connection, lasting, after)
    return _read(connection, snapshot.desk, number, now)


def _change(connection: Connection, shift: Shift | None, after: rota.Desk) -> None:
    """One shift ends and the next begins, in one step."""
    assert shift is not None
    assert after.duty is not None
    store.end_shift(connection, shift.id, after.duty.since_utc)
    store.open_shift(connection, shift.desk, after.duty)


def _standing(connection: Connection, desk: str, now: float) -> tuple[rota.Desk, Shift | None]:
    shift = store.current(connection, desk)
    return store.desk_of(shift, None if shift is None else store.waiting(connection, shift.id, now)), shift


def _seen(connection: Connection, snapshot: Snapshot, seen: int, now: float) -> tuple[rota.Desk, Shift | None]:
    """How the desk stands, where it is still that of the shift which the person saw."""
    before, shift = _standing(connection, snapshot.desk, now)
    if shift is None or not shift.id == snapshot.shift == seen:
        whose = "nobody is" if shift is None else f"{shift.who} is"
        raise StaleRevision(f"shift {seen} is not the one that lasts: {whose} on shift now", "look at it again")
    return before, shift


def _current(connection: Connection, desk: str) -> Shift:
    shift = store.current(connection, desk)
    assert shift is not None
    return shift


def _read(connection: Connection, desk: str, number: int, now: float) -> Handover:
    handover = store.read(connection, desk, number, now)
    assert handover is not None
    return handover
