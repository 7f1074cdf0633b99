"""Custody of evidence: every line says what was done with one picture or clip, by whom and why.

Append-only, and each line but those of the capture stands beside its line of the audit chain, written in the same
transaction: `verify` compares the two. Capture is told by the event itself, in the transaction that writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, case, cast, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from contracts.errors import StoreError
from contracts.records import Event, EvidenceRef
from governance.tables import audit_log, evidence_custody
from governance.types import AuditEntry
from store.database import at


class Act(StrEnum):
    """What is done with evidence."""

    CAPTURED = "captured"
    VIEWED = "viewed"
    EXPORTED = "exported"
    HELD = "held"
    RELEASED = "released"
    DELETED = "deleted"


AUDITED = {
    Act.VIEWED: "evidence.read",
    Act.EXPORTED: "evidence.exported",
    Act.HELD: "evidence.held",
    Act.RELEASED: "evidence.released",
    Act.DELETED: "evidence.deleted",
}
"""The action that each is told by in the audit chain."""

COLLECTED = "collected"
"""Role of a picture that was collected from a stream."""

# These always speak of one object at least: without a line here, one is missing.
_ALWAYS = (AUDITED[Act.VIEWED], AUDITED[Act.DELETED])
_c, _a = evidence_custody.c, audit_log.c


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture or clip by its SHA-256 at capture: of an event, of a case (`case_id`, and `event_id` ""), of a
    verdict that something was missed (`verdict_id`, and `event_id` ""), or of a picture to be labelled that was
    collected from a stream (`item_id`, and `event_id` "")."""

    event_id: str
    sha256: str
    role: str
    case_id: int | None = None
    verdict_id: int | None = None
    item_id: int | None = None

    @property
    def owner(self) -> tuple[str, str | int]:
        """What it belongs to, as the audit chain names it: ("event", id), ("case", number), ("verdict", number) or
        ("item", number)."""
        if self.item_id is not None:
            return "item", self.item_id
        if self.verdict_id is not None:
            return "verdict", self.verdict_id
        return ("event", self.event_id) if self.case_id is None else ("case", self.case_id)


@dataclass(frozen=True, slots=True)
class CustodyLine:
    """One line of the log.

    Attributes:
        utc: when, s since 1970; of a capture the moment that is shown.
        kind: which form of it was viewed, e.g. "original"; "" otherwise.
        who: an account, a part of the system, or the camera that captured it.
        audit_id: number of its line in the audit chain; None for a capture by a camera.
        case_id: of a picture that belongs to a case: a second look's, or a photo from the place.
        verdict_id: of the picture on which somebody drew what was missed.
        item_id: of a picture to be labelled that was collected from a stream.
    """

    id: int
    utc: float
    act: Act
    sha256: str
    role: str
    kind: str
    who: str
    why: str
    audit_id: int | None
    case_id: int | None = None
    verdict_id: int | None = None
    item_id: int | None = None


def note(
    connection: Connection, told: AuditEntry, act: Act, pieces: Iterable[Piece], why: str = "", kind: str = ""
) -> None:
    """Writes down what the audit line `told` says, for each piece, in the same transaction."""
    rows = [
        {
            "at": at(told.utc),
            "event_id": piece.event_id or None,
            "case_id": piece.case_id,
            "verdict_id": piece.verdict_id,
            "item_id": piece.item_id,
            "sha256": piece.sha256,
            "role": piece.role,
            "act": act.value,
            "kind": kind,
            "who": told.who,
            "why": why,
            "audit_id": told.id,
        }
        for piece in pieces
    ]
    if rows:
        connection.execute(insert(evidence_custody), rows)


def captured(connection: Connection, event: Event) -> None:
    """A hook of the event's own transaction: what the event brings was captured. Again is a no-op."""
    if not event.evidence:
        return
    rows = [
        {
            "at": at(ref.utc),
            "event_id": event.id,
            "sha256": ref.sha256,
            "role": ref.role,
            "act": Act.CAPTURED.value,
            "kind": "",
            "who": event.camera,
            "why": event.type,
        }
        for ref in event.evidence
    ]
    once = insert(evidence_custody).on_conflict_do_nothing(
        index_elements=["event_id", "sha256", "role"], index_where=text("act = 'captured'")
    )
    connection.execute(once, rows)


def captured_of_case(connection: Connection, case: int, refs: Iterable[EvidenceRef], camera: str, why: str) -> None:
    """What a camera saw at a second look at a case; in the transaction that writes the answer. Again is a no-op."""
    rows = [_case_row(case, ref.sha256, ref.role, camera, why) | {"at": at(ref.utc), "audit_id": None} for ref in refs]
    _once(connection, "case_id", rows)


def attached(connection: Connection, told: AuditEntry, case: int, digests: Iterable[str], role: str) -> None:
    """Pictures that were attached to a case, in the transaction of the audit line `told` that says by whom."""
    rows = [
        _case_row(case, digest, role, told.who, "") | {"at": at(told.utc), "audit_id": told.id} for digest in digests
    ]
    _once(connection, "case_id", rows)


def shown(connection: Connection, told: AuditEntry, verdict: int, ref: EvidenceRef, camera: str, why: str) -> None:
    """What a camera showed somebody who says that something was missed, in the transaction of the audit line `told`.
    Again is a no-op."""
    row: dict[str, object] = {"verdict_id": verdict, "sha256": ref.sha256, "role": ref.role, "who": camera, "why": why}
    row |= {"act": Act.CAPTURED.value, "kind": "", "at": at(ref.utc), "audit_id": told.id}
    _once(connection, "verdict_id", [row])


