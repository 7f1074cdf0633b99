"""A small colour signature of a box, cheap enough to take of every detection of every look.

Mean colours (CIE L*a*b*) of the cells of a 3 x 2 grid inside the box, from the picture the detector saw. Each cell is
read at 4 x 4 points rather than at all its pixels: the cost is then that of the boxes (a few us each), whatever the
picture's size, where converting and integrating the whole picture costs as much as a small detector. It tells a red
shirt over dark trousers from a grey coat, or a white van from a blue one; it is no proof of identity.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray, FloatArray

ROWS, COLUMNS, POINTS = 3, 2, 4
K = ROWS * COLUMNS * 3 + 1

_MARGIN = 0.12  # of the box's width and height on each side is mostly background
_GREY = 128.0  # mid-grey in OpenCV's 8-bit L*a*b*
_GAIN = np.array([1 / 96, 1 / 24, 1 / 24])  # brightness varies with shade and sun, hue less so
_FLOOR = 0.5  # constant last component: keeps a colourless box from being all noise once it is of unit length


def signatures(bgr_small: ByteArray, boxes_px: FloatArray) -> FloatArray:
    """Colour signatures of boxes; the cosine of two says how alike they look.

    Args:
        bgr_small: uint8 [H, W, 3], the picture; a few hundred pixels wide is enough.
        boxes_px: float32 [N, 4], x1 y1 x2 y2 in its pixels; parts outside repeat the picture's edge.

    Returns:
        float32 [N, 19], rows of unit length.

    Raises:
        ValueError: other shapes.
    """
    if bgr_small.ndim != 3 or bgr_small.shape[2] != 3 or boxes_px.ndim != 2 or boxes_px.shape[1] != 4:
        raise ValueError(f"signatures: picture {bgr_small.shape}, boxes {boxes_px.shape}")
    n = len(boxes_px)
    if not n:
        return np.zeros((0, K), np.float32)
    x = _points(boxes_px[:, 0], boxes_px[:, 2], COLUMNS * POINTS, bgr_small.shape[1])
    y = _points(boxes_px[:, 1], boxes_px[:, 3], ROWS * POINTS, bgr_small.shape[0])
    pixels = bgr_small[y[:, :, None], x[:, None, :]]
    lab = cv2.cvtColor(pixels.reshape(n * ROWS * POINTS, -1, 3), cv2.COLOR_BGR2LAB)
    means = lab.reshape(n, ROWS, POINTS, COLUMNS, POINTS, 3).mean(axis=(2, 4))
    table = np.full((n, K), _FLOOR)
    table[:, :-1] = ((means - _GREY) * _GAIN).reshape(n, -1)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    return table.astype(np.float32)


def _points(start: NDArray[np.floating], stop: NDArray[np.floating], points: int, limit: int) -> NDArray[np.intp]:
    """[N, points] pixels spread evenly between two edges, margins left out, inside 0..limit - 1."""
    shares = _MARGIN + (1 - 2 * _MARGIN) * (np.arange(points) + 0.5) / points
    at = start[:, None] + (stop - start)[:, None] * shares
    return np.clip(at, 0, limit - 1).astype(np.intp)
