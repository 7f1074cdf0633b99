"""Second factors, recovery codes, and sessions that end when they are not used

Revision ID: 0009
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0005"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Sessions of before have shown a password alone, and were in use just now as far as anybody knows.
    op.add_column("sessions", sa.Column("last_seen", _UTC, nullable=False, server_default=sa.func.now()))
    op.add_column("sessions", sa.Column("second_factor", sa.Text, nullable=False, server_default="none"))
    for column in ("last_seen", "second_factor"):
        op.alter_column("sessions", column, server_default=None)
    op.create_table(
        "user_totp",
        _account(),
        sa.Column("secret", sa.Text, nullable=False, comment="base32, sealed"),
        sa.Column("created", _UTC, nullable=False),
        sa.Column("confirmed", _UTC, comment="in force since; null: no code has shown yet that the owner has it"),
        sa.Column("last_step", sa.BigInteger, comment="newest step of 30 s whose code was used: no code counts twice"),
    )
    op.create_table(
        "recovery_codes",
        _account(),
        sa.Column("code_hash", sa.Text, primary_key=True, comment="SHA-256, hex"),
        sa.Column("used", _UTC),
    )


def _account() -> sa.Column[int]:
    return sa.Column(
        "user_id",
        sa.BigInteger,
        sa.ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


def downgrade() -> None:
    op.drop_table("recovery_codes")
    op.drop_table("user_totp")
    op.drop_column("sessions", "second_factor")
    op.drop_column("sessions", "last_seen")
