"""Second looks that cases have asked for

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "case_looks",
        sa.Column("id", sa.Text, primary_key=True, comment="contracts.looks.LookRequest.id"),
        sa.Column("case_id", sa.BigInteger, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("asked", _UTC, nullable=False),
        sa.Column("until", _UTC, nullable=False),
        sa.Column("request", JSONB, nullable=False),
        sa.Column("result", JSONB, comment="contracts.records.LookResult; null while it is waited for"),
    )
    op.create_index("ix_case_looks_case", "case_looks", ["case_id"])
    op.create_index("ix_case_looks_waiting", "case_looks", ["until"], postgresql_where=sa.text("result IS NULL"))


def downgrade() -> None:
    op.drop_table("case_looks")
