"""Pictures of cases as rows, so that they are kept for their days and no longer

Of before, those that second looks, the history and the custody log name are taken over; the size of a photo is not
known.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_ROWS = """
INSERT INTO case_pictures (case_id, key, sha256, role, media_type, size, at)
SELECT DISTINCT ON (case_id, key) case_id, key, coalesce(sha256, split_part(regexp_replace(key, '^.*/', ''), '.', 1)),
       role, coalesce(media_type, CASE WHEN key LIKE '%.png' THEN 'image/png' ELSE 'image/jpeg' END), size, at
FROM (
    SELECT 1 AS rank, l.case_id, e.ref ->> 'key' AS key, e.ref ->> 'sha256' AS sha256, e.ref ->> 'role' AS role,
           e.ref ->> 'media_type' AS media_type, (e.ref ->> 'size')::bigint AS size,
           to_timestamp((e.ref ->> 'utc')::float8) AS at
    FROM case_looks l CROSS JOIN LATERAL jsonb_array_elements(l.result -> 'evidence') AS e(ref)
    WHERE l.result IS NOT NULL
  UNION ALL
    SELECT 2, l.case_id, l.body -> 'facts' ->> 'before', NULL, 'before', NULL, 0, l.at
    FROM case_lines l WHERE coalesce(l.body -> 'facts' ->> 'before', '') <> ''
  UNION ALL
    SELECT 3, l.case_id, p.key, NULL, 'photo', NULL, 0, l.at
    FROM case_lines l CROSS JOIN LATERAL jsonb_array_elements_text(l.body -> 'facts' -> 'pictures') AS p(key)
  UNION ALL
    SELECT 4, c.case_id, 'cases/' || left(c.sha256, 2) || '/' || c.sha256 || '.jpg', c.sha256, 'photo', NULL, 0, c.at
    FROM evidence_custody c
    WHERE c.case_id IS NOT NULL AND c.act = 'captured' AND c.role = 'photo'
) AS found
ORDER BY case_id, key, rank, at
"""


def upgrade() -> None:
    op.create_table(
        "case_pictures",
        sa.Column("case_id", sa.BigInteger, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False, comment="photo, before, or that of a second look's picture"),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes; 0: not known"),
        sa.Column("at", _UTC, nullable=False, comment="when it was taken, or came"),
        sa.Column("deleted", _UTC, comment="since when its bytes are gone by policy; null: they are kept"),
    )
    op.create_index("ix_case_pictures_key", "case_pictures", ["key"])
    op.create_index(
        "ix_case_pictures_kept", "case_pictures", ["at", "key"], postgresql_where=sa.text("deleted IS NULL")
    )
    op.execute(_ROWS)


def downgrade() -> None:
    op.drop_table("case_pictures")
