"""How large the ground is in a picture that nobody calibrated, from the people who stand on it (and cars: `groundfit`).

On level ground an upright figure of height H whose feet are at picture row y looks about (y - horizon) * H / C tall,
where C is the height of the camera: a straight line tells the horizon and the camera's height. Near figures are seen
from above and look shorter than that, which is taken out round by round. What no size tells is the focal length of the
lens: it is taken from what street cameras have, and how uncertain that is goes into every area, beside the fit's own
standard error and how people differ. Heights are in picture heights, rows 0 (top) to 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.geometry import FloatArray, polygon_area

Point = tuple[float, float]

PERSON_M = 1.7
PERSON_SPREAD = 0.03  # of the mean height of a place's people, relative
FOCAL = 0.9  # picture widths; what street cameras have, as a geometric mean
FOCAL_SPREAD = 0.25  # standard deviation of its logarithm
FEWEST = 20  # sizes a fit is made of
_SPAN = 0.12  # rows the feet must span, or the horizon is a guess
_ROUNDS = 6
_OUTLIER = 2.5  # deviations


@dataclass(frozen=True, slots=True)
class GroundScale:
    """The ground of one picture.

    Attributes:
        horizon: row of the horizon, picture heights (may be negative: above the picture).
        camera_m: height of the camera above the ground, m.
        horizon_error: standard error of `horizon`, picture heights.
        camera_error: standard error of `camera_m`, relative.
        used: sizes that agreed with the fit.
    """

    horizon: float
    camera_m: float
    horizon_error: float
    camera_error: float
    used: int

    def metres_per_height(self, y: float) -> tuple[float, float]:
        """Metres that a picture height is for something upright with its feet at row y, and its relative error.

        Raises:
            ValueError: the row lies on or above the horizon.
        """
        below = y - self.horizon
        if below <= 0:
            raise ValueError("that row lies above the horizon")
        return self.camera_m / below, math.hypot(self.camera_error, self.horizon_error / below)

    def area_m2(self, polygon: Sequence[Point], aspect: float) -> tuple[float, float]:
        """Ground area of a polygon of the picture, m², and its relative error (the lens included).

        Raises:
            ValueError: it reaches up to the horizon.
        """
        area = _area(polygon, self.horizon, self.camera_m, aspect)
        shifted = [_area(polygon, self.horizon + s * self.horizon_error, 1.0, aspect) for s in (-1.0, 1.0)]
        by_horizon = abs(math.log(shifted[1] / shifted[0])) / 2
        return area, math.sqrt((2 * self.camera_error) ** 2 + by_horizon**2 + FOCAL_SPREAD**2)


def _area(polygon: Sequence[Point], horizon: float, camera_m: float, aspect: float) -> float:
    if min(y for _, y in polygon) - horizon <= 0.01:
        raise ValueError("the area reaches up to the horizon")
    focal = FOCAL * aspect
    level = math.cos(math.atan((0.5 - horizon) / focal))
    # Feet at row y are camera_m * focal / (y - horizon) / level in front of the lens, measured along its axis.
    ground = [
        ((x - 0.5) * aspect * camera_m / (y - horizon) / level, focal * camera_m / (y - horizon) / level**2)
        for x, y in polygon
    ]
    return polygon_area(ground)


def _foreshortening(feet: FloatArray, metres: FloatArray, horizon: float, camera_m: float, aspect: float) -> FloatArray:
    """How much shorter figures look for being seen from above, 0..1."""
    focal = FOCAL * aspect
    pitch = math.atan((0.5 - horizon) / focal)
    depth = focal * camera_m / (math.cos(pitch) * np.maximum(feet - horizon, 1e-3))
    seen: FloatArray = (depth - camera_m * math.sin(pitch)) / (depth - metres * math.sin(pitch))
    return np.clip(seen, 0.3, 1.2)


def fit(feet: FloatArray, heights: FloatArray, metres: FloatArray, aspect: float) -> GroundScale | None:
    """The ground scale that sizes agree on.

    Args:
        feet: rows of the feet, float64 [N].
        heights: how tall the figures look, picture heights, float64 [N].
        metres: how tall they are, float64 [N]; people `PERSON_M`.
        aspect: width / height of the picture.

    Returns:
        None where there are too few, all in one row, or they contradict each other.
    """
    if len(feet) < FEWEST:
        return None
    plain = heights / metres  # picture heights a metre
    scaled = plain
    keep = np.ones(len(feet), np.bool_)
    # Small figures are measured worse in proportion: each row weighs by what it stands for.
    weights = 1 / np.maximum(scaled, 1e-4)
    slope = offset = 0.0
    for _ in range(_ROUNDS):
        if keep.sum() < FEWEST or float(np.ptp(feet[keep])) < _SPAN:
            return None
        slope, offset = (float(v) for v in np.polyfit(feet[keep], scaled[keep], 1, w=weights[keep]))
        residual = (scaled - slope * feet - offset) * weights
        deviation = 1.4826 * float(np.median(np.abs(residual[keep] - np.median(residual[keep])))) + 1e-6
        keep = np.abs(residual) <= _OUTLIER * deviation
        if slope <= 0:
            return None
        scaled = plain / _foreshortening(feet, metres, -offset / slope, 1 / slope, aspect)
    return _told(feet[keep], weights[keep], residual[keep], slope, offset)


def _told(feet: FloatArray, weights: FloatArray, residual: FloatArray, slope: float, offset: float) -> GroundScale:
    count = len(feet)
    variance = float(np.sum(residual**2)) / max(count - 2, 1)
    design = np.column_stack([feet, np.ones(count)]) * weights[:, None]
    covariance = np.linalg.inv(design.T @ design) * variance
    horizon = -offset / slope
    # d horizon = -(d offset + horizon d slope) / slope
    gradient = np.array([horizon, 1.0]) / -slope
    horizon_error = math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))
    slope_error = math.sqrt(max(float(covariance[0, 0]), 0.0)) / slope
    return GroundScale(horizon, 1 / slope, horizon_error, math.hypot(slope_error, PERSON_SPREAD), count)
