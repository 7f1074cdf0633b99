"""Revisions of the camera pool, and each camera and department through them

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pool_revision",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("parent", sa.BigInteger, sa.ForeignKey("pool_revision.revision"), unique=True),
        sa.Column("digest", sa.Text, nullable=False, comment="pool.snapshot.pool_digest of the whole pool"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column(
            "changes", JSONB, nullable=False, comment="ids: {cameras: {added, changed, removed}, departments: …}"
        ),
    )
    op.create_table(
        "pool_item",
        sa.Column("kind", sa.Text, primary_key=True, comment="camera or department"),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column(
            "since",
            sa.BigInteger,
            sa.ForeignKey("pool_revision.revision"),
            primary_key=True,
            comment="first revision that holds this state",
        ),
        sa.Column(
            "until",
            sa.BigInteger,
            sa.ForeignKey("pool_revision.revision"),
            comment="first revision that no longer does; null now",
        ),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column(
            "file_digest", sa.Text, comment="of the item as the files said at the last import; null: never in a file"
        ),
        sa.Column("document", JSONB, nullable=False, comment="contracts.pool.Camera or Department"),
        sa.CheckConstraint("kind IN ('camera', 'department')", name="kind"),
        sa.CheckConstraint("until > since", name="order"),
    )
    op.create_index(
        "uq_pool_item_kind_id", "pool_item", ["kind", "id"], unique=True, postgresql_where=sa.text("until IS NULL")
    )


def downgrade() -> None:
    op.drop_table("pool_item")
    op.drop_table("pool_revision")
