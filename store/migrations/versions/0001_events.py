"""Events, their transitions and evidence, times not watched, and how far each worker's records are consumed

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    _events()
    _transitions()
    _evidence()
    op.create_table(
        "unwatched",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("algorithm", sa.Text, nullable=False, comment="* is every rule of the camera"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("start", _UTC, nullable=False),
        sa.Column("end", _UTC, comment="null while it goes on"),
    )
    op.create_index("ix_unwatched_camera_start", "unwatched", ["camera", "start"])
    _ingest()


def downgrade() -> None:
    for table in ("rejected_record", "ingest_mark", "unwatched", "evidence", "event_transitions", "events"):
        op.drop_table(table)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("type", "camera", "department", "zone", "grid", "severity")
        ),
        sa.Column("seq", sa.Integer, nullable=False, comment="of the latest transition, whose event is `state`"),
        sa.Column("transition", sa.Text, nullable=False),
        sa.Column("started", _UTC, nullable=False, comment="when the condition began"),
        sa.Column("updated", _UTC, nullable=False, comment="when the latest transition happened"),
        sa.Column("ended", _UTC, comment="null while open"),
        sa.Column("is_open", sa.Boolean, sa.Computed("transition <> 'closed'", persisted=True), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, comment="of the latest transition"),
        sa.Column("state", JSONB, nullable=False, comment="the latest contracts.records.Event"),
    )
    op.create_index("ix_events_started_id", "events", ["started", "id"])
    for column in ("camera", "department", "type"):
        op.create_index(f"ix_events_{column}_started", "events", [column, "started"])
    op.create_index("ix_events_open", "events", ["started", "id"], postgresql_where=sa.text("is_open"))


def _transitions() -> None:
    op.create_table(
        "event_transitions",
        sa.Column(
            "position", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="grows in commit order"
        ),
        sa.Column("event_id", sa.Text, sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("transition", sa.Text, nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("received", _UTC, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("body", JSONB, nullable=False, comment="the contracts.records.Event of this transition"),
        sa.UniqueConstraint("event_id", "seq"),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("event_id", sa.Text, sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("derived", sa.Boolean, nullable=False),
        sa.Column("stored", sa.Boolean, nullable=False, comment="false while the bytes waited in the worker's spool"),
        sa.Column("seq", sa.Integer, nullable=False, comment="of the transition that first carried it"),
    )
    op.create_index("ix_evidence_key", "evidence", ["key"])


def _ingest() -> None:
    op.create_table(
        "ingest_mark",
        sa.Column("worker", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column(
            "offset", sa.BigInteger, nullable=False, comment="last record committed; -1 before the first of an epoch"
        ),
        sa.Column("updated", _UTC, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "rejected_record",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("at", _UTC, nullable=False, server_default=sa.func.now()),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False, comment="the record as it arrived"),
    )
