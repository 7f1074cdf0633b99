"""Rows of shifts and handovers. Every function works in its caller's transaction; times are s since 1970 UTC."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, select, update

from cases.shift.rota import Desk, Duty, Offer, late_s
from cases.shift.summary import ShiftCase
from cases.shift.tables import case_handover_answers, case_handovers, case_shifts
from cases.shift.types import Answer, Document, Handover, Look, Shift
from cases.tables import case_looks, cases
from cases.types import OPEN, Status
from contracts.records import Severity
from store.database import at

_LOCK = 0x6376_7368  # "cvsh"
_s, _h, _a = case_shifts.c, case_handovers.c, case_handover_answers.c
_OPEN = [status.value for status in OPEN]


def lock(connection: Connection, desk: str) -> None:
    """One transaction at a time changes whose a desk is, so that of two who take over one is told of the other."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(desk))))


def current(connection: Connection, desk: str) -> Shift | None:
    """The shift that lasts; None before the first."""
    row = connection.execute(select(case_shifts).where(_s.desk == desk, _s.ended.is_(None))).one_or_none()
    return None if row is None else _shift(row)


def waiting(connection: Connection, shift: int, now: float) -> Handover | None:
    """The handover of a shift that nobody has answered."""
    row = connection.execute(_handovers().where(_h.shift_id == shift, _a.handover_id.is_(None))).one_or_none()
    return None if row is None else _handover(row, now)


def desk_of(shift: Shift | None, offer: Handover | None) -> Desk:
    """The two as the rota knows them."""
    if shift is None:
        return Desk()
    duty = Duty(shift.who, shift.opened_utc, shift.planned_end_utc)
    if offer is None:
        return Desk(duty)
    return Desk(duty, Offer(offer.signed_by, offer.signed_utc, offer.next_end_utc))


def open_shift(connection: Connection, desk: str, duty: Duty) -> int:
    """A new one; its id."""
    values = {"desk": desk, "who": duty.who, "opened": at(duty.since_utc), "planned_end": at(duty.planned_end_utc)}
    number: int = connection.execute(insert(case_shifts).values(values).returning(_s.id)).scalar_one()
    return number


def end_shift(connection: Connection, shift: int, now: float) -> None:
    """It is over."""
    connection.execute(update(case_shifts).where(_s.id == shift).values(ended=at(now)))


def text_of(document: Document) -> tuple[str, str]:
    """The bytes that are kept, and their SHA-256, hex."""
    text = document.model_dump_json()
    return text, hashlib.sha256(text.encode()).hexdigest()


def keep(connection: Connection, shift: int, document: Document, next_end: float, audit: int) -> int:
    """A signed handover, never to be changed; its id."""
    text, digest = text_of(document)
    seen = document.snapshot
    values = {
        "shift_id": shift,
        "signed_by": document.signed_by,
        "signed": at(document.signed_utc),
        "next_end": at(next_end),
        "note": document.note,
        "relief": document.relief,
        "open": sum(seen.by_status.values()),
        "late": seen.marked["late"],
        "document": text,
        "sha256": digest,
        "audit_id": audit,
    }
    number: int = connection.execute(insert(case_handovers).values(values).returning(_h.id)).scalar_one()
    return number


def answer(connection: Connection, handover: int, what: Answer, who: str, note: str, now: float) -> None:
    """What became of a handover, never to be changed."""
    values = {"handover_id": handover, "answer": what.value, "who": who, "at": at(now), "note": note}
    connection.execute(insert(case_handover_answers).values(values))


def read(connection: Connection, desk: str, number: int, now: float) -> Handover | None:
    """One handover; None where the desk has none of this number."""
    row = connection.execute(_handovers().where(_s.desk == desk, _h.id == number)).one_or_none()
    return None if row is None else _handover(row, now)


def document_of(connection: Connection, number: int) -> tuple[Document, str]:
    """What was signed, and the SHA-256 of the bytes that are kept now, hex."""
    text = connection.execute(select(_h.document).where(_h.id == number)).scalar_one()
    return Document.model_validate_json(text), hashlib.sha256(text.encode()).hexdigest()


