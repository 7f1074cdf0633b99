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
    """One photo: pixels that both the network and the truth call so, and that either does; the slices it is in."""

    content: str
    both: int
    either: int
    slices: tuple[str, ...]


def overlaps(segmenter: WaterSegmenter, items: Sequence[Item], read: Read) -> list[Overlap]:
    """Each item in turn, at the resolution of its own mask; a network says so from a probability of a half on.

    Args:
        segmenter: the network as it runs.
        items: pictures with at most one mask.
        read: bytes of a picture or mask by SHA-256.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    found = []
    for item in items:
        chances = segmenter.segment_frames([frame_from_bgr(decode(read(item.content)))])[0]
        mask = mask_of(item, read)
        height, width = mask.shape if mask is not None else (item.height, item.width)
        said = np.asarray(cv2.resize(chances, (width, height), interpolation=cv2.INTER_LINEAR) > 127)
        true = mask > 127 if mask is not None else np.zeros_like(said)
        both, either = int((said & true).sum()), int((said | true).sum())
        found.append(Overlap(item.content, both, either, item.slices))
    return found


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
