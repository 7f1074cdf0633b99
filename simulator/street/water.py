"""Puddles: irregular pieces of the ground that fill and drain, mirroring what stands behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray
from simulator.street.hashing import mix, unit
from simulator.street.light import Light
from simulator.street.textures import Float32Array, fractal, on_ground
from simulator.street.weather import Effects

_STATES = 6
"""States of a puddle's moving surface; six of them follow each other a second, by chance."""


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
    shift = 50 * unit(puddle.seed, "shift")
    wild = on_ground(fractal(puddle.seed & 7, 5, 0.5), x, y, 3.2 * max(puddle.wide, puddle.deep), shift)
    return np.asarray(np.maximum(far + 0.22 * wild * np.sqrt(far + 0.15), 0.02), np.float32)


class Pool:
    """One puddle on one picture: where it may be, prepared once.

    Attributes:
        part: rows and columns it can ever cover.
        seen: rows and columns of the mirrored picture it can show.
    """

    def __init__(
        self,
        puddle: Puddle,
        x: Float32Array,
        y: Float32Array,
        depth: Float32Array,
        mirrors: Float32Array,
        effects: Effects,
    ) -> None:
        self.puddle = puddle
        most = max(level for _, level in puddle.levels)
        field = hollow(puddle, x, y)
        field[(depth <= 0) | (depth > 80)] = 1e3
        inside = (field < most + 0.1).astype(np.uint8)
        bx, by, bw, bh = cv2.boundingRect(inside)
        self.part = (slice(by, by + bh), slice(bx, bx + bw))
        self.seen = (slice(max(0, by - 12), by + bh + 12), slice(max(0, bx - 6), bx + bw + 6))
        self.empty = bw == 0
        if self.empty:
            return
        self._field = np.ascontiguousarray(field[self.part])
        self._mirrors = np.clip(mirrors[self.part] + 0.10, 0, 0.92)
        # How fast the level rises per pixel: a soft edge about two pixels wide.
        across = np.abs(cv2.Sobel(self._field, cv2.CV_32F, 1, 0, scale=0.125))
        along = np.abs(cv2.Sobel(self._field, cv2.CV_32F, 0, 1, scale=0.125))
        self._edge = np.clip(across + along, 0.004, 0.6)
        self._maps = self._ripples(x[self.part], y[self.part], effects)
        self._cover: tuple[float, Float32Array | None] = (math.nan, None)

    def _ripples(
        self, x: Float32Array, y: Float32Array, effects: Effects
    ) -> list[tuple[NDArray[np.int16], NDArray[np.uint16]]]:
        """For some states of the surface: from where in the mirrored picture each pixel of `part` is seen."""
        noise = fractal(self.puddle.seed & 7, 4, 0.7, 16)
        strength = 0.12 + 0.5 * effects.wind + 0.6 * effects.rain
        v, u = np.mgrid[self.part].astype(np.float32)
        maps = []
        for state in range(_STATES):
            ripple = strength * on_ground(noise, x, y, 3.0 if effects.rain == 0 else 1.8, 0.41 * state)
            first, second = cv2.convertMaps(u + 0.6 * ripple, v + 2.2 * ripple, cv2.CV_16SC2)
            maps.append((np.asarray(first, np.int16), np.asarray(second, np.uint16)))
        return maps

    def cover(self, time: float) -> Float32Array | None:
        """How much water covers each pixel of `part`, float32 0..1; None when it is dry."""
        if self._cover[0] != time:
            self._cover = (time, self._covered(self.puddle.level(time)))
        return self._cover[1]

    def _covered(self, level: float) -> Float32Array | None:
        if self.empty or level <= 0.02:
            return None
        return np.asarray(np.clip((level - self._field) / self._edge + 0.5, 0, 1), np.float32)

    def paint(self, picture: ByteArray, mirror: ByteArray, time: float, light: Light) -> None:
        """Lays the water over the picture; `mirror` is what a mirror on the ground shows, the size of the picture."""
        cover = self.cover(time)
        if cover is None:
            return
        old = np.ascontiguousarray(picture[self.part])
        state = mix(self.puddle.seed, math.floor(time * 6)) % _STATES
        shown = cv2.remap(mirror, *self._maps[state], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        ambient = np.asarray(light.ambient) + 0.3 * np.asarray(light.sun)
        soil = (np.array([58, 70, 78]) * ambient * 0.42).tolist()
        murky = cv2.add(cv2.convertScaleAbs(old, alpha=0.5), np.array([*soil, 0.0]))
        water = cv2.blendLinear(murky, shown, 1 - self._mirrors, self._mirrors)
        picture[self.part] = cv2.blendLinear(old, water, 1 - cover, cover)
