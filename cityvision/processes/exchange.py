"""Telling the city's existing platform of cases: what the exchange's outbox holds goes out."""

from __future__ import annotations

import asyncio

from cases.book import DEFAULT, read_book
from cases.exchange.mapping import Mapping
from cases.exchange.push import Pusher
from cases.exchange.remote import Link, Platform
from cityvision.processes.base import Process, run
from cityvision.settings import Settings, listed
from contracts.errors import ConfigError
from store.database import make_engine
from store.guard import Guard, networks


def mapping_of(settings: Settings) -> Mapping:
    """The mapping in force.

    Raises:
        ConfigError: it is wrong, or cases are not exchanged.
    """
    mapping = read_book(settings.case_book or DEFAULT, settings.exchange).exchange
    if mapping is None:
        raise ConfigError("cases are not exchanged", "set CITYVISION_EXCHANGE_URL; see docs/exchange.md")
    return mapping


def link_of(settings: Settings) -> Link:
    """Where the platform is.

    Raises:
        ConfigError: cases are not exchanged.
    """
    if settings.exchange_url is None or settings.exchange_secret is None:
        raise ConfigError("cases are not exchanged", "set CITYVISION_EXCHANGE_URL; see docs/exchange.md")
    keys = listed(settings.exchange_secret.get_secret_value())
    return Link(settings.exchange_url, keys, Guard(networks(settings.delivery_networks)))


def body(process: Process) -> None:
    """Tells until asked to stop; outages of Postgres and of the platform are waited out."""
    asyncio.run(_push(process))


async def _push(process: Process) -> None:
    mapping = mapping_of(process.settings)
    engine = make_engine(process.settings.database, pool_size=2)
    platform = Platform(link_of(process.settings), mapping)
    stop = asyncio.Event()
    asked = asyncio.create_task(_set_when_asked(process, stop))
    try:
        process.ready()
        await Pusher(engine, platform, mapping).run(stop)
    finally:
        process.stop.set()
        await asked
        await platform.close()
        engine.dispose()


async def _set_when_asked(process: Process, stop: asyncio.Event) -> None:
    await asyncio.to_thread(process.stop.wait)
    stop.set()


if __name__ == "__main__":
    run("exchange", body)
