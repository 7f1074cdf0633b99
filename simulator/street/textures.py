"""Tileable noise, made once and sampled on the ground in metres."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.street.hashing import generator

Float32Array = NDArray[np.float32]
TILE = 512


@lru_cache(maxsize=64)
def fractal(seed: int, octaves: int = 6, roughness: float = 0.6, coarsest: int = 4) -> Float32Array:
    """Tileable noise float32 [512, 512], mean 0, deviation 1: `coarsest` cells across at first, then twice as many.

    Callers keep to a few seeds and shift the tile instead: it is costly to make, and is kept.
    """
    rng = generator(seed, "fractal")
    total = np.zeros((TILE, TILE), np.float32)
    weight = 1.0
    for octave in range(octaves):
        cells = coarsest << octave
        if cells > TILE:
            break
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        step = TILE // cells
        padded = np.pad(grid, 2, mode="wrap")
        large = cv2.resize(padded, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        total += weight * large[2 * step : 2 * step + TILE, 2 * step : 2 * step + TILE]
        weight *= roughness
    total -= total.mean()
    return np.asarray(total / total.std(), np.float32)


def on_ground(
    noise: Float32Array, x: NDArray[np.floating], y: NDArray[np.floating], metres: float, shift: float = 0.0
) -> Float32Array:
    """The tile laid on the ground, one tile every `metres`, sampled at x, y (m)."""
    factor = TILE / metres
    u = np.mod((x + shift) * factor, TILE).astype(np.float32)
    v = np.mod((y + 0.37 * shift) * factor, TILE).astype(np.float32)
    return np.asarray(cv2.remap(noise, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


GRAIN = 24.0
"""Deviation of `grain`."""


@lru_cache(maxsize=4)
def grain(size: tuple[int, int]) -> tuple[NDArray[np.uint8], ...]:
    """Four tiles of sensor noise around 128, deviation `GRAIN`, uint8 [H, W, 3], larger than the picture so that they
    can be shifted."""
    width, height = size
    tiles = []
    for number in range(4):
        rng = generator("grain", number)
        shape = (height + 32, width + 32)
        luma = rng.standard_normal(shape, np.float32)
        planes = [0.8 * luma + 0.6 * rng.standard_normal(shape, np.float32) for _ in range(3)]
        field = cv2.GaussianBlur(cv2.merge(planes), (0, 0), 0.7)
        field = field * (GRAIN / float(field.std())) + 128.5
        tiles.append(np.clip(field, 0, 255).astype(np.uint8))
    return tuple(tiles)
