"""The event consumer: from the workers' streams into the tables."""

from __future__ import annotations

from cityvision.processes.base import Process, run
from events.consumer import Consumer
from events.hooks import Hooks
from store.bus import Bus
from store.database import make_engine


def body(process: Process) -> None:
    """Consumes until asked to stop; outages of Postgres and Valkey are waited out."""
    engine = make_engine(process.settings.database, pool_size=2)
    bus = Bus(process.settings.redis)
    try:
        process.ready()
        Consumer(engine, bus, Hooks()).run(process.stop)
    finally:
        bus.close()
        engine.dispose()


if __name__ == "__main__":
    run("consumer", body)
