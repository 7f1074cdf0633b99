"""The fixed structure of one camera's scene: which edges are always there, by light. It tells whether the view moved.

An edge is kept as its direction, not its strength, so exposure, clouds and haze change nothing; what moves through
the scene averages out. Each light (night, dusk, grey, bright) has a reference of its own: lamps and shadows make edges
too.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray

WIDTH, HEIGHT = 160, 90
_LIGHTS = (40.0, 80.0, 130.0)  # brightness that separates them
_BORDER = 15.0  # so close to the next light, that one's reference will do
_KINDS = len(_LIGHTS) + 1
_FLAT = 6.0  # grey levels a pixel: gradients far below are noise and give no direction
_STEADY = 0.5  # mean direction this long: the edge is always there
_ENOUGH = 120  # steady edge pixels below which a scene has no structure to go by
_KNOWN_S, _KNOWN_LOOKS = 6.0, 3
_WELL_KNOWN_S = 60.0
_YOUNG_S, _REFRESH_S = 0.5, 10.0  # between two lessons
_TAU_S = 120.0
_SURE = 0.8  # likeness of this light's own reference from which no other is asked
_SAME = 0.6  # likeness from which a picture shows the learnt scene, so that it may teach
_ALIGNED = 0.85  # cosine to the learnt direction
_CLEAR = 0.3  # an edge this clear is one
_PEAK = 0.03  # response of a phase correlation that is more than chance
_FITS = 0.5  # likeness after the shift that proves it
_GAIN = 0.2  # and how much better it must be than without

Structure = NDArray[np.float32]  # [2, HEIGHT, WIDTH]: direction of the gradient, as long as it is clear (0..1)


def structure_of(luma: ByteArray) -> Structure:
    """Where edges run in a luma picture of HEIGHT x WIDTH, and how clear they are."""
    soft = cv2.GaussianBlur(luma, (5, 5), 1.2)
    structure = np.empty((2, HEIGHT, WIDTH), np.float32)
    cv2.Sobel(soft, cv2.CV_32F, 1, 0, dst=structure[0])
    cv2.Sobel(soft, cv2.CV_32F, 0, 1, dst=structure[1])
    structure /= cv2.magnitude(structure[0], structure[1]) + np.float32(_FLAT * 4)
    return structure


def light_of(brightness: float) -> int:
    """Which of the references."""
    return sum(brightness >= edge for edge in _LIGHTS)


class _Edges(NamedTuple):
    """The steady edges of one reference: flat indices, and their directions as unit vectors."""

    where: NDArray[np.int64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]


class Scenery:
    """Mutable; belongs to the compute thread."""

    def __init__(self) -> None:
        self._mean = np.zeros((_KINDS, 2, HEIGHT, WIDTH), np.float32)
        self._seconds = np.zeros(_KINDS, np.float32)
        self._looks = np.zeros(_KINDS, np.int32)
        self._edges: dict[int, _Edges | None] = {}
        self._waiting = 0.0  # seconds that went by since it last learnt

    def likeness(self, structure: Structure, brightness: float) -> float | None:
        """Share of the learnt scene's steady edges that are where they were, 0..1; None while nothing is known.

        By the reference of this light, or of another light where that fits better. Under a light that was never
        learnt only "the same" is an answer: edges that are not seen may have been the other light's.
        """
        light = light_of(brightness)
        own = self._share(light, structure)
        if own is not None and own >= _SURE:
            return own
        found = {i: self._share(i, structure) for i in range(_KINDS) if i != light} | {light: own}
        shares = {i: share for i, share in found.items() if share is not None}
        best = max(shares.values(), default=None)
        fitting = {light_of(brightness - _BORDER), light, light_of(brightness + _BORDER)}
        return best if best is None or best >= _SAME or fitting & shares.keys() else None

    def learn(self, structure: Structure, brightness: float, seconds: float, likeness: float | None) -> None:
        """One more picture, `seconds` after the last one; `likeness` is its own.

        One that shows another scene teaches nothing. What is well known is refreshed only now and then.
        """
        anything = any(self._known(i) for i in range(_KINDS))
        if anything and (likeness is None or likeness < _SAME):
            return
        light = light_of(brightness)
        self._waiting += seconds
        if self._looks[light] and self._waiting < (_REFRESH_S if self._seconds[light] > _WELL_KNOWN_S else _YOUNG_S):
            return
        seconds, self._waiting = self._waiting, 0.0
        self._looks[light] += 1
        self._seconds[light] += seconds
        rate = max(1.0 / float(self._looks[light]), 1.0 - float(np.exp(-seconds / _TAU_S)))
        self._mean[light] += np.float32(rate) * (structure - self._mean[light])
        self._edges.pop(light, None)

    def shift(self, structure: Structure, brightness: float) -> tuple[float, float] | None:
        """How far the whole scene has moved in the picture, picture widths (x, y); None where that cannot be told.

        By phase correlation of edge maps, believed only where the learnt edges fit after it and did not before.
        """
        light = light_of(brightness)
        known = [i for i in range(_KINDS) if self._known(i)]
        if not known:
            return None
        reference = self._mean[min(known, key=lambda i: abs(i - light))]
        edges = _edges_of(reference)
        if edges is None:
            return None
        learnt, now = (cv2.magnitude(one[0], one[1]) for one in (reference, structure))
        (dx, dy), response = cv2.phaseCorrelate(learnt, now, _window())
        if response < _PEAK or max(abs(dx), abs(dy)) < 1.0:
            return None
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        moved = _edges_of(np.stack([cv2.warpAffine(one, matrix, (WIDTH, HEIGHT)) for one in reference]))
        if moved is None:
            return None
        after = _share(moved, structure)
        if after < _FITS or after < _share(edges, structure) + _GAIN:
            return None
        return dx / WIDTH, dy / WIDTH

    def _known(self, light: int) -> bool:
        return bool(self._seconds[light] >= _KNOWN_S and self._looks[light] >= _KNOWN_LOOKS)

    def _share(self, light: int, structure: Structure) -> float | None:
        if not self._known(light):
            return None
        if light not in self._edges:
            self._edges[light] = _edges_of(self._mean[light])
        edges = self._edges[light]
        return None if edges is None else _share(edges, structure)

    def dump(self) -> dict[str, Any]:
        """Small arrays: directions in 127ths."""
        return {
            "mean": np.round(self._mean * 127).astype(np.int8),
            "seconds": self._seconds,
            "looks": self._looks,
        }

    @staticmethod
    def load(data: dict[str, Any]) -> Scenery:
        """Inverse of `dump`. Raises ValueError, KeyError or TypeError when the data is of another shape."""
        scenery = Scenery()
        mean = np.asarray(data["mean"], np.float32) / np.float32(127)
        if mean.shape != scenery._mean.shape:
            raise ValueError(f"scenery: {mean.shape}, not {scenery._mean.shape}")
        scenery._mean = mean.astype(np.float32)
        scenery._seconds = np.asarray(data["seconds"], np.float32).reshape(scenery._seconds.shape).copy()
        scenery._looks = np.asarray(data["looks"], np.int32).reshape(scenery._looks.shape).copy()
        return scenery


@cache
def _window() -> NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow((WIDTH, HEIGHT), cv2.CV_32F), np.float32)


def _edges_of(reference: Structure) -> _Edges | None:
    """None where there are too few to go by."""
    length = cv2.magnitude(reference[0], reference[1]).ravel()
    where = np.flatnonzero(length > _STEADY)
    if len(where) < _ENOUGH:
        return None
    length = length[where]
    return _Edges(where, reference[0].ravel()[where] / length, reference[1].ravel()[where] / length)


def _share(edges: _Edges, structure: Structure) -> float:
    """Of these edges, how many run the same way in `structure`."""
    x, y = structure[0].ravel()[edges.where], structure[1].ravel()[edges.where]
    square = x * x + y * y
    along = edges.x * x + edges.y * y
    same = (square > _CLEAR * _CLEAR) & (along > 0) & (along * along > _ALIGNED * _ALIGNED * square)
    return float(np.count_nonzero(same)) / len(edges.where)
