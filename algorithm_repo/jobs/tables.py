"""The tables of the queue. Times are timestamptz."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from algorithm_repo.archive.tables import dataset_versions
from store.database import metadata

_UTC = DateTime(timezone=True)

training_jobs = Table(
    "training_jobs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("dataset", Text, ForeignKey(dataset_versions.c.digest), nullable=False),
    Column("settings", JSONB, nullable=False, comment="training.detectjob.DetectSettings"),
    Column("author", Text, nullable=False),
    Column("created", _UTC, nullable=False, server_default=func.now()),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("cancel", Boolean, nullable=False, server_default=false(), comment="asked for"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("fruitless", Integer, nullable=False, server_default="0", comment="claims since it last got on"),
    Column("lease", Text, comment="token of the worker that has it"),
    Column("lease_until", _UTC),
    Column("ended", _UTC),
    Column("told", Text, nullable=False, server_default="", comment="why it failed"),
    Column("result", JSONB, nullable=False, server_default="{}", comment="file to SHA-256"),
    Column("made_with", JSONB, comment="jobs.service.MadeWith"),
)
Index("ix_training_jobs_open", training_jobs.c.id, postgresql_where=text("state IN ('waiting', 'running')"))

training_points = Table(
    "training_points",
    metadata,
    Column("job", BigInteger, ForeignKey("training_jobs.id"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("of", Integer, nullable=False),
    Column("figures", JSONB, nullable=False),
)
