"""What a picture of the street is known to hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray, ObjectClass

Box = tuple[float, float, float, float]
"""x1 y1 x2 y2, normalised to the picture, 0..1."""
FloatArray = NDArray[np.float64]
Colour = tuple[float, float, float]
"""Blue, green, red, 0..255, as under full white light."""

LITTER_KINDS = frozenset({"bag", "bottle", "can", "carton", "food", "pile"})
"""Kinds of `TruthItem` that are litter; leaves, a cone, a shadow are not."""


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """What an algorithm should report.

    Attributes:
        type: "illegal_parking", "waterlogging", "crowding", "litter", "camera_health", "wrong_way".
        zone: the zone's id; "" for camera_health.
        start: when the condition began (vehicle stopped, item dropped, water passed the alarm area, limit passed;
            rider came into the zone), s.
        end: when it ended, or the clip did, s.
    """

    type: str
    zone: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class TruthMeasure:
    """What a rule compares with its limit, as it truly is.

    Attributes:
        type: "crowding" (people who stay), "waterlogging" (share of the zone under water, 0..1).
        zone: the zone's id.
        times: stream time, s, at even distances, float64 [N].
        values: float64 [N].
    """

    type: str
    zone: str
    times: FloatArray
    values: FloatArray

    def longest_above(self, limit: float) -> tuple[float, float] | None:
        """Start and end, s, of the longest time during which it is above the limit; None where it never is."""
        step = float(self.times[1] - self.times[0]) if len(self.times) > 1 else 0.0
        edges = np.diff(np.concatenate(([0], (self.values > limit).astype(np.int8), [0])))
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        if len(starts) == 0:
            return None
        longest = int(np.argmax(ends - starts))
        return float(self.times[starts[longest]]), float(self.times[ends[longest] - 1]) + step

    def kept_for(self, seconds: float) -> float:
        """The highest value that it does not fall below for that long; 0 where the clip is shorter."""
        step = float(self.times[1] - self.times[0]) if len(self.times) > 1 else 1.0
        count = max(1, math.ceil(seconds / step))
        if count > len(self.values):
            return 0.0
        return float(np.lib.stride_tricks.sliding_window_view(self.values, count).min(axis=1).max())


@dataclass(frozen=True, slots=True)
class TruthBox:
    """One actor in a picture.

    Attributes:
        id: the same for the same actor in every picture.
        object_class: what it is.
        box: all of it, hidden parts too, cut off at the picture's border.
        visible: share of its outline inside the picture that nothing nearer covers, 0..1.
    """

    id: int
    object_class: ObjectClass
    box: Box
    visible: float


@dataclass(frozen=True, slots=True)
class TruthItem:
    """A thing that lies on the ground.

    Attributes:
        box: as of `TruthBox`.
        since: when it came to lie there, s (may be negative: before the clip).
        attended: whoever it belongs to is beside it.
        kind: one of `LITTER_KINDS`, or "leaves", "cone", "luggage", "shadow", which are not litter.
    """

    id: int
    box: Box
    since: float
    attended: bool
    kind: str


@dataclass(frozen=True, slots=True)
class TruthBin:
    """A bin, with the zone that watches it ("" for none)."""

    zone: str
    box: Box
    overflowing: bool


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One moment of a street.

    Attributes:
        bgr: uint8 [H, W, 3].
        boxes: vehicles, people, bicycles and carts, far to near.
        water: bool [H/4, W/4], standing water that is seen; None where the street has none.
        litter: things on the ground, litter or not (`TruthItem.kind`).
        bins: every bin.
    """

    bgr: ByteArray
    boxes: tuple[TruthBox, ...]
    water: NDArray[np.bool_] | None
    litter: tuple[TruthItem, ...]
    bins: tuple[TruthBin, ...]
