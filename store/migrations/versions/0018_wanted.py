"""Whether a subscription or silence wants a transition, as a function: the outbox asks it twice for every event

The planner takes it apart, so it costs what the condition written out costs; the statement becomes short enough for
the driver to keep what it made of it.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# wanted, type, camera, zone, grid, severity, transition, at; an empty list means any.
_FUNCTION = """
CREATE FUNCTION wanted_contains(jsonb, text, text, text, text, text, text, timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (jsonb_array_length($1 -> 'types') = 0 OR ($1 -> 'types') ? $2)
       AND (jsonb_array_length($1 -> 'cameras') = 0 OR ($1 -> 'cameras') ? $3)
       AND (jsonb_array_length($1 -> 'zones') = 0 OR ($1 -> 'zones') ? $4
            OR ($1 -> 'zones') ? concat_ws('/', $3, $4))
       AND (jsonb_array_length($1 -> 'grids') = 0 OR ($1 -> 'grids') ? $5)
       AND (jsonb_array_length($1 -> 'severities') = 0 OR ($1 -> 'severities') ? $6)
       AND (jsonb_array_length($1 -> 'transitions') = 0 OR ($1 -> 'transitions') ? $7)
       AND hours_contain($1 -> 'hours', $8)
$$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)


def downgrade() -> None:
    op.execute("DROP FUNCTION wanted_contains(jsonb, text, text, text, text, text, text, timestamptz)")
