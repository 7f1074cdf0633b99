"""The registry of algorithms: versions, and the ledger of what was done with them, which can only grow

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION algorithm_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger can only grow' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER algorithm_ledger_rows BEFORE UPDATE OR DELETE ON algorithm_ledger
    FOR EACH ROW EXECUTE FUNCTION algorithm_ledger_is_append_only();
CREATE TRIGGER algorithm_ledger_all BEFORE TRUNCATE ON algorithm_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION algorithm_ledger_is_append_only();
"""


def upgrade() -> None:
    op.create_table(
        "algorithm_versions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", _UTC, nullable=False, server_default=sa.func.now()),
        sa.Column("body", JSONB, nullable=False, comment="registry.types.NewVersion"),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("moves", sa.Integer, nullable=False),
    )
    op.create_index("uq_algorithm_versions_name", "algorithm_versions", ["algorithm", "version"], unique=True)
    op.create_index(
        "uq_algorithm_versions_alone",
        "algorithm_versions",
        ["algorithm", "stage"],
        unique=True,
        postgresql_where=sa.text("stage IN ('canary', 'production', 'shadow')"),
    )
    op.create_table(
        "algorithm_ledger",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="counts without a gap"),
        sa.Column("version_id", sa.BigInteger, sa.ForeignKey("algorithm_versions.id"), nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("source", sa.Text, comment="null: entered"),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("grounds", JSONB, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("ix_algorithm_ledger_version", "algorithm_ledger", ["version_id", "number"])
    op.execute(_FROZEN)


def downgrade() -> None:
    op.drop_table("algorithm_ledger")
    op.drop_table("algorithm_versions")
    op.execute("DROP FUNCTION algorithm_ledger_is_append_only()")
