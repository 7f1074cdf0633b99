"""What departments ask of the algorithm team: an algorithm for some of their cameras

Revision ID: 0026
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "algorithm_requests",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("cameras", JSONB, nullable=False, comment="ids"),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text, comment="accepted, refused; null: open"),
        sa.Column("answer_note", sa.Text, nullable=False, server_default=""),
        sa.Column("answered_by", sa.Text),
        sa.Column("answered", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_algorithm_requests_department", "algorithm_requests", ["department", "id"])


def downgrade() -> None:
    op.drop_table("algorithm_requests")
