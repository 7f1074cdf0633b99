"""The roll-out: lanes of candidates, what shadows said, and comparisons with production

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "rollout_lanes",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="of its first ledger line"),
        sa.Column("version_id", sa.BigInteger, sa.ForeignKey("algorithm_versions.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cameras", JSONB, nullable=False),
        sa.Column("began", _UTC, nullable=False),
        sa.Column("ended", _UTC, comment="null while it runs"),
        sa.Column("buried", _UTC, comment="null while something of it may be left"),
        sa.Column("forgotten", _UTC, comment="of a shadow: what it said and its evidence are deleted"),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("offset", sa.BigInteger, nullable=False, server_default="-1"),
    )
    op.create_index("ix_rollout_lanes_version", "rollout_lanes", ["version_id", "number"])
    op.create_table(
        "shadow_transitions",
        sa.Column("lane", sa.BigInteger, sa.ForeignKey("rollout_lanes.number"), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("transition", sa.Text, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("started", _UTC, nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("body", JSONB, nullable=False, comment="the contracts.records.Event of this transition"),
        sa.PrimaryKeyConstraint("lane", "event_id", "seq"),
    )
    op.create_index("ix_shadow_transitions_opened", "shadow_transitions", ["lane", "at"])
    op.create_table(
        "rollout_comparisons",
        sa.Column("sha256", sa.Text, primary_key=True, comment="of the comparison as bytes"),
        sa.Column("lane", sa.BigInteger, sa.ForeignKey("rollout_lanes.number"), nullable=False),
        sa.Column("made", _UTC, nullable=False, server_default=sa.func.now()),
        sa.Column("body", JSONB, nullable=False, comment="rollout.compare.Comparison"),
    )
    op.create_index("ix_rollout_comparisons_lane", "rollout_comparisons", ["lane", "made"])


def downgrade() -> None:
    op.drop_table("rollout_comparisons")
    op.drop_table("shadow_transitions")
    op.drop_table("rollout_lanes")
