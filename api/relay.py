"""Live pictures from the workers to whoever watches: one subscription per camera and process, no queues.

While a camera has a viewer its watch key is kept alive, and its worker publishes; when the last one leaves, the
key runs out by itself. A viewer that is slower than the camera simply misses pictures.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from contracts.errors import BusUnavailable
from store.live import AsyncBus

log = logging.getLogger(__name__)

_RETRY_S = 1.0


class Viewer:
    """One watcher's mailbox: it holds the newest picture only.

    Attributes:
        missed: pictures replaced before this viewer took them.
    """

    def __init__(self) -> None:
        self._newest: bytes | None = None
        self._arrived = asyncio.Event()
        self.missed = 0

    def offer(self, message: bytes) -> None:
        if self._newest is not None:
            self.missed += 1
        self._newest = message
        self._arrived.set()

    async def take(self) -> bytes:
        """The newest picture not yet taken; waits for one."""
        while self._newest is None:
            self._arrived.clear()
            await self._arrived.wait()
        message, self._newest = self._newest, None
        return message


@dataclass(frozen=True, slots=True)
class _Watched:
    """One camera that somebody watches."""

    viewers: set[Viewer]
    tasks: tuple[asyncio.Task[None], ...]


class LiveRelay:
    """Fans live pictures out to viewers; owned by the application.

    Args:
        bus: where the workers publish.
        watch_ttl_s: how long a worker goes on publishing after the last viewer left, s.
    """

    def __init__(self, bus: AsyncBus, watch_ttl_s: float) -> None:
        self._bus = bus
        self._ttl_s = watch_ttl_s
        self._watched: dict[str, _Watched] = {}

    @property
    def viewers(self) -> int:
        return sum(len(one.viewers) for one in self._watched.values())

    @asynccontextmanager
    async def watching(self, camera: str) -> AsyncIterator[Viewer]:
        """A mailbox that receives the camera's pictures while the context is open."""
        viewer = Viewer()
        watched = self._watched.get(camera)
        if watched is None:
            viewers: set[Viewer] = set()
            jobs = (self._receive(camera, viewers), self._keep_watching(camera))
            watched = _Watched(viewers, tuple(asyncio.create_task(job) for job in jobs))
            self._watched[camera] = watched
        watched.viewers.add(viewer)
        try:
            yield viewer
        finally:
            watched.viewers.discard(viewer)
            if not watched.viewers and self._watched.get(camera) is watched:
                del self._watched[camera]
                for task in watched.tasks:
                    task.cancel()
                await asyncio.gather(*watched.tasks, return_exceptions=True)

    async def _keep_watching(self, camera: str) -> None:
        while True:
            try:
                await self._bus.watch(camera, self._ttl_s)
            except BusUnavailable as error:
                log.debug("watch key not renewed: %s", error)
            await asyncio.sleep(min(self._ttl_s / 3, _RETRY_S))

    async def _receive(self, camera: str, viewers: set[Viewer]) -> None:
        while True:
            try:
                async for message in self._bus.live(camera):
                    for viewer in viewers:
                        viewer.offer(message)
            except BusUnavailable as error:
                log.debug("live pictures interrupted: %s", error)
            await asyncio.sleep(_RETRY_S)
