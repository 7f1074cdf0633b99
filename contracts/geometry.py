"""Plane geometry on normalised coordinates, vectorised; no state."""

from __future__ import annotations

from collections.abc import Sequence

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
    intersection = overlap_area(a, b)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None, :] - intersection
    result: FloatArray = np.divide(intersection, union, out=np.zeros(intersection.shape, np.float64), where=union > 0)
    return result


def overlap_area(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Area of the intersection of every pair of boxes, [N, M]."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    size = np.clip(bottom_right - top_left, 0, None)
    area: NDArray[np.floating] = size[..., 0] * size[..., 1]
    return area


def foot_points(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    """Where the objects stand: the middle of each box's lower edge, [N, 2]."""
    feet: NDArray[np.floating] = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
    return feet


def polygon_area(polygon: Sequence[tuple[float, float]]) -> float:
    """Area of a simple polygon (either orientation, not closed), in the square of its coordinates' unit."""
    doubled = 0.0
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        doubled += ax * by - bx * ay
    return abs(doubled) / 2


def _clip_half_plane(
    polygon: list[tuple[float, float]], axis: int, limit: float, sign: float
) -> list[tuple[float, float]]:
    """The part of the polygon with `sign * (coordinate - limit) >= 0`."""
    kept: list[tuple[float, float]] = []
    for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        from_start, from_end = sign * (start[axis] - limit), sign * (end[axis] - limit)
        if from_start >= 0:
            kept.append(start)
        if (from_start >= 0) != (from_end >= 0):
            t = from_start / (from_start - from_end)
            kept.append((start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])))
    return kept


def share_in_polygon(box: tuple[float, float, float, float], polygon: Sequence[tuple[float, float]]) -> float:
    """Which share of a box's area lies inside a simple polygon, 0..1 (0 for an empty box).

    Sutherland-Hodgman clipping of the polygon to the box: a concave polygon may leave edges that run back along
    the box's border, and those enclose no area.
    """
    x1, y1, x2, y2 = box
    area = (x2 - x1) * (y2 - y1)
    if area <= 0:
        return 0.0
    clipped = list(polygon)
    for axis, limit, sign in ((0, x1, 1.0), (0, x2, -1.0), (1, y1, 1.0), (1, y2, -1.0)):
        clipped = _clip_half_plane(clipped, axis, limit, sign)
        if not clipped:
            return 0.0
    return min(1.0, polygon_area(clipped) / area)


def homography(image: Sequence[tuple[float, float]], ground: Sequence[tuple[float, float]]) -> FloatArray:
    """The projective map that takes four points of the picture to four points of the ground.

    Args:
        image, ground: four points each, in the same order, no three on a line.

    Returns:
        float64 [3, 3], for `project`.

    Raises:
        ValueError: three of the points lie on a line, so the map is not determined.
    """
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(image, ground, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    matrix = np.array(rows, np.float64)
    if np.linalg.cond(matrix) > 1e10:
        raise ValueError("three of the four points lie on a line; choose four that span the ground")
    solved = np.linalg.solve(matrix, np.array([c for point in ground for c in point], np.float64))
    return np.append(solved, 1.0).reshape(3, 3)


def project(points: Sequence[tuple[float, float]], matrix: FloatArray) -> list[tuple[float, float]]:
    """The points on the ground, in the ground's unit.

    Raises:
        ValueError: the points lie on both sides of the horizon, so they enclose no piece of ground.
    """
    homogeneous = np.column_stack([np.asarray(points, np.float64), np.ones(len(points))]) @ matrix.T
    depth = homogeneous[:, 2]
    if not (np.all(depth > 1e-9) or np.all(depth < -1e-9)):
        raise ValueError("some of the points lie above the horizon; keep the zone on the ground")
    return [(float(x / w), float(y / w)) for x, y, w in homogeneous]
