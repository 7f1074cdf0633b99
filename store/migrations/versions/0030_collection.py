"""Pictures collected from streams by a project's policy, and their custody; labelled pictures say when they are gone

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_GONE = """
UPDATE label_items SET deleted = d.deleted
FROM (SELECT key, max(deleted) AS deleted FROM evidence_deletions GROUP BY key
      HAVING bool_and(deleted IS NOT NULL)) AS d
WHERE label_items.key = d.key
"""


def upgrade() -> None:
    op.create_table(
        "collection_policies",
        sa.Column("project", sa.BigInteger, sa.ForeignKey("label_projects.id"), primary_key=True),
        sa.Column("body", JSONB, nullable=False, comment="collection.types.CollectionPolicy"),
        sa.Column("department", sa.Text, comment="with whose eyes cameras are chosen"),
        sa.Column("everything", sa.Boolean, nullable=False, comment="chosen among all cameras"),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", _UTC, nullable=False),
    )
    op.create_table(
        "collected_frames",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("project", sa.BigInteger, sa.ForeignKey("label_projects.id"), nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", _UTC, nullable=False, comment="the moment that it shows"),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column(
            "item",
            sa.BigInteger,
            sa.ForeignKey("label_items.id"),
            comment="null: its bytes were to be kept, and may be there or not",
        ),
        sa.UniqueConstraint("project", "sha256"),
    )
    op.create_index("ix_collected_frames_camera", "collected_frames", ["project", "camera", "at"])
    op.create_index("ix_collected_frames_key", "collected_frames", ["key"])
    op.create_index("ix_collected_frames_at", "collected_frames", ["at", "key"])
    op.add_column(
        "label_items",
        sa.Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept"),
    )
    op.create_index("ix_label_items_key", "label_items", ["key"])
    op.create_index("ix_label_items_camera", "label_items", ["project", "camera", "id"])
    op.execute(_GONE)
    _custody()


def _custody() -> None:
    op.add_column(
        "evidence_custody", sa.Column("item_id", sa.BigInteger, comment="of a picture collected from a stream")
    )
    op.drop_constraint(op.f("ck_evidence_custody_of_one"), "evidence_custody", type_="check")
    op.create_check_constraint("of_one", "evidence_custody", "num_nonnulls(event_id, case_id, verdict_id, item_id) = 1")
    op.create_index("ix_evidence_custody_item", "evidence_custody", ["item_id", "id"])
    op.create_index(
        "uq_evidence_custody_item_captured",
        "evidence_custody",
        ["item_id", "sha256", "role"],
        unique=True,
        postgresql_where=sa.text("act = 'captured' AND item_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_evidence_custody_item_captured", "evidence_custody")
    op.drop_index("ix_evidence_custody_item", "evidence_custody")
    op.execute("ALTER TABLE evidence_custody DISABLE TRIGGER evidence_custody_rows")
    op.execute("DELETE FROM evidence_custody WHERE item_id IS NOT NULL")
    op.execute("ALTER TABLE evidence_custody ENABLE TRIGGER evidence_custody_rows")
    op.drop_column("evidence_custody", "item_id")  # and with it the check that it is one of the four
    op.create_check_constraint("of_one", "evidence_custody", "num_nonnulls(event_id, case_id, verdict_id) = 1")
    op.drop_index("ix_label_items_camera", "label_items")
    op.drop_index("ix_label_items_key", "label_items")
    op.drop_column("label_items", "deleted")
    op.drop_table("collected_frames")
    op.drop_table("collection_policies")
