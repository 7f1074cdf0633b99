"""Puddles: irregular pieces of the ground that fill and drain, mirroring what stands behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray
from simulator.street.hashing import unit
from simulator.street.light import Light
from simulator.street.textures import Float32Array, fractal, on_ground


@dataclass(frozen=True, slots=True)
class Puddle:
    """A hollow in the ground around (x, y), m, and how full it is.

    Attributes:
        wide, deep: half axes across and along the road at level 1, m.
        levels: (time s, level), straight in between; at level 0 it is dry, its area grows about with the level.
    """

    x: float
    y: float
    wide: float
    deep: float
    seed: int
    levels: tuple[tuple[float, float], ...]

    def level(self, time: float) -> float:
        return float(np.interp(time, [t for t, _ in self.levels], [v for _, v in self.levels]))


def hollow(puddle: Puddle, x: NDArray[np.floating], y: NDArray[np.floating]) -> Float32Array:
    """The level at which each ground point gets wet, float32 of the maps' shape."""
    far = ((x - puddle.x) / puddle.wide) ** 2 + ((y - puddle.y) / puddle.deep) ** 2
    wild = on_ground(fractal(puddle.seed & 0xFFFF, 5, 0.5), x, y, 3.2 * max(puddle.wide, puddle.deep))
    return np.asarray(np.maximum(far + 0.22 * wild * np.sqrt(far + 0.15), 0.02), np.float32)


class Pool:
    """One puddle on one picture: where it may be, prepared once.

    Attributes:
        part: rows and columns it can ever cover.
    """

    def __init__(
        self, puddle: Puddle, x: Float32Array, y: Float32Array, depth: Float32Array, mirrors: Float32Array
    ) -> None:
        self.puddle = puddle
        most = max(level for _, level in puddle.levels)
        field = hollow(puddle, x, y)
        field[(depth <= 0) | (depth > 80)] = 1e3
        inside = (field < most + 0.1).astype(np.uint8)
        bx, by, bw, bh = cv2.boundingRect(inside)
        self.part = (slice(by, by + bh), slice(bx, bx + bw))
        self.empty = bw == 0
        if self.empty:
            return
        self._field = field[self.part]
        self._mirrors = mirrors[self.part]
        span = depth[self.part]
        # How fast the level rises per pixel: a soft edge about two pixels wide.
        across = np.abs(cv2.Sobel(self._field, cv2.CV_32F, 1, 0, scale=0.125))
        along = np.abs(cv2.Sobel(self._field, cv2.CV_32F, 0, 1, scale=0.125))
        self._edge = np.clip(across + along, 0.004, 0.6)
        self._ripple_x, self._ripple_y = x[self.part], y[self.part]
        self._span = span

    def cover(self, time: float) -> Float32Array | None:
        """How much water covers each pixel of `part`, float32 0..1; None when it is dry."""
        level = self.puddle.level(time)
        if self.empty or level <= 0.02:
            return None
        return np.asarray(np.clip((level - self._field) / self._edge + 0.5, 0, 1), np.float32)

    def paint(self, picture: ByteArray, mirror: ByteArray, time: float, light: Light, rain: float, wind: float) -> None:
        """Lays the water over the picture; `mirror` is what a mirror on the ground shows, the size of the picture."""
        cover = self.cover(time)
        if cover is None:
            return
        old = picture[self.part].astype(np.float32)
        ripple = self._ripples(time, rain, wind)
        shown = self._shifted(mirror, ripple)
        ambient = np.asarray(light.ambient, np.float32) + 0.3 * np.asarray(light.sun, np.float32)
        murky = 0.50 * old + np.array([58, 70, 78], np.float32) * ambient * 0.42
        share = np.clip(self._mirrors + 0.10, 0, 0.92)[..., None]
        water = murky + (shown.astype(np.float32) - murky) * share
        water *= (1 + 0.05 * ripple)[..., None]
        rim = cover * (1 - cover) * 4
        water *= (1 - 0.12 * rim)[..., None]
        picture[self.part] = np.clip(old + (water - old) * cover[..., None] + 0.5, 0, 255).astype(np.uint8)

    def _ripples(self, time: float, rain: float, wind: float) -> Float32Array:
        noise = fractal(self.puddle.seed & 0xFFF, 4, 0.7, 16)
        speed = 0.25 + 0.8 * wind
        one = on_ground(noise, self._ripple_x + speed * time, self._ripple_y, 3.0)
        strength = 0.12 + 0.5 * wind + 0.6 * rain
        if rain > 0:
            jump = 7.3 * unit(self.puddle.seed, math.floor(time * 8))
            one = 0.4 * one + 0.9 * on_ground(noise, self._ripple_x, self._ripple_y + jump, 1.6)
        return np.asarray(one * strength, np.float32)

    def _shifted(self, mirror: ByteArray, ripple: Float32Array) -> ByteArray:
        rows, columns = self.part
        v, u = np.mgrid[rows, columns].astype(np.float32)
        return np.asarray(
            cv2.remap(mirror, u + 0.6 * ripple, v + 2.2 * ripple, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )
