"""Custody of evidence: who captured, saw, took out, held or deleted it; a log that can only grow

What is known of before is taken over: what was captured, and what the audit log says was read or exported.

Revision ID: 0014
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION evidence_custody_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the custody log can only grow' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER evidence_custody_rows BEFORE UPDATE OR DELETE ON evidence_custody
    FOR EACH ROW EXECUTE FUNCTION evidence_custody_is_append_only();
CREATE TRIGGER evidence_custody_all BEFORE TRUNCATE ON evidence_custody
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_custody_is_append_only();
"""
_CAPTURED = """
INSERT INTO evidence_custody (at, event_id, sha256, role, act, kind, who, why)
SELECT DISTINCT ON (e.event_id, e.sha256, e.role) e.at, e.event_id, e.sha256, e.role, 'captured', '', v.camera, v.type
FROM evidence e JOIN events v ON v.id = e.event_id ORDER BY e.event_id, e.sha256, e.role, e.seq
"""
_READ = """
INSERT INTO evidence_custody (at, event_id, sha256, role, act, kind, who, why, audit_id)
SELECT a.at, a.what ->> 'event', a.what ->> 'sha256', coalesce(a.what ->> 'role', ''), 'viewed',
       coalesce(a.what ->> 'kind', ''), a.who, '', a.id
FROM audit_log a WHERE a.action = 'evidence.read' AND a.what ? 'event' AND a.what ? 'sha256' ORDER BY a.id
"""
_EXPORTED = """
INSERT INTO evidence_custody (at, event_id, sha256, role, act, kind, who, why, audit_id)
SELECT DISTINCT ON (a.id, e.sha256) a.at, e.event_id, e.sha256, e.role, 'exported', '', a.who,
       coalesce(a.what ->> 'purpose', ''), a.id
FROM audit_log a JOIN evidence e ON e.event_id = a.what ->> 'event' AND e.stored AND e.at <= a.at
WHERE a.action = 'evidence.exported' ORDER BY a.id, e.sha256, e.seq
"""


def upgrade() -> None:
    op.create_table(
        "evidence_custody",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False, comment="captured, viewed, exported, held, released or deleted"),
        sa.Column("kind", sa.Text, nullable=False, comment="which form of it was viewed"),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("audit_id", sa.BigInteger, comment="its line in audit_log; captured: null"),
    )
    op.create_index("ix_evidence_custody_event", "evidence_custody", ["event_id", "id"])
    op.create_index("ix_evidence_custody_audit", "evidence_custody", ["audit_id"])
    op.create_index(
        "uq_evidence_custody_captured",
        "evidence_custody",
        ["event_id", "sha256", "role"],
        unique=True,
        postgresql_where=sa.text("act = 'captured'"),
    )
    for statement in (_CAPTURED, _READ, _EXPORTED, _FROZEN):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("evidence_custody")
    op.execute("DROP FUNCTION evidence_custody_is_append_only()")
