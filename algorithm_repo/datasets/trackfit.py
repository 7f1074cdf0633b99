"""Key frames of a thing that a tracker saw picture by picture: as few as tell where it was. Pure.

Of the sightings those stay without which the straight line between two key frames would miss one by more than the
tolerance (Ramer 1972; Douglas and Peucker 1973), so that people move a handful of boxes instead of hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.tracks import Corners, KeyFrame, Track
from algorithm_repo.datasets.types import Name

TOLERANCE = 0.01  # of the picture's width and height
GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a thing was seen: s from the clip's first picture, x1 y1 x2 y2 as shares of the picture."""

    at: float
    box: Corners


def fitted(label: Name, seen: Sequence[Sighting], tolerance: float = TOLERANCE, gap_s: float = GAP_S) -> Track:
    """A track that is within `tolerance` of every sighting, at each edge.

    Args:
        seen: at least one, in order of time, no two at one moment.
        gap_s: where it was not seen for longer than that, it is outside meanwhile.
    """
    times = np.array([one.at for one in seen])
    boxes = np.array([one.box for one in seen])
    starts = [0, *(np.flatnonzero(np.diff(times) > gap_s) + 1).tolist()]
    keys: list[KeyFrame] = []
    for first, end in zip(starts, [*starts[1:], len(seen)], strict=True):
        kept = _kept(times[first:end], boxes[first:end], tolerance)
        keys += [KeyFrame(at=seen[first + place].at, box=seen[first + place].box) for place in kept]
        if end < len(seen):
            gone = (times[end - 1] + min(times[end], times[end - 1] + gap_s)) / 2
            keys.append(KeyFrame(at=round(float(gone), 6), box=seen[end - 1].box, outside=True))
    return Track(label=label, keys=tuple(keys))


def _kept(times: NDArray[np.float64], boxes: NDArray[np.float64], tolerance: float) -> list[int]:
    """Indices of the key frames, in order: the first, the last, and between them what a line would miss."""
    kept, open_spans = {0, len(times) - 1}, [(0, len(times) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        inner = np.arange(first + 1, last)
        part = ((times[inner] - times[first]) / (times[last] - times[first]))[:, None]
        off = np.abs(boxes[first] + (boxes[last] - boxes[first]) * part - boxes[inner]).max(axis=1)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            kept.add(int(inner[worst]))
            open_spans += [(first, int(inner[worst])), (int(inner[worst]), last)]
    return sorted(kept)
