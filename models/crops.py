"""Square crops around a box: the one way a crop is cut, in training and at run time. Also plain regions of a frame.

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
    return cv2.resize(_region(bgr, x, y, side, side), (size, size), interpolation=_interpolation(side, size))  # type: ignore[return-value]


def crop_frame(frame: Frame, box: Sequence[float], size: int, margin: float) -> ByteArray:
    """As `crop_bgr`, from a decoded frame: only the region is converted to BGR."""
    x, y, side = _square(box, frame.width, frame.height, margin)
    bgr = _bgr(frame, x, y, side, side)
    return cv2.resize(bgr, (size, size), interpolation=_interpolation(len(bgr), size))  # type: ignore[return-value]


def region_bgr(frame: Frame, region: Sequence[float], size: tuple[int, int]) -> ByteArray:
    """A region of a decoded frame stretched to `size` (width, height), uint8 [height, width, 3] BGR.

    Args:
        region: x1 y1 x2 y2, normalised; it may leave the frame, whose edge is repeated then.
    """
    x, y = round(region[0] * frame.width), round(region[1] * frame.height)
    width = max(2, round(region[2] * frame.width) - x)
    height = max(2, round(region[3] * frame.height) - y)
    bgr = _bgr(frame, x, y, width, height)
    return cv2.resize(bgr, size, interpolation=_interpolation(bgr.shape[1], size[0]))  # type: ignore[return-value]


def _bgr(frame: Frame, x: int, y: int, width: int, height: int) -> ByteArray:
    """A rectangle in pixels, its corner and sides made even."""
    x, y, width, height = x // 2 * 2, y // 2 * 2, (width + 1) // 2 * 2, (height + 1) // 2 * 2
    planes = (
        _region(frame.y, x, y, width, height),
        _region(frame.u, x // 2, y // 2, width // 2, height // 2),
        _region(frame.v, x // 2, y // 2, width // 2, height // 2),
    )
    part = Frame(*planes, frame.time, frame.utc, frame.full_range, frame.bt709)
    return small_bgr(part, (width, height))


def _square(box: Sequence[float], width: int, height: int, margin: float) -> tuple[int, int, int]:
    """Left, top and side in pixels; left and top may lie outside."""
    x1, y1, x2, y2 = (float(value) for value in box)
    longer = max((x2 - x1) * width, (y2 - y1) * height)
    side = min(max(_MIN_SIDE, round(longer * (1 + 2 * margin))), 2 * max(width, height))
    return round((x1 + x2) / 2 * width - side / 2), round((y1 + y2) / 2 * height - side / 2), side


def _region(plane: ByteArray, x: int, y: int, w: int, h: int) -> ByteArray:
    height, width = plane.shape[:2]
    if x >= 0 and y >= 0 and x + w <= width and y + h <= height:
        return plane[y : y + h, x : x + w]
    rows = np.clip(np.arange(y, y + h), 0, height - 1)
    columns = np.clip(np.arange(x, x + w), 0, width - 1)
    return plane[rows[:, None], columns]


def _interpolation(side: int, size: int) -> int:
    return cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
