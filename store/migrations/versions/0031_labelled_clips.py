"""Clips beside pictures among what is labelled.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("label_items", sa.Column("clip", JSONB, comment="labelling.clips.ClipFacts; null: a picture"))


def downgrade() -> None:
    op.drop_column("label_items", "clip")
