"""Subscriptions, their deliveries with each attempt, silences, acknowledgements

Revision ID: 0005
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0007"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

# Beside `subscriptions.matching.within`, to which a property test holds it.
_WITHIN = """
CREATE FUNCTION subscription_within(hours jsonb, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    here timestamp;
    day text;
    minute integer;
    spans jsonb;
BEGIN
    IF hours IS NULL OR hours = 'null'::jsonb THEN
        RETURN true;
    END IF;
    here := timezone(hours ->> 'zone', at);
    day := to_char(here, 'YYYY-MM-DD');
    minute := extract(hour FROM here) * 60 + extract(minute FROM here);
    spans := CASE
        WHEN hours -> 'workdays' ? day THEN hours -> 'workday_hours'
        WHEN hours -> 'holidays' ? day THEN '[]'::jsonb
        ELSE hours -> 'week' -> (extract(isodow FROM here)::integer - 1)
    END;
    RETURN EXISTS (
        SELECT FROM jsonb_array_elements(spans) AS span
        WHERE minute >= (span ->> 0)::integer AND minute < (span ->> 1)::integer
    );
END
$$;
"""


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False, comment="who made it"),
        sa.Column("wanted", JSONB, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="of the channel"),
        sa.Column("channel", JSONB, nullable=False),
        sa.Column("retry", JSONB, nullable=False),
        sa.Column("cooldown_s", sa.Double, nullable=False),
        sa.Column("grouping", JSONB),
        sa.Column("window_s", sa.Double, nullable=False, comment="of the grouping; 0 without one"),
        sa.Column(
            "secrets", JSONB, nullable=False, comment="sealed signing secrets, the newest first; two while rotating"
        ),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Text, comment="why nothing is sent at present"),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created", _UTC, nullable=False, server_default=sa.func.now()),
        sa.Column("updated", _UTC, nullable=False, server_default=sa.func.now()),
        sa.Column("deleted", _UTC, comment="its log stays"),
    )
    op.create_index("ix_subscriptions_department", "subscriptions", ["department"])
    op.create_table(
        "subscription_numbers",
        _subscription(),
        sa.Column("last", sa.BigInteger, nullable=False, comment="number of its newest delivery"),
    )
    op.create_table(
        "subscription_queues",
        _subscription(),
        sa.Column("next_attempt", _UTC, nullable=False),
        sa.Column("lease", sa.Text, comment="who delivers at present"),
        sa.Column("lease_until", _UTC),
        sa.Column("failures", sa.Integer, nullable=False, comment="in a row"),
        sa.Column("failing_since", _UTC),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    # Rewritten all the time and never grown: room on each page keeps the newest version beside the old one.
    for table in ("subscription_numbers", "subscription_queues"):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")
    _silences()
    _deliveries()
    op.execute(_WITHIN)


def _subscription() -> sa.Column[int]:
    return sa.Column(
        "subscription", sa.BigInteger, sa.ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False
    )


def _silences() -> None:
    op.create_table(
        "subscription_silences",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column(
            "subscription",
            sa.BigInteger,
            sa.ForeignKey("subscriptions.id"),
            comment="null: all of the department's own",
        ),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("wanted", JSONB, nullable=False),
        sa.Column("from", _UTC, nullable=False),
        sa.Column("until", _UTC, nullable=False),
        sa.CheckConstraint('"until" > "from"', name="ends"),
    )
    op.create_index("ix_subscription_silences_until", "subscription_silences", ["until"])
    op.create_table(
        "acknowledgements",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("department", sa.Text, primary_key=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", _UTC, nullable=False),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True, comment="a function of subscription, event and seq"),
        sa.Column("subscription", sa.BigInteger, sa.ForeignKey("subscriptions.id"), nullable=False),
        sa.Column(
            "number", sa.BigInteger, nullable=False, comment="place in the subscriber's order; grows in commit order"
        ),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("about", sa.Text, comment="what the cooldown counts by; null without one"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("silence", sa.BigInteger, sa.ForeignKey("subscription_silences.id")),
        sa.Column("created", _UTC, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("done", _UTC, comment="when it reached its end"),
        sa.UniqueConstraint("subscription", "number"),
    )
    for name, columns, where in (
        ("ix_deliveries_pending", ["subscription", "number"], "state = 'pending'"),
        ("ix_deliveries_about", ["subscription", "about", "done"], "about IS NOT NULL"),
        ("ix_deliveries_silence", ["silence"], "silence IS NOT NULL"),
        ("ix_deliveries_dead", ["subscription", "number"], "state = 'dead'"),
    ):
        op.create_index(name, "deliveries", columns, postgresql_where=sa.text(where))
    op.create_index("ix_deliveries_event", "deliveries", ["event_id"])
    op.create_index("ix_deliveries_created", "deliveries", ["created"], postgresql_using="brin")
    # A window of time is replayed without a look at all that was ever recorded.
    op.create_index("ix_event_transitions_received", "event_transitions", ["received"], postgresql_using="brin")
    # A queue is a table whose rows change state once each: it is to be cleaned far sooner than others.
    op.execute("ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.02, fillfactor = 85)")
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("subscription", sa.BigInteger, sa.ForeignKey("subscriptions.id"), nullable=False),
        sa.Column("delivery", sa.Text, comment="null: a test"),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("took_ms", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_delivery_attempts_subscription", "delivery_attempts", ["subscription", "id"])
    op.create_index("ix_delivery_attempts_delivery", "delivery_attempts", ["delivery"])


def downgrade() -> None:
    for table in (
        "delivery_attempts",
        "deliveries",
        "acknowledgements",
        "subscription_silences",
        "subscription_queues",
        "subscription_numbers",
        "subscriptions",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION subscription_within(jsonb, timestamptz)")
    op.drop_index("ix_event_transitions_received", "event_transitions")
