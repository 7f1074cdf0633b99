"""Being told by Postgres that there is something to do: the quick way, never the only one (a poll backs it up)."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg

DELIVERIES = "cv_deliveries"
_RETRY_S = 1.0


async def listen(url: str, channel: str, woken: asyncio.Event) -> None:
    """Sets `woken` at each notification until cancelled; while Postgres is away it just does not.

    Args:
        url: the SQLAlchemy URL of the database.
        channel: one of the names above.
    """
    plain = url.replace("+psycopg", "", 1)
    while True:
        with contextlib.suppress(psycopg.Error):
            async with await psycopg.AsyncConnection.connect(plain, autocommit=True, connect_timeout=3) as connection:
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
                woken.set()
                async for _ in connection.notifies():
                    woken.set()
        await asyncio.sleep(_RETRY_S)
