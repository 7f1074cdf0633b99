"""What lies in the zones and whether bins overflow: one inference for all cameras that ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from contracts.geometry import overlap_area
from contracts.pool import Zone, ZoneKind
from contracts.senses import BinReading, Box, Leftover
from contracts.vision import ByteArray, FloatArray, Frame, Tracks
from pipeline.senses.leftovers import LeftoverMemory, Search, search

MODEL = "litter"
_COVERED = 0.2  # of a bin's box behind something tracked: it is not read
# A zone that is wider than tall is the ground a bin stands on: the bin is this wide and tall, in widths of the zone,
# and stands on the middle of it. One that is taller than wide is drawn around the bin as it is seen.
_BIN_WIDE, _BIN_TALL, _BIN_FOOT = 0.36, 0.57, 0.57
_DRAWN = 0.7  # of the zone: the bin, where it is drawn as it is seen


class Classifier(Protocol):
    """What is needed of `models.classifier.CropClassifier`."""

    @property
    def heads(self) -> dict[str, tuple[str, ...]]: ...

    def cut(self, picture: Frame, box: Sequence[float]) -> ByteArray: ...

    def classify(self, crops: Sequence[ByteArray]) -> dict[str, FloatArray]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One camera's look.

    Attributes:
        leftovers, bins: what is asked for.
    """

    frame: Frame
    tracks: Tracks
    zones: tuple[Zone, ...]
    memory: LeftoverMemory
    leftovers: bool
    bins: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """None where nobody asked, or nothing can be told yet."""

    leftovers: tuple[Leftover, ...] | None = None
    bins: tuple[BinReading, ...] | None = None


class LitterSense:
    """Stateless but for the classifier; what a camera's scene looks like is in its memory.

    Args:
        classifier: gives it when something is first to be classified.
    """

    def __init__(self, classifier: Callable[[], Classifier]) -> None:
        self._classifier = classifier

    def sense(self, requests: Sequence[Request]) -> list[Answer]:
        """An answer a request, in their order.

        Raises:
            RunnerError: the model cannot be had, or inference failed.
        """
        searches = [search(r.memory, r.frame, r.tracks, r.zones) if r.leftovers else None for r in requests]
        bins = [_visible_bins(r) if r.bins else [] for r in requests]
        wanted = [(r.frame, box) for r, s in zip(requests, searches, strict=True) if s for _, box in s.wanted]
        wanted += [(r.frame, box) for r, seen in zip(requests, bins, strict=True) for _, box in seen]
        litter, overflowing = self._chances(wanted)
        things = sum(len(s.wanted) for s in searches if s)
        return list(_answers(requests, searches, bins, litter[:things], overflowing[things:]))

    def _chances(self, wanted: Sequence[tuple[Frame, Box]]) -> tuple[list[float], list[float]]:
        """Of every crop, that it is litter and that it is an overflowing bin."""
        if not wanted:
            return [], []
        classifier = self._classifier()
        found = classifier.classify([classifier.cut(frame, box) for frame, box in wanted])
        litter = found["thing"][:, classifier.heads["thing"].index("litter")]
        overflowing = found["bin"][:, classifier.heads["bin"].index("overflowing")]
        return litter.tolist(), overflowing.tolist()


def _answers(
    requests: Sequence[Request],
    searches: Sequence[Search | None],
    bins: Sequence[list[tuple[str, Box]]],
    litter: list[float],
    overflowing: list[float],
) -> list[Answer]:
    answers = []
    for request, found, seen in zip(requests, searches, bins, strict=True):
        leftovers, readings = None, None
        if found is not None:
            leftovers = found.answer(litter[: len(found.wanted)])
            litter = litter[len(found.wanted) :]
        if request.bins:
            readings = tuple(BinReading(zone, p) for (zone, _), p in zip(seen, overflowing, strict=False))
            overflowing = overflowing[len(seen) :]
        answers.append(Answer(leftovers, readings))
    return answers


def _visible_bins(request: Request) -> list[tuple[str, Box]]:
    """The bins that nothing tracked covers, with where they are seen."""
    found = [(z.id, bin_box(z, request.frame.aspect)) for z in request.zones if z.kind is ZoneKind.BIN]
    if not found or len(request.tracks) == 0:
        return found
    boxes = np.array([box for _, box in found])
    area = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)
    covered = (overlap_area(boxes, request.tracks.boxes) / area[:, None]).max(axis=1)
    return [entry for entry, share in zip(found, covered.tolist(), strict=True) if share < _COVERED]


def bin_box(zone: Zone, aspect: float) -> Box:
    """Where the bin of a zone is seen, x1 y1 x2 y2, normalised.

    Args:
        zone: drawn around the bin as it is seen, or around the ground it stands on.
        aspect: width / height of the picture.
    """
    xs, ys = zip(*zone.polygon, strict=True)
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    middle, wide = (left + right) / 2, right - left
    if bottom - top > wide * aspect:
        dx, dy = _DRAWN * wide / 2, (1 - _DRAWN) * (bottom - top) / 2
        return middle - dx, top + dy, middle + dx, bottom - dy
    foot = top + _BIN_FOOT * (bottom - top)
    return middle - _BIN_WIDE / 2 * wide, foot - _BIN_TALL * wide * aspect, middle + _BIN_WIDE / 2 * wide, foot
