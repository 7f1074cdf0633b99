"""What cameras' senses remember, kept in a file per camera: a worker that starts again does not learn it anew.

Losing one costs nothing but time, so nothing waits for the disk, and whatever cannot be read is learnt again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from pipeline.senses.memory import SceneMemory
from pipeline.spoollog import replace_file

_log = logging.getLogger(__name__)


class Remembering(Protocol):
    """A camera with a memory."""

    @property
    def name(self) -> str: ...

    @property
    def memory(self) -> SceneMemory: ...


CameraT = TypeVar("CameraT", bound=Remembering)


class SceneFiles:
    """Of one worker. Belongs to the compute thread.

    Args:
        folder: is made when something is first kept.
        every: s between two times that a camera's memory is kept; not more than one camera a call, so that many take
            longer.
    """

    def __init__(self, folder: Path, every: float = 60.0) -> None:
        self._folder = folder
        self._every = every
        self._kept: dict[str, float] = {}
        self._failed = False

    def load(self, camera: str) -> SceneMemory:
        """What was kept; a fresh memory where nothing was, or it cannot be read."""
        memory = SceneMemory()
        try:
            lost = memory.load(self._file(camera).read_bytes())
        except FileNotFoundError:
            return memory
        except (OSError, ValueError) as error:
            _log.warning("%s: its scene is learnt anew: %s", camera, error)
            return SceneMemory()
        if lost:
            _log.warning("%s: learnt anew of its scene: %s", camera, ", ".join(lost))
        return memory

    def keep_due(self, cameras: Sequence[CameraT], now: float) -> CameraT | None:
        """Keeps the memory of the camera for which that is longest overdue, if there is one; which one it was.

        Args:
            cameras: of this worker.
            now: s of a monotonic clock.
        """
        for camera in cameras:
            self._kept.setdefault(camera.name, now)
        due = min(cameras, key=lambda camera: self._kept[camera.name], default=None)
        if due is None or now - self._kept[due.name] < self._every:
            return None
        self._kept[due.name] = now
        self.keep(due)
        return due

    def keep(self, camera: Remembering) -> None:
        """Keeps one camera's memory now; a disk that fails is told once, not at every try."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._file(camera.name), camera.memory.dump(), wait=False)
        except OSError as error:
            if not self._failed:
                _log.warning("%s: what is learnt of scenes is not kept: %s", camera.name, error)
            self._failed = True
        else:
            self._failed = False

    def forget(self, camera: str) -> None:
        """The camera has left."""
        self._kept.pop(camera, None)
        with suppress(OSError):
            self._file(camera).unlink(missing_ok=True)

    def _file(self, camera: str) -> Path:
        return self._folder / f"{camera}.scene"