def collected(connection: Connection, item: int, sha256: str, camera: str, why: str, utc: float) -> None:
    """What a camera showed at a moment that a policy of collection chose, to be labelled; `utc`: s since 1970. Again is
    a no-op."""
    row: dict[str, object] = {"item_id": item, "sha256": sha256, "role": COLLECTED, "who": camera, "why": why}
    row |= {"act": Act.CAPTURED.value, "kind": "", "at": at(utc), "audit_id": None}
    _once(connection, "item_id", [row])


def _case_row(case: int, sha256: str, role: str, who: str, why: str) -> dict[str, object]:
    row = {"case_id": case, "sha256": sha256, "role": role, "who": who, "why": why}
    return row | {"act": Act.CAPTURED.value, "kind": ""}


def _once(
    connection: Connection, owner: Literal["case_id", "verdict_id", "item_id"], rows: list[dict[str, object]]
) -> None:
    if rows:
        once = insert(evidence_custody).on_conflict_do_nothing(
            index_elements=[owner, "sha256", "role"], index_where=text(f"act = 'captured' AND {owner} IS NOT NULL")
        )
        connection.execute(once, rows)


def of_case(connection: Connection, case: int) -> list[CustodyLine]:
    """What was done with the pictures that belong to a case, the oldest first."""
    query = select(evidence_custody).where(_c.case_id == case).order_by(_c.id)
    return [_line(row) for row in connection.execute(query)]


def of_verdict(connection: Connection, verdict: int) -> list[CustodyLine]:
    """What was done with the picture on which a missed event was drawn, the oldest first."""
    query = select(evidence_custody).where(_c.verdict_id == verdict).order_by(_c.id)
    return [_line(row) for row in connection.execute(query)]


def of_item(connection: Connection, item: int) -> list[CustodyLine]:
    """What was done with a collected picture, the oldest first."""
    query = select(evidence_custody).where(_c.item_id == item).order_by(_c.id)
    return [_line(row) for row in connection.execute(query)]


def of_event(connection: Connection, event_id: str) -> list[CustodyLine]:
    """What was done with the evidence of an event, the oldest first."""
    query = select(evidence_custody).where(_c.event_id == event_id).order_by(_c.id)
    return [_line(row) for row in connection.execute(query)]


def newest(connection: Connection, event_id: str, limit: int, before: int | None = None) -> list[CustodyLine]:
    """The same, newest first, `limit` of them; `before`: only lines with a smaller number."""
    query = select(evidence_custody).where(_c.event_id == event_id).order_by(_c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_c.id < before)
    return [_line(row) for row in connection.execute(query)]


def _line(row: Row[Any]) -> CustodyLine:
    moment, act = row.at.timestamp(), Act(row.act)
    what = (row.sha256, row.role, row.kind, row.who, row.why)
    return CustodyLine(row.id, moment, act, *what, row.audit_id, row.case_id, row.verdict_id, row.item_id)


def verify(connection: Connection) -> int:
    """Compares the log with the audit chain, which `audit.verify` checks; returns the number of lines.

    Raises:
        StoreError: names the first line that does not fit its audit line, or the audit line that has none here.
    """
    acts = or_(*(and_(_c.act == act.value, _a.action == action) for act, action in AUDITED.items()))
    same: ColumnElement[bool] = and_(_a.id == _c.audit_id, _a.who == _c.who, _a.at == _c.at, acts, _says_the_same())
    differs = select(_c.id).where(_c.act != Act.CAPTURED.value, ~exists().where(same)).order_by(_c.id).limit(1)
    if (found := connection.execute(differs).scalar_one_or_none()) is not None:
        raise StoreError(f"custody line {found} does not fit the audit chain")
    missing = select(_a.id).where(_a.action.in_(_ALWAYS), ~exists().where(_c.audit_id == _a.id))
    if (found := connection.execute(missing.order_by(_a.id).limit(1)).scalar_one_or_none()) is not None:
        raise StoreError(f"audit line {found} has no line in the custody log: it was removed there")
    count: int = connection.execute(select(func.count()).select_from(evidence_custody)).scalar_one()
    return count


def _says_the_same() -> ColumnElement[bool]:
    """Whether an audit line says of what, and why, as the line here does: all of a view and of a deletion; of what
    many lines here tell (an export, a hold), the reason, and the event of an export."""

    def told(name: str) -> ColumnElement[str]:
        return func.coalesce(_a.what[name].astext, "")

    owners = (("event", _c.event_id), ("case", _c.case_id), ("verdict", _c.verdict_id), ("item", _c.item_id))
    whose = and_(*(told(name) == func.coalesce(cast(column, Text), "") for name, column in owners))
    one = and_(whose, told("sha256") == _c.sha256)
    return case(
        (
            _c.act == Act.VIEWED.value,
            and_(one, told("role") == _c.role, told("kind") == _c.kind, told("purpose") == _c.why),
        ),
        (_c.act == Act.DELETED.value, and_(one, told("rule") == _c.why)),
        (
            _c.act == Act.EXPORTED.value,
            and_(told("purpose") == _c.why, or_(_c.event_id.is_(None), told("event") == _c.event_id)),
        ),
        else_=told("reason") == _c.why,
    )
