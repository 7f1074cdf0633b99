"""Access: departments of accounts, grants, and the pool's departments and cameras as access asks for them

Revision ID: 0008
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

# Kept by the database itself, so that whoever edits the pool need not know of them: the predicate that asks them stands
# in every query, where walking the tree and reading documents each time would cost more than the query.
_KEEP = """
CREATE FUNCTION pool_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed WHERE kind = 'department') THEN
        DELETE FROM department_paths;
        INSERT INTO department_paths
        WITH RECURSIVE d AS (
            SELECT id, document ->> 'name' AS name, document ->> 'parent' AS parent
            FROM pool_item WHERE kind = 'department' AND until IS NULL
        ), walked AS (
            SELECT id, name, ARRAY[id] AS path FROM d
            WHERE parent IS NULL OR parent NOT IN (SELECT id FROM d)
            UNION ALL
            SELECT d.id, d.name, walked.path || d.id FROM d JOIN walked ON d.parent = walked.id
            WHERE NOT d.id = ANY(walked.path)
        )
        SELECT id, name, path FROM walked;
    END IF;
    DELETE FROM camera_places WHERE camera IN (SELECT id FROM changed WHERE kind = 'camera');
    INSERT INTO camera_places
    SELECT id, document ->> 'department', coalesce(document ->> 'grid', '') FROM pool_item
    WHERE kind = 'camera' AND until IS NULL AND id IN (SELECT id FROM changed WHERE kind = 'camera');
    RETURN NULL;
END
$$;
CREATE TRIGGER pool_places_added AFTER INSERT ON pool_item
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pool_places();
CREATE TRIGGER pool_places_changed AFTER UPDATE ON pool_item
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pool_places();
CREATE TRIGGER pool_places_removed AFTER DELETE ON pool_item
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pool_places();
UPDATE pool_item SET digest = digest;
"""


def upgrade() -> None:
    op.execute("ALTER FUNCTION subscription_within(jsonb, timestamptz) RENAME TO hours_contain")
    op.create_table(
        "department_paths",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", ARRAY(sa.Text), nullable=False, comment="from the highest department down to itself"),
    )
    op.create_table(
        "camera_places",
        sa.Column("camera", sa.Text, primary_key=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("grid", sa.Text, nullable=False),
    )
    op.create_index("ix_camera_places_department", "camera_places", ["department"])
    op.execute(_KEEP)
    op.add_column("users", sa.Column("department", sa.Text, comment="whose eyes they have; null: nobody's"))
    op.add_column("users", sa.Column("disabled", _UTC, comment="since when nobody can log in with it"))
    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("grantee", sa.Text, nullable=False, comment="department it is given to"),
        sa.Column("owner", sa.Text, nullable=False, comment="department whose cameras it speaks of"),
        sa.Column("cameras", ARRAY(sa.Text), nullable=False, comment="empty: any of the owner's"),
        sa.Column("zones", ARRAY(sa.Text), nullable=False, comment="camera/zone; empty: any"),
        sa.Column("grids", ARRAY(sa.Text), nullable=False, comment="empty: any"),
        sa.Column("types", ARRAY(sa.Text), nullable=False, comment="of events; empty: any"),
        sa.Column("hours", JSONB, comment="working calendar; null: always"),
        sa.Column("actions", ARRAY(sa.Text), nullable=False, comment="event, evidence, live"),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("starts", _UTC, nullable=False),
        sa.Column("expires", _UTC, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="asked, approved, refused, revoked"),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked", _UTC, nullable=False),
        sa.Column("decided_by", sa.Text, comment="who approved or refused it"),
        sa.Column("decided", _UTC),
        sa.Column("note", sa.Text, nullable=False, comment="of the decision, or of its end"),
        sa.Column("ended_by", sa.Text, comment="who revoked it"),
        sa.Column("ended", _UTC),
        sa.CheckConstraint("state IN ('asked', 'approved', 'refused', 'revoked')", name="ck_grants_state"),
    )
    op.create_index("ix_grants_grantee", "grants", ["grantee"], postgresql_where=sa.text("state = 'approved'"))
    op.create_index("ix_grants_owner", "grants", ["owner"])


def downgrade() -> None:
    op.drop_table("grants")
    op.drop_column("users", "disabled")
    op.drop_column("users", "department")
    for name in ("added", "changed", "removed"):
        op.execute(f"DROP TRIGGER pool_places_{name} ON pool_item")
    op.execute("DROP FUNCTION pool_places()")
    op.drop_table("camera_places")
    op.drop_table("department_paths")
    op.execute("ALTER FUNCTION hours_contain(jsonb, timestamptz) RENAME TO subscription_within")
