"""Legal holds: while one stands, nothing of the event, its case's pictures, or of the case and its events is deleted.

Setting a hold and deciding on a deletion take turns (`lock`), so a hold that was answered is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, false, insert, or_, select, text, update

from contracts.records import Contract
from governance import audit, custody
from governance.access import Viewer
from governance.custody import Act, Piece
from governance.tables import evidence_holds
from store.database import at

_LOCK = 0x6376_7274  # "cvrt"
_h = evidence_holds.c


class Hold(Contract):
    """A legal hold of an event's evidence, or of a case's events, those to come too; times in s since 1970 UTC."""

    id: int
    event_id: str | None
    case_id: int | None
    reason: str
    set_by: str
    set_utc: float
    released_by: str | None = None
    released_utc: float | None = None
    release_reason: str = ""


def lock(connection: Connection) -> None:
    """One transaction at a time decides on holds and deletions."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def held(event_id: ColumnElement[Any], case_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a hold stands on an event or on a case, for WHERE; either may be `ANY` of several."""
    about = or_(_h.event_id == event_id, _h.case_id == case_id)
    return exists().where(and_(_h.released.is_(None), about)).correlate_except(evidence_holds)


def place(
    connection: Connection,
    viewer: Viewer,
    reason: str,
    pieces: Iterable[Piece],
    *,
    event_id: str | None = None,
    case_id: int | None = None,
) -> Hold:
    """Sets a hold on an event or a case, with its lines of audit chain and custody.

    Args:
        pieces: the evidence that it concerns now.
    """
    lock(connection)
    now = time.time()
    values = {"event_id": event_id, "case_id": case_id, "reason": reason, "set_by": viewer.name, "set": at(now)}
    row = connection.execute(insert(evidence_holds).values(values).returning(evidence_holds)).one()
    told = audit.record(connection, viewer.name, custody.AUDITED[Act.HELD], _what(row) | {"reason": reason}, now)
    custody.note(connection, told, Act.HELD, pieces, reason)
    return _hold(row)


def release(connection: Connection, viewer: Viewer, hold: Hold, reason: str, pieces: Iterable[Piece]) -> Hold | None:
    """Ends a hold; None where it had ended already."""
    lock(connection)
    now = time.time()
    values = {"released_by": viewer.name, "released": at(now), "release_reason": reason}
    change = update(evidence_holds).where(_h.id == hold.id, _h.released.is_(None)).values(values)
    row = connection.execute(change.returning(evidence_holds)).one_or_none()
    if row is None:
        return None
    told = audit.record(connection, viewer.name, custody.AUDITED[Act.RELEASED], _what(row) | {"reason": reason}, now)
    custody.note(connection, told, Act.RELEASED, pieces, reason)
    return _hold(row)


def listed(connection: Connection, *, event_id: str | None = None, case_id: int | None = None) -> list[Hold]:
    """Those of an event, or of a case, or of both, newest first; ended ones too."""
    of_event = _h.event_id == event_id if event_id is not None else false()
    of_case = _h.case_id == case_id if case_id is not None else false()
    query = select(evidence_holds).where(or_(of_event, of_case)).order_by(_h.id.desc())
    return [_hold(row) for row in connection.execute(query)]


def _what(row: Row[Any]) -> dict[str, object]:
    about = {"event": row.event_id} if row.event_id is not None else {"case": row.case_id}
    return {"hold": row.id, **about}


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        id=row.id,
        event_id=row.event_id,
        case_id=row.case_id,
        reason=row.reason,
        set_by=row.set_by,
        set_utc=row._mapping["set"].timestamp(),
        released_by=row.released_by,
        released_utc=None if row.released is None else row.released.timestamp(),
        release_reason=row.release_reason,
    )
