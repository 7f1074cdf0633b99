"""By which check of leakage a version of training data was found well

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    checked = sa.Column(
        "checked", sa.Integer, comment="by which check of leakage, alike.CHECK; null: an earlier release's"
    )
    op.add_column("dataset_versions", checked)


def downgrade() -> None:
    op.drop_column("dataset_versions", "checked")
