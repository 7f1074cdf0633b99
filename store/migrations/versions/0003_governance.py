"""Accounts, logins, wrong passwords, and the audit log that can only grow

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can only grow' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_rows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
CREATE TRIGGER audit_log_all BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();
"""


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True, comment="lower case"),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False, comment="argon2id, with its salt and cost"),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("created", _UTC, nullable=False, server_default=sa.func.now()),
    )
    _logins()
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("what", JSONB, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False, comment="of the line before; 64 zeros for the first"),
        sa.Column("hash", sa.Text, nullable=False, comment="SHA-256, see governance.audit.line_hash"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.execute(_FROZEN)


def _logins() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text, primary_key=True, comment="SHA-256 of the token, hex"),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created", _UTC, nullable=False),
        sa.Column("expires", _UTC, nullable=False),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_table(
        "login_failures",
        sa.Column(
            "name_hash",
            sa.Text,
            primary_key=True,
            comment="SHA-256 of the lower-case name: it may be a mistyped password",
        ),
        sa.Column("failures", sa.Integer, nullable=False, comment="in a row"),
        sa.Column("last", _UTC, nullable=False),
    )
    op.create_index("ix_login_failures_last", "login_failures", ["last"])


def downgrade() -> None:
    for table in ("audit_log", "login_failures", "sessions", "users"):
        op.drop_table(table)
    op.execute("DROP FUNCTION audit_log_is_append_only()")
