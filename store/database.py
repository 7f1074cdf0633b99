"""The one place where an engine is made. Domains declare their tables on `metadata` and take a `Connection`.

Schema changes are Alembic migrations in `store/migrations`, never `create_all`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy import event as hooks

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def make_engine(url: str, *, pool_size: int = 5, generic_plans: bool = False) -> Engine:
    """An engine for `postgresql+psycopg://…`; connections are checked before use, so a restarted server is found.

    Args:
        url: of the database.
        pool_size: connections that stay open; as many more for a moment.
        generic_plans: for a few statements sent thousands of times: the server plans each once, not for every value.
    """
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
    if generic_plans:
        hooks.listen(engine, "connect", _plan_once)
    return engine


def _plan_once(connection: Any, _record: object) -> None:
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.commit()


def at(utc: float) -> datetime:
    """A moment, s since 1970 UTC, as timestamptz columns have it: by a sum, exact where `fromtimestamp` rounds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=utc)
