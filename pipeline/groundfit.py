"""The ground scale that people's and cars' boxes agree on, where a car may stand at any angle.

A car's box is wide or tall by how it is turned, so single cars tell nothing by one figure alone; but width and height
together leave one unknown, the angle, which is taken out car by car. Few people or none are then enough. The camera is
a pinhole over level ground; its focal length is what street cameras have (`ground.FOCAL`).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import least_squares

from contracts.geometry import FloatArray
from pipeline.ground import FEWEST, FOCAL, PERSON_M, PERSON_SPREAD, GroundScale, fit

CAR_M = (4.4, 1.8, 1.5)  # length, width, height; the roof is shorter than the car by `_ROOF` at each end
CAR_SPREAD = 0.05  # of the mean size of a place's cars, relative
_ROOF = 0.55
_ANGLES = np.linspace(0, math.pi / 2, 10)
_NOISE = 0.06  # relative error of a box's side; what is far off counts less and less
_SPAN = 0.12  # rows the feet must span, or the horizon is a guess
_HORIZONS = (-0.4, -0.1, 0.1, 0.25)  # where the search begins
_CAMERAS_M = (4.0, 8.0)
_WORST = 2.0  # median deviations of `_NOISE`: with more the boxes contradict each other


def fit_boxes(people: FloatArray, cars: FloatArray, aspect: float) -> GroundScale | None:
    """The ground scale of a picture.

    Args:
        people: float64 [N, 2]: row of the feet, height; in picture heights.
        cars: float64 [M, 3]: lower edge, height, width; in picture heights.
        aspect: width / height of the picture.

    Returns:
        None where there are too few, all in one row, or they contradict each other.
    """
    if len(cars) < FEWEST // 2:
        return fit(people[:, 0], people[:, 1], np.full(len(people), PERSON_M), aspect)
    rows = np.concatenate([people[:, 0], cars[:, 0]])
    if len(rows) < FEWEST or float(np.ptp(np.quantile(rows, (0.05, 0.95)))) < _SPAN:
        return None

    def residuals(unknown: FloatArray) -> FloatArray:
        horizon, camera_m = float(unknown[0]), math.exp(float(unknown[1]))
        return np.concatenate(
            [_people_off(people, horizon, camera_m, aspect), _cars_off(cars, horizon, camera_m, aspect)]
        )

    highest = float(rows.min()) - 0.02
    starts = [(min(h, highest - 0.02), math.log(c)) for h in _HORIZONS for c in _CAMERAS_M]
    start = min(starts, key=lambda one: float(np.abs(residuals(np.array(one))).sum()))
    bounds = ([-3.0, math.log(1.5)], [highest, math.log(60.0)])
    found = least_squares(residuals, start, loss="soft_l1", bounds=bounds, max_nfev=60)
    off = residuals(found.x)
    if not found.success or float(np.median(np.abs(off))) > _WORST:
        return None
    try:
        covariance = np.linalg.inv(found.jac.T @ found.jac) * max(1.0, float(np.mean(np.minimum(off**2, 9.0))))
    except np.linalg.LinAlgError:
        return None
    spread = min(PERSON_SPREAD if len(people) >= FEWEST else 1.0, CAR_SPREAD)
    return GroundScale(
        float(found.x[0]),
        math.exp(float(found.x[1])),
        math.sqrt(max(float(covariance[0, 0]), 0.0)),
        math.hypot(math.sqrt(max(float(covariance[1, 1]), 0.0)), spread),
        int((np.abs(off) <= 3).sum()),
    )


class _View:
    """A camera over level ground: from rows to metres and back. Rows in picture heights."""

    def __init__(self, horizon: float, camera_m: float, aspect: float) -> None:
        self._focal, self._camera_m = FOCAL * aspect, camera_m
        pitch = math.atan((0.5 - horizon) / self._focal)
        self._sin, self._cos = math.sin(pitch), math.cos(pitch)

    def away(self, rows: FloatArray) -> FloatArray:
        """Distance along the ground, m."""
        slope = (rows - 0.5) / self._focal
        away = self._camera_m * (self._cos - slope * self._sin) / np.maximum(slope * self._cos + self._sin, 1e-4)
        return np.asarray(away, np.float64)

    def row(self, away: FloatArray, tall: float) -> FloatArray:
        below = self._camera_m - tall
        return (below * self._cos - away * self._sin) * self._focal / self._depth(away, below) + 0.5

    def scale(self, away: FloatArray) -> FloatArray:
        """Picture heights a metre across."""
        return self._focal / self._depth(away, self._camera_m)

    def _depth(self, away: FloatArray, below: float) -> FloatArray:
        return np.maximum(away * self._cos + below * self._sin, 0.1)


def _people_off(people: FloatArray, horizon: float, camera_m: float, aspect: float) -> FloatArray:
    if len(people) == 0:
        return np.zeros(0)
    view = _View(horizon, camera_m, aspect)
    expected = people[:, 0] - view.row(view.away(people[:, 0]), PERSON_M)
    return _off(people[:, 1], expected)


def _cars_off(cars: FloatArray, horizon: float, camera_m: float, aspect: float) -> FloatArray:
    """Deviations of height and width, [2 M], each car turned as fits it best."""
    view = _View(horizon, camera_m, aspect)
    near = view.away(cars[:, 0])[:, None]
    length, width, tall = CAR_M
    along = np.abs(np.cos(_ANGLES))[None, :]  # 1: end-on
    across = np.abs(np.sin(_ANGLES))[None, :]
    deep = length * along + width * across
    roof = near + deep - _ROOF * along
    heights = cars[:, :1] - view.row(roof, tall)
    widths = (width * along + length * across) * view.scale(near + 0.25 * deep)
    off = np.stack([_off(cars[:, 1:2], heights), _off(cars[:, 2:3], widths)])
    best = np.argmin((off**2).sum(axis=0), axis=1)
    chosen = np.take_along_axis(off, np.broadcast_to(best[None, :, None], (2, len(cars), 1)), axis=2)
    return np.asarray(chosen.ravel(), np.float64)


def _off(seen: FloatArray, expected: FloatArray) -> FloatArray:
    """How far off, in deviations of `_NOISE`."""
    return np.asarray(np.log(np.maximum(seen, 1e-4) / np.maximum(expected, 1e-4)) / _NOISE, np.float64)
