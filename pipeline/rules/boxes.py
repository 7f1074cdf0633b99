"""How far boxes are from each other, and which of them are one vehicle.

Lengths are in body lengths: the longer side of the anchor box, in true proportions. A box's displacement is what
its opposite edges agree on, so a box cut off by a passer-by, or blown up by headlights, has not moved.
"""

from __future__ import annotations

import math

Box = tuple[float, float, float, float]

_BORDER = 0.004  # an edge this close to the picture's border is where the picture ends, not the vehicle
_SAME_BOX = 0.7  # IoU of two detections of one vehicle in one look
_PART = 0.8  # share of the smaller box inside the larger: a part of the same vehicle, when their wheels are level
SAME_FOOT = 0.2  # of the height: a car parked in front of another has its wheels lower


def body_length(box: Box, aspect: float) -> float:
    """The longer side of the box in true proportions, in picture heights."""
    return max((box[2] - box[0]) * aspect, box[3] - box[1], 1e-6)


def centre(box: Box, aspect: float) -> tuple[float, float]:
    """Middle of the box in true proportions, in picture heights."""
    return (box[0] + box[2]) / 2 * aspect, (box[1] + box[3]) / 2


def _agreed(a: float, b: float) -> float:
    """What two edges agree on: nothing when they moved apart, else the smaller movement."""
    if a * b <= 0:
        return 0.0
    return a if abs(a) < abs(b) else b


def _inside(low: float, high: float, cut_low: bool, cut_high: bool) -> float:
    """What the two edges say of a movement when an edge at the border says nothing."""
    if cut_low == cut_high:
        return _agreed(low, high)
    return high if cut_low else low


def _cut(one: float, other: float) -> bool:
    """One of two positions of an edge is at the picture's border."""
    return min(one, other) <= _BORDER or max(one, other) >= 1.0 - _BORDER


def moved(box: Box, anchor: Box, aspect: float, *, rolling_in: bool = False) -> float:
    """How far `box` is from `anchor`, in body lengths of the anchor.

    Shift of the opposite edges as far as they agree, plus the growth (natural logarithm) on which width and height
    agree: a vehicle driving straight at the camera hardly shifts, it grows.

    Args:
        box, anchor: normalised.
        aspect: width of the picture by its height.
        rolling_in: it may be coming into the picture: the edge at the border stays there while it does, so the other
            one alone tells. (Of a vehicle known to stand the other one may be hidden by a passer-by, so both count.)
    """
    left, top, right, bottom = (b - a for b, a in zip(box, anchor, strict=True))
    if rolling_in:
        dx = _inside(left, right, _cut(box[0], anchor[0]), _cut(box[2], anchor[2])) * aspect
        dy = _inside(top, bottom, _cut(box[1], anchor[1]), _cut(box[3], anchor[3]))
    else:
        dx, dy = _agreed(left, right) * aspect, _agreed(top, bottom)
    wider = math.log(max(box[2] - box[0], 1e-6) / max(anchor[2] - anchor[0], 1e-6))
    taller = math.log(max(box[3] - box[1], 1e-6) / max(anchor[3] - anchor[1], 1e-6))
    return math.hypot(dx, dy) / body_length(anchor, aspect) + abs(_agreed(wider, taller))


def same_vehicle(a: Box, b: Box) -> bool:
    """Whether two boxes are one vehicle: nearly the same box, or one a part of the other, with the wheels level.

    A detector that is not sure boxes the front, the rear and the whole of one car.
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    shared = width * height
    if shared >= _SAME_BOX * (area_a + area_b - shared):
        return True
    level = abs(a[3] - b[3]) <= SAME_FOOT * max(a[3] - a[1], b[3] - b[1])
    return level and shared >= _PART * min(area_a, area_b)
