"""The queue of trainings and their curves

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "training_jobs",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, sa.ForeignKey("dataset_versions.digest"), nullable=False),
        sa.Column("settings", postgresql.JSONB, nullable=False, comment="training.detectjob.DetectSettings"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", _UTC, nullable=False, server_default=sa.func.now()),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false(), comment="asked for"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease", sa.Text, comment="token of the worker that has it"),
        sa.Column("lease_until", _UTC),
        sa.Column("ended", _UTC),
        sa.Column("told", sa.Text, nullable=False, server_default="", comment="why it failed"),
        sa.Column("result", postgresql.JSONB, nullable=False, server_default="{}", comment="file to SHA-256"),
    )
    op.create_index(
        "ix_training_jobs_open", "training_jobs", ["id"], postgresql_where=sa.text("state IN ('waiting', 'running')")
    )
    op.create_table(
        "training_points",
        sa.Column("job", sa.BigInteger, sa.ForeignKey("training_jobs.id"), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True),
        sa.Column("of", sa.Integer, nullable=False),
        sa.Column("figures", postgresql.JSONB, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("training_points")
    op.drop_table("training_jobs")
