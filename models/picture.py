"""From decoded planes to the small BGR picture a model sees.

Planes are scaled first and converted afterwards, on the few pixels that are left: for 720p to 416 pixels about a
third of the cost of converting first. All functions are pure and keep OpenCV's own threads out of the question on
pictures this small.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray, Frame

Size = tuple[int, int]

# YUV (centred chroma) to B, G, R: ITU-R BT.601-7 and BT.709-6, full-range chroma.
_BT601 = np.array([[1.772, 0.0], [-0.344136, -0.714136], [0.0, 1.402]])
_BT709 = np.array([[1.8556, 0.0], [-0.187324, -0.468124], [0.0, 1.5748]])


def small_bgr(frame: Frame, size: Size) -> ByteArray:
    """The whole frame scaled to `size` (width, height; both even), uint8 [height, width, 3] BGR."""
    width, height = size
    if not frame.full_range and not frame.bt709:
        # The one case OpenCV converts in a single vectorised call.
        packed = np.empty((height * 3 // 2, width), np.uint8)
        chroma = packed[height:].reshape(2, height // 2, width // 2)
        _shrink(frame.y, size, packed[:height])
        _shrink(frame.u, (width // 2, height // 2), chroma[0])
        _shrink(frame.v, (width // 2, height // 2), chroma[1])
        bgr: ByteArray = cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420)  # type: ignore[assignment]
        return bgr
    planes = [_shrink(plane, size, np.empty((height, width), np.uint8)) for plane in (frame.y, frame.u, frame.v)]
    converted: ByteArray = cv2.transform(cv2.merge(planes), _matrix(frame.full_range, frame.bt709))  # type: ignore[assignment]
    return converted


def write_chw(bgr: ByteArray, slot: NDArray[np.float32], left: int = 0, top: int = 0) -> None:
    """Writes [h, w, 3] bytes as float32 planes into `slot` [3, H, W] at (left, top); the rest is left as it is."""
    height, width = bgr.shape[:2]
    for channel, plane in enumerate(cv2.split(bgr)):
        slot[channel, top : top + height, left : left + width] = plane


def frame_from_bgr(bgr: ByteArray, time: float = 0.0, utc: float = 0.0) -> Frame:
    """A still picture as a `Frame` (BT.601, video range); a last odd row or column is cut off."""
    height, width = bgr.shape[0] // 2 * 2, bgr.shape[1] // 2 * 2
    packed = cv2.cvtColor(np.ascontiguousarray(bgr[:height, :width]), cv2.COLOR_BGR2YUV_I420)
    chroma = packed[height:].reshape(2, height // 2, width // 2)
    return Frame(packed[:height], chroma[0], chroma[1], time, utc)  # type: ignore[arg-type]


def shrink(plane: ByteArray, size: Size) -> ByteArray:
    """One plane scaled to `size` (width, height)."""
    return _shrink(plane, size, np.empty((size[1], size[0]), np.uint8))


def _shrink(plane: ByteArray, size: Size, out: ByteArray) -> ByteArray:
    """Scales into `out`. Halving by area first keeps fine texture from aliasing and costs next to nothing."""
    while plane.shape[1] >= 2 * size[0] and plane.shape[0] >= 2 * size[1]:
        half = (plane.shape[1] // 2, plane.shape[0] // 2)
        # Even edges only: 2x2 area averaging is OpenCV's fast path, any other ratio its slowest.
        plane = cv2.resize(plane[: half[1] * 2, : half[0] * 2], half, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if plane.shape == out.shape:
        out[:] = plane
    else:
        cv2.resize(plane, size, dst=out, interpolation=cv2.INTER_LINEAR)
    return out


def _matrix(full_range: bool, bt709: bool) -> NDArray[np.float64]:
    """[3, 4]: B, G, R from Y, U, V bytes and 1."""
    luma, chroma, black = (1.0, 1.0, 0.0) if full_range else (255 / 219, 255 / 224, 16.0)
    colour = (_BT709 if bt709 else _BT601) * chroma
    offset = -luma * black - colour.sum(axis=1) * 128
    return np.column_stack([np.full(3, luma), colour, offset])