def listed(
    connection: Connection, desk: str, now: float, before: int | None = None, limit: int = 50
) -> tuple[tuple[Handover, ...], int | None]:
    """Handovers, the newest first, and what to give as `before` for the next page (None: it was the last)."""
    query = _handovers().where(_s.desk == desk).order_by(_h.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(_h.id < before)
    rows = connection.execute(query).all()
    page = tuple(_handover(row, now) for row in rows[:limit])
    return page, page[-1].id if len(rows) > limit else None


def open_cases(connection: Connection, sight: ColumnElement[bool], now: float) -> list[ShiftCase]:
    """All open cases, in one statement: what is counted of them and what is listed is of one moment."""
    c, look = cases.c, case_looks.c
    newest = (
        select(look.until, look.result["verdict"].astext.label("verdict"))
        .where(look.case_id == c.id)
        .order_by(look.asked.desc(), look.id)
        .limit(1)
        .lateral()
    )
    joined = cases.outerjoin(newest, c.status == Status.VERIFYING.value)
    query = select(cases, newest.c.until, newest.c.verdict).select_from(joined).where(sight, c.status.in_(_OPEN))
    return [
        ShiftCase(
            id=row.id,
            category=row.category,
            status=Status(row.status),
            severity=Severity(row.severity),
            address=row.address,
            camera=row.camera,
            zone=row.zone,
            grid=row.grid,
            handler=row.handler,
            opened_utc=row.opened.timestamp(),
            due_utc=None if row.due is None else row.due.timestamp(),
            supervised=row.supervised,
            incident=row.incident,
            look=_look(row, now),
        )
        for row in connection.execute(query)
    ]


def since(connection: Connection, sight: ColumnElement[bool], start: float) -> tuple[int, int]:
    """How many cases were opened, and how many closed, since a moment."""
    c = cases.c
    counted = select(
        func.count().filter(c.opened >= at(start)).label("opened"),
        func.count().filter(c.closed >= at(start)).label("closed"),
    ).where(sight, c.updated >= at(start))
    opened, closed = connection.execute(counted).one()
    return opened, closed


def _look(row: Row[Any], now: float) -> Look:
    if row.until is None or row.verdict not in (None, "unseen"):
        return ""
    if row.verdict == "unseen":
        return "unseen"
    return "waiting" if row.until > at(now) else "silent"


def _handovers() -> Select[Any]:
    joined = case_handovers.join(case_shifts, _s.id == _h.shift_id).outerjoin(
        case_handover_answers, and_(_a.handover_id == _h.id)
    )
    named = [column.label(f"shift_{column.name}") for column in case_shifts.c]
    answered = [_a.answer, _a.who.label("answered_by"), _a.at.label("answered"), _a.note.label("answer_note")]
    own = [column for column in case_handovers.c if column.name not in ("document", "shift_id")]
    return select(*own, *named, *answered).select_from(joined)


def _shift(row: Row[Any], prefix: str = "") -> Shift:
    ended = getattr(row, f"{prefix}ended")
    return Shift(
        id=getattr(row, f"{prefix}id"),
        desk=getattr(row, f"{prefix}desk"),
        who=getattr(row, f"{prefix}who"),
        opened_utc=getattr(row, f"{prefix}opened").timestamp(),
        planned_end_utc=getattr(row, f"{prefix}planned_end").timestamp(),
        ended_utc=None if ended is None else ended.timestamp(),
    )


def _handover(row: Row[Any], now: float) -> Handover:
    shift = _shift(row, "shift_")
    answered = None if row.answered is None else row.answered.timestamp()
    return Handover(
        id=row.id,
        shift=shift,
        signed_by=row.signed_by,
        signed_utc=row.signed.timestamp(),
        next_end_utc=row.next_end.timestamp(),
        note=row.note,
        relief=row.relief,
        open=row.open,
        late=row.late,
        sha256=row.sha256,
        audit=row.audit_id,
        answer=None if row.answer is None else Answer(row.answer),
        answered_by=row.answered_by or "",
        answered_utc=answered,
        answer_note=row.answer_note or "",
        late_s=late_s(shift.planned_end_utc, now if answered is None else answered),
    )
