"""How a camera has moved: the homography that takes the scene as it was learnt to the picture of now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray

_FEATURES = 800
_DISTINCT = 0.8  # distance to the best match, of that to the second best
_LEAST, _SHARE = 20, 0.35  # of the matches must agree
_REPROJECTION = 2.0  # pixels
_FARTHEST = 0.35  # picture widths that a corner may have moved: farther, it is another view
_SIZES = (0.6, 1.7)  # of the picture's area

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """Attributes:
    matrix: float64 [3, 3], normalised picture coordinates as they were to those of now.
    matches: features that agree with it.
    """

    matrix: Matrix
    matches: int

    def moved(self, polygon: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Where the corners of a polygon lie now; may be outside of the picture."""
        points = np.array([(x, y, 1.0) for x, y in polygon]) @ self.matrix.T
        return [(x / w, y / w) for x, y, w in points.tolist()]


def register(before: ByteArray, now: ByteArray) -> Registration | None:
    """By ORB features and RANSAC, believed only where enough agree and the motion is a small one.

    Args:
        before, now: luma of the same size, uint8 [h, w].
    """
    orb = cv2.ORB.create(nfeatures=_FEATURES, fastThreshold=8)
    (points, marks), (points_now, marks_now) = (orb.detectAndCompute(one, None) for one in (before, now))
    if min(len(points), len(points_now)) < _LEAST:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(marks, marks_now, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _DISTINCT * pair[1].distance]
    if len(good) < _LEAST:
        return None
    source = np.array([points[match.queryIdx].pt for match in good], np.float64)
    target = np.array([points_now[match.trainIdx].pt for match in good], np.float64)
    fitted: Any = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _REPROJECTION)
    matrix, inliers = fitted
    if matrix is None or np.count_nonzero(inliers) < max(_LEAST, _SHARE * len(good)):
        return None
    height, width = before.shape
    scale = np.diag([width, height, 1.0])
    found = Registration(np.linalg.inv(scale) @ matrix @ scale, int(np.count_nonzero(inliers)))
    return found if _small(found, width / height) else None


def _small(registration: Registration, aspect: float) -> bool:
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    moved = registration.moved(corners)
    farthest = max(np.hypot(x - u, (y - v) / aspect) for (x, y), (u, v) in zip(moved, corners, strict=True))
    area = cv2.contourArea(np.array(moved, np.float32))
    return bool(farthest <= _FARTHEST and _SIZES[0] <= area <= _SIZES[1])
