"""The event consumer: from the workers' streams into the tables, and what follows there: cases and their clocks."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cases.book import DEFAULT, Book, read_book
from cases.service import CaseHook, watch_clocks
from cityvision.processes.base import Process, run
from events.consumer import Consumer
from events.hooks import Hooks
from store.bus import Bus
from store.database import make_engine

log = logging.getLogger(__name__)

_CLOCKS_EVERY_S = 5.0
_AT_ONCE = 200


def body(process: Process) -> None:
    """Consumes until asked to stop; outages of Postgres and Valkey are waited out."""
    book = read_book(process.settings.case_book or DEFAULT)
    engine = make_engine(process.settings.database, pool_size=2)
    bus = Bus(process.settings.redis)
    clocks = threading.Thread(target=watch, args=(engine, book, process.stop), name="case-clocks")
    try:
        clocks.start()
        process.ready()
        Consumer(engine, bus, Hooks([CaseHook(book)])).run(process.stop)
    finally:
        process.stop.set()
        clocks.join()
        bus.close()
        engine.dispose()


def watch(engine: Engine, book: Book, stop: threading.Event) -> None:
    """What the clocks of cases bring about, until `stop`; an outage of Postgres is waited out."""
    away = False
    while not stop.wait(_CLOCKS_EVERY_S):
        try:
            found = _AT_ONCE
            while found == _AT_ONCE and not stop.is_set():
                with engine.begin() as connection:
                    found = watch_clocks(connection, time.time(), book, _AT_ONCE)
            away = False
        except OperationalError as error:
            if not away:
                log.warning("clocks of cases wait: %s", str(error.orig or error).strip().splitlines()[0])
            away = True


if __name__ == "__main__":
    run("consumer", body)
