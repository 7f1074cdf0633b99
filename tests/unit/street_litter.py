"""The litter sense on simulated streets: a classifier that knows the truth, tracks as a detector errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from contracts.pool import Camera
from contracts.senses import Senses
from contracts.vision import ByteArray, FloatArray, Frame, Look, ObjectClass, Tracks
from pipeline.rules.base import Output
from pipeline.rules.registry import build_rules
from pipeline.senses.leftovers import LeftoverMemory
from pipeline.senses.litter import LitterSense, Request
from simulator.street import LITTER_KINDS, Picture, Scenario, TruthItem, as_frame

_MISSED = 0.1
_SMALLEST = 0.04  # of the picture's height: what a detector finds


class KnowsTheTruth:
    """Stands in for the trained net where the sense itself is tested: a crop is its box, judged by what lies there.

    Attributes:
        picture: the one that is looked at.
    """

    heads: ClassVar[dict[str, tuple[str, ...]]] = {"thing": ("litter", "ground"), "bin": ("ok", "overflowing")}

    def __init__(self) -> None:
        self.picture: Picture | None = None

    def cut(self, picture: Frame, box: Sequence[float]) -> ByteArray:
        return np.array(box)

    def classify(self, crops: Sequence[ByteArray]) -> dict[str, FloatArray]:
        assert self.picture is not None
        litter = [0.9 if any(_shows(crop, item.box) for item in self._litter()) else 0.1 for crop in crops]
        full = float(any(one.overflowing for one in self.picture.bins))
        return {
            "thing": np.array([[p, 1 - p] for p in litter], np.float32),
            "bin": np.array([[1 - full, full] for _ in crops], np.float32),
        }

    def _litter(self) -> list[TruthItem]:
        assert self.picture is not None
        return [item for item in self.picture.litter if item.kind in LITTER_KINDS or item.kind == "luggage"]


def _shows(crop: NDArray[np.generic], box: tuple[float, float, float, float]) -> bool:
    x1, y1, x2, y2 = (float(value) for value in crop)
    width, height = min(x2, box[2]) - max(x1, box[0]), min(y2, box[3]) - max(y1, box[1])
    if width <= 0 or height <= 0:
        return False
    shared = width * height
    return shared > 0.4 * (box[2] - box[0]) * (box[3] - box[1]) and shared > 0.2 * (x2 - x1) * (y2 - y1)


@dataclass
class Watched:
    """What came of watching a scenario."""

    said: list[Output] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)


def watch_street(scenario: Scenario, every: float = 2.0) -> Watched:
    """Looks at a scenario through the litter sense and rule."""
    parameters = scenario.algorithms.get("litter", {"dwell": 20})
    camera = Camera.model_validate({**scenario.camera, "algorithms": {"litter": parameters}})
    rule = build_rules(camera)[0]
    classifier, memory = KnowsTheTruth(), LeftoverMemory()
    sense = LitterSense(lambda: classifier)
    rng, state, result = np.random.default_rng(scenario.seed), rule.initial(), Watched()
    for step in range(int(scenario.duration / every)):
        time = step * every
        picture = scenario.picture(time)
        classifier.picture = picture
        frame, tracks = as_frame(picture.bgr, time), tracks_of(picture, rng)
        ask = rule.asks(state, time)
        answer = sense.sense([Request(frame, tracks, camera.zones, memory, ask.leftovers, ask.bins)])[0]
        senses = Senses(leftovers=answer.leftovers, bins=answer.bins)
        result.numbers |= {leftover.number for leftover in answer.leftovers or ()}
        state, outputs = rule.step(state, Look(camera.id, time, time, tracks, frame.aspect, senses=senses))
        result.said += outputs
    return result


def tracks_of(picture: Picture, rng: np.random.Generator) -> Tracks:
    """The true boxes as a detector would give them: some missed, none exact, carts unknown to it."""
    rows = [
        (one.id, np.clip(np.array(one.box) + rng.normal(0, 0.03, 4) * np.tile(_size(one.box), 2), 0, 1), one)
        for one in picture.boxes
        if one.object_class is not ObjectClass.OTHER
        and one.visible >= 0.35
        and _size(one.box)[1] >= _SMALLEST
        and rng.random() >= _MISSED
    ]
    count = len(rows)
    return Tracks(
        ids=np.array([row[0] for row in rows], np.int64),
        boxes=np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        scores=np.full(count, 0.8, np.float32),
        classes=np.array([int(row[2].object_class) for row in rows], np.int64),
        first_seen=np.zeros(count, np.float64),
        velocity=np.zeros((count, 2), np.float32),
    )


def _size(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]
