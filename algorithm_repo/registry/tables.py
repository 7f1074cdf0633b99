"""The tables of the registry. Times are timestamptz; `body` and `grounds` are types of `registry.types` as JSON."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Index, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from algorithm_repo.registry.table import ALONE
from store.database import metadata

_UTC = DateTime(timezone=True)

# `stage` and `moves` repeat what the newest line of the ledger says, for queries; all else never changes.
algorithm_versions = Table(
    "algorithm_versions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", _UTC, nullable=False, server_default=func.now()),
    Column("body", JSONB, nullable=False, comment="registry.types.NewVersion"),
    Column("stage", Text, nullable=False),
    Column("moves", Integer, nullable=False),
    Index("uq_algorithm_versions_name", "algorithm", "version", unique=True),
)
Index(
    "uq_algorithm_versions_alone",
    algorithm_versions.c.algorithm,
    algorithm_versions.c.stage,
    unique=True,
    postgresql_where=algorithm_versions.c.stage.in_(sorted(ALONE)),
)

algorithm_ledger = Table(
    "algorithm_ledger",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="counts without a gap"),
    Column("version_id", BigInteger, ForeignKey("algorithm_versions.id"), nullable=False),
    Column("at", _UTC, nullable=False),
    Column("move", Text, nullable=False),
    Column("source", Text, comment="null: entered"),
    Column("target", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("grounds", JSONB, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_algorithm_ledger_version", "version_id", "number"),
)
