"""Cases: what an event became, each case's state and history, silences, mass incidents

Revision ID: 0006
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION case_lines_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a case can only grow' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER case_lines_rows BEFORE UPDATE OR DELETE ON case_lines
    FOR EACH ROW EXECUTE FUNCTION case_lines_is_append_only();
"""


def upgrade() -> None:
    op.create_table(
        "case_incidents",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("opened", _UTC, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("source", sa.Text, nullable=False, comment="event, manual or hotline"),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False, comment="the same for all zones that show it"),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("grid", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False, comment="that owns the camera, or took the report"),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("started", _UTC, nullable=False, comment="when the first of its events began"),
        sa.Column("opened", _UTC, nullable=False),
        sa.Column("updated", _UTC, nullable=False),
        sa.Column("closed", _UTC, comment="the last time; null before"),
        sa.Column("incident", sa.BigInteger, sa.ForeignKey("case_incidents.id")),
        sa.Column("revision", sa.Integer, nullable=False, comment="grows with each line"),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("due", _UTC, comment="of the running clock; null at the end"),
        sa.Column("supervised", sa.Boolean, nullable=False),
        sa.Column("state", JSONB, nullable=False, comment="cases.types.CaseState"),
    )
    op.create_index("ix_cases_place", "cases", ["category", "place"])
    op.create_index("ix_cases_opened", "cases", ["opened", "id"])
    op.create_index("ix_cases_owner", "cases", ["owner", "due"])
    op.create_index("ix_cases_due", "cases", ["due"], postgresql_where=sa.text("due IS NOT NULL"))
    _beside()
    op.execute(_FROZEN)


def _beside() -> None:
    op.create_table(
        "case_lines",
        sa.Column("case_id", sa.BigInteger, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("body", JSONB, nullable=False, comment="cases.types.Line"),
    )
    op.create_table(
        "case_silences",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("from", _UTC, nullable=False),
        sa.Column("until", _UTC, nullable=False),
        sa.Column("types", ARRAY(sa.Text), nullable=False),
        sa.Column("cameras", ARRAY(sa.Text), nullable=False),
        sa.Column("grids", ARRAY(sa.Text), nullable=False),
        sa.CheckConstraint('"until" > "from"', name="ends"),
    )
    op.create_index("ix_case_silences_until", "case_silences", ["until"])
    op.create_table(
        "case_decisions",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("case_id", sa.BigInteger, sa.ForeignKey("cases.id")),
        sa.Column("silence_id", sa.BigInteger, sa.ForeignKey("case_silences.id")),
        sa.Column("kind", sa.Text, nullable=False, comment="new, join, reopen, none or silenced"),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("reason", JSONB, nullable=False),
        sa.Column("at", _UTC, nullable=False),
    )
    op.create_index("ix_case_decisions_case", "case_decisions", ["case_id"])
    op.create_index("ix_case_decisions_silence", "case_decisions", ["silence_id"])


def downgrade() -> None:
    for table in ("case_decisions", "case_silences", "case_lines", "cases", "case_incidents"):
        op.drop_table(table)
    op.execute("DROP FUNCTION case_lines_is_append_only()")
