"""Things on the ground: litter and what only looks like it, and bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from contracts.vision import ByteArray
from simulator.street.hashing import generator
from simulator.street.light import Light
from simulator.street.meshes import Mesh, bin_box, carton
from simulator.street.motion import Pose
from simulator.street.optics import NEAR, Optics
from simulator.street.paint import fill, paint_mesh, turn
from simulator.street.types import Colour, FloatArray

_BAGS: tuple[Colour, ...] = (
    (35, 35, 38),
    (235, 235, 235),
    (190, 120, 60),
    (60, 60, 200),
    (70, 150, 60),
    (200, 205, 190),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing on the ground from `since` until `until`, s.

    Attributes:
        size: of its longer side, m.
        attended: times (from, to) in which its owner is beside it, s.
    """

    id: int
    kind: str
    x: float
    y: float
    size: float
    seed: int
    since: float
    until: float
    attended: tuple[tuple[float, float], ...] = ()
    z: float = 0.0

    def is_attended(self, time: float) -> bool:
        return any(start <= time < end for start, end in self.attended)


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin that fills: `levels` are (time, s; level), 1 full, above it overflows."""

    zone: str
    x: float
    y: float
    seed: int
    levels: tuple[tuple[float, float], ...]

    def level(self, time: float) -> float:
        return float(np.interp(time, [t for t, _ in self.levels], [v for _, v in self.levels]))


@lru_cache(maxsize=64)
def _carton(seed: int, size: float) -> Mesh:
    rng = generator(seed, "carton")
    shade = float(rng.uniform(0.8, 1.15))
    return carton((95 * shade, 140 * shade, 172 * shade), size)


@lru_cache(maxsize=16)
def bin_mesh(seed: int) -> Mesh:
    rng = generator(seed, "bin")
    paints: list[Colour] = [(60, 120, 50), (120, 80, 40), (70, 70, 72), (150, 90, 30)]
    return bin_box(paints[int(rng.integers(len(paints)))], bool(rng.random() < 0.6))


@lru_cache(maxsize=64)
def _content(seed: int) -> tuple[tuple[float, float, float], ...]:
    """Bags in a bin, in the order in which they come: where (x, y, m) and how large (m)."""
    rng = generator(seed, "content")
    return tuple(
        (float(rng.uniform(-0.2, 0.2)), float(rng.uniform(-0.15, 0.15)), float(rng.uniform(0.36, 0.5)))
        for _ in range(9)
    )


@lru_cache(maxsize=256)
def _blob(seed: int) -> tuple[FloatArray, FloatArray, Colour]:
    """Outline of a bag (radius by angle), two folds, colour."""
    rng = generator(seed, "blob")
    angles = np.linspace(0, math.tau, 15)[:-1]
    radius = 1 + 0.16 * np.sin(2 * angles + rng.uniform(0, 6)) + rng.uniform(-0.12, 0.12, len(angles))
    ring = np.column_stack([np.cos(angles) * radius * 0.5, np.sin(angles) * radius * 0.5])
    ring[:, 1] = np.where(ring[:, 1] < 0, ring[:, 1] * 0.75, ring[:, 1])
    folds = rng.uniform(-0.3, 0.3, (4, 2))
    return ring, folds, _BAGS[int(rng.integers(len(_BAGS)))]


def _lit(light: Light, in_sun: float, lamp: float, share: float) -> FloatArray:
    lamps = lamp * np.array([0.5, 0.72, 0.86])
    return np.asarray(np.asarray(light.ambient) * 0.92 + lamps + np.asarray(light.sun) * in_sun * share)


def _tone(colour: Colour, factor: FloatArray, by: float = 1.0) -> tuple[float, ...]:
    return tuple(min(255.0, c * f * by) for c, f in zip(colour, factor.tolist(), strict=True))


def paint_bag(
    picture: ByteArray,
    optics: Optics,
    at: tuple[float, float, float],
    size: float,
    seed: int,
    light: Light,
    in_sun: float,
    lamp: float,
) -> FloatArray | None:
    """A full plastic bag standing on (x, y, z); its outline in pixels [N, 2]."""
    pixels, depth = optics.project(np.array([at]))
    if depth[0] < NEAR:
        return None
    scale = optics.scale(float(depth[0])) * size
    ring, folds, colour = _blob(seed)
    tall = 0.85
    centre = pixels[0] - np.array([0, 0.40 * scale * tall])
    outline = centre + ring * scale * np.array([1.0, tall])
    factor = _lit(light, in_sun, lamp, 0.7)
    fill(picture, outline, _tone(colour, factor, 0.86))
    lit_part = centre + (ring * 0.72 + np.array([-0.06, -0.10])) * scale * np.array([1.0, tall])
    fill(picture, lit_part, _tone(colour, factor, 1.08))
    knot = centre + np.array([(-0.10, -0.40), (0.10, -0.40), (0.16, -0.62), (-0.13, -0.58)]) * scale * tall
    fill(picture, knot, _tone(colour, factor, 0.95))
    for index in range(0, 4, 2):
        a, b = centre + folds[index] * scale, centre + folds[index + 1] * scale
        cv2.line(picture, _at(a), _at(b), _tone(colour, factor, 0.62), 1, cv2.LINE_AA)
    return np.vstack([outline, knot])


def _at(pixel: FloatArray) -> tuple[int, int]:
    return int(pixel[0]), int(pixel[1])


def paint_item(
    picture: ByteArray, optics: Optics, item: Item, light: Light, in_sun: float, lamp: float
) -> FloatArray | None:
    """Draws a thing; its outline in pixels [N, 2], or None when it is behind the camera."""
    at = (item.x, item.y, item.z)
    if item.kind in {"bag", "luggage"}:
        return paint_bag(picture, optics, at, item.size, item.seed, light, in_sun, lamp)
    if item.kind == "carton":
        mesh = _carton(item.seed, item.size)
        turned = (item.seed % 628) / 100
        _contact(picture, optics, item)
        return paint_mesh(picture, optics, mesh, Pose(item.x, item.y, turned, 0, 0), light, in_sun, lamp)
    if item.kind == "pile":
        return _pile(picture, optics, item, light, in_sun, lamp)
    if item.kind == "leaves":
        return _leaves(picture, optics, item, light, in_sun, lamp)
    if item.kind == "shadow":
        return _shade(picture, optics, item)
    return _flat_piece(picture, optics, item, light, in_sun, lamp)


def _circle(item: Item, radius: float) -> FloatArray:
    angles = np.linspace(0, math.tau, 13)[:-1]
    return np.column_stack([item.x + radius * np.cos(angles), item.y + radius * np.sin(angles)])


def _contact(picture: ByteArray, optics: Optics, item: Item) -> None:
    outline = optics.polygon(_circle(item, item.size * 0.55))
    if outline is not None:
        darken(picture, outline, 0.62, 1.2)


def darken(picture: ByteArray, outline: FloatArray, factor: float, soft: float) -> None:
    """Multiplies a polygon's inside by `factor`, with an edge `soft` pixels wide."""
    height, width = picture.shape[:2]
    border = math.ceil(2 * soft) + 2
    x1, y1 = (int(max(0, v)) for v in np.floor(outline.min(axis=0)) - border)
    x2 = int(min(width, math.ceil(float(outline[:, 0].max())) + border))
    y2 = int(min(height, math.ceil(float(outline[:, 1].max())) + border))
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    fill(mask, outline - np.array([x1, y1]), 255.0)
    if soft > 0.5:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.uint8)
    keep = cv2.convertScaleAbs(mask, alpha=-(1 - factor), beta=255)
    part = picture[y1:y2, x1:x2]
    cv2.multiply(part, cv2.merge([keep, keep, keep]), part, 1 / 255)


