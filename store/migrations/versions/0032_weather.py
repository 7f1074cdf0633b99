"""Spells of weather, and under which a picture was collected.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "weather_spells",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="events.weather.Weather"),
        sa.Column("grids", sa.ARRAY(sa.Text), nullable=False, comment="where, sorted; none: in the whole city"),
        sa.Column("since", _UTC, nullable=False),
        sa.Column("until", _UTC, comment="null: it still stands"),
        sa.Column("said_by", sa.Text, nullable=False),
    )
    op.create_index(
        "ix_weather_spells_standing",
        "weather_spells",
        ["kind", "grids"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index("ix_weather_spells_since", "weather_spells", ["since"])
    op.add_column(
        "collected_frames",
        sa.Column("weather", sa.Text, nullable=False, server_default="", comment="that was told of there; empty: none"),
    )


def downgrade() -> None:
    op.drop_column("collected_frames", "weather")
    op.drop_table("weather_spells")
