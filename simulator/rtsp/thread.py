"""The server on a thread of its own, for synchronous callers."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from simulator.rtsp.camera import ServedCamera
from simulator.rtsp.faults import Faults
from simulator.rtsp.server import RtspServer


class ServerThread:
    """An `RtspServer` that runs while the `with` block lasts (or from `start` to `stop`)."""

    def __init__(self, cameras: Sequence[ServedCamera], port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.server = RtspServer(cameras, port, tls=tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rtsp-server", daemon=True)

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def url(self, name: str) -> str:
        return self.server.url(name)

    def faults(self, name: str) -> Faults:
        return self.server.faults(name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
