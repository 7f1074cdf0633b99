"""Masks of a network against the truth, photo by photo, so that two networks can be compared on the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.photos import mask_of
from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.types import Item
from algorithm_repo.judging.bootstrap import DRAWS, interval95, often
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter


@dataclass(frozen=True, slots=True)
class Overlap:
    """One photo: pixels that both the network and the truth call so, and that either does; the slices it is in.

    Attributes:
        share: of the photo that the truth calls so, 0..1.
    """

    content: str
    both: int
    either: int
    slices: tuple[str, ...]
    share: float = 0.0


def overlaps(segmenter: WaterSegmenter, items: Sequence[Item], read: Read) -> list[Overlap]:
    """`overlap` of each item in turn."""
    return [overlap(segmenter, item, read) for item in items]


def overlap(segmenter: WaterSegmenter, item: Item, read: Read) -> Overlap:
    """One photo, at the resolution of its own mask; a network says so from a probability of a half on.

    Args:
        segmenter: the network as it runs.
        item: a picture with at most one mask.
        read: bytes of a picture or mask by SHA-256.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    chances = segmenter.segment_frames([frame_from_bgr(decode(read(item.content)))])[0]
    mask = mask_of(item, read)
    height, width = mask.shape if mask is not None else (item.height, item.width)
    said = np.asarray(cv2.resize(chances, (width, height), interpolation=cv2.INTER_LINEAR) > 127)
    true = mask > 127 if mask is not None else np.zeros_like(said)
    both, either = shared(said, true)
    return Overlap(item.content, both, either, item.slices, float(true.mean()))


def shared(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[int, int]:
    """Pixels of the intersection and of the union of two masks [H, W], by pycocotools."""
    from pycocotools import mask as runs

    coded = [runs.encode(np.asfortranarray(one, np.uint8)) for one in (said, true)]
    return int(runs.area(runs.merge(coded, intersect=True))), int(runs.area(runs.merge(coded, intersect=False)))


def iou(found: Sequence[Overlap]) -> float:
    """Intersection over union of all pixels of these photos, 0..1; 1 where neither says anything."""
    either = sum(one.either for one in found)
    return sum(one.both for one in found) / either if either else 1.0


@dataclass(frozen=True, slots=True)
class Gain:
    """How much the IoU grew, and the interval that holds 95 % of what a paired bootstrap over the photos gave."""

    gain: float
    low: float
    high: float


def gain(before: Sequence[Overlap], after: Sequence[Overlap], seed: int = 1, draws: int = DRAWS) -> Gain:
    """Of the second network over the first, on the same photos.

    The photos are what is drawn (`algorithm_repo.judging.bootstrap`).

    Raises:
        ValueError: the photos are not the same, or there are none.
    """
    if [one.content for one in before] != [one.content for one in after] or not before:
        raise ValueError("both networks have to be measured on the same photos")
    draw = often(len(before), seed, draws)
    low, high = interval95(_ious(after, draw) - _ious(before, draw))
    return Gain(iou(after) - iou(before), low, high)


def _ious(found: Sequence[Overlap], draw: NDArray[np.float64]) -> NDArray[np.float64]:
    both = draw @ np.array([one.both for one in found], float)
    either = draw @ np.array([one.either for one in found], float)
    return np.asarray(np.divide(both, either, out=np.ones_like(both), where=either > 0))
