"""From planes to pictures people look at: JPEG of a whole frame, or a smaller one for live viewing."""

from __future__ import annotations

import cv2
import numpy as np

from contracts.vision import ByteArray, Frame

# Video-range luma spans 16..235; JPEG spans 0..255.
_LUMA_GAIN, _LUMA_OFFSET = 255 / 219, -16 * 255 / 219
# Rows: B, G, R from centred U, V (ITU-R BT.601-7 and BT.709-6), full-range chroma.
_BT601 = np.array([[1.772, 0.0], [-0.344136, -0.714136], [0.0, 1.402]], np.float32)
_BT709 = np.array([[1.8556, 0.0], [-0.187324, -0.468124], [0.0, 1.5748]], np.float32)


def to_bgr(frame: Frame, width: int | None = None) -> ByteArray:
    """The frame as uint8 [H, W, 3] BGR; scaled down to `width` first, which is cheaper than scaling afterwards."""
    if width is None or width >= frame.width:
        width, height = frame.width, frame.height
    else:
        height = round(width / frame.aspect)
    size = (width // 2 * 2, height // 2 * 2)
    y = _fit(frame.y, size)
    if not frame.full_range and not frame.bt709:
        # OpenCV's own conversion is BT.601 video range: one call, vectorised.
        planes = [y, _fit(frame.u, (size[0] // 2, size[1] // 2)), _fit(frame.v, (size[0] // 2, size[1] // 2))]
        packed = np.concatenate([np.ascontiguousarray(plane).reshape(-1) for plane in planes])
        bgr: ByteArray = cv2.cvtColor(packed.reshape(size[1] * 3 // 2, size[0]), cv2.COLOR_YUV2BGR_I420)  # type: ignore[assignment]
        return bgr
    return _convert(frame, y, size)


def _fit(plane: ByteArray, size: tuple[int, int]) -> ByteArray:
    if plane.shape == (size[1], size[0]):
        return plane
    scaled: ByteArray = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return scaled


def _convert(frame: Frame, y: ByteArray, size: tuple[int, int]) -> ByteArray:
    """Matrices and ranges that OpenCV has no single call for."""
    luma = y.astype(np.float32)
    chroma_gain = 1.0
    if not frame.full_range:
        luma = luma * _LUMA_GAIN + _LUMA_OFFSET
        chroma_gain = 255 / 224
    u = (cv2.resize(frame.u, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) - 128) * chroma_gain
    v = (cv2.resize(frame.v, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) - 128) * chroma_gain
    matrix = _BT709 if frame.bt709 else _BT601
    planes = [luma + u * row[0] + v * row[1] for row in matrix]
    bgr: ByteArray = np.clip(np.stack(planes, axis=-1) + 0.5, 0, 255).astype(np.uint8)
    return bgr


def to_jpeg(frame: Frame, *, width: int | None = None, quality: int = 88) -> bytes:
    """The frame as JPEG, whole or `width` pixels wide. Nothing is drawn on it: evidence stays as it was seen."""
    _, encoded = cv2.imencode(".jpg", to_bgr(frame, width), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
