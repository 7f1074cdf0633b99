"""All sources of a process: one thread that watches them, one gate they connect through."""

from __future__ import annotations

import threading
from typing import Final

from contracts.live import CameraStatus
from pipeline.source.gate import ConnectGate
from pipeline.source.source import CameraSource

_EVERY: Final = 0.25


class SourceSupervisor:
    """Starts, watches and stops sources.

    Args:
        connects: how many may be connecting at one time.
    """

    def __init__(self, connects: int = 8) -> None:
        self.gate = ConnectGate(connects)
        self._lock = threading.Lock()
        self._sources: dict[str, CameraSource] = {}
        self._left_hanging: list[CameraSource] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="source-watch", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """The thread that watches runs."""
        return self._thread.is_alive()

    def add(self, source: CameraSource) -> None:
        """Starts it; a source of the same camera is stopped first. It must have been made with `gate`."""
        with self._lock:
            old = self._sources.get(source.camera)
            self._sources[source.camera] = source
        if old is not None:
            self._retire(old)
        source.start()

    def remove(self, camera: str) -> None:
        """Stops a camera's source; nothing happens when there is none."""
        with self._lock:
            source = self._sources.pop(camera, None)
        if source is not None:
            self._retire(source)

    def get(self, camera: str) -> CameraSource | None:
        with self._lock:
            return self._sources.get(camera)

    def statuses(self) -> dict[str, CameraStatus]:
        """Of every camera, by id."""
        with self._lock:
            sources = list(self._sources.values())
        return {source.camera: source.status() for source in sources}

    @property
    def abandoned(self) -> int:
        """Threads that hang in libav past every deadline; above some number the process should be recycled."""
        with self._lock:
            return sum(source.abandoned for source in [*self._sources.values(), *self._left_hanging])

    def close(self) -> None:
        """Stops everything; does not wait for silent connections, whose threads end by themselves."""
        self._closed.set()
        with self._lock:
            sources = list(self._sources.values())
            self._sources.clear()
        for source in sources:
            source.stop()
        self._thread.join()

    def _retire(self, source: CameraSource) -> None:
        source.stop()
        with self._lock:
            self._left_hanging = [s for s in [*self._left_hanging, source] if s.abandoned]

    def _watch(self) -> None:
        while not self._closed.wait(_EVERY):
            with self._lock:
                sources = list(self._sources.values())
            for source in sources:
                source.check()
