"""The real consumer as a process of its own, with a hook that writes what it was told.

python -m tests.faults.consume DATABASE_URL REDIS_URL
"""

from __future__ import annotations

import signal
import sys
import threading

from sqlalchemy import Connection, text

from contracts.records import Event
from events.consumer import Consumer
from events.hooks import Hooks
from store.bus import Bus
from store.database import make_engine


def outbox(connection: Connection, event: Event) -> None:
    """What a subscription would do: one row for each transition, without asking whether it is there already."""
    connection.execute(text("INSERT INTO outbox VALUES (:id, :seq)"), {"id": event.id, "seq": event.seq})


def main(database_url: str, redis_url: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Consumer(make_engine(database_url), Bus(redis_url), Hooks([outbox])).run(stop)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
