"""The tables of this room. Times are timestamptz; `wanted`, `channel`, `retry`, `grouping` are types of
`subscriptions.types` as JSON.

What changes often stands apart from what people edit: `subscription_numbers` is written by whoever adds deliveries,
`subscription_queues` by the deliverer alone, so that neither waits for the other.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)
# Written out, not bound: the planner must see that the index of what waits is meant, also in a prepared statement.
PENDING = literal_column("'pending'", Text)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("department", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False, comment="who made it"),
    Column("wanted", JSONB, nullable=False),
    Column("kind", Text, nullable=False, comment="of the channel"),
    Column("channel", JSONB, nullable=False),
    Column("retry", JSONB, nullable=False),
    Column("cooldown_s", Double, nullable=False),
    Column("grouping", JSONB(none_as_null=True)),
    Column("window_s", Double, nullable=False, comment="of the grouping; 0 without one"),
    Column("secrets", JSONB, nullable=False, comment="sealed signing secrets, the newest first; two while rotating"),
    Column("enabled", Boolean, nullable=False),
    Column("paused", Text, comment="why nothing is sent at present"),
    Column("revision", Integer, nullable=False),
    Column("created", _UTC, nullable=False, server_default=func.now()),
    Column("updated", _UTC, nullable=False, server_default=func.now()),
    Column("deleted", _UTC, comment="its log stays"),
    Index("ix_subscriptions_department", "department"),
)

subscription_numbers = Table(
    "subscription_numbers",
    metadata,
    Column("subscription", BigInteger, ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False, comment="number of its newest delivery"),
)

subscription_queues = Table(
    "subscription_queues",
    metadata,
    Column("subscription", BigInteger, ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False),
    Column("next_attempt", _UTC, nullable=False),
    Column("lease", Text, comment="who delivers at present"),
    Column("lease_until", _UTC),
    Column("failures", Integer, nullable=False, comment="in a row"),
    Column("failing_since", _UTC),
    Column("last_error", Text, nullable=False),
)

subscription_silences = Table(
    "subscription_silences",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("department", Text, nullable=False),
    Column("subscription", BigInteger, ForeignKey("subscriptions.id"), comment="null: all of the department's own"),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("wanted", JSONB, nullable=False),
    Column("from", _UTC, nullable=False),
    Column("until", _UTC, nullable=False),
    CheckConstraint('"until" > "from"', name="ends"),
    Index("ix_subscription_silences_until", "until"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True, comment="a function of subscription, event and seq"),
    Column("subscription", BigInteger, ForeignKey("subscriptions.id"), nullable=False),
    Column("number", BigInteger, nullable=False, comment="place in the subscriber's order; grows in commit order"),
    Column("event_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("about", Text, comment="what the cooldown counts by; null without one"),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("silence", BigInteger, ForeignKey("subscription_silences.id")),
    Column("created", _UTC, nullable=False, server_default=func.clock_timestamp()),
    Column("done", _UTC, comment="when it reached its end"),
    UniqueConstraint("subscription", "number"),
    Index("ix_deliveries_pending", "subscription", "number", postgresql_where="state = 'pending'"),
    Index("ix_deliveries_about", "subscription", "about", "done", postgresql_where="about IS NOT NULL"),
    Index("ix_deliveries_silence", "silence", postgresql_where="silence IS NOT NULL"),
    Index("ix_deliveries_event", "event_id"),
    Index("ix_deliveries_created", "created", postgresql_using="brin"),
    Index("ix_deliveries_ended", "subscription", "state", "number", postgresql_where="state <> 'pending'"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subscription", BigInteger, ForeignKey("subscriptions.id"), nullable=False),
    Column("delivery", Text, comment="null: a test"),
    Column("at", _UTC, nullable=False),
    Column("took_ms", Double, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("detail", Text, nullable=False),
    Index("ix_delivery_attempts_subscription", "subscription", "id"),
    Index("ix_delivery_attempts_delivery", "delivery"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("department", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", _UTC, nullable=False),
)
