"""From planes to pictures people look at: JPEG of a whole frame, or a smaller one for live viewing."""

from __future__ import annotations

import cv2
import numpy as np

from contracts.vision import Frame
from models.picture import small_bgr

Spots = tuple[tuple[float, float, float], ...]
"""Where people stand: x and y of the feet, height; normalised."""

_DENSITY_WIDTH = 960
_SPREAD_M = 0.8  # how far around their feet a person counts, standard deviation
_HEIGHT_M = 1.7
_FLAT = 0.4  # metres behind look shorter than metres beside


def to_jpeg(frame: Frame, *, width: int | None = None, quality: int = 88) -> bytes:
    """The frame as JPEG, whole or `width` pixels wide. Nothing is drawn on it: evidence stays as it was seen."""
    full = width is None or width >= frame.width
    size = (frame.width, frame.height) if full or width is None else (width, round(width / frame.aspect))
    bgr = small_bgr(frame, (size[0] // 2 * 2, size[1] // 2 * 2))
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()


def density_jpeg(frame: Frame, spots: Spots, quality: int = 85) -> bytes:
    """The frame with a heat map of where people stand, from blue (few) to red (the densest place of this picture)."""
    width = min(frame.width, _DENSITY_WIDTH) // 2 * 2
    height = round(width / frame.aspect) // 2 * 2
    bgr = small_bgr(frame, (width, height)).astype(np.float32)
    heat = np.zeros((height // 4, width // 4), np.float32)
    rows = np.arange(heat.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(heat.shape[1], dtype=np.float32)[None, :]
    for x, y, tall in spots:
        wide = max(1.0, tall * heat.shape[0] / _HEIGHT_M * _SPREAD_M)
        across, along = (columns - x * heat.shape[1]) / wide, (rows - y * heat.shape[0]) / (wide * _FLAT)
        heat += np.exp(-(across * across + along * along) / 2)
    share = cv2.resize(heat / max(float(heat.max(initial=0.0)), 1e-6), (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_JET).astype(np.float32)
    alpha = np.clip(1.5 * share, 0, 0.6)[:, :, None]
    _, encoded = cv2.imencode(
        ".jpg", (bgr * (1 - alpha) + colours * alpha).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return encoded.tobytes()
