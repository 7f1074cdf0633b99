"""Square crops around a box: the one way a crop is cut, in training and at run time.

The region is a square around the box's centre, its side the box's longer side plus a margin on every side; where it
leaves the picture, the picture's edge is repeated. A crop thus shows the thing and the ground it lies on.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from contracts.vision import ByteArray, Frame
from models.picture import small_bgr

# A smaller region than this many pixels of the source has nothing to show but its neighbours.
_MIN_SIDE = 12


def crop_bgr(bgr: ByteArray, box: Sequence[float], size: int, margin: float) -> ByteArray:
    """The square around a box as uint8 [size, size, 3] BGR.

    Args:
        bgr: uint8 [H, W, 3].
        box: x1 y1 x2 y2, normalised to the picture.
        size: pixels of the result.
        margin: what is shown around the box, in sides of the box.
    """
    height, width = bgr.shape[:2]
    x, y, side = _square(box, width, height, margin)
    return cv2.resize(_region(bgr, x, y, side), (size, size), interpolation=_interpolation(side, size))  # type: ignore[return-value]


def crop_frame(frame: Frame, box: Sequence[float], size: int, margin: float) -> ByteArray:
    """As `crop_bgr`, from a decoded frame: only the region is converted to BGR."""
    x, y, side = _square(box, frame.width, frame.height, margin)
    x, y, side = x // 2 * 2, y // 2 * 2, (side + 1) // 2 * 2
    planes = (
        _region(frame.y, x, y, side),
        _region(frame.u, x // 2, y // 2, side // 2),
        _region(frame.v, x // 2, y // 2, side // 2),
    )
    part = Frame(*planes, frame.time, frame.utc, frame.full_range, frame.bt709)
    return cv2.resize(small_bgr(part, (side, side)), (size, size), interpolation=_interpolation(side, size))  # type: ignore[return-value]


def _square(box: Sequence[float], width: int, height: int, margin: float) -> tuple[int, int, int]:
    """Left, top and side in pixels; left and top may lie outside."""
    x1, y1, x2, y2 = (float(value) for value in box)
    longer = max((x2 - x1) * width, (y2 - y1) * height)
    side = min(max(_MIN_SIDE, round(longer * (1 + 2 * margin))), 2 * max(width, height))
    return round((x1 + x2) / 2 * width - side / 2), round((y1 + y2) / 2 * height - side / 2), side


def _region(plane: ByteArray, x: int, y: int, side: int) -> ByteArray:
    height, width = plane.shape[:2]
    rows = np.clip(np.arange(y, y + side), 0, height - 1)
    columns = np.clip(np.arange(x, x + side), 0, width - 1)
    inside = x >= 0 and y >= 0 and x + side <= width and y + side <= height
    return plane[y : y + side, x : x + side] if inside else plane[rows[:, None], columns]


def _interpolation(side: int, size: int) -> int:
    return cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
