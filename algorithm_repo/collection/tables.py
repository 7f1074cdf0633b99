"""The tables of collection. Times are timestamptz."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from algorithm_repo.labelling.tables import label_items, label_projects
from store.database import metadata

_UTC = DateTime(timezone=True)

collection_policies = Table(
    "collection_policies",
    metadata,
    Column("project", BigInteger, ForeignKey(label_projects.c.id), primary_key=True),
    Column("body", JSONB, nullable=False, comment="collection.types.CollectionPolicy"),
    Column("department", Text, comment="with whose eyes cameras are chosen"),
    Column("everything", Boolean, nullable=False, comment="chosen among all cameras"),
    Column("set_by", Text, nullable=False),
    Column("set_at", _UTC, nullable=False),
)

# Written before the bytes are kept, and whole once the picture is one of the project's.
collected_frames = Table(
    "collected_frames",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("project", BigInteger, ForeignKey(label_projects.c.id), nullable=False),
    Column("camera", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", _UTC, nullable=False, comment="the moment that it shows"),
    Column("weather", Text, nullable=False, server_default="", comment="that was told of there; empty: none"),
    Column("key", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column(
        "item",
        BigInteger,
        ForeignKey(label_items.c.id),
        comment="null: its bytes were to be kept, and may be there or not",
    ),
    UniqueConstraint("project", "sha256"),
    Index("ix_collected_frames_camera", "project", "camera", "at"),
    Index("ix_collected_frames_key", "key"),
    Index("ix_collected_frames_at", "at", "key"),
)
