"""The pool's tables (made by migration 0002)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

revisions = Table(
    "pool_revision",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, ForeignKey("pool_revision.revision"), unique=True),
    Column("digest", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("changes", JSONB, nullable=False),
)

items = Table(
    "pool_item",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("since", BigInteger, ForeignKey("pool_revision.revision"), primary_key=True),
    Column("until", BigInteger, ForeignKey("pool_revision.revision")),
    Column("digest", Text, nullable=False),
    Column("file_digest", Text),
    Column("document", JSONB, nullable=False),
)
