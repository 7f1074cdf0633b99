"""The detectors of one worker: the one that most cameras use, and those that single cameras name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from contracts.errors import CityVisionError
from contracts.pool import Camera
from models.detector import Detector
from pipeline.perceive import Perception
from pipeline.senses.engine import Sensing
from pipeline.track import FleetTracker

# What could not be loaded is not tried again for so long, s: loading holds up every camera of the worker.
_REFUSED_S = 60.0


@dataclass(frozen=True, slots=True)
class _Refused:
    error: CityVisionError
    until: float


class Detectors:
    """One `Perception` a detector, all on one tracker and one set of senses. Belongs to the compute thread.

    Args:
        usual: for cameras that name none; closed by whoever made it.
        load: loads another one by its name in the zoo; must not wait for a network. Raises CityVisionError.
        tracker, sensing, max_batch: see `Perception`.
    """

    def __init__(
        self,
        usual: Detector,
        load: Callable[[str], Detector],
        tracker: FleetTracker,
        sensing: Sensing,
        max_batch: int,
    ) -> None:
        self._load = load
        self._tracker = tracker
        self._sensing = sensing
        self._max_batch = max_batch
        self._usual = self._make(usual)
        self._named = {usual.name.rpartition("-")[0]: self._usual}
        self._refused: dict[str, _Refused] = {}

    def of(self, camera: Camera) -> Perception:
        """What looks at this camera's pictures; the same object for every camera of one detector.

        Raises:
            CityVisionError: the detector that the camera names cannot be had.
        """
        name = camera.model
        if name is None:
            return self._usual
        if name not in self._named:
            self._named[name] = self._make(self._loaded(name))
        return self._named[name]

    def switch(self, usual: Detector) -> Detector:
        """Another detector for cameras that name none, from the next batch on.

        Returns:
            The one before, which nothing uses any more and the caller closes.
        """
        self._named = {name: one for name, one in self._named.items() if one is not self._usual}
        before = self._usual.switch(usual)
        self._named[usual.name.rpartition("-")[0]] = self._usual
        return before

    @property
    def usual(self) -> Perception:
        """What looks at the pictures of cameras that name no detector."""
        return self._usual

    def close(self) -> None:
        """Closes what was loaded in here."""
        for perception in self._named.values():
            if perception is not self._usual:
                perception.detector.close()

    def _make(self, detector: Detector) -> Perception:
        return Perception(detector, self._tracker, self._sensing, self._max_batch)

    def _loaded(self, name: str) -> Detector:
        refused = self._refused.get(name)
        if refused is not None and time.monotonic() < refused.until:
            raise refused.error
        try:
            return self._load(name)
        except CityVisionError as error:
            self._refused[name] = _Refused(error, time.monotonic() + _REFUSED_S)
            raise
