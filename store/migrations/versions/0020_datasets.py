"""Versions of training data; what they hold lies in the object store under its own hash

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_versions",
        sa.Column("digest", sa.Text, primary_key=True, comment="SHA-256 of the manifest"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, sa.ForeignKey("dataset_versions.digest")),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("ix_dataset_versions_name", "dataset_versions", ["name", "created"])


def downgrade() -> None:
    op.drop_table("dataset_versions")
