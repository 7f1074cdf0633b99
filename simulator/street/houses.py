"""Painting what stands along the street: houses with windows, trees, lamps, signs."""

from __future__ import annotations

import math

import cv2
import numpy as np

from contracts.vision import ByteArray
from simulator.street.hashing import generator, unit
from simulator.street.optics import Optics
from simulator.street.paint import Pixel, disc, fill, limb
from simulator.street.place import Fixture, House
from simulator.street.types import Colour, FloatArray

GROUND, WALL_X, WALL_Y, UPRIGHT, SKY = 1, 2, 3, 4, 0
"""What a pixel of the static picture belongs to."""


def _mirror(points: FloatArray, mirrored: bool) -> FloatArray:
    return points * (1, 1, -1) if mirrored else points


class Canvas:
    """The static picture while it is painted: colour, kind of surface, and how much it glows at night."""

    def __init__(self, optics: Optics, mirrored: bool = False) -> None:
        width, height = optics.size
        self.optics = optics
        self.mirrored = mirrored
        self.colour = np.zeros((height, width, 3), np.uint8)
        self.surface = np.zeros((height, width), np.uint8)
        self.glow = np.zeros((height, width, 3), np.uint8)

    def flat(self, corners: FloatArray, colour: Colour, surface: int, glow: Colour | None = None) -> None:
        """A flat polygon [N, 3] in metres."""
        pixels = self.optics.polygon(_mirror(corners, self.mirrored))
        if pixels is None:
            return
        fill(self.colour, pixels, colour)
        fill(self.surface, pixels, surface, smooth=False)
        fill(self.glow, pixels, glow or (0, 0, 0))


def paint_houses(canvas: Canvas, houses: tuple[House, ...]) -> None:
    camera = canvas.optics.position

    def distance(house: House) -> float:
        x = min(max(camera[0], house.low[0]), house.high[0])
        y = min(max(camera[1], house.low[1]), house.high[1])
        return math.hypot(x - camera[0], y - camera[1])

    for house in sorted(houses, key=distance, reverse=True):
        _paint_house(canvas, house)


def _paint_house(canvas: Canvas, house: House) -> None:
    (x1, y1), (x2, y2) = house.low, house.high
    camera = canvas.optics.position
    if camera[1] < y1:
        _wall(canvas, house, (x1, y1), (x2, y1), WALL_Y)
    elif camera[1] > y2:
        _wall(canvas, house, (x2, y2), (x1, y2), WALL_Y)
    if camera[0] < x1:
        _wall(canvas, house, (x1, y2), (x1, y1), WALL_X)
    elif camera[0] > x2:
        _wall(canvas, house, (x2, y1), (x2, y2), WALL_X)


def _wall(canvas: Canvas, house: House, a: tuple[float, float], b: tuple[float, float], surface: int) -> None:
    """One wall from ground point a to b with its windows and, at the street, shops."""
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    side = 0.86 if surface == WALL_Y else 1.0
    colour = (house.colour[0] * side, house.colour[1] * side, house.colour[2] * side)

    def quad(u1: float, u2: float, z1: float, z2: float) -> FloatArray:
        def at(u: float) -> tuple[float, float]:
            return (a[0] + (b[0] - a[0]) * u / length, a[1] + (b[1] - a[1]) * u / length)

        (ax, ay), (bx, by) = at(u1), at(u2)
        return np.array([(ax, ay, z1), (bx, by, z1), (bx, by, z2), (ax, ay, z2)])

    canvas.flat(quad(0, length, 0, house.height), colour, surface)
    canvas.flat(quad(0, length, 0, 0.5), (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7), surface)
    rng = generator(house.seed, surface)
    floor, every = float(rng.uniform(2.9, 3.5)), float(rng.uniform(2.2, 3.4))
    wide, high = float(rng.uniform(1.0, 1.7)), float(rng.uniform(1.2, 1.7))
    glass = (float(rng.uniform(70, 120)), float(rng.uniform(65, 105)), float(rng.uniform(55, 90)))
    count = int((length - 0.6) / every)
    offset = (length - count * every) / 2 + (every - wide) / 2
    for level in range(1, int(house.height / floor)):
        for index in range(count):
            u, z = offset + index * every, level * floor + 0.8
            shade = 0.75 + 0.5 * unit(house.seed, surface, level, index)
            lit = unit(house.seed, surface, level, index, 1) < 0.32
            glow = (90.0 * shade, 160.0 * shade, 205.0 * shade) if lit else None
            canvas.flat(quad(u, u + wide, z, z + high), _times(glass, shade), surface, glow)
    if rng.random() < 0.75:
        _shops(canvas, quad, length, rng, surface)


def _times(colour: Colour, factor: float) -> Colour:
    return (min(255.0, colour[0] * factor), min(255.0, colour[1] * factor), min(255.0, colour[2] * factor))


def _shops(canvas: Canvas, quad: object, length: float, rng: np.random.Generator, surface: int) -> None:
    assert callable(quad)
    u = 0.5
    while u + 2.5 < length:
        wide = float(rng.uniform(2.5, 5.0))
        end = min(u + wide, length - 0.4)
        sign = rng.uniform(40, 225, 3)
        board = (float(sign[0]), float(sign[1]), float(sign[2]))
        shop = (85.0, 92.0, 98.0)
        canvas.flat(quad(u, end - 0.2, 0.35, 2.4), shop, surface, (95, 135, 150))
        canvas.flat(quad(u, end - 0.2, 2.45, 3.05), board, surface, _times(board, 0.8))
        u = end


def paint_fixture(canvas: Canvas, fixture: Fixture, mask: ByteArray | None) -> None:
    """Draws a fixture, and its outline into `mask` (255) where one is given."""
    painter = {"tree": _tree, "lamp": _lamp, "bench": _bench, "sign": _sign, "signal": _signal}[fixture.kind]
    painter(canvas, fixture, mask)


class _Both:
    """Draws into the canvas and its companions alike."""

    def __init__(self, canvas: Canvas, mask: ByteArray | None) -> None:
        self.canvas, self.mask = canvas, mask
        self.sign = -1.0 if canvas.mirrored else 1.0

    def at(self, x: float, y: float, z: float) -> tuple[Pixel, float]:
        pixels, depth = self.canvas.optics.project(np.array([[x, y, z * self.sign]]))
        return (float(pixels[0, 0]), float(pixels[0, 1])), float(depth[0])

    def limb(self, a: tuple[float, float, float], b: tuple[float, float, float], wide: float, colour: Colour) -> None:
        (pa, da), (pb, db) = self.at(*a), self.at(*b)
        if min(da, db) < 0.5:
            return
        optics = self.canvas.optics
        wa, wb = max(1.0, wide * optics.scale(da)), max(1.0, wide * optics.scale(db))
        limb(self.canvas.colour, pa, pb, wa, wb, list(colour))
        limb(self.canvas.surface[..., None], pa, pb, wa, wb, [float(UPRIGHT)])
        limb(self.canvas.glow, pa, pb, wa, wb, [0.0, 0.0, 0.0])
        if self.mask is not None:
            limb(self.mask[..., None], pa, pb, wa, wb, [255.0])

    def ball(
        self, centre: tuple[float, float, float], radius: float, colour: Colour, glow: Colour | None = None
    ) -> None:
        pixel, depth = self.at(*centre)
        if depth < 0.5:
            return
        size = max(0.8, radius * self.canvas.optics.scale(depth))
        disc(self.canvas.colour, pixel, size, list(colour))
        disc(self.canvas.surface[..., None], pixel, size, [float(UPRIGHT)])
        disc(self.canvas.glow, pixel, size, list(glow or (0, 0, 0)))
        if self.mask is not None:
            disc(self.mask[..., None], pixel, size, [255.0])

    def quad(self, corners: FloatArray, colour: Colour, glow: Colour | None = None) -> None:
        self.canvas.flat(corners, colour, UPRIGHT, glow)
        pixels = self.canvas.optics.polygon(_mirror(corners, self.canvas.mirrored))
        if self.mask is not None and pixels is not None:
            fill(self.mask, pixels, 255.0, smooth=False)


