"""Verdicts on events, and what was missed; a log that can only grow

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION event_verdicts_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a verdict is corrected by another one' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER event_verdicts_rows BEFORE UPDATE OR DELETE ON event_verdicts
    FOR EACH ROW EXECUTE FUNCTION event_verdicts_is_append_only();
CREATE TRIGGER event_verdicts_all BEFORE TRUNCATE ON event_verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION event_verdicts_is_append_only();
"""


def upgrade() -> None:
    op.create_table(
        "event_verdicts",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="real, false_alarm or missed"),
        sa.Column("event_id", sa.Text, sa.ForeignKey("events.id"), comment="null: missed"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("grid", sa.Text, nullable=False),
        sa.Column("moment", _UTC, nullable=False, comment="when the event began, or the missed one was to be seen"),
        sa.Column("reason", sa.Text, nullable=False, comment="why a false alarm"),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("key", sa.Text, nullable=False, comment="sent again under it, it counts once"),
        sa.Column("body", JSONB, nullable=False, comment="events.review.Seen"),
        sa.CheckConstraint("(kind = 'missed') = (event_id IS NULL)", name="missed_is_no_event"),
        sa.UniqueConstraint("who", "key"),
    )
    op.create_index("ix_event_verdicts_event", "event_verdicts", ["event_id", "id"])
    missed = sa.text("event_id IS NULL")
    op.create_index("ix_event_verdicts_missed", "event_verdicts", ["moment"], postgresql_where=missed)
    op.execute(_FROZEN)


def downgrade() -> None:
    op.drop_table("event_verdicts")
    op.execute("DROP FUNCTION event_verdicts_is_append_only()")
