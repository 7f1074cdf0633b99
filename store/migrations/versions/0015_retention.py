"""Retention of evidence: legal holds, deletions with their proofs

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION evidence_deletions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' OR OLD.deleted IS NOT NULL THEN
        RAISE EXCEPTION 'a proof of deletion cannot be changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER evidence_deletions_rows BEFORE UPDATE OR DELETE ON evidence_deletions
    FOR EACH ROW EXECUTE FUNCTION evidence_deletions_stay();
CREATE TRIGGER evidence_deletions_all BEFORE TRUNCATE ON evidence_deletions
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_deletions_stay();
"""


def upgrade() -> None:
    op.add_column(
        "evidence", sa.Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept")
    )
    kept = sa.text("deleted IS NULL")
    op.create_index("ix_evidence_kept", "evidence", ["at", "key"], postgresql_where=kept)
    op.create_table(
        "evidence_holds",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.Text, comment="of one event"),
        sa.Column("case_id", sa.BigInteger, comment="of all events of a case"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set", _UTC, nullable=False),
        sa.Column("released_by", sa.Text),
        sa.Column("released", _UTC, comment="null while it stands"),
        sa.Column("release_reason", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("num_nonnulls(event_id, case_id) = 1", name="of_one"),
    )
    op.create_index("ix_evidence_holds_event", "evidence_holds", ["event_id"])
    op.create_index("ix_evidence_holds_case", "evidence_holds", ["case_id"])
    op.create_table(
        "evidence_deletions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("class", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("policy_sha256", sa.Text, nullable=False),
        sa.Column("kept_from", _UTC, nullable=False),
        sa.Column("marked", _UTC, nullable=False),
        sa.Column("deleted", _UTC, comment="null: the object may still be there"),
        sa.Column("proof", sa.Text, comment="governance.proofs.Proof as it was signed"),
        sa.Column("signature", sa.Text, comment="base64"),
        sa.Column("proof_sha256", sa.Text, comment="by which the audit chain names it"),
    )
    op.create_index("ix_evidence_deletions_key", "evidence_deletions", ["key"])
    op.create_index("uq_evidence_deletions_marked", "evidence_deletions", ["key"], unique=True, postgresql_where=kept)
    op.execute(_FROZEN)


def downgrade() -> None:
    for table in ("evidence_deletions", "evidence_holds"):
        op.drop_table(table)
    op.execute("DROP FUNCTION evidence_deletions_stay()")
    op.drop_index("ix_evidence_kept", "evidence")
    op.drop_column("evidence", "deleted")
