"""The tables of labelling. Times are timestamptz; JSON columns hold types of `labelling.types`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

label_projects = Table(
    "label_projects",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("body", JSONB, nullable=False, comment="labelling.types.NewProject"),
    Column("sources", JSONB, nullable=False, comment="name to datasets.types.Source"),
    Column("author", Text, nullable=False),
    Column("created", _UTC, nullable=False, server_default=func.now()),
)

# `state` and `final` repeat what the answers say, for queries.
label_items = Table(
    "label_items",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("project", BigInteger, ForeignKey("label_projects.id"), nullable=False),
    Column("content", Text, nullable=False, comment="SHA-256 of the picture"),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False, comment="of the object store"),
    Column("media_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False, comment="float32, datasets.alike.signature"),
    Column("clip", JSONB, comment="labelling.clips.ClipFacts; null: a picture"),
    Column("source", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("grid", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("moment", _UTC),
    Column("verdict", BigInteger, comment="of event_verdicts, where it came from one"),
    Column("slices", JSONB, nullable=False),
    Column("suggested", JSONB, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("final", BigInteger),
    Column("added_by", Text, nullable=False),
    Column("added", _UTC, nullable=False, server_default=func.now()),
    Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept"),
    UniqueConstraint("project", "content"),
    Index("ix_label_items_state", "project", "state", "id"),
    Index("ix_label_items_key", "key"),
    Index("ix_label_items_camera", "project", "camera", "id"),
)

label_answers = Table(
    "label_answers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("item", BigInteger, ForeignKey("label_items.id"), nullable=False),
    Column("said", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("note", Text, nullable=False),
    Column("about", BigInteger, ForeignKey("label_answers.id")),
    Column("who", Text, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("spent_s", Double, nullable=False),
    Column("key", Text, nullable=False, comment="sent again under it, it counts once"),
    UniqueConstraint("who", "key"),
    Index("ix_label_answers_item", "item", "id"),
)

label_drafts = Table(
    "label_drafts",
    metadata,
    Column("item", BigInteger, ForeignKey("label_items.id"), primary_key=True),
    Column("who", Text, primary_key=True),
    Column("labels", JSONB, nullable=False),
    Column("stamp", BigInteger, nullable=False, comment="ms of the page's clock: an older one never replaces a newer"),
)
