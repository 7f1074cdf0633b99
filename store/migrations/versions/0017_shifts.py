"""Shift handover: whose shift it is, what was handed over as it was signed, and who took over

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION case_handovers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was handed over cannot be changed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER case_handovers_rows BEFORE UPDATE OR DELETE ON case_handovers
    FOR EACH ROW EXECUTE FUNCTION case_handovers_stay();
CREATE TRIGGER case_handovers_all BEFORE TRUNCATE ON case_handovers
    FOR EACH STATEMENT EXECUTE FUNCTION case_handovers_stay();
CREATE TRIGGER case_handover_answers_rows BEFORE UPDATE OR DELETE ON case_handover_answers
    FOR EACH ROW EXECUTE FUNCTION case_handovers_stay();
CREATE TRIGGER case_handover_answers_all BEFORE TRUNCATE ON case_handover_answers
    FOR EACH STATEMENT EXECUTE FUNCTION case_handovers_stay();
"""


def upgrade() -> None:
    op.create_table(
        "case_shifts",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("desk", sa.Text, nullable=False, comment="the dispatch centre's id, or a department's"),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("opened", _UTC, nullable=False),
        sa.Column("planned_end", _UTC, nullable=False),
        sa.Column("ended", _UTC, comment="null while it lasts"),
        sa.CheckConstraint("ended >= opened", name="ends_after"),
    )
    lasting = sa.text("ended IS NULL")
    op.create_index("uq_case_shifts_lasting", "case_shifts", ["desk"], unique=True, postgresql_where=lasting)
    op.create_table(
        "case_handovers",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("shift_id", sa.BigInteger, sa.ForeignKey("case_shifts.id"), nullable=False),
        sa.Column("signed_by", sa.Text, nullable=False),
        sa.Column("signed", _UTC, nullable=False),
        sa.Column("next_end", _UTC, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("relief", sa.Boolean, nullable=False),
        sa.Column("open", sa.Integer, nullable=False),
        sa.Column("late", sa.Integer, nullable=False),
        sa.Column(
            "document", sa.Text, nullable=False, comment="cases.shift.types.Document, byte by byte as it was signed"
        ),
        sa.Column("sha256", sa.Text, nullable=False, comment="of the document"),
        sa.Column("audit_id", sa.BigInteger, nullable=False, comment="its line in audit_log, which names the hash"),
    )
    op.create_index("ix_case_handovers_shift", "case_handovers", ["shift_id"])
    op.create_table(
        "case_handover_answers",
        sa.Column("handover_id", sa.BigInteger, sa.ForeignKey("case_handovers.id"), primary_key=True),
        sa.Column("answer", sa.Text, nullable=False, comment="confirmed, refused or withdrawn"),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.execute(_FROZEN)


def downgrade() -> None:
    for table in ("case_handover_answers", "case_handovers", "case_shifts"):
        op.drop_table(table)
    op.execute("DROP FUNCTION case_handovers_stay()")
