"""Requests for algorithms. Times are timestamptz."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

algorithm_requests = Table(
    "algorithm_requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("cameras", JSONB, nullable=False, comment="ids"),
    Column("note", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("answer", Text, comment="accepted, refused; null: open"),
    Column("answer_note", Text, nullable=False, server_default=""),
    Column("answered_by", Text),
    Column("answered", _UTC),
    Index("ix_algorithm_requests_department", "department", "id"),
)
