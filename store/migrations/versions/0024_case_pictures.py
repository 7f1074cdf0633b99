"""Custody of the pictures of cases; the log of deliveries by state

What cameras saw at second looks and what people photographed at the place has the same log as the evidence of events.
Of before, the looks that were answered are taken over. Deliveries that reached their end are found by state without
reading all of a subscription.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_LOOKED = """
INSERT INTO evidence_custody (at, case_id, sha256, role, act, kind, who, why)
SELECT DISTINCT ON (l.case_id, e.ref ->> 'sha256', e.ref ->> 'role')
       to_timestamp((e.ref ->> 'utc')::float8), l.case_id, e.ref ->> 'sha256', e.ref ->> 'role', 'captured', '',
       l.result ->> 'camera', l.result ->> 'type'
FROM case_looks l CROSS JOIN LATERAL jsonb_array_elements(l.result -> 'evidence') AS e(ref)
WHERE l.result IS NOT NULL ORDER BY l.case_id, e.ref ->> 'sha256', e.ref ->> 'role', l.asked
"""


def upgrade() -> None:
    op.alter_column("evidence_custody", "event_id", nullable=True)
    op.add_column("evidence_custody", sa.Column("case_id", sa.BigInteger, comment="of pictures that belong to a case"))
    op.create_check_constraint("of_one", "evidence_custody", "num_nonnulls(event_id, case_id) = 1")
    op.create_index("ix_evidence_custody_case", "evidence_custody", ["case_id", "id"])
    op.create_index(
        "uq_evidence_custody_case_captured",
        "evidence_custody",
        ["case_id", "sha256", "role"],
        unique=True,
        postgresql_where=sa.text("act = 'captured' AND case_id IS NOT NULL"),
    )
    op.execute(_LOOKED)
    op.create_index(
        "ix_deliveries_ended",
        "deliveries",
        ["subscription", "state", "number"],
        postgresql_where=sa.text("state <> 'pending'"),
    )
    op.drop_index("ix_deliveries_dead", "deliveries")


def downgrade() -> None:
    op.create_index(
        "ix_deliveries_dead", "deliveries", ["subscription", "number"], postgresql_where=sa.text("state = 'dead'")
    )
    op.drop_index("ix_deliveries_ended", "deliveries")
    op.execute("ALTER TABLE evidence_custody DISABLE TRIGGER evidence_custody_rows")
    op.execute("DELETE FROM evidence_custody WHERE case_id IS NOT NULL")
    op.execute("ALTER TABLE evidence_custody ENABLE TRIGGER evidence_custody_rows")
    op.drop_index("uq_evidence_custody_case_captured", "evidence_custody")
    op.drop_index("ix_evidence_custody_case", "evidence_custody")
    op.drop_column("evidence_custody", "case_id")  # and with it the check that it is one or the other
    op.alter_column("evidence_custody", "event_id", nullable=False)
