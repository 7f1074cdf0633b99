"""Test-fire: one message, now, past the queue; the answer is the attempt."""

from __future__ import annotations

import secrets
import time

from sqlalchemy import Connection, select

from contracts.errors import CityVisionError
from subscriptions import store
from subscriptions.channel import Sent, failed
from subscriptions.lane import Opens
from subscriptions.message import test_message
from subscriptions.queue import Lease
from subscriptions.tables import subscriptions
from subscriptions.types import Attempt


def prepared(connection: Connection, number: int) -> Lease:
    """What `fire` needs of a subscription that exists."""
    s = subscriptions.c
    row = connection.execute(select(s.revision, s.channel, s.secrets).where(s.id == number)).one()
    return Lease(number, "test", row.revision, {"channel": row.channel, "secrets": row.secrets})


async def fire(lease: Lease, ways: Opens) -> Attempt:
    """Sends a test, outside of any transaction; `ways` is closed afterwards."""
    now, began = time.time(), time.perf_counter()
    sent = await _sent(lease, ways, now)
    return Attempt(
        delivery=None,
        utc=now,
        took_ms=(time.perf_counter() - began) * 1000,
        outcome="test_delivered" if sent.ok else "test_failed",
        status=sent.status,
        detail=sent.detail,
    )


async def _sent(lease: Lease, ways: Opens, now: float) -> Sent:
    try:
        return await ways.channel(lease).send(test_message(lease.subscription, f"msg_{secrets.token_hex(16)}", now))
    except CityVisionError as error:
        return failed(str(error))
    finally:
        await ways.close()


def keep(connection: Connection, number: int, attempt: Attempt) -> None:
    """A line of the log."""
    store.write_attempt(connection, number, attempt)
