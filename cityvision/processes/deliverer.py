"""Telling subscribers: what the outbox holds goes out by webhook, MQTT and stream."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import uvloop

from cityvision.processes.base import Process, run
from cityvision.sealing import sealer
from cityvision.settings import Settings
from store.database import make_engine
from store.guard import Guard, networks
from store.secrets import Secrets
from store.wakeups import DELIVERIES, listen
from subscriptions.access import sees
from subscriptions.deliver import Deliverer
from subscriptions.queue import Queues
from subscriptions.ways import Ways

# Each request gives the interpreter away for a moment; the threads of database and brokers would keep it for 5 ms.
_SWITCH_S = 0.0005


def ways(settings: Settings) -> Ways:
    """How this installation reaches subscribers."""
    guard = Guard(networks(settings.delivery_networks))
    return Ways(guard, Secrets(settings.secrets), sealer(settings), settings.redis)


def body(process: Process) -> None:
    """Delivers until asked to stop; outages of Postgres and of receivers are waited out."""
    sys.setswitchinterval(_SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_deliver(process))


async def _deliver(process: Process) -> None:
    engine = make_engine(process.settings.database, pool_size=2)
    deliverer = Deliverer(engine, Queues(sees), ways(process.settings))
    listening = asyncio.create_task(listen(process.settings.database, DELIVERIES, deliverer.woken))
    stop = asyncio.Event()
    asked = asyncio.create_task(_set_when_asked(process, stop))
    try:
        process.ready()
        await deliverer.run(stop)
    finally:
        process.stop.set()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await asked
        engine.dispose()


async def _set_when_asked(process: Process, stop: asyncio.Event) -> None:
    await asyncio.to_thread(process.stop.wait)
    stop.set()


if __name__ == "__main__":
    run("deliverer", body)
