"""Faces and number plates in evidence pictures, made unrecognisable. The picture itself is never changed: a copy is.

Faces are found by their own network, heads also as the top of each person (a face in profile or far away is one that
its network may miss), plates on every vehicle but the event's own. What was masked is looked at again: a face that is
still found is masked too. Where a network cannot be had, every person and vehicle is masked whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np

from contracts.geometry import iou
from contracts.vision import VEHICLES, ByteArray, Frame, ObjectClass
from models.detector import Detector
from models.picture import frame_from_bgr
from models.plates import FoundPlate

Box = tuple[float, float, float, float]
How = Literal["fine", "coarse", "whole"]

_SEEN = 0.25  # of persons and vehicles
_SEEN_COARSE = 0.1
_HEAD = (0.2, 0.1)  # share of a person's height from the top, and of its width left off on each side
_LEAST_PERSON = 24.0  # pixels high: a smaller one has no face to recognise
_LEAST_VEHICLE = 60.0  # pixels wide: a smaller one has no plate to read
_TILE = 0.6  # side of the four overlapping tiles that are looked at besides the whole
_TILED_FROM = 800  # pixels wide
_AROUND_FACE, _AROUND_PLATE, _AROUND_THING = 0.3, 0.2, 0.1  # what is masked around the box, in its sides, on each side
_CELLS = (5, 3, 2, 1)  # a face keeps so many cells of colour across, and these run into each other
_OWN_IOU = 0.5


class Faces(Protocol):
    """`models.faces.FaceFinder`."""

    def find(self, bgr: ByteArray) -> list[Box]: ...


class Plates(Protocol):
    """`models.plates.PlateFinder`."""

    def find(self, frame: Frame, vehicle: Box) -> FoundPlate | None: ...


@dataclass(frozen=True, slots=True)
class Finders:
    """What masking looks with; faces or plates None: that network cannot be had."""

    detector: Detector
    faces: Faces | None
    plates: Plates | None

    @property
    def complete(self) -> bool:
        """Whether faces and plates can be told from what is around them."""
        return self.faces is not None and self.plates is not None


Shown = Callable[[ByteArray], ByteArray]
"""A picture as whoever it is sent to will see it: compressed and read again."""


def _as_it_is(bgr: ByteArray) -> ByteArray:
    return bgr


def mask(
    bgr: ByteArray, finders: Finders, own_vehicle: Box | None = None, shown: Shown = _as_it_is
) -> tuple[ByteArray, How]:
    """A masked copy.

    Args:
        bgr: uint8 [H, W, 3].
        own_vehicle: the vehicle that the event is about, normalised: its plate stays.
        shown: what becomes of the copy on its way. A face may show in what compression makes of a mask, so it is
            looked for there.

    Returns:
        The copy, and how: "coarse" where persons and vehicles are masked whole, "whole" where all of it is.

    Raises:
        RunnerError: inference failed.
    """
    return until_gone(masked(bgr, to_mask(bgr, finders, own_vehicle)), finders, shown)


def until_gone(copy: ByteArray, finders: Finders, shown: Shown = _as_it_is) -> tuple[ByteArray, How]:
    """What still looks like a face in a masked copy, also of colours that ran together, is masked too.

    Raises:
        RunnerError: inference failed.
    """
    if not finders.complete:
        return copy, "coarse"
    assert finders.faces is not None
    for cells in _CELLS:
        left = finders.faces.find(shown(copy))
        if not left:
            return copy, "fine"
        copy = masked(copy, [grown(box, _AROUND_FACE) for box in left], cells)
    return (copy, "fine") if not finders.faces.find(shown(copy)) else (whole(copy), "whole")


def to_mask(bgr: ByteArray, finders: Finders, own_vehicle: Box | None = None, *, tiles: bool = True) -> list[Box]:
    """What has to be masked, normalised; arguments and errors as of `mask`.

    Args:
        tiles: look at a large picture's quarters too: slower, and it sees what is small.
    """
    faces, plates = finders.faces, finders.plates
    if faces is None or plates is None:
        return [grown(box, _AROUND_THING) for box, _ in _things(bgr, finders.detector, _SEEN_COARSE, tiles=tiles)]
    things = _things(bgr, finders.detector, _SEEN, tiles=tiles)
    # Faces first, in the picture as it was: what a head's mask cuts through may no longer look like one.
    boxes = [grown(box, _AROUND_FACE) for box in faces.find(bgr)]
    boxes += [
        _head(box) for box, kind in things if kind is ObjectClass.PERSON and _pixels(bgr, box)[1] >= _LEAST_PERSON
    ]
    return boxes + [grown(box, _AROUND_PLATE) for box in _plates(bgr, plates, things, own_vehicle)]


def whole(bgr: ByteArray) -> ByteArray:
    """The picture masked as one: where it is bright and dark, and nothing more."""
    return masked(bgr, [(0.0, 0.0, 1.0, 1.0)], cells=24)


def _things(bgr: ByteArray, detector: Detector, least: float, *, tiles: bool) -> list[tuple[Box, ObjectClass]]:
    """Persons and vehicles, found in the whole picture and, where it is large, in its quarters."""
    height, width = bgr.shape[:2]
    corners = (0.0, 1 - _TILE)
    parts = [(0.0, 0.0, 1.0)]
    parts += [(x, y, _TILE) for y in corners for x in corners] if tiles and width >= _TILED_FROM else []
    frames = []
    for x, y, side in parts:
        top, left = round(y * height), round(x * width)
        frames.append(frame_from_bgr(bgr[top : top + round(side * height), left : left + round(side * width)]))
    found = []
    for (x, y, side), seen in zip(parts, detector.detect_frames(frames, least), strict=True):
        for (a, b, c, d), number in zip(seen.boxes.tolist(), seen.classes.tolist(), strict=True):
            kind = ObjectClass(number)
            if kind is ObjectClass.PERSON or kind in VEHICLES:
                found.append(((x + side * a, y + side * b, x + side * c, y + side * d), kind))
    return found


def _plates(
    bgr: ByteArray, plates: Plates, things: Iterable[tuple[Box, ObjectClass]], own: Box | None
) -> Iterable[Box]:
    frame = frame_from_bgr(bgr)
    for box, kind in things:
        if (
            kind not in VEHICLES
            or _pixels(bgr, box)[0] < _LEAST_VEHICLE
            or (own is not None and iou(np.array([box]), np.array([own]))[0, 0] >= _OWN_IOU)
        ):
            continue
        found = plates.find(frame, box)
        if found is not None and not (own is not None and _middle_in(found.box, own)):
            yield found.box


def masked(bgr: ByteArray, boxes: Sequence[Box], cells: int = _CELLS[0]) -> ByteArray:
    """Each box is averaged to a few cells, which are then run into each other: nothing finer is left."""
    copy = bgr.copy()
    height, width = copy.shape[:2]
    for x1, y1, x2, y2 in boxes:
        left, top = max(0, int(x1 * width)), max(0, int(y1 * height))
        right, bottom = min(width, int(np.ceil(x2 * width))), min(height, int(np.ceil(y2 * height)))
        if right - left < 1 or bottom - top < 1:
            continue
        region = copy[top:bottom, left:right]
        rows = max(1, round(cells * region.shape[0] / region.shape[1])) if region.shape[0] < region.shape[1] else cells
        small = cv2.resize(region, (cells, rows), interpolation=cv2.INTER_AREA)
        region[:] = cv2.resize(small, (region.shape[1], region.shape[0]), interpolation=cv2.INTER_LINEAR)
    return copy


def _head(person: Box) -> Box:
    x1, y1, x2, y2 = person
    side = _HEAD[1] * (x2 - x1)
    return x1 + side, y1 - 0.03 * (y2 - y1), x2 - side, y1 + _HEAD[0] * (y2 - y1)


def grown(box: Box, share: float) -> Box:
    """The box with so much of its sides around it, on each side."""
    x1, y1, x2, y2 = box
    dx, dy = share * (x2 - x1), share * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy


def _pixels(bgr: ByteArray, box: Box) -> tuple[float, float]:
    return (box[2] - box[0]) * bgr.shape[1], (box[3] - box[1]) * bgr.shape[0]


def _middle_in(box: Box, around: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return around[0] <= x <= around[2] and around[1] <= y <= around[3]
