"""Keys of other systems

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("department", sa.Text, comment="with whose eyes it sees; null: everybody's"),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("start", sa.Text, nullable=False, comment="first characters, to tell it apart"),
        sa.Column("key_hash", sa.Text, nullable=False, unique=True, comment="SHA-256 of the key, hex"),
        sa.Column("owner", sa.Text, nullable=False, comment="who made it"),
        sa.Column("created", _UTC, nullable=False),
        sa.Column("expires", _UTC, nullable=False),
        sa.Column("last_used", _UTC, comment="to the minute"),
        sa.Column("revoked", _UTC),
        sa.Column("revoked_by", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("api_keys")
