"""The event consumer: from the workers' streams into the tables, and what follows there: deliveries, cases, clocks."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cases import verify
from cases.book import DEFAULT, Book, read_book
from cases.service import CaseHook, watch_clocks
from cityvision import look_custody
from cityvision.before_pictures import before
from cityvision.processes.base import Process, run
from contracts.errors import BusUnavailable
from events.consumer import Consumer
from events.hooks import Hooks
from governance import custody
from store.bus import Bus
from store.database import make_engine
from subscriptions.access import sees
from subscriptions.outbox import DeliveryHook

log = logging.getLogger(__name__)

_CLOCKS_EVERY_S = 1.0
_AT_ONCE = 200


def body(process: Process) -> None:
    """Consumes until asked to stop; outages of Postgres and Valkey are waited out."""
    book = read_book(process.settings.case_book or DEFAULT, process.settings.exchange)
    writer = make_engine(process.settings.database, pool_size=1, generic_plans=True)
    engine = make_engine(process.settings.database, pool_size=1)
    bus = Bus(process.settings.redis)
    clerk = Bus(process.settings.redis)
    clocks = threading.Thread(target=watch, args=(engine, clerk, book, process.stop), name="case-clocks")
    try:
        clocks.start()
        process.ready()
        hooks = Hooks(
            [custody.captured, CaseHook(book), DeliveryHook(sees)],
            [look_custody.captured, verify.LookAnswers(book, before)],
        )
        Consumer(writer, bus, hooks).run(process.stop)
    finally:
        process.stop.set()
        clocks.join()
        clerk.close()
        bus.close()
        engine.dispose()
        writer.dispose()


def watch(engine: Engine, bus: Bus, book: Book, stop: threading.Event) -> None:
    """What the clocks of cases bring about, and the second looks they ask for, until `stop`; outages are waited out."""
    away = False
    while not stop.wait(_CLOCKS_EVERY_S):
        try:
            found = _AT_ONCE
            while found == _AT_ONCE and not stop.is_set():
                with engine.begin() as connection:
                    found = watch_clocks(connection, time.time(), book, _AT_ONCE)
            with engine.begin() as connection:
                verify.begin(connection, time.time(), book)
                requests = verify.waiting(connection, time.time())
            bus.set_looks(requests)
            away = False
        except (OperationalError, BusUnavailable) as error:
            if not away:
                log.warning("clocks and second looks of cases wait: %s", str(error).strip().splitlines()[0])
            away = True


if __name__ == "__main__":
    run("consumer", body)
