"""The tables of the roll-out. Times are timestamptz; `body` is a contract type as JSON."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

rollout_lanes = Table(
    "rollout_lanes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="of the ledger line that began it"),
    Column("version_id", BigInteger, ForeignKey("algorithm_versions.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("cameras", JSONB, nullable=False),
    Column("began", _UTC, nullable=False),
    Column("ended", _UTC, comment="null while it runs"),
    Column("buried", _UTC, comment="null while something of it may be left: process, folder, names on the bus"),
    Column("forgotten", _UTC, comment="of a shadow: what it said and its evidence are deleted"),
    Column("epoch", BigInteger, nullable=False, server_default="0", comment="records of a shadow that are taken in"),
    Column("offset", BigInteger, nullable=False, server_default="-1"),
    Index("ix_rollout_lanes_version", "version_id", "number"),
)

# What a shadow said: no subscriber, no case and no query of the city reads it.
shadow_transitions = Table(
    "shadow_transitions",
    metadata,
    Column("lane", BigInteger, ForeignKey("rollout_lanes.number"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("transition", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("started", _UTC, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("body", JSONB, nullable=False, comment="the contracts.records.Event of this transition"),
    PrimaryKeyConstraint("lane", "event_id", "seq"),
    Index("ix_shadow_transitions_opened", "lane", "at"),
)

rollout_comparisons = Table(
    "rollout_comparisons",
    metadata,
    Column("sha256", Text, primary_key=True, comment="of the comparison as bytes"),
    Column("lane", BigInteger, ForeignKey("rollout_lanes.number"), nullable=False),
    Column("made", _UTC, nullable=False, server_default=func.now()),
    Column("body", JSONB, nullable=False, comment="rollout.compare.Comparison"),
    Index("ix_rollout_comparisons_lane", "lane", "made"),
)
