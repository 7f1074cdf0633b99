"""The picture on which somebody drew what was missed, and its custody

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "missed_frames",
        sa.Column("verdict_id", sa.BigInteger, sa.ForeignKey("event_verdicts.id"), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "deleted",
            sa.DateTime(timezone=True),
            comment="since when its bytes are gone by policy; null: they are kept",
        ),
    )
    op.create_index("ix_missed_frames_key", "missed_frames", ["key"])
    op.create_index(
        "ix_missed_frames_kept", "missed_frames", ["at", "key"], postgresql_where=sa.text("deleted IS NULL")
    )
    op.add_column(
        "evidence_custody",
        sa.Column("verdict_id", sa.BigInteger, comment="of the picture on which a missed event was drawn"),
    )
    op.drop_constraint(op.f("ck_evidence_custody_of_one"), "evidence_custody", type_="check")
    op.create_check_constraint("of_one", "evidence_custody", "num_nonnulls(event_id, case_id, verdict_id) = 1")
    op.create_index("ix_evidence_custody_verdict", "evidence_custody", ["verdict_id", "id"])
    op.create_index(
        "uq_evidence_custody_verdict_captured",
        "evidence_custody",
        ["verdict_id", "sha256", "role"],
        unique=True,
        postgresql_where=sa.text("act = 'captured' AND verdict_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_evidence_custody_verdict_captured", "evidence_custody")
    op.drop_index("ix_evidence_custody_verdict", "evidence_custody")
    op.execute("ALTER TABLE evidence_custody DISABLE TRIGGER evidence_custody_rows")
    op.execute("DELETE FROM evidence_custody WHERE verdict_id IS NOT NULL")
    op.execute("ALTER TABLE evidence_custody ENABLE TRIGGER evidence_custody_rows")
    op.drop_column("evidence_custody", "verdict_id")  # and with it the check that it is one of the three
    op.create_check_constraint("of_one", "evidence_custody", "num_nonnulls(event_id, case_id) = 1")
    op.drop_table("missed_frames")
