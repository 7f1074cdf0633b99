"""Cases exchanged with the city's existing platform

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exchange_cases",
        sa.Column("case_id", sa.BigInteger, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("theirs", sa.Text, nullable=False, server_default="", comment="their own number of it"),
        sa.Column(
            "seq", sa.BigInteger, nullable=False, server_default="0", comment="the newest of their changes taken"
        ),
    )
    op.create_table(
        "exchange_outbox",
        sa.Column("case_id", sa.BigInteger, sa.ForeignKey("exchange_cases.case_id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("again", sa.Integer, nullable=False, server_default="0", comment="told once more by a repair"),
        sa.Column("body", JSONB, nullable=False, comment="in their words"),
        sa.Column("created", _UTC, nullable=False),
        sa.Column("due", _UTC, nullable=False, comment="of the next attempt"),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting", comment="waiting, told or refused"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("done", _UTC),
        sa.Column("error", sa.Text, nullable=False, server_default="", comment="of the newest attempt"),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_exchange_outbox_waiting", "exchange_outbox", ["case_id", "revision"], postgresql_where=waiting)
    op.create_table(
        "exchange_callbacks",
        sa.Column("message", sa.Text, primary_key=True, comment="webhook-id"),
        sa.Column("case_id", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.BigInteger, nullable=False, comment="newest webhook-timestamp it came with"),
        sa.Column("sha256", sa.Text, nullable=False, comment="of its body"),
        sa.Column("outcome", sa.Text, nullable=False, comment="done, nothing or older"),
        sa.Column("at", _UTC, nullable=False),
    )
    op.create_index("ix_exchange_callbacks_case", "exchange_callbacks", ["case_id"])


def downgrade() -> None:
    for table in ("exchange_callbacks", "exchange_outbox", "exchange_cases"):
        op.drop_table(table)
