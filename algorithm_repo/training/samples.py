"""What one picture teaches each network: canvases, box rows, masks and crops, as the networks will see them.

Pictures go through the run-time path (`models.picture`, `models.crops`), so that training and running see the same
pixels. Only numpy and OpenCV: the rendering workers import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.pictures import ByteArray
from contracts.vision import ObjectClass
from models.crops import crop_bgr
from models.picture import frame_from_bgr, small_bgr
from simulator.street.types import LITTER_KINDS, Picture

STREET_SIZE = (416, 256)
WATER_SIZE = (320, 192)
MAX_BOXES = 64
# Crops are kept larger than the network's 64 pixels, so that shifting and scaling them later shows real surroundings.
CROP_SIDE, CROP_MARGIN = 80, 0.75
THING = {"litter": 0, "leaves": 1, "object": 2, "ground": 3}
NO_LABEL, IGNORED, EMPTY = -1, -1, -2
WATER_FULL, WATER_UNKNOWN = 200, 255
_CLASSES = {
    ObjectClass.PERSON: 0,
    ObjectClass.BICYCLE: 1,
    ObjectClass.CAR: 2,
    ObjectClass.MOTORCYCLE: 3,
    ObjectClass.BUS: 4,
    ObjectClass.TRUCK: 5,
}
_PAD = 114


@dataclass(slots=True)
class Batch:
    """Samples by network, growing.

    Attributes:
        street: uint8 [256, 416, 3] canvases; street_boxes float32 [MAX_BOXES, 5]: x1 y1 x2 y2 in canvas pixels, class
            (IGNORED: neither there nor not there, EMPTY: no row).
        water: uint8 [192, 320, 3]; water_masks uint8 [96, 160]: 0 dry … WATER_FULL water, WATER_UNKNOWN not judged.
        crops: uint8 [80, 80, 3]; things, bins int8 labels of the heads, NO_LABEL where it has none.
    """

    street: list[ByteArray] = field(default_factory=list)
    street_boxes: list[NDArray[np.float32]] = field(default_factory=list)
    water: list[ByteArray] = field(default_factory=list)
    water_masks: list[ByteArray] = field(default_factory=list)
    crops: list[ByteArray] = field(default_factory=list)
    things: list[int] = field(default_factory=list)
    bins: list[int] = field(default_factory=list)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """One array a list, empty lists left out."""
        kinds = {"street_boxes": np.float32, "things": np.int8, "bins": np.int8}
        return {
            name: np.array(getattr(self, name), kinds.get(name, np.uint8))
            for name in self.__dataclass_fields__
            if getattr(self, name)
        }


def canvas(bgr: ByteArray, size: tuple[int, int], unit: int = 2) -> tuple[ByteArray, int, int]:
    """A picture letterboxed top left into `size`, and the width and height it takes there."""
    ratio = min(size[0] / bgr.shape[1], size[1] / bgr.shape[0])
    width = min(size[0], max(unit, round(bgr.shape[1] * ratio / unit) * unit))
    height = min(size[1], max(unit, round(bgr.shape[0] * ratio / unit) * unit))
    whole = np.full((size[1], size[0], 3), _PAD, np.uint8)
    whole[:height, :width] = small_bgr(frame_from_bgr(bgr), (width, height))
    return whole, width, height


def box_rows(boxes: Sequence[tuple[Sequence[float], int]], width: int, height: int) -> NDArray[np.float32]:
    """[MAX_BOXES, 5] rows of boxes (normalised, label) on a canvas; the largest are kept when there are more."""
    rows = np.full((MAX_BOXES, 5), EMPTY, np.float32)
    placed = [(x1 * width, y1 * height, x2 * width, y2 * height, label) for (x1, y1, x2, y2), label in boxes]
    placed.sort(key=lambda row: (row[0] - row[2]) * (row[3] - row[1]))
    for number, row in enumerate(placed[:MAX_BOXES]):
        rows[number] = row
    return rows


def add_street(batch: Batch, picture: Picture) -> None:
    """What a simulated picture teaches the detector. Things that are nearly hidden or tiny are not judged."""
    whole, width, height = canvas(picture.bgr, STREET_SIZE)
    boxes = []
    for one in picture.boxes:
        label = _CLASSES.get(one.object_class, IGNORED)
        w, h = (one.box[2] - one.box[0]) * width, (one.box[3] - one.box[1]) * height
        if w <= 1 or h <= 1:
            continue
        if one.visible < 0.3 or min(w, h) < 3 or max(w, h) < 8:
            label = IGNORED
        boxes.append((one.box, label))
    batch.street.append(whole)
    batch.street_boxes.append(box_rows(boxes, width, height))


def add_water(batch: Batch, bgr: ByteArray, mask: ByteArray | None) -> None:
    """What a picture teaches about water.

    Args:
        batch: grows by one sample.
        bgr: uint8 [H, W, 3].
        mask: uint8 [h, w] of the whole picture, 0 dry to 255 water; None: all dry.
    """
    whole, width, height = canvas(bgr, WATER_SIZE)
    labels = np.full((WATER_SIZE[1] // 2, WATER_SIZE[0] // 2), WATER_UNKNOWN, np.uint8)
    labels[: height // 2, : width // 2] = 0
    if mask is not None:
        small = cv2.resize(mask, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        labels[: height // 2, : width // 2] = np.rint(small / 255.0 * WATER_FULL)
    batch.water.append(whole)
    batch.water_masks.append(labels)


def add_crop(batch: Batch, bgr: ByteArray, box: Sequence[float], thing: int = NO_LABEL, state: int = NO_LABEL) -> None:
    """A crop with the label of one head."""
    batch.crops.append(crop_bgr(bgr, box, CROP_SIDE, CROP_MARGIN))
    batch.things.append(thing)
    batch.bins.append(state)


def item_label(kind: str) -> int:
    """The "thing" label of a `TruthItem.kind`."""
    if kind in LITTER_KINDS:
        return THING["litter"]
    if kind == "leaves":
        return THING["leaves"]
    return THING["ground"] if kind in ("shadow", "wet", "light") else THING["object"]


def overlap(box: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """IoU of two boxes, and the share of the first that the second covers."""
    w = min(box[2], other[2]) - max(box[0], other[0])
    h = min(box[3], other[3]) - max(box[1], other[1])
    if w <= 0 or h <= 0:
        return 0.0, 0.0
    area, other_area = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return w * h / (area + other_area - w * h), w * h / max(area, 1e-9)
