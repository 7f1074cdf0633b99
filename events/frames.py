"""Pictures on which people drew what was missed, where no event has one: each belongs to its verdict."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from contracts.records import EvidenceRef
from events.tables import missed_frames
from events.types import EvidenceRow
from store.database import at

_f = missed_frames.c


def key_of(sha256: str) -> str:
    """Where such a picture (JPEG) is kept: apart from the evidence of events, whose days are others."""
    return f"missed/{sha256[:2]}/{sha256}.jpg"


def write(connection: Connection, verdict: int, ref: EvidenceRef) -> None:
    """The picture of a verdict; its bytes are kept already. Again is a no-op."""
    row = {
        "verdict_id": verdict,
        "key": ref.key,
        "role": ref.role,
        "sha256": ref.sha256,
        "media_type": ref.media_type,
        "size": ref.size,
        "at": at(ref.utc),
    }
    connection.execute(insert(missed_frames).values(row).on_conflict_do_nothing(index_elements=[_f.verdict_id]))


def of_verdicts(connection: Connection, verdicts: Collection[int]) -> dict[int, EvidenceRow]:
    """The pictures of these verdicts, as far as they have one."""
    query = select(missed_frames).where(_f.verdict_id.in_(verdicts))
    return {row.verdict_id: _frame(row) for row in connection.execute(query)}


def mark_deleted(connection: Connection, key: str, now: float) -> None:
    """The bytes are gone by policy; `now` in s since 1970 UTC."""
    change = update(missed_frames).where(_f.key == key, _f.deleted.is_(None))
    connection.execute(change.values(deleted=at(now)))


def _frame(row: Row[Any]) -> EvidenceRow:
    ref = EvidenceRef(
        role=row.role, key=row.key, sha256=row.sha256, media_type=row.media_type, size=row.size, utc=row.at.timestamp()
    )
    return EvidenceRow(seq=0, ref=ref, deleted_utc=None if row.deleted is None else row.deleted.timestamp())
