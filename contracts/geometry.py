"""Plane geometry on normalised coordinates, vectorised; no state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def points_in_polygon(points: NDArray[np.floating], polygon: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which points lie inside a simple polygon (even-odd rule).

    Args:
        points: [N, 2].
        polygon: [K, 2], K >= 3, either orientation, not closed.

    Returns:
        bool [N].
    """
    if len(points) == 0:
        return np.zeros(0, np.bool_)
    x, y = points[:, 0, None], points[:, 1, None]
    ax, ay = polygon[:, 0], polygon[:, 1]
    bx, by = np.roll(ax, -1), np.roll(ay, -1)
    crosses = (ay > y) != (by > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at_x = ax + (y - ay) * (bx - ax) / (by - ay)
    inside: NDArray[np.bool_] = (np.sum(crosses & (x < at_x), axis=1) % 2).astype(np.bool_)
    return inside


def iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> FloatArray:
    """Intersection over union of every pair.

    Args:
        a: [N, 4], x1 y1 x2 y2.
        b: [M, 4].

    Returns:
        float64 [N, M], 0..1; 0 where both boxes are empty.
    """
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    size = np.clip(bottom_right - top_left, 0, None)
    intersection = size[..., 0] * size[..., 1]
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None, :] - intersection
    result: FloatArray = np.divide(intersection, union, out=np.zeros(intersection.shape, np.float64), where=union > 0)
    return result


def foot_points(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    """Where the objects stand: the middle of each box's lower edge, [N, 2]."""
    feet: NDArray[np.floating] = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
    return feet
