"""Pictures of cases: photos from the place, what cameras saw at second looks, and the place before them.

Each stands in a row, from the transaction that brings it until its bytes are gone by policy, and beyond.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from cases.tables import case_pictures
from cases.types import Facts
from contracts.records import Contract, EvidenceRef
from store.database import at

PHOTO = "photo"
"""Role of a picture that a person or another system attached to a case."""
BEFORE = "before"
"""Role of a picture of the place as it was: evidence of an event, shown beside what a second look saw."""
_p = case_pictures.c


class CasePicture(Contract):
    """One picture that belongs to a case.

    Attributes:
        role: `PHOTO`, `BEFORE`, or that of a second look's picture.
        size: in bytes; 0: not known.
        utc: when it was taken or came, s since 1970.
        deleted_utc: since when its bytes are gone by policy; None: they are kept.
    """

    key: str
    sha256: str
    role: str
    media_type: str
    size: int = Field(ge=0)
    utc: float
    deleted_utc: float | None = None

    @property
    def looked(self) -> bool:
        """Whether a camera saw it."""
        return self.role != PHOTO


def digest_of(key: str) -> str:
    """SHA-256 of a picture, hex, by its key."""
    return key.rpartition("/")[2].partition(".")[0]


def attached(connection: Connection, case: int, key: str, size: int, now: float) -> None:
    """A photo came, and its bytes are in the object store: also one that was there before, and was deleted since."""
    fresh = insert(case_pictures).values(_row(case, key, PHOTO, now) | {"size": size})
    again = {"size": size, "deleted": None}
    connection.execute(fresh.on_conflict_do_update(index_elements=["case_id", "key"], set_=again))


def seen(connection: Connection, case: int, refs: Iterable[EvidenceRef]) -> None:
    """What a camera saw at a second look; its bytes may still be on their way."""
    for ref in refs:
        told = {"sha256": ref.sha256, "media_type": ref.media_type, "size": ref.size}
        _add(connection, _row(case, ref.key, ref.role, ref.utc) | told)


def named(connection: Connection, case: int, facts: Facts, now: float) -> None:
    """What a line of the history refers to belongs to the case."""
    for key in facts.pictures:
        _add(connection, _row(case, key, PHOTO, now))
    if facts.before:
        _add(connection, _row(case, facts.before, BEFORE, now))


def of_case(connection: Connection, case: int) -> tuple[CasePicture, ...]:
    """All of a case, the oldest first; deleted ones too."""
    query = select(case_pictures).where(_p.case_id == case).order_by(_p.at, _p.key)
    return tuple(_picture(row) for row in connection.execute(query))


def mark_deleted(connection: Connection, key: str, now: float) -> None:
    """The bytes are gone by policy; `now` in s since 1970 UTC."""
    connection.execute(update(case_pictures).where(_p.key == key, _p.deleted.is_(None)).values(deleted=at(now)))


def _add(connection: Connection, row: dict[str, object]) -> None:
    connection.execute(insert(case_pictures).values(row).on_conflict_do_nothing(index_elements=["case_id", "key"]))


def _row(case: int, key: str, role: str, utc: float) -> dict[str, object]:
    media_type = "image/png" if key.endswith(".png") else "image/jpeg"
    about = {"case_id": case, "key": key, "sha256": digest_of(key), "role": role}
    return about | {"media_type": media_type, "size": 0, "at": at(utc)}


def _picture(row: Row[Any]) -> CasePicture:
    return CasePicture(
        key=row.key,
        sha256=row.sha256,
        role=row.role,
        media_type=row.media_type,
        size=row.size,
        utc=row.at.timestamp(),
        deleted_utc=None if row.deleted is None else row.deleted.timestamp(),
    )
