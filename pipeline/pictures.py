"""From planes to pictures people look at: JPEG of a whole frame, or a smaller one for live viewing."""

from __future__ import annotations

import cv2

from contracts.vision import Frame
from models.picture import small_bgr


def to_jpeg(frame: Frame, *, width: int | None = None, quality: int = 88) -> bytes:
    """The frame as JPEG, whole or `width` pixels wide. Nothing is drawn on it: evidence stays as it was seen."""
    full = width is None or width >= frame.width
    size = (frame.width, frame.height) if full or width is None else (width, round(width / frame.aspect))
    bgr = small_bgr(frame, (size[0] // 2 * 2, size[1] // 2 * 2))
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
