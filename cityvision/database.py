"""The database, for commands that need it for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from cityvision.settings import Settings
from contracts.errors import DatabaseUnavailable
from store.database import make_engine


@contextmanager
def transaction(settings: Settings) -> Iterator[Connection]:
    """One transaction on the database that the settings name.

    Raises:
        DatabaseUnavailable: it cannot be reached, or went away.
    """
    engine = make_engine(settings.database, pool_size=1)
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        reason = str(error.orig or error).strip().splitlines()[0]
        raise DatabaseUnavailable(f"Postgres: {reason}", "see CITYVISION_DATABASE_URL") from error
    finally:
        engine.dispose()
