"""Claims of a training since it last got on, and the code and environment that it was last started with

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    fruitless = sa.Column(
        "fruitless", sa.Integer, nullable=False, server_default="0", comment="claims since it last got on"
    )
    op.add_column("training_jobs", fruitless)
    op.execute("UPDATE training_jobs SET fruitless = attempts WHERE state = 'running'")
    op.add_column("training_jobs", sa.Column("made_with", postgresql.JSONB, comment="jobs.service.MadeWith"))


def downgrade() -> None:
    op.drop_column("training_jobs", "made_with")
    op.drop_column("training_jobs", "fruitless")
