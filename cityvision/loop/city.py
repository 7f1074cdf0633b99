"""A running installation as the loop needs it: transactions, the bus, objects, and waiting while it is watched over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from algorithm_repo.archive import media
from cityvision.installation import Installation
from cityvision.loop.types import LoopStopped
from cityvision.object_store import object_store
from cityvision.settings import Settings
from contracts.live import CameraStatus
from models.zoo import Zoo
from store.bus import Bus
from store.database import make_engine
from store.objects import ObjectStore

_POLL_S = 0.25
_FRESH_S = 5.0


class City:
    """Everything in one thread: the supervisor forks from it, so it has no other.

    Args:
        installation: entered already.
    """

    def __init__(self, installation: Installation) -> None:
        self._supervisor = installation.supervisor
        self.settings: Settings = installation.settings
        self.zoo = Zoo(cache=self.settings.cache, mirror=self.settings.mirror)
        self.objects: ObjectStore = object_store(self.settings)
        self.bus = Bus(self.settings.redis)
        self.engine: Engine = make_engine(self.settings.database, pool_size=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bus.close()
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    def stopped(self) -> bool:
        """Whether somebody asked to stop; looks after the installation's processes meanwhile."""
        self._supervisor.tick()
        return self._supervisor.stop_requested.is_set()

    def until(self, condition: Callable[[], bool], patience_s: float) -> bool:
        """Waits for a condition; False where it did not come true in that time.

        Raises:
            LoopStopped: somebody asked to stop.
        """
        ends = time.monotonic() + patience_s
        while not condition():
            if self.stopped():
                raise LoopStopped("the loop was stopped", "start it again to go on from there")
            if time.monotonic() > ends:
                return False
            time.sleep(_POLL_S)
        return True

    def status(self, camera: str, space: str = "") -> CameraStatus | None:
        """What was said of a camera a moment ago."""
        bus = self.bus if not space else Bus(self.settings.redis, space=space)
        try:
            found = bus.statuses([camera]).get(camera)
        finally:
            if space:
                bus.close()
        return found if found is not None and time.time() - found.updated_utc < _FRESH_S else None

    def runs(self, role: str) -> set[str]:
        """SHA-256 of the networks that production's workers run in a role."""
        served = [one for worker, one in self.bus.served().items() if worker.startswith("worker-")]
        return {model.sha256 for one in served for model in one.models if model.role == role}

    def read(self, content: str) -> bytes:
        """A picture or mask by its SHA-256."""
        return media.read(self.objects, content)

    def keep(self, data: bytes, suffix: str = ".png", media_type: str = "image/png", room: str = "media") -> str:
        """Keeps bytes; their SHA-256."""
        return media.keep(self.objects, data, suffix, media_type, room)
