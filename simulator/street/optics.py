"""The pinhole camera over the ground plane: metres to pixels.

The world: x right, y forward (along the road), z up, metres. The picture: x right, y down, pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.street.types import FloatArray

NEAR = 0.4
"""Nothing nearer than this is drawn, m."""


@dataclass(frozen=True)
class Optics:
    """Where the camera stands and how it looks.

    Attributes:
        size: width, height, pixels.
        position: x, y, height above ground, m.
        yaw: to the right of +y, rad.
        pitch: downwards, rad.
        roll: clockwise, rad.
        focal: focal length in picture widths.
    """

    size: tuple[int, int]
    position: tuple[float, float, float]
    yaw: float
    pitch: float
    roll: float
    focal: float

    @cached_property
    def axes(self) -> FloatArray:
        """float64 [3, 3]: the camera's right, down and forward as rows."""
        sy, cy, sp, cp = math.sin(self.yaw), math.cos(self.yaw), math.sin(self.pitch), math.cos(self.pitch)
        right = np.array([cy, -sy, 0.0])
        forward = np.array([sy * cp, cy * cp, -sp])
        down = np.cross(forward, right)
        sr, cr = math.sin(self.roll), math.cos(self.roll)
        return np.array([cr * right + sr * down, -sr * right + cr * down, forward])

    @cached_property
    def eye(self) -> FloatArray:
        """The camera's position, float64 [3]."""
        return np.array(self.position)

    @cached_property
    def matrix(self) -> FloatArray:
        """float64 [3, 4]: homogeneous world point to (u w, v w, w); w is the depth in metres."""
        width, height = self.size
        focal = self.focal * width
        lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        rotation = self.axes
        return np.asarray(lens @ np.column_stack([rotation, -rotation @ np.asarray(self.position)]))

    @cached_property
    def ground(self) -> FloatArray:
        """float64 [3, 3]: homography of the ground plane (x, y, 1) to the picture."""
        return np.ascontiguousarray(self.matrix[:, [0, 1, 3]])

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels [N, 2] and depths [N], m, of world points [N, 3]; nonsense where the depth is below `NEAR`."""
        matrix = self.matrix
        homogeneous = points @ matrix[:, :3].T + matrix[:, 3]
        depth = homogeneous[:, 2]
        return homogeneous[:, :2] / np.maximum(depth, NEAR)[:, None], depth

    def polygon(self, points: Sequence[Sequence[float]] | FloatArray) -> FloatArray | None:
        """Pixels [M, 2] of a flat polygon [N, 3] (or [N, 2] on the ground), cut at `NEAR`; None when it is behind."""
        world = np.asarray(points, np.float64)
        part = self.matrix[:, : world.shape[1]]
        homogeneous = world @ part.T + self.matrix[:, 3]
        depth = homogeneous[:, 2]
        if depth.min() < NEAR:
            if depth.max() < NEAR:
                return None
            homogeneous = _cut(homogeneous)
        return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:3])

    def scale(self, depth: float) -> float:
        """Pixels a metre at that depth."""
        return self.focal * self.size[0] / max(depth, NEAR)

    def normalised(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Ground points in metres as parts of the picture, 0..1 where they are inside."""
        pixels, _ = self.project(np.column_stack([np.asarray(points, np.float64), np.zeros(len(points))]))
        return [(float(u) / self.size[0], float(v) / self.size[1]) for u, v in pixels]

    def ground_maps(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Ground x, y (m) and depth (m) of every pixel, float32 [H, W]; depth <= 0 above the horizon."""
        width, height = self.size
        inverse = np.linalg.inv(self.ground)
        u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        w = inverse[2, 0] * u + inverse[2, 1] * v + inverse[2, 2]
        # The inverse homography's w is 1 / depth: it changes its sign at the horizon.
        safe = np.where(w > 1e-5, w, 1e-5)
        x = (inverse[0, 0] * u + inverse[0, 1] * v + inverse[0, 2]) / safe
        y = (inverse[1, 0] * u + inverse[1, 1] * v + inverse[1, 2]) / safe
        depth = np.where(w > 1e-5, 1.0 / safe, -1.0)
        limit = 4000.0
        return np.clip(x, -limit, limit), np.clip(y, -limit, limit), depth


def _cut(homogeneous: FloatArray) -> FloatArray:
    """The part of a polygon [N, 3] (u w, v w, w) with w >= NEAR."""
    kept: list[FloatArray] = []
    for index in range(len(homogeneous)):
        before, here = homogeneous[index - 1], homogeneous[index]
        if (before[2] >= NEAR) != (here[2] >= NEAR):
            kept.append(before + (here - before) * ((NEAR - before[2]) / (here[2] - before[2])))
        if here[2] >= NEAR:
            kept.append(here)
    return np.array(kept)


def aim(
    size: tuple[int, int],
    position: tuple[float, float, float],
    points: Sequence[tuple[float, float]],
    *,
    low: float,
    roll: float = 0.0,
    widest: float = 0.62,
    narrowest: float = 1.5,
    margin: float = 0.06,
) -> Optics:
    """A camera at `position` that sees all `points` of the ground, as large as it can.

    Args:
        low: where in the picture the middle of the points lies, 0 top to 1 bottom.
        widest, narrowest: focal lengths between which to choose, picture widths.
        margin: free border left and right, share of the picture.
    """
    x, y, height = position
    middle_x = sum(p[0] for p in points) / len(points)
    middle_y = sum(p[1] for p in points) / len(points)
    yaw = math.atan2(middle_x - x, middle_y - y)
    down = math.atan2(height, math.hypot(middle_x - x, middle_y - y))
    best: Optics | None = None
    for focal in np.linspace(narrowest, widest, 24):
        tilt = math.atan((low - 0.5) * size[1] / (float(focal) * size[0]))
        best = Optics(size, position, yaw, down - tilt, roll, float(focal))
        if all(margin <= u <= 1 - margin and 0.02 <= v <= 0.96 for u, v in best.normalised(points)):
            break
    assert best is not None
    return best
