"""Labelling: projects, their pictures, what people say of them for good, and what they have not sent yet

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_FROZEN = """
CREATE FUNCTION label_answers_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an answer is corrected by another one' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER label_answers_rows BEFORE UPDATE OR DELETE ON label_answers
    FOR EACH ROW EXECUTE FUNCTION label_answers_is_append_only();
CREATE TRIGGER label_answers_all BEFORE TRUNCATE ON label_answers
    FOR EACH STATEMENT EXECUTE FUNCTION label_answers_is_append_only();
"""


def upgrade() -> None:
    op.create_table(
        "label_projects",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("body", JSONB, nullable=False, comment="labelling.types.NewProject"),
        sa.Column("sources", JSONB, nullable=False, comment="name to datasets.types.Source"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", _UTC, nullable=False, server_default=sa.func.now()),
    )
    _items()
    op.create_table(
        "label_answers",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("item", sa.BigInteger, sa.ForeignKey("label_items.id"), nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("about", sa.BigInteger, sa.ForeignKey("label_answers.id")),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("spent_s", sa.Double, nullable=False),
        sa.Column("key", sa.Text, nullable=False, comment="sent again under it, it counts once"),
        sa.UniqueConstraint("who", "key"),
    )
    op.create_index("ix_label_answers_item", "label_answers", ["item", "id"])
    op.create_table(
        "label_drafts",
        sa.Column("item", sa.BigInteger, sa.ForeignKey("label_items.id"), primary_key=True),
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("stamp", sa.BigInteger, nullable=False, comment="ms of the page's clock"),
    )
    op.execute(_FROZEN)


def _items() -> None:
    op.create_table(
        "label_items",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("project", sa.BigInteger, sa.ForeignKey("label_projects.id"), nullable=False),
        sa.Column("content", sa.Text, nullable=False, comment="SHA-256 of the picture"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, comment="of the object store"),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False, comment="float32, datasets.alike.signature"),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("grid", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("moment", _UTC),
        sa.Column("verdict", sa.BigInteger, comment="of event_verdicts, where it came from one"),
        sa.Column("slices", JSONB, nullable=False),
        sa.Column("suggested", JSONB, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("final", sa.BigInteger),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("added", _UTC, nullable=False, server_default=sa.func.now()),
        sa.UniqueConstraint("project", "content"),
    )
    op.create_index("ix_label_items_state", "label_items", ["project", "state", "id"])


def downgrade() -> None:
    for table in ("label_drafts", "label_answers", "label_items", "label_projects"):
        op.drop_table(table)
    op.execute("DROP FUNCTION label_answers_is_append_only()")
