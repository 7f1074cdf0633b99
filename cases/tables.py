"""The tables of this room. Times are timestamptz; `state` and `body` are types of `cases.types` as JSON."""

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
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

case_incidents = Table(
    "case_incidents",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("category", Text, nullable=False),
    Column("opened", _UTC, nullable=False, server_default=func.now()),
)

# status, owner, handler, due and supervised repeat what `state` says, for queries.
cases = Table(
    "cases",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False, comment="event, manual or hotline"),
    Column("category", Text, nullable=False),
    Column("place", Text, nullable=False, comment="the same for all zones that show it"),
    Column("address", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("grid", Text, nullable=False),
    Column("department", Text, nullable=False, comment="that owns the camera, or took the report"),
    Column("severity", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("started", _UTC, nullable=False, comment="when the first of its events began"),
    Column("opened", _UTC, nullable=False),
    Column("updated", _UTC, nullable=False),
    Column("closed", _UTC, comment="the last time; null before"),
    Column("incident", BigInteger, ForeignKey("case_incidents.id")),
    Column("revision", Integer, nullable=False, comment="grows with each line"),
    Column("status", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("due", _UTC, comment="of the running clock; null at the end"),
    Column("supervised", Boolean, nullable=False),
    Column("state", JSONB, nullable=False, comment="cases.types.CaseState"),
    Index("ix_cases_place", "category", "place"),
    Index("ix_cases_opened", "opened", "id"),
    Index("ix_cases_owner", "owner", "due"),
    Index("ix_cases_due", "due", postgresql_where="due IS NOT NULL"),
)

# Append-only by trigger; see migration 0006.
case_lines = Table(
    "case_lines",
    metadata,
    Column("case_id", BigInteger, ForeignKey("cases.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at", _UTC, nullable=False),
    Column("body", JSONB, nullable=False, comment="cases.types.Line"),
)

case_silences = Table(
    "case_silences",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("from", _UTC, nullable=False),
    Column("until", _UTC, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("cameras", ARRAY(Text), nullable=False),
    Column("grids", ARRAY(Text), nullable=False),
    CheckConstraint('"until" > "from"', name="ends"),
    Index("ix_case_silences_until", "until"),
)

case_looks = Table(
    "case_looks",
    metadata,
    Column("id", Text, primary_key=True, comment="contracts.looks.LookRequest.id"),
    Column("case_id", BigInteger, ForeignKey("cases.id"), nullable=False),
    Column("asked", _UTC, nullable=False),
    Column("until", _UTC, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("result", JSONB, comment="contracts.records.LookResult; null while it is waited for"),
    Index("ix_case_looks_case", "case_id"),
    Index("ix_case_looks_waiting", "until", postgresql_where="result IS NULL"),
)

# What of it has to be kept how long, the policy of retention says; see `cases.pictures`.
case_pictures = Table(
    "case_pictures",
    metadata,
    Column("case_id", BigInteger, ForeignKey("cases.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("role", Text, nullable=False, comment="photo, before, or that of a second look's picture"),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes; 0: not known"),
    Column("at", _UTC, nullable=False, comment="when it was taken, or came"),
    Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept"),
    Index("ix_case_pictures_key", "key"),
    Index("ix_case_pictures_kept", "at", "key", postgresql_where="deleted IS NULL"),
)

case_decisions = Table(
    "case_decisions",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("case_id", BigInteger, ForeignKey("cases.id")),
    Column("silence_id", BigInteger, ForeignKey("case_silences.id")),
    Column("kind", Text, nullable=False, comment="new, join, reopen, none or silenced"),
    Column("category", Text, nullable=False),
    Column("reason", JSONB, nullable=False),
    Column("at", _UTC, nullable=False),
    Index("ix_case_decisions_case", "case_id"),
    Index("ix_case_decisions_silence", "silence_id"),
)
