"""A zone cut into a coarse grid of cells, and what a water map says of each of them.

Cells are weighted by the ground they show: square metres where the zone is calibrated, else by picture area. A place
in front of which somebody stands is neither wet nor dry: it is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import homography, points_in_polygon, project
from contracts.pool import DepthMark, Zone
from contracts.vision import ObjectClass, Tracks

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

COLUMNS, ROWS = 24, 14
CELLS = COLUMNS * ROWS
_SIDE = 3  # samples along each side of a cell
_MARK_SIDE = 10  # samples along each side of a depth mark's box
_SEEN = 0.5  # of a cell's samples must be free of whoever stands in front
_WIDER, _LOWER = 0.05, 0.10  # a box is grown by these shares: wheels, contact shadows, reflections right below it
_POOL_ROWS: Floats = np.repeat(np.eye(ROWS, dtype=np.float32), _SIDE, axis=1)
_POOL_COLUMNS: Floats = np.repeat(np.eye(COLUMNS, dtype=np.float32), _SIDE, axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Sample points on a regular lattice over a polygon's box.

    Attributes:
        xs, ys: float64 [columns], [rows], ascending, normalised.
        weights: float32 [rows, columns], 0 outside of the polygon.
    """

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    weights: Floats

    def wet(self, water: NDArray[np.uint8], least: int) -> Mask:
        """[rows, columns]: the map [h, w] is at least `least` there."""
        rows = np.minimum((self.ys * water.shape[0]).astype(np.intp), water.shape[0] - 1)
        columns = np.minimum((self.xs * water.shape[1]).astype(np.intp), water.shape[1] - 1)
        found: Mask = water[np.ix_(rows, columns)] >= least
        return found

    def free(self, boxes: NDArray[np.floating]) -> Mask:
        """[rows, columns]: in none of the boxes [N, 4]."""
        free = np.ones(self.weights.shape, np.bool_)
        x1, x2 = np.searchsorted(self.xs, boxes[:, 0]), np.searchsorted(self.xs, boxes[:, 2], "right")
        y1, y2 = np.searchsorted(self.ys, boxes[:, 1]), np.searchsorted(self.ys, boxes[:, 3], "right")
        for left, top, right, bottom in zip(x1, y1, x2, y2, strict=True):
            free[top:bottom, left:right] = False
        return free


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One water map, cell by cell.

    Attributes:
        wet: float32 [CELLS], share of the cell under water, 0..1; 0 where it is not seen.
        seen: bool [CELLS].
        marks: share of each depth mark under water; None where it is not seen.
    """

    wet: Floats
    seen: Mask
    marks: tuple[float | None, ...]


class Grid:
    """One zone's cells.

    Attributes:
        weights: float32 [CELLS], share of the zone's ground that lies in each cell; their sum is 1.
        area_m2: of the zone; None where it is not calibrated.

    Raises:
        ValueError: the calibration does not fit the zone (the horizon runs through it), or the zone is too thin.
    """

    def __init__(self, zone: Zone) -> None:
        patch = _patch(zone.polygon, COLUMNS * _SIDE, ROWS * _SIDE)
        if not patch.weights.any():
            raise ValueError("the zone is too thin to be looked at; draw it wider")
        self.area_m2: float | None = None
        if zone.calibration is not None:
            matrix = homography(zone.calibration.image, zone.calibration.ground_m)
            project((*zone.calibration.image, *zone.polygon), matrix)  # raises where the horizon runs between them
            patch, self.area_m2 = _on_ground(patch, matrix)
        total = patch.weights.sum(dtype=np.float64)
        self._patch = Patch(patch.xs, patch.ys, (patch.weights / total).astype(np.float32))
        self._marks = [_mark(mark) for mark in zone.depth_marks]
        self.weights = _by_cell(self._patch.weights)
        self._box = (patch.xs[0], patch.ys[0], patch.xs[-1], patch.ys[-1])

    def read(self, water: NDArray[np.uint8], least: float, tracks: Tracks) -> Reading:
        """What the map [h, w] says; places with a probability of `least` (0..1) or more are wet."""
        threshold, boxes = max(1, round(least * 255)), _hiding(tracks)
        shown, visible = self._patch.weights, self.weights
        if len(boxes):
            shown = shown * self._patch.free(boxes)
            visible = _by_cell(shown)
        under = _by_cell(shown * self._patch.wet(water, threshold))
        seen = (self.weights > 0) & (visible >= _SEEN * self.weights)
        wet = np.divide(under, visible, out=np.zeros(CELLS, np.float32), where=seen)
        return Reading(np.minimum(wet, 1), seen, tuple(_covered(m, water, threshold, boxes) for m in self._marks))

    def joined(self, mask: Mask, least: float) -> Mask:
        """The cells of `mask` that hang together (by sides or corners) in pieces of at least `least` of the zone."""
        if not mask.any():
            return mask
        count, labels = cv2.connectedComponents(mask.reshape(ROWS, COLUMNS).astype(np.uint8), connectivity=8)
        pieces = np.bincount(labels.ravel(), self.weights, count)
        pieces[0] = 0.0
        kept: Mask = (pieces >= least)[labels.ravel()]
        return kept

    def box(self, mask: Mask) -> tuple[float, float, float, float] | None:
        """The box around the cells of `mask`, normalised; None when there are none."""
        if not mask.any():
            return None
        rows, columns = np.nonzero(mask.reshape(ROWS, COLUMNS))
        x1, y1, x2, y2 = self._box
        across, down = (x2 - x1) / COLUMNS, (y2 - y1) / ROWS
        return (
            float(x1 + columns.min() * across),
            float(y1 + rows.min() * down),
            float(x1 + (columns.max() + 1) * across),
            float(y1 + (rows.max() + 1) * down),
        )


def _patch(polygon: Sequence[tuple[float, float]], columns: int, rows: int) -> Patch:
    corners = np.asarray(polygon, np.float64)
    (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
    xs = x1 + (np.arange(columns) + 0.5) / columns * (x2 - x1)
    ys = y1 + (np.arange(rows) + 0.5) / rows * (y2 - y1)
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    inside = points_in_polygon(points, corners).reshape(rows, columns)
    return Patch(xs, ys, inside.astype(np.float32))


def _on_ground(patch: Patch, matrix: NDArray[np.float64]) -> tuple[Patch, float]:
    """The patch weighted by ground, and its area in m². A projective map x → Mx / w scales areas by |det M / w³|."""
    x, y = np.meshgrid(patch.xs, patch.ys)
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    w = np.where(patch.weights > 0, w, 1.0)
    ground = np.abs(np.linalg.det(matrix) / w**3) * patch.weights
    sample = (patch.xs[1] - patch.xs[0]) * (patch.ys[1] - patch.ys[0])
    return Patch(patch.xs, patch.ys, ground.astype(np.float32)), float(ground.sum() * sample)


def _mark(mark: DepthMark) -> Patch:
    patch = _patch(mark.polygon, _MARK_SIDE, _MARK_SIDE)
    # A sliver that no sample hits is looked at through its whole box.
    return patch if patch.weights.any() else Patch(patch.xs, patch.ys, np.ones_like(patch.weights))


def _covered(mark: Patch, water: NDArray[np.uint8], threshold: int, boxes: NDArray[np.floating]) -> float | None:
    shown = mark.weights * mark.free(boxes)
    if shown.sum() < _SEEN * mark.weights.sum():
        return None
    return float((shown * mark.wet(water, threshold)).sum() / shown.sum())


def _hiding(tracks: Tracks) -> NDArray[np.float64]:
    """Boxes of whatever stands in front of the ground, a little grown."""
    boxes: NDArray[np.float64] = tracks.boxes[tracks.classes != int(ObjectClass.OTHER)].astype(np.float64)
    across, down = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    boxes[:, 0] -= _WIDER * across
    boxes[:, 2] += _WIDER * across
    boxes[:, 3] += _LOWER * down
    return boxes


def _by_cell(samples: Floats) -> Floats:
    """Sums of the samples of each cell, [CELLS]."""
    summed: Floats = np.asarray(_POOL_ROWS @ samples @ _POOL_COLUMNS, np.float32).reshape(CELLS)
    return summed