def _pile(
    picture: ByteArray, optics: Optics, item: Item, light: Light, in_sun: float, lamp: float
) -> FloatArray | None:
    rng = generator(item.seed, "pile")
    _contact(picture, optics, item)
    places = sorted(
        (
            (float(rng.uniform(-0.4, 0.4)), float(rng.uniform(-0.3, 0.3)), float(rng.uniform(0.32, 0.5)))
            for _ in range(7)
        ),
        key=lambda p: -p[1],
    )
    outlines = []
    for number, (dx, dy, size) in enumerate(places):
        at = (item.x + dx * item.size, item.y + dy * item.size, 0.16 * item.size if number == 3 else 0.0)
        if number % 3 == 2:
            mesh = _carton(item.seed + number, round(size * item.size, 3))
            pose = Pose(at[0], at[1], number * 1.3, 0, 0)
            outline = paint_mesh(picture, optics, mesh, pose, light, in_sun, lamp)
        else:
            outline = paint_bag(picture, optics, at, size * item.size, item.seed + number, light, in_sun, lamp)
        if outline is not None:
            outlines.append(outline)
    return np.vstack(outlines) if outlines else None


def _leaves(
    picture: ByteArray, optics: Optics, item: Item, light: Light, in_sun: float, lamp: float
) -> FloatArray | None:
    rng = generator(item.seed, "leaves")
    factor = _lit(light, in_sun, lamp, 0.8)
    spread = rng.normal(0, 0.42, (70, 2)) * item.size
    points = np.column_stack([item.x + spread[:, 0], item.y + spread[:, 1], np.zeros(70)])
    pixels, depth = optics.project(points)
    if depth.min() < NEAR:
        return None
    tones: list[Colour] = [(40, 120, 170), (35, 90, 140), (50, 150, 190), (45, 80, 95), (60, 140, 120)]
    for index, pixel in enumerate(pixels):
        size = optics.scale(float(depth[index])) * 0.09
        turned = float(rng.uniform(0, 180))
        axes = (max(1, round(size * 8)), max(1, round(size * 4)))
        at = (round(float(pixel[0]) * 16), round(float(pixel[1]) * 16))
        colour = _tone(tones[index % len(tones)], factor)
        cv2.ellipse(picture, at, axes, turned, 0, 360, colour, -1, cv2.LINE_AA, 4)
    inner = np.abs(spread).max(axis=1) < 0.8 * item.size
    return np.asarray(pixels[inner])


