"""The tables of this room. Times are timestamptz; `body` and `state` are contract types as JSON."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("grid", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("seq", Integer, nullable=False, comment="of the latest transition, whose event is `state`"),
    Column("transition", Text, nullable=False),
    Column("started", _UTC, nullable=False, comment="when the condition began"),
    Column("updated", _UTC, nullable=False, comment="when the latest transition happened"),
    Column("ended", _UTC, comment="null while open"),
    Column("is_open", Boolean, Computed("transition <> 'closed'", persisted=True), nullable=False),
    Column("position", BigInteger, nullable=False, comment="of the latest transition"),
    Column("state", JSONB, nullable=False, comment="the latest contracts.records.Event"),
    Index("ix_events_started_id", "started", "id"),
    Index("ix_events_camera_started", "camera", "started"),
    Index("ix_events_department_started", "department", "started"),
    Index("ix_events_type_started", "type", "started"),
    Index("ix_events_open", "started", "id", postgresql_where="is_open"),
)

event_transitions = Table(
    "event_transitions",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True, comment="grows in commit order"),
    Column("event_id", Text, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("transition", Text, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("received", _UTC, nullable=False, server_default=func.clock_timestamp()),
    Column("worker", Text, nullable=False),
    Column("body", JSONB, nullable=False, comment="the contracts.records.Event of this transition"),
    UniqueConstraint("event_id", "seq"),
    Index("ix_event_transitions_received", "received", postgresql_using="brin"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("event_id", Text, ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("derived", Boolean, nullable=False),
    Column("stored", Boolean, nullable=False, comment="false while the bytes waited in the worker's spool"),
    Column("seq", Integer, nullable=False, comment="of the transition that first carried it"),
    Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept"),
    Index("ix_evidence_key", "key"),
    Index("ix_evidence_kept", "at", "key", postgresql_where=text("deleted IS NULL")),
)

unwatched = Table(
    "unwatched",
    metadata,
    Column("id", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("algorithm", Text, nullable=False, comment="* is every rule of the camera"),
    Column("reason", Text, nullable=False),
    Column("start", _UTC, nullable=False),
    Column("end", _UTC, comment="null while it goes on"),
    Index("ix_unwatched_camera_start", "camera", "start"),
)

ingest_mark = Table(
    "ingest_mark",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False, comment="last record committed; -1 before the first of an epoch"),
    Column("updated", _UTC, nullable=False, server_default=func.now()),
)

rejected_record = Table(
    "rejected_record",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("worker", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("at", _UTC, nullable=False, server_default=func.now()),
    Column("error", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False, comment="the record as it arrived"),
)

# Append-only by trigger; see migration 0016. Type, camera, department, zone and grid repeat what the event says, for
# queries, and say it of what was missed.
event_verdicts = Table(
    "event_verdicts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False, comment="real, false_alarm or missed"),
    Column("event_id", Text, ForeignKey("events.id"), comment="null: missed"),
    Column("type", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("grid", Text, nullable=False),
    Column("moment", _UTC, nullable=False, comment="when the event began, or the missed one was to be seen"),
    Column("reason", Text, nullable=False, comment="why a false alarm"),
    Column("note", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("key", Text, nullable=False, comment="sent again under it, it counts once"),
    Column("body", JSONB, nullable=False, comment="events.review.Seen"),
    CheckConstraint("(kind = 'missed') = (event_id IS NULL)", name="missed_is_no_event"),
    UniqueConstraint("who", "key"),
    Index("ix_event_verdicts_event", "event_id", "id"),
    Index("ix_event_verdicts_missed", "moment", postgresql_where=text("event_id IS NULL")),
)

missed_frames = Table(
    "missed_frames",
    metadata,
    Column("verdict_id", BigInteger, ForeignKey("event_verdicts.id"), primary_key=True),
    Column("key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", _UTC, nullable=False),
    Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept"),
    Index("ix_missed_frames_key", "key"),
    Index("ix_missed_frames_kept", "at", "key", postgresql_where=text("deleted IS NULL")),
)

weather_spells = Table(
    "weather_spells",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False, comment="events.weather.Weather"),
    Column("grids", ARRAY(Text), nullable=False, comment="where, sorted; none: in the whole city"),
    Column("since", _UTC, nullable=False),
    Column("until", _UTC, comment="null: it still stands"),
    Column("said_by", Text, nullable=False),
    Index("ix_weather_spells_standing", "kind", "grids", unique=True, postgresql_where=text("until IS NULL")),
    Index("ix_weather_spells_since", "since"),
)
