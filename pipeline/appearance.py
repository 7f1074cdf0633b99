"""A small colour signature of a box, cheap enough to take of every detection of every look.

Mean colours (CIE L*a*b*) of the cells of a 3 x 2 grid inside the box, from one integral image of the picture the
detector saw: the cost is that of the picture, about the same for one box as for two hundred. It tells a red shirt
over dark trousers from a grey coat, or a white van from a blue one; it is no proof of identity.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray, FloatArray

ROWS, COLUMNS = 3, 2
K = ROWS * COLUMNS * 3 + 1

_MARGIN = 0.12  # of the box's width and height on each side is mostly background
_GREY = 128.0  # mid-grey in OpenCV's 8-bit L*a*b*
_GAIN = np.array([1 / 96, 1 / 24, 1 / 24])  # brightness varies with shade and sun, hue less so
_FLOOR = 0.5  # constant last component: keeps a colourless box from being all noise once it is of unit length


def signatures(bgr_small: ByteArray, boxes_px: FloatArray) -> FloatArray:
    """Colour signatures of boxes; the cosine of two says how alike they look.

    Args:
        bgr_small: uint8 [H, W, 3], the picture; a few hundred pixels wide is enough.
        boxes_px: float32 [N, 4], x1 y1 x2 y2 in its pixels; parts outside are cut off, empty boxes grow to a pixel.

    Returns:
        float32 [N, 19], rows of unit length.

    Raises ValueError on other shapes.
    """
    if bgr_small.ndim != 3 or bgr_small.shape[2] != 3 or boxes_px.ndim != 2 or boxes_px.shape[1] != 4:
        raise ValueError(f"signatures: picture {bgr_small.shape}, boxes {boxes_px.shape}")
    if not len(boxes_px):
        return np.zeros((0, K), np.float32)
    height, width = bgr_small.shape[:2]
    total = cv2.integral(cv2.cvtColor(bgr_small, cv2.COLOR_BGR2LAB))
    left, right = _edges(boxes_px[:, 0], boxes_px[:, 2], COLUMNS, width)
    top, bottom = _edges(boxes_px[:, 1], boxes_px[:, 3], ROWS, height)
    x1, x2, y1, y2 = left[:, None, :], right[:, None, :], top[:, :, None], bottom[:, :, None]
    sums = total[y2, x2] - total[y1, x2] - total[y2, x1] + total[y1, x1]
    means = sums / ((x2 - x1) * (y2 - y1))[..., None]
    table = np.full((len(boxes_px), K), _FLOOR)
    table[:, :-1] = ((means - _GREY) * _GAIN).reshape(len(boxes_px), -1)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    return table.astype(np.float32)


def _edges(
    start: NDArray[np.floating], stop: NDArray[np.floating], cells: int, limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[N, cells] where each cell starts and ends along one axis, at least a pixel apart, inside 0..limit."""
    shares = _MARGIN + (1 - 2 * _MARGIN) * np.arange(cells + 1) / cells
    lines = start[:, None] + (stop - start)[:, None] * shares
    pixels = np.rint(np.clip(lines, 0, limit)).astype(np.int64)
    first = np.minimum(pixels[:, :-1], limit - 1)
    return first, np.maximum(pixels[:, 1:], first + 1)
