"""How far two people agree on a picture or a clip. Pure.

Shapes, tracks and intervals are paired, whatever their class, so that the sum of the IoUs that count (from `LEAST` on)
is greatest (Kuhn, 1955). Cohen's kappa (1960) tells how far agreement goes beyond what chance gives.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from shapely import make_valid
from shapely.geometry import Polygon as Area
from shapely.geometry import box as area_of_box
from shapely.geometry.base import BaseGeometry

from algorithm_repo.datasets.tracks import Corners, Track
from algorithm_repo.datasets.types import Box, Interval, Polygon
from algorithm_repo.labelling.types import Shape

LEAST = 0.5
NOTHING = ""

MOMENTS = 60  # at which two tracks are compared

Outline = Box | Polygon
Drawn = Outline | Track | Interval


@dataclass(frozen=True, slots=True)
class Compared:
    """Two people's labels of one picture.

    Attributes:
        ious: of the shapes that both drew, 0..1.
        pairs: their classes, and of what one drew alone the class and `NOTHING`.
        tags: for each class, whether one and the other gave it.
    """

    ious: tuple[float, ...]
    pairs: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over many pictures.

    Attributes:
        pictures: compared.
        iou: mean over the shapes that both drew; None: there are none.
        f1: of shapes with the same class among all that either drew; None: neither drew any.
        kappa: Cohen's, over the classes of shapes that both drew; None: there are none.
        tag_kappa: Cohen's, over tags; None: there are none.
    """

    pictures: int
    iou: float | None
    f1: float | None
    kappa: float | None
    tag_kappa: float | None


def area(shape: Outline) -> BaseGeometry:
    """Its area in shares; an outline that crosses itself is what it encloses."""
    if isinstance(shape, Box):
        return area_of_box(*shape.box)
    return make_valid(Area(shape.points))


def iou(one: Drawn, other: Drawn, seconds: float = math.inf) -> float:
    """Intersection over union, 0..1: of areas; of two intervals in one zone, in time; of two tracks the mean over the
    time in which either is to be seen. 0 where they are of different kinds, or neither has an area.

    Args:
        seconds: how long the clip is; an interval without an end goes on up to there.
    """
    if isinstance(one, Interval) or isinstance(other, Interval):
        both = isinstance(one, Interval) and isinstance(other, Interval) and one.zone == other.zone
        return _of_spans(_span(one, seconds), _span(other, seconds)) if both else 0.0
    if isinstance(one, Track) or isinstance(other, Track):
        return _of_tracks(one, other) if isinstance(one, Track) and isinstance(other, Track) else 0.0
    first, second = area(one), area(other)
    union = first.union(second).area
    return float(min(1.0, first.intersection(second).area / union)) if union > 0 else 0.0


def _span(one: Drawn, seconds: float) -> tuple[float, float]:
    assert isinstance(one, Interval)
    return one.start, seconds if one.end is None else one.end


def _of_spans(one: tuple[float, float], other: tuple[float, float]) -> float:
    both = min(one[1], other[1]) - max(one[0], other[0])
    either = max(one[1], other[1]) - min(one[0], other[0])
    if math.isinf(either):  # neither end is known: only where both begin says something
        return 1.0 if one == other else 0.0
    return max(0.0, both / either)


def _of_tracks(one: Track, other: Track) -> float:
    if one.keys[-1].at < other.keys[0].at or other.keys[-1].at < one.keys[0].at:
        return 0.0
    ends = [key.at for track in (one, other) for key in track.keys]
    # Key frames too: a track of one of them is to be seen at no other moment.
    moments = sorted({*np.linspace(min(ends), max(ends), MOMENTS).tolist(), *ends})
    shown = [(one.at(moment), other.at(moment)) for moment in moments]
    ious = [0.0 if a is None or b is None else _of_boxes(a, b) for a, b in shown if a is not None or b is not None]
    return sum(ious) / len(ious)


def _of_boxes(one: Corners, other: Corners) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    areas = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other))
    return min(1.0, both / (areas - both)) if areas > both else 0.0


def compare(
    one: Sequence[Shape], other: Sequence[Shape], classes: Sequence[str], tagged: bool, seconds: float = math.inf
) -> Compared:
    """Two people's labels of one picture or clip.

    Args:
        classes: of the project.
        tagged: whether pictures get tags, so that one not given says something too.
        seconds: how long the clip is.
    """
    ours, theirs = _drawn(one), _drawn(other)
    table = np.array([[iou(a, b, seconds) for b in theirs] for a in ours], np.float64).reshape(len(ours), len(theirs))
    table[table < LEAST] = 0
    rows, columns = linear_sum_assignment(table, maximize=True)
    both = [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if table[row, column]]
    pairs = [(ours[row].label, theirs[column].label) for row, column in both]
    paired_ours, paired_theirs = {row for row, _ in both}, {column for _, column in both}
    pairs += [(shape.label, NOTHING) for number, shape in enumerate(ours) if number not in paired_ours]
    pairs += [(NOTHING, shape.label) for number, shape in enumerate(theirs) if number not in paired_theirs]
    return Compared(
        tuple(float(table[row, column]) for row, column in both),
        tuple(pairs),
        tuple(_tags(one, other, classes)) if tagged else (),
    )


def together(compared: Sequence[Compared]) -> Agreement:
    """Over many pictures."""
    ious = [value for one in compared for value in one.ious]
    pairs = [pair for one in compared for pair in one.pairs]
    both = [pair for pair in pairs if NOTHING not in pair]
    drawn = sum(2 - pair.count(NOTHING) for pair in pairs)
    return Agreement(
        pictures=len(compared),
        iou=sum(ious) / len(ious) if ious else None,
        f1=2 * sum(a == b for a, b in pairs) / drawn if drawn else None,
        kappa=kappa(both),
        tag_kappa=kappa([pair for one in compared for pair in one.tags]),
    )


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa, -1..1; None: there is nothing to compare. Where both only ever say the same one word it is 1."""
    if not pairs:
        return None
    count = len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    seen = sum(a == b for a, b in pairs) / count
    chance = sum(first[word] * second[word] for word in first) / count**2
    return 1.0 if chance == 1 else (seen - chance) / (1 - chance)


def _drawn(labels: Iterable[Shape]) -> list[Drawn]:
    return [one for one in labels if isinstance(one, Drawn)]


def _tags(one: Iterable[Shape], other: Iterable[Shape], classes: Sequence[str]) -> list[tuple[str, str]]:
    ours = {label.label for label in one if label.kind == "tag"}
    theirs = {label.label for label in other if label.kind == "tag"}
    return [("yes" if name in ours else "no", "yes" if name in theirs else "no") for name in classes]
