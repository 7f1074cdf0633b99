"""Light: what the sky, the sun and the lamps give at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.street.types import FloatArray

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Light on the street; colours are blue, green, red, 1 = full white.

    Attributes:
        ambient: from everywhere.
        sun: direct light; zeros without sun.
        sun_to: unit vector towards the sun.
        sky: colours at the zenith and at the horizon, 0..255.
        lamps: how much the street lamps and windows give, 0..1.
        headlights: vehicles have their lights on.
    """

    ambient: Rgb
    sun: Rgb
    sun_to: Rgb
    sky: tuple[Rgb, Rgb]
    lamps: float
    headlights: bool

    @property
    def sunny(self) -> bool:
        return max(self.sun) > 0.12

    def on_faces(self, normals: FloatArray, in_sun: float, lamp: float) -> FloatArray:
        """Factors [F, 3] for faces with these normals [F, 3], where `in_sun` 0..1 and lamp light arrive."""
        towards = np.maximum(normals @ np.asarray(self.sun_to), 0.0)
        shade = 0.72 + 0.28 * normals[:, 2]
        base = np.asarray(self.ambient) + lamp * LAMP
        return np.asarray(shade[:, None] * base + (towards * in_sun)[:, None] * np.asarray(self.sun))


LAMP = np.array([0.50, 0.72, 0.86])
"""Colour of street lamps, blue green red, under a lamp."""


def _blend(a: Rgb, b: Rgb, t: float) -> Rgb:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def daylight(elevation: float, azimuth: float, clouds: float) -> Light:
    """The light of a sun at `elevation` rad above the horizon (negative: night), at `azimuth` rad from +y.

    Args:
        clouds: 0 clear to 1 overcast.
    """
    day = float(np.clip((elevation + 0.10) / 0.45, 0.0, 1.0))
    glow = float(np.clip(1.0 - abs(elevation) / 0.28, 0.0, 1.0)) * (1 - 0.7 * clouds)
    ambient = _blend((0.155, 0.132, 0.120), (0.62, 0.60, 0.58), day**1.2)
    ambient = _blend(ambient, (0.80, 0.79, 0.78), day * clouds)
    ambient = _blend(ambient, (0.40, 0.38, 0.46), 0.4 * glow)
    strength = float(np.clip(elevation / 0.35, 0.0, 1.0)) ** 0.7 * (1 - clouds) ** 1.5 * 0.62
    warmth = float(np.clip(1 - elevation / 0.6, 0.0, 1.0))
    sun = (strength * (1 - 0.45 * warmth), strength * (1 - 0.18 * warmth), strength)
    height = max(elevation, 0.12)
    to = (math.sin(azimuth) * math.cos(height), math.cos(azimuth) * math.cos(height), math.sin(height))
    top = _blend(_blend((30.0, 20.0, 15.0), (225.0, 165.0, 110.0), day), (205.0, 200.0, 195.0), day * clouds)
    low = _blend(_blend((40.0, 32.0, 30.0), (240.0, 225.0, 205.0), day), (222.0, 220.0, 216.0), day * clouds)
    low = _blend(low, (120.0, 150.0, 215.0), 0.6 * glow)
    lamps = float(np.clip((0.16 - elevation) / 0.2, 0.0, 1.0))
    return Light(ambient, sun, to, (top, low), lamps, elevation < 0.14)
