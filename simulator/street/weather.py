"""What lies between the street and the file: rain, drops on the lens, noise, shake, faults of the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from contracts.vision import ByteArray
from simulator.street.hashing import generator, unit
from simulator.street.textures import GRAIN, Float32Array, grain


@dataclass(frozen=True, slots=True)
class Effects:
    """Strengths, 0 none.

    Attributes:
        rain: 0..1, streaks and ripples.
        drops: drops on the lens, count.
        wind: 0..1, trees sway and ripples run.
        shake: movement of the picture, share of its width.
        noise: deviation of the sensor's noise, grey levels.
        drift: how far the exposure wanders, share.
        clouds: depth of moving cloud shadows, 0..1.
        jpeg: quality of an extra lossy coding, 0 none.
        wet: how wet the ground is, 0..1.
    """

    rain: float = 0.0
    drops: int = 0
    wind: float = 0.0
    shake: float = 0.0
    noise: float = 2.0
    drift: float = 0.02
    clouds: float = 0.0
    jpeg: int = 0
    wet: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """The camera is "black", "frozen", "blurred", "covered", "moved" or "bright" (overexposed) from start to end, s."""

    kind: str
    start: float
    end: float
    seed: int

    def holds(self, time: float) -> bool:
        return self.start <= time < self.end


_PICTURES = 25.0
"""Noise and rain change that often a second."""


def _tick(time: float) -> int:
    return math.floor(time * _PICTURES + 1e-6)


def gain(effects: Effects, seed: int, time: float) -> float:
    """Exposure at a moment, about 1."""
    one = math.sin(time / 37.0 + 6 * unit(seed, "drift"))
    two = math.sin(time / 11.3 + 6 * unit(seed, "drift", 2))
    return 1 + effects.drift * (0.7 * one + 0.3 * two)


def sense(picture: ByteArray, effects: Effects, seed: int, time: float, dark: float) -> ByteArray:
    """Exposure and noise; `dark` 0..1 makes the noise of night."""
    height, width = picture.shape[:2]
    factor = gain(effects, seed, time)
    sigma = min(round(effects.noise * (1 + 1.8 * dark), 2), max(effects.noise, 8.0))
    if sigma <= 0:
        return np.asarray(cv2.convertScaleAbs(picture, alpha=factor), np.uint8)
    tick = _tick(time)
    tiles = grain((width, height))
    x, y = int(unit(seed, tick, 1) * 32), int(unit(seed, tick, 2) * 32)
    tile = tiles[int(unit(seed, tick) * len(tiles))][y : y + height, x : x + width]
    share = sigma / GRAIN
    return np.asarray(cv2.addWeighted(picture, factor, tile, share, -128.0 * share), np.uint8)


@lru_cache(maxsize=8)
def _streaks(seed: int, size: tuple[int, int], strength: float) -> tuple[ByteArray, ...]:
    width, height = size
    tiles = []
    for number in range(5):
        rng = generator(seed, "streaks", number)
        tile = np.zeros((height, width), np.uint8)
        slant = 0.08 + 0.1 * unit(seed, "slant")
        for _ in range(int(420 * strength)):
            x, y = rng.uniform(0, width), rng.uniform(-20, height)
            length = rng.uniform(0.02, 0.075) * height
            end = (round((x + slant * length) * 16), round((y + length) * 16))
            cv2.line(tile, (round(x * 16), round(y * 16)), end, float(rng.uniform(14, 46)), 1, cv2.LINE_AA, 4)
        tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), 0.6), np.uint8)
        tiles.append(cv2.merge([tile, tile, tile]))
    return tuple(np.asarray(t, np.uint8) for t in tiles)


def rain(picture: ByteArray, effects: Effects, seed: int, time: float, bright: float) -> None:
    """Streaks of falling rain, in place; `bright` scales them at night."""
    if effects.rain <= 0:
        return
    height, width = picture.shape[:2]
    tiles = _streaks(seed & 3, (width, height), round(effects.rain, 1))
    tile = tiles[int(unit(seed, _tick(time), "rain") * len(tiles))]
    cv2.scaleAdd(tile, bright, picture, picture)


def drops(picture: ByteArray, effects: Effects, seed: int, time: float) -> None:
    """Drops on the lens, in place: each shows what is around it, turned over and out of focus."""
    height, width = picture.shape[:2]
    for number in range(effects.drops):
        life = 14.0 + 20.0 * unit(seed, "life", number)
        turn = math.floor(time / life + unit(seed, "turn", number))
        radius = int((0.008 + 0.014 * unit(seed, "radius", number, turn)) * width)
        x = int(unit(seed, "x", number, turn) * (width - 4 * radius - 2)) + radius
        y = int(unit(seed, "y", number, turn) * (height - 4 * radius - 2)) + radius
        part = picture[y : y + 2 * radius, x : x + 2 * radius]
        seen = cv2.blur(cv2.flip(part, -1), (radius | 1, radius | 1))
        mask, rest = _drop_mask(radius)
        part[:] = cv2.blendLinear(seen, np.ascontiguousarray(part), mask, rest)


@lru_cache(maxsize=64)
def _drop_mask(radius: int) -> tuple[Float32Array, Float32Array]:
    """How much of the drop and how much of the picture is seen, float32 [2 r, 2 r]."""
    v, u = np.mgrid[: 2 * radius, : 2 * radius] - radius + 0.5
    away = np.sqrt(u**2 + (v * 0.85) ** 2) / radius
    mask = np.clip((1 - away) * 3, 0, 0.85).astype(np.float32)
    return mask, 1 - mask


def shake(effects: Effects, seed: int, time: float, width: int) -> tuple[float, float]:
    """How far the picture is displaced, pixels."""
    if effects.shake <= 0:
        return 0.0, 0.0
    phase = 6 * unit(seed, "shake")
    gust = 0.6 + 0.4 * math.sin(time * 0.45 + phase)
    dx = math.sin(time * 5.1 + phase) + 0.5 * math.sin(time * 11.7 + 2 * phase)
    dy = math.sin(time * 6.3 + 3 * phase) + 0.4 * math.sin(time * 13.1)
    return effects.shake * width * gust * dx, 0.6 * effects.shake * width * gust * dy


def displaced(picture: ByteArray, dx: float, dy: float) -> ByteArray:
    """The picture moved by (dx, dy) pixels."""
    if dx == 0 and dy == 0:
        return picture
    height, width = picture.shape[:2]
    matrix = np.array([(1, 0, dx), (0, 1, dy)], np.float64)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def coded(picture: ByteArray, quality: int) -> ByteArray:
    """The picture after a lossy coding."""
    if quality <= 0:
        return picture
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def faulty(picture: ByteArray, fault: Fault) -> ByteArray:
    """What the camera sends under this fault ("frozen" and "moved" are up to the caller)."""
    height, width = picture.shape[:2]
    if fault.kind == "black":
        return np.full_like(picture, 6)
    if fault.kind == "bright":
        return np.asarray(cv2.convertScaleAbs(picture, alpha=2.4, beta=150), np.uint8)
    if fault.kind == "blurred":
        small = cv2.resize(picture, (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), 1.3)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    if fault.kind == "covered":
        rng = generator(fault.seed, "cover")
        tone = rng.uniform(25, 110, 3)
        v = np.linspace(0.75, 1.2, height)[:, None, None]
        cloth = np.clip(tone * v, 0, 255).astype(np.uint8) + np.zeros((1, width, 1), np.uint8)
        # A strip at one edge stays free.
        free = int(width * rng.uniform(0.0, 0.12))
        result = np.ascontiguousarray(cloth)
        if free > 1:
            result[:, :free] = cv2.blur(picture[:, :free], (15, 15))
        return result
    return picture
