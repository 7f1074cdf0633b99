"""The table of versions; what they hold lies in the object store, under its own hash."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, Text, func

from store.database import metadata

dataset_versions = Table(
    "dataset_versions",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the manifest"),
    Column("name", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("parent", Text, ForeignKey("dataset_versions.digest")),
    Column("items", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("checked", Integer, comment="by which check of leakage, alike.CHECK; null: an earlier release's"),
    Index("ix_dataset_versions_name", "name", "created"),
)
