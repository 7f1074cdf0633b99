"""The tables of shifts. Times are timestamptz."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from store.database import metadata

_UTC = DateTime(timezone=True)

case_shifts = Table(
    "case_shifts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("desk", Text, nullable=False, comment="the dispatch centre's id, or a department's"),
    Column("who", Text, nullable=False),
    Column("opened", _UTC, nullable=False),
    Column("planned_end", _UTC, nullable=False),
    Column("ended", _UTC, comment="null while it lasts"),
    CheckConstraint("ended >= opened", name="ends_after"),
    Index("uq_case_shifts_lasting", "desk", unique=True, postgresql_where=text("ended IS NULL")),
)

# Append-only by trigger; see migration 0017.
case_handovers = Table(
    "case_handovers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("shift_id", BigInteger, ForeignKey("case_shifts.id"), nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("signed", _UTC, nullable=False),
    Column("next_end", _UTC, nullable=False),
    Column("note", Text, nullable=False),
    Column("relief", Boolean, nullable=False),
    Column("open", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("document", Text, nullable=False, comment="cases.shift.types.Document, byte by byte as it was signed"),
    Column("sha256", Text, nullable=False, comment="of the document"),
    Column("audit_id", BigInteger, nullable=False, comment="its line in audit_log, which names the hash"),
    Index("ix_case_handovers_shift", "shift_id"),
)

# Append-only by trigger; see migration 0017. A handover is answered once.
case_handover_answers = Table(
    "case_handover_answers",
    metadata,
    Column("handover_id", BigInteger, ForeignKey("case_handovers.id"), primary_key=True),
    Column("answer", Text, nullable=False, comment="confirmed, refused or withdrawn"),
    Column("who", Text, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("note", Text, nullable=False),
)