def _shade(picture: ByteArray, optics: Optics, item: Item) -> FloatArray | None:
    """The shadow of something that is out of the picture."""
    rng = generator(item.seed, "shade")
    angles = np.linspace(0, math.tau, 11)[:-1]
    radius = item.size * (0.5 + rng.uniform(-0.12, 0.12, 10))
    ring = np.column_stack([item.x + radius * np.cos(angles), item.y + 1.6 * radius * np.sin(angles)])
    outline = optics.polygon(ring)
    if outline is not None:
        darken(picture, outline, 0.58, 2.0)
    return outline


def _flat_piece(
    picture: ByteArray, optics: Optics, item: Item, light: Light, in_sun: float, lamp: float
) -> FloatArray | None:
    """A bottle, a can, a food box, a cone: small solids."""
    rng = generator(item.seed, item.kind)
    factor = _lit(light, in_sun, lamp, 0.7)
    pixels, depth = optics.project(np.array([(item.x, item.y, 0.0)]))
    if depth[0] < NEAR:
        return None
    scale = optics.scale(float(depth[0])) * item.size
    turned = float(rng.uniform(-0.7, 0.7))
    sine, cosine = math.sin(turned), math.cos(turned)
    if item.kind == "cone":
        local = np.array([(-0.3, 0), (0.3, 0), (0.08, -1.0), (-0.08, -1.0)])
        outline = pixels[0] + local * scale
        fill(picture, outline, _tone((30, 80, 235), factor))
        band = pixels[0] + np.array([(-0.2, -0.45), (0.2, -0.45), (0.15, -0.65), (-0.15, -0.65)]) * scale
        fill(picture, band, _tone((235, 235, 235), factor))
        return np.asarray(outline)
    shapes = {
        "bottle": [(-0.5, -0.14), (0.22, -0.14), (0.5, -0.06), (0.5, 0.06), (0.22, 0.14), (-0.5, 0.14)],
        "can": [(-0.5, -0.28), (0.5, -0.28), (0.5, 0.28), (-0.5, 0.28)],
        "food": [(-0.5, -0.22), (0.5, -0.26), (0.42, 0.2), (-0.42, 0.24)],
    }
    paints: list[Colour] = [(225, 235, 220), (80, 170, 60), (200, 160, 60), (60, 60, 210), (235, 235, 238)]
    colour = paints[int(rng.integers(len(paints)))]
    local = np.array(shapes.get(item.kind, shapes["food"]))
    turn = np.array([(cosine, sine * 0.5), (-sine, cosine * 0.8)])
    outline = pixels[0] - np.array([0, 0.12 * scale]) + local @ turn * scale
    darken(picture, outline + np.array([0, 0.12 * scale]), 0.6, 1.0)
    fill(picture, outline, _tone(colour, factor))
    middle = outline.mean(axis=0)
    fill(picture, middle + (outline - middle) * 0.5, _tone(colour, factor, 0.72))
    return np.asarray(outline)


def paint_bin(
    picture: ByteArray, optics: Optics, bin: Bin, time: float, light: Light, in_sun: float, lamp: float
) -> FloatArray | None:
    """Draws a bin with what it holds; its outline in pixels [N, 2]."""
    mesh = bin_mesh(bin.seed)
    heading = (bin.seed % 50) / 50 - 0.5
    footprint = np.array([(bin.x + dx, bin.y + dy) for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))])
    ground = optics.polygon(footprint)
    if ground is not None:
        darken(picture, ground, 0.7, 1.5)
    outline = paint_mesh(picture, optics, mesh, Pose(bin.x, bin.y, heading, 0, 0), light, in_sun, lamp)
    if outline is None:
        return None
    level = bin.level(time)
    outlines = [outline]
    top = mesh.height
    for number, (dx, dy, size) in enumerate(_content(bin.seed)):
        if level < 0.75 + 0.09 * number:
            break
        up = top - 0.18 + min(0.42, 0.06 * number)
        bag = paint_bag(picture, optics, (bin.x + dx, bin.y + dy, up), size, bin.seed + number, light, in_sun, lamp)
        if bag is not None:
            outlines.append(bag)
    if level < 1.0:
        _lid(picture, optics, bin, heading, top, mesh, light, in_sun, lamp)
    return np.vstack(outlines)


def _lid(
    picture: ByteArray, optics: Optics, bin: Bin, heading: float, top: float, mesh: Mesh, light: Light, in_sun: float,
    lamp: float,
) -> None:  # fmt: skip
    w, d = mesh.width / 2 + 0.03, mesh.length / 2 + 0.03
    corners = np.array([(-w, -d, top), (w, -d, top), (w, d, top + 0.08), (-w, d, top + 0.08)])
    outline = optics.polygon(turn(corners, Pose(bin.x, bin.y, heading, 0, 0)))
    if outline is not None:
        colour: Colour = tuple(float(c) * 0.8 for c in mesh.colours[0])  # type: ignore[assignment]
        fill(picture, outline, _tone(colour, _lit(light, in_sun, lamp, 1.0)))
