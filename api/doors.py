"""What every door shares: the stores, the live relay and the event feed, made once per process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_urlsafe

from sqlalchemy import Engine

from algorithm_repo.labelling.clips import LookAtClip
from api.bringing import Bring
from api.camera_states import CameraStates
from api.dataset_shelf import DatasetShelf
from api.feed import EventFeed
from api.masked_copies import MaskedCopies
from api.metrics import RequestMetrics
from api.pool_view import PoolCache
from api.readings import Readings
from api.relay import LiveRelay
from api.settings import ApiSettings
from api.snapshots import Snapshots
from api.trials import Try
from api.viewing_copies import ViewingCopies
from cases.book import DEFAULT, Book, read_book
from governance.oidc import Provider
from governance.signing import Ed25519Signer, Signer
from store.bus import Bus
from store.database import make_engine
from store.guard import Guard, networks
from store.live import AsyncBus
from store.objects import ObjectStore
from store.sealing import Sealer
from store.secrets import Secrets
from subscriptions.ways import Ways


@dataclass(frozen=True, slots=True)
class Doors:
    """Opened by `opened`; lives in `app.state.doors`."""

    settings: ApiSettings
    engine: Engine
    bus: Bus
    live_bus: AsyncBus
    objects: ObjectStore
    relay: LiveRelay
    feed: EventFeed
    metrics: RequestMetrics
    pool: PoolCache
    cameras: CameraStates
    readings: Readings
    viewing_copies: ViewingCopies
    masked_copies: MaskedCopies
    snapshots: Snapshots
    datasets: DatasetShelf
    attempt: Try | None
    look_at_clip: LookAtClip | None
    bring: Bring | None
    book: Book
    sealer: Sealer
    signer: Signer
    oidc: Provider | None = None

    def ways(self) -> Ways:
        """How subscribers are reached; to be closed after use."""
        settings = self.settings
        guard = Guard(networks(settings.delivery_networks))
        return Ways(guard, Secrets(settings.secrets), self.sealer, settings.redis_url)


@asynccontextmanager
async def opened(
    settings: ApiSettings,
    objects: ObjectStore,
    metrics: RequestMetrics,
    viewing_copies: ViewingCopies,
    masked_copies: MaskedCopies,
    attempt: Try | None,
    look_at_clip: LookAtClip | None,
    bring: Bring | None,
) -> AsyncIterator[Doors]:
    """The shared parts with their tasks running. Nothing is connected yet: a store may come up later."""
    secret = token_urlsafe(24) if settings.seal_key is None else settings.seal_key.get_secret_value()
    sealer = Sealer(secret)
    engine = make_engine(settings.database_url, pool_size=settings.database_pool)
    bus, live_bus = Bus(settings.redis_url), AsyncBus(settings.redis_url)
    feed = EventFeed(live_bus)
    reading = asyncio.create_task(feed.run(), name="event-feed")
    relay = LiveRelay(live_bus, settings.watch_ttl_s)
    try:
        yield Doors(
            settings,
            engine,
            bus,
            live_bus,
            objects,
            relay,
            feed,
            metrics,
            PoolCache(),
            CameraStates(bus, settings.status_stale_s),
            Readings(),
            viewing_copies,
            masked_copies,
            Snapshots(masked_copies),
            DatasetShelf(objects),
            attempt,
            look_at_clip,
            bring,
            read_book(settings.case_book or DEFAULT, settings.exchange),
            sealer,
            Ed25519Signer(secret),
            None if settings.oidc is None else Provider(settings.oidc, sealer),
        )
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await live_bus.close()
        bus.close()
        engine.dispose()