def _tree(canvas: Canvas, fixture: Fixture, mask: ByteArray | None) -> None:
    both, rng = _Both(canvas, mask), generator(fixture.seed)
    x, y, tall = fixture.x, fixture.y, fixture.size
    both.limb((x, y, 0), (x + 0.1, y, tall * 0.6), 0.24, (52, 66, 80))
    wide = tall * float(rng.uniform(0.28, 0.38))
    tone = np.array([rng.uniform(34, 60), rng.uniform(88, 125), rng.uniform(52, 92)])
    balls = []
    for _ in range(42):
        angle, out, up = rng.uniform(0, math.tau), math.sqrt(rng.random()), rng.uniform(-1, 1)
        span = math.sqrt(max(0.0, 1 - 0.8 * up * up))
        place = (
            x + wide * out * span * math.cos(angle),
            y + wide * out * span * math.sin(angle),
            tall * 0.72 + wide * up * 0.85,
        )
        balls.append(
            (place, float(rng.uniform(0.16, 0.34)) * wide, 0.62 + 0.38 * (up + 1) / 2 + float(rng.uniform(-0.1, 0.12)))
        )
    balls.sort(key=lambda b: -b[0][1] + 0.3 * b[0][2])
    for place, radius, shade in balls:
        both.ball(place, radius, _times((float(tone[0]), float(tone[1]), float(tone[2])), shade))


def _lamp(canvas: Canvas, fixture: Fixture, mask: ByteArray | None) -> None:
    both = _Both(canvas, mask)
    x, y, tall = fixture.x, fixture.y, fixture.size
    reach = -1.6 if x > 0 else 1.6
    both.limb((x, y, 0), (x, y, tall), 0.12, (112, 112, 108))
    both.limb((x, y, tall), (x + reach, y, tall + 0.25), 0.08, (112, 112, 108))
    both.ball((x + reach, y, tall + 0.2), 0.17, (190, 200, 205), (200, 235, 250))


def _bench(canvas: Canvas, fixture: Fixture, mask: ByteArray | None) -> None:
    both = _Both(canvas, mask)
    x, y = fixture.x, fixture.y
    for corners, colour in (
        ([(x - 0.25, y, 0.45), (x - 0.25, y + 1.6, 0.45), (x + 0.2, y + 1.6, 0.45), (x + 0.2, y, 0.45)], (58, 92, 128)),
        ([(x + 0.2, y, 0.5), (x + 0.2, y + 1.6, 0.5), (x + 0.26, y + 1.6, 0.95), (x + 0.26, y, 0.95)], (52, 84, 118)),
    ):
        both.quad(np.array(corners), colour)
    for side in (0.1, 1.5):
        both.limb((x - 0.15, y + side, 0), (x - 0.15, y + side, 0.45), 0.06, (50, 50, 52))


def _sign(canvas: Canvas, fixture: Fixture, mask: ByteArray | None) -> None:
    both = _Both(canvas, mask)
    x, y, tall = fixture.x, fixture.y, fixture.size
    both.limb((x, y, 0), (x, y, tall), 0.07, (140, 140, 138))
    both.ball((x, y - 0.02, tall), 0.30, (40, 40, 205))
    both.ball((x, y - 0.04, tall), 0.23, (190, 90, 30))
    both.limb((x - 0.2, y - 0.06, tall + 0.2), (x + 0.2, y - 0.06, tall - 0.2), 0.06, (40, 40, 205))


def _signal(canvas: Canvas, fixture: Fixture, mask: ByteArray | None) -> None:
    both = _Both(canvas, mask)
    x, y, tall = fixture.x, fixture.y, fixture.size
    both.limb((x, y, 0), (x, y, tall), 0.14, (70, 70, 72))
    both.limb((x, y, tall), (x - 3.6, y, tall + 0.1), 0.11, (70, 70, 72))
    sx = x - 3.4
    corners = [
        (sx - 0.2, y - 0.1, tall - 0.55),
        (sx + 0.2, y - 0.1, tall - 0.55),
        (sx + 0.2, y - 0.1, tall + 0.55),
        (sx - 0.2, y - 0.1, tall + 0.55),
    ]
    both.quad(np.array(corners), (34, 34, 34))


def signal_lamp(optics: Optics, fixture: Fixture, green: bool) -> tuple[Pixel, float, list[float]]:
    """Pixel, radius (pixels) and colour of the light that burns."""
    z = fixture.size - 0.36 if green else fixture.size + 0.36
    pixels, depth = optics.project(np.array([[fixture.x - 3.4, fixture.y - 0.12, z]]))
    return (
        (float(pixels[0, 0]), float(pixels[0, 1])),
        max(1.2, 0.14 * optics.scale(float(depth[0]))),
        [120.0, 255.0, 90.0] if green else [60.0, 60.0, 255.0],
    )


def soften(mask: ByteArray, sigma: float) -> ByteArray:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.6)), np.uint8)
