"""Live state for asyncio: what the API forwards to browsers. Every failure is `BusUnavailable`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from contracts.live import CameraStatus
from store.client import statuses_of, translated
from store.keys import Keys


class AsyncBus:
    """An asyncio client, for the listening side. One for a whole event loop is enough.

    Args:
        url: redis:// or rediss:// URL.
    """

    def __init__(self, url: str, *, timeout_s: float = 3.0) -> None:
        self._keys = Keys()
        self._redis: Any = aioredis.Redis.from_url(
            url, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0), health_check_interval=0
        )

    async def close(self) -> None:
        await self._redis.aclose()

    async def ping(self) -> None:
        """Raises BusUnavailable."""
        with translated():
            await self._redis.ping()

    async def statuses(self) -> dict[str, CameraStatus]:
        """Every camera's last status, by camera."""
        with translated():
            found = await self._redis.hgetall(self._keys.status)
        return statuses_of(found)

    async def status(self, camera: str) -> CameraStatus | None:
        with translated():
            found = await self._redis.hget(self._keys.status, camera)
        return statuses_of({camera.encode(): found}).get(camera) if found is not None else None

    async def watch(self, camera: str, ttl_s: float = 5.0) -> None:
        """Somebody looks at `camera`: to be repeated before `ttl_s` is over."""
        with translated():
            await self._redis.set(self._keys.watch(camera), "1", px=int(ttl_s * 1000))

    async def live(self, camera: str) -> AsyncIterator[bytes]:
        """Live pictures (`contracts.live.decode_live`) as they come, until the caller stops listening.

        The caller renews `watch` meanwhile, else the worker stops sending.
        """
        async for message in self.listen(self._keys.live(camera)):
            yield message

    async def listen(self, channel: str) -> AsyncIterator[bytes]:
        """Messages of a pub/sub channel."""
        with translated():
            async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(channel)
                async for message in subscription.listen():
                    yield message["data"]

    async def notes(self, after: str = "$", *, block_ms: int = 1000) -> AsyncIterator[tuple[str, bytes]]:
        """(stream id, `events.types.Note` as JSON) of each committed transition after `after`; "$": from now on.

        Bounded and not durable: a listener that may have missed some (a gap, a restart of the bus) catches up from
        the database by `Note.position`.
        """
        if after == "$":
            after = await self._last_note()
        while True:
            with translated():
                found = await self._redis.xread({self._keys.events: after}, count=500, block=block_ms)
            pairs = found.items() if isinstance(found, dict) else found or ()
            for _, entries in pairs:
                for entry_id, fields in entries:
                    after = entry_id.decode()
                    yield after, fields[b"e"]

    async def _last_note(self) -> str:
        """The newest id now: "$" would mean another moment at every read."""
        with translated():
            newest = await self._redis.xrevrange(self._keys.events, count=1)
        return newest[0][0].decode() if newest else "0-0"

    async def pool_changes(self) -> AsyncIterator[int]:
        """Revisions of the pool as they are made known."""
        async for message in self.listen(self._keys.pool_changed):
            yield int(message)
