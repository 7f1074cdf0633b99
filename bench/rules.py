"""What rules and senses cost beside the detector, on the same pictures, one thread, CPU time.

Simulated streets with all four events watched (720p, a look a second), each look through the real detector, tracker,
senses and rules. `rules_share` is the rules' part of the inference they use (detector, water and litter networks with
their preparation). `water_ratio` and `litter_ratio` are what one look at water, or at things left behind and bins,
costs in units of one look of the detector.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np

from bench.result import Figures
from contracts.pool import Camera, Zone
from contracts.senses import Ask, Senses
from contracts.vision import Frame, Look, Tracks
from models.detector import Detector, load_detector
from models.zoo import Zoo
from pipeline.appearance import signatures
from pipeline.rules.base import Rule
from pipeline.rules.registry import build_rules
from pipeline.senses.engine import Sensing, Wish
from pipeline.senses.memory import SceneMemory
from pipeline.track import FleetTracker, TrackerInput
from simulator.street import frames, scenario

_SIZE = (1280, 720)
_LOOKS = 150
_WARM = 10
_SEEDS = (11, 12, 13)
_MIN_SCORE = 0.35

T = TypeVar("T")


@dataclass
class Clock:
    """CPU seconds a look, by part."""

    parts: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, part: str, work: Callable[[], T]) -> T:
        begun = time.process_time()
        result = work()
        self.parts.setdefault(part, []).append(time.process_time() - begun)
        return result

    def mean_ms(self, part: str) -> float:
        return 1000 * float(np.mean(self.parts[part][_WARM:]))


class Street:
    """One simulated camera with everything that looks at it."""

    def __init__(self, seed: int, detector: Detector, sensing: Sensing) -> None:
        street = scenario(seed, "ordinary", size=_SIZE, duration=_LOOKS + 10.0)
        self.camera = Camera.model_validate(dict(street.camera) | {"algorithms": street.algorithms})
        self.zones: tuple[Zone, ...] = self.camera.zones
        self._frames: Iterator[Frame] = frames(street, 1.0)
        self._detector, self._sensing = detector, sensing
        self._tracker, self._memory = FleetTracker(), SceneMemory()
        self._slots = detector.slots(1)
        self._rules: list[Rule[Any]] = build_rules(self.camera)
        self._states = [rule.initial() for rule in self._rules]

    def look(self, clock: Clock) -> None:
        """The next look through every part."""
        frame = next(self._frames)
        tracks = self._detect(frame, clock)
        water = clock("water", lambda: self._sense(frame, tracks, Ask(water=True)))
        litter = clock("litter", lambda: self._sense(frame, tracks, Ask(leftovers=True, bins=True)))
        senses = Senses(water.water, litter.leftovers, litter.bins)
        look = Look(self.camera.id, frame.time, frame.utc, tracks, frame.aspect, senses=senses)
        clock("rules", lambda: self._step(look))

    def _detect(self, frame: Frame, clock: Clock) -> Tracks:
        prepared = clock("prepare", lambda: self._detector.prepare(frame, self._slots[0]))
        found = clock("infer", lambda: self._detector.detect(self._slots, [prepared], _MIN_SCORE)[0])
        height, width = prepared.bgr_small.shape[:2]
        boxes = found.boxes * np.array([width, height, width, height], np.float32)
        colours = signatures(prepared.bgr_small, boxes)
        entry = TrackerInput(self.camera.id, frame.time, found, colours, frame.aspect)
        return clock("track", lambda: self._tracker.step([entry])[0])

    def _sense(self, frame: Frame, tracks: Tracks, ask: Ask) -> Senses:
        wish = Wish(self.camera.id, frame, tracks, ask, self.zones, self._memory)
        return self._sensing.sense([wish])[0]

    def _step(self, look: Look) -> None:
        for i, rule in enumerate(self._rules):
            self._states[i], _ = rule.step(self._states[i], look)


def run() -> tuple[Figures, Figures]:
    """Figures in ms a look; the detector is the limit that the rest is held against."""
    cv2.setNumThreads(1)
    zoo = Zoo()
    detector, clock = load_detector("yolox_nano", zoo, threads=1), Clock()
    sensing = Sensing(zoo)
    for seed in _SEEDS:
        street = Street(seed, detector, sensing)
        for _ in range(_LOOKS):
            street.look(clock)
    detector_ms = clock.mean_ms("prepare") + clock.mean_ms("infer")
    water_ms, litter_ms, rules_ms = (clock.mean_ms(part) for part in ("water", "litter", "rules"))
    figures = {
        "rules_share": rules_ms / (detector_ms + water_ms + litter_ms),
        "rules_share_of_detector": rules_ms / detector_ms,
        "water_ratio": water_ms / detector_ms,
        "litter_ratio": litter_ms / detector_ms,
        "rules_ms": rules_ms,
        "water_ms": water_ms,
        "litter_ms": litter_ms,
        "tracker_ms": clock.mean_ms("track"),
    }
    return figures, {"detector yolox_nano ms": detector_ms}
