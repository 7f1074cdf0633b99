"""What people are called, beside the name they log in with

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    called = sa.Column("display_name", sa.Text, nullable=False, server_default="", comment="what people call them")
    op.add_column("users", called)


def downgrade() -> None:
    op.drop_column("users", "display_name")
