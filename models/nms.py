"""Non-maximum suppression for a whole batch at once, without a loop over boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


def batched_nms(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], groups: NDArray[np.int64], iou_threshold: float
) -> BoolArray:
    """Greedy NMS of B pictures, padded to the same K; exact, not an approximation.

    A box goes when a kept box of its own picture and group, with a higher score (equal: earlier row), overlaps it by
    more than the threshold. Greedy suppression is a fixed point: rows whose suppressors are all settled settle in one
    step, so the number of steps is the longest chain of overlapping boxes (two or three on real pictures).

    Args:
        boxes: [B, K, 4], x1 y1 x2 y2.
        scores: [B, K]; rows of score <= 0 are padding.
        groups: [B, K]; only boxes of one group suppress each other.
        iou_threshold: 0..1.

    Returns:
        bool [B, K]: kept.
    """
    valid = scores > 0
    if scores.shape[1] == 0:
        return valid
    overlap = _overlaps(boxes, iou_threshold)
    overlap &= groups[:, :, None] == groups[:, None, :]
    order = np.argsort(-scores, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(scores.shape[1])[None, :], axis=1)
    # suppresses[b, i, j]: i, if kept, removes j.
    suppresses = overlap & (rank[:, :, None] < rank[:, None, :]) & valid[:, :, None]
    kept = valid
    while True:
        removed: BoolArray = np.any(suppresses & kept[:, :, None], axis=1)
        settled = valid & ~removed
        if np.array_equal(settled, kept):
            return kept
        kept = settled


def _overlaps(boxes: NDArray[np.float32], threshold: float) -> BoolArray:
    left, top, right, bottom = (boxes[..., i] for i in range(4))
    width = np.minimum(right[:, :, None], right[:, None, :]) - np.maximum(left[:, :, None], left[:, None, :])
    height = np.minimum(bottom[:, :, None], bottom[:, None, :]) - np.maximum(top[:, :, None], top[:, None, :])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (right - left) * (bottom - top)
    # iou > t without dividing.
    result: BoolArray = shared > threshold * (area[:, :, None] + area[:, None, :] - shared)
    return result
