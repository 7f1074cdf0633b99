"""The empty street: painted once, lit anew when the light has changed."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray
from simulator.street.hashing import unit
from simulator.street.houses import GROUND, SKY, UPRIGHT, WALL_X, WALL_Y, Canvas, paint_fixture, paint_houses, soften
from simulator.street.light import LAMP, Light
from simulator.street.optics import NEAR
from simulator.street.paint import fill, ground_shadow
from simulator.street.place import Place
from simulator.street.textures import fractal, on_ground
from simulator.street.types import FloatArray

Float32Array = NDArray[np.float32]
_KEPT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A fixture that may stand before an actor: its part of the picture, outline and depth."""

    x: int
    y: int
    mask: ByteArray
    depth: float
    sways: bool


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """The empty street under one light.

    Attributes:
        picture: uint8 [H, W, 3].
        sun: uint8 [H, W]: 255 where the sun reaches the ground.
        mirror: uint8 [H, W, 3]: what a mirror on the ground would show; None where nothing is wet.
    """

    picture: ByteArray
    sun: ByteArray
    mirror: ByteArray | None


class Stage:
    """A place as the camera sees it without anybody.

    Args:
        wet: how wet the ground is, 0..1: darker, and it reflects.
        mirrors: keep a mirrored picture (for puddles).
        backdrop: a real picture uint8 [H, W, 3] instead of the painted one.
    """

    def __init__(self, place: Place, wet: float, mirrors: bool, backdrop: ByteArray | None) -> None:
        self.place = place
        self.optics = place.optics
        self.wet = wet
        self._shift = 900 * unit(place.seed, "shift")
        x, y, depth = self.optics.ground_maps()
        self.x, self.y, self.depth = (np.asarray(m, np.float32) for m in (x, y, depth))
        self.sprites: tuple[Sprite, ...] = ()
        self.backdrop = backdrop
        self._lit: OrderedDict[tuple[Light, float], Lit] = OrderedDict()
        self._mirror: Canvas | None = None
        if mirrors or wet > 0:
            self._mirror = self._standing(Canvas(self.optics, mirrored=True), sprites=False)
        self._canvas = self._paint()

    def _paint(self) -> Canvas:
        canvas = Canvas(self.optics)
        canvas.surface[self.depth > 0] = GROUND
        for shape in self.place.shapes:
            self._paint_shape(canvas, np.asarray(shape.corners), shape.colour, shape.wear, shape.rough)
        self._roughen(canvas)
        self._haze(canvas)
        canvas.colour[self.depth <= 0] = 0
        return self._standing(canvas, sprites=True)

    def _standing(self, canvas: Canvas, sprites: bool) -> Canvas:
        paint_houses(canvas, self.place.houses)
        camera = self.optics.position
        fixtures = sorted(self.place.fixtures, key=lambda f: -math.hypot(f.x - camera[0], f.y - camera[1]))
        found = []
        for fixture in fixtures:
            mask = np.zeros(canvas.surface.shape, np.uint8) if sprites else None
            paint_fixture(canvas, fixture, mask)
            if mask is None or not mask.any():
                continue
            bx, by, bw, bh = cv2.boundingRect(mask)
            _, depth = self.optics.project(np.array([[fixture.x, fixture.y, 0.0]]))
            cut = np.ascontiguousarray(mask[by : by + bh, bx : bx + bw])
            found.append(Sprite(bx, by, cut, float(depth[0]), fixture.kind == "tree"))
        if sprites:
            self.sprites = tuple(sorted(found, key=lambda s: -s.depth))
        return canvas

    def _paint_shape(
        self, canvas: Canvas, corners: FloatArray, colour: tuple[float, ...], wear: float, rough: float
    ) -> None:
        pixels = self.optics.polygon(corners)
        if pixels is None:
            return
        mask = np.zeros(canvas.surface.shape, np.uint8)
        fill(mask, pixels, 255.0)
        bx, by, bw, bh = cv2.boundingRect(mask)
        if bw == 0:
            return
        part = (slice(by, by + bh), slice(bx, bx + bw))
        alpha = mask[part].astype(np.float32)[..., None] / 255
        if wear > 0:
            worn = on_ground(fractal(self.place.seed & 3, 5), self.x[part], self.y[part], 5.0, self._shift)
            alpha *= np.clip(1.15 - wear - 0.35 * wear * worn, 0.1, 1.0)[..., None]
        tone = np.asarray(colour, np.float32)
        old = canvas.colour[part].astype(np.float32)
        canvas.colour[part] = np.clip(old + (tone - old) * alpha + 0.5, 0, 255).astype(np.uint8)

    def _roughen(self, canvas: Canvas) -> None:
        """Texture of the ground: stains, grain, wheel tracks; finer parts fade with distance."""
        seed, shift = self.place.seed & 3, self._shift
        ground = self.depth > 0
        span = np.where(ground, self.depth, 1e3) ** 2 / (
            self.optics.focal * self.optics.size[0] * self.optics.position[2]
        )
        stains = on_ground(fractal(seed, 5, 0.55), self.x, self.y, 23.0, shift)
        middle = on_ground(fractal(seed, 6, 0.8), self.x, self.y, 6.0, shift)
        fine = on_ground(fractal(seed, 3, 1.0, 64), self.x, self.y, 4.0, shift)
        factor = 1 + 0.055 * stains + 0.05 * middle / (1 + span / 0.15) + 0.05 * fine / (1 + span / 0.03)
        tracks = np.zeros_like(factor)
        for lane in self.place.lanes:
            for side in (-0.8, 0.8):
                tracks += np.exp(-(((self.x - lane.x - side) / 0.32) ** 2))
        on_road = (self.x > self.place.left) & (self.x < self.place.kerb)
        factor -= 0.06 * np.clip(tracks, 0, 1) * on_road
        canvas.colour[:] = np.clip(canvas.colour * np.where(ground, factor, 1.0)[..., None], 0, 255).astype(np.uint8)

    def _haze(self, canvas: Canvas) -> None:
        far = np.clip((self.depth - 60) / 250, 0, 0.75)[..., None]
        canvas.colour[:] = (canvas.colour * (1 - far) + 175 * far).astype(np.uint8)

    @cached_property
    def lamp(self) -> Float32Array:
        """Light of all street lamps on the ground, float32 [H, W], 1 right under one."""
        total = np.zeros(self.depth.shape, np.float32)
        for fixture in self.place.fixtures:
            if fixture.kind != "lamp":
                continue
            x = fixture.x + (-1.6 if fixture.x > 0 else 1.6)
            away = (self.x - x) ** 2 + (self.y - fixture.y) ** 2
            total += 0.9 / (1.0 + away / (0.75 * fixture.size) ** 2) ** 1.5
        return np.asarray(np.minimum(total, 1.1), np.float32)

    def lit(self, light: Light, clouds: float = 0.0) -> Lit:
        """The empty street under this light; the last few are kept."""
        key = (light, clouds)
        found = self._lit.get(key)
        if found is None:
            found = self._light(light)
            self._lit[key] = found
            while len(self._lit) > _KEPT:
                self._lit.popitem(last=False)
        else:
            self._lit.move_to_end(key)
        return found

    def _light(self, light: Light) -> Lit:
        shadow = self._sunlit(light)
        if self.backdrop is not None:
            return Lit(self.backdrop, np.full_like(shadow, 255), self._lit_mirror(light))
        picture = self._illuminate(self._canvas, light, shadow)
        mirror = self._lit_mirror(light)
        if self.wet > 0 and mirror is not None:
            picture = self._wet(picture, mirror)
        return Lit(picture, shadow, mirror)

    def _illuminate(self, canvas: Canvas, light: Light, shadow: ByteArray) -> ByteArray:
        sides = light.sun_to[0] * math.copysign(1, self.optics.position[0])
        strength = np.zeros(256, np.float32)
        strength[GROUND] = light.sun_to[2]
        strength[WALL_X] = max(0.0, sides) + 0.25
        strength[WALL_Y] = max(0.0, -light.sun_to[1])
        strength[UPRIGHT] = 0.6
        sun = strength[canvas.surface] * (shadow.astype(np.float32) / 255)
        lamp = np.where(canvas.surface == GROUND, self.lamp, 0.22) * light.lamps if light.lamps > 0 else np.zeros(1)
        factor = np.empty((*sun.shape, 3), np.float32)
        for channel in range(3):
            factor[..., channel] = light.ambient[channel] + sun * light.sun[channel] + lamp * LAMP[channel]
        picture = canvas.colour * factor + canvas.glow * np.float32(0.9 * light.lamps)
        sky = canvas.surface == SKY
        if sky.any():
            picture[sky] = self._sky(light)[sky]
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _sky(self, light: Light) -> Float32Array:
        width, height = self.optics.size
        horizon = height / 2 - math.tan(self.optics.pitch) * self.optics.focal * width
        up = np.clip(np.abs(horizon - np.arange(height)) / (0.6 * height), 0, 1)[:, None, None]
        low, top = np.asarray(light.sky[1]), np.asarray(light.sky[0])
        cloud = fractal(self.place.seed & 3, 6, 0.55, 2)
        clouds = cv2.resize(cloud[: height // 2 or 1, :], (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
        white = np.clip(0.35 * clouds - 0.05, 0, 0.5)
        base = low + (top - low) * up
        return np.asarray(base + (np.minimum(low * 1.06, 255) - base) * white, np.float32)

    def _lit_mirror(self, light: Light) -> ByteArray | None:
        if self._mirror is None:
            return None
        picture = self._illuminate(self._mirror, light, np.full(self.depth.shape, 200, np.uint8))
        return np.asarray(picture, np.uint8)

    def reflectance(self) -> Float32Array:
        """How much a water surface at each pixel mirrors, float32 [H, W]: more at a flat angle."""
        height = self.optics.position[2]
        away = np.sqrt((self.x - self.optics.position[0]) ** 2 + (self.y - self.optics.position[1]) ** 2)
        sine = height / np.sqrt(height**2 + np.minimum(away, 1e3) ** 2)
        return np.asarray(0.10 + 0.85 * (1 - sine) ** 2.2, np.float32)

    def _wet(self, picture: ByteArray, mirror: ByteArray) -> ByteArray:
        """Wet ground: darker, with a blurred and patchy reflection."""
        paved = (self.x > self.place.left - 5) & (self.x < self.place.kerb + self.place.pavement)
        road = ((self._canvas.surface == GROUND) & paved).astype(np.float32)
        patch = on_ground(fractal(self.place.seed & 3, 5), self.x, self.y, 9.0, self._shift)
        sheen = np.clip(0.55 + 0.25 * patch, 0.15, 1.0) * self.reflectance() * self.wet * road * 0.75
        tall = max(3, self.optics.size[1] // 18) | 1
        soft = cv2.blur(cv2.GaussianBlur(mirror, (0, 0), 1.5), (3, tall)).astype(np.float32)
        dark = picture * (1 - 0.42 * self.wet * road)[..., None]
        return np.asarray(np.clip(dark + (soft - dark) * sheen[..., None], 0, 255), np.uint8)

    def _sunlit(self, light: Light) -> ByteArray:
        """255 where the sun reaches, uint8 [H, W]."""
        mask = np.full(self.depth.shape, 255, np.uint8)
        if not light.sunny:
            return mask
        for house in self.place.houses:
            (x1, y1), (x2, y2), z = house.low, house.high, house.height
            corners = np.array([(x, y, h) for x in (x1, x2) for y in (y1, y2) for h in (0.0, z)])
            outline = ground_shadow(self.optics, corners, light)
            if outline is not None:
                fill(mask, outline, 0.0, smooth=False)
        walls = (self._canvas.surface == WALL_X) | (self._canvas.surface == WALL_Y)
        mask[walls] = 220
        self._tree_shadows(mask, light)
        for fixture in self.place.fixtures:
            if fixture.kind in {"lamp", "sign", "signal"}:
                stem = np.array([(fixture.x + d, fixture.y, h) for d in (-0.06, 0.06) for h in (0.0, fixture.size)])
                outline = ground_shadow(self.optics, stem, light)
                if outline is not None:
                    fill(mask, outline, 0.0)
        return soften(mask, self.optics.size[0] / 640)

    @cached_property
    def _crowns(self) -> FloatArray:
        """Rings around the leaves of all trees, float64 [N, 8, 3], m."""
        rings = []
        angles = np.arange(8) * (math.tau / 8)
        circle = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(8)])
        for tree in self.place.fixtures:
            if tree.kind != "tree":
                continue
            rng = np.random.Generator(np.random.PCG64(tree.seed))
            wide = tree.size * 0.33
            for _ in range(16):
                angle, out, up = rng.uniform(0, math.tau), math.sqrt(rng.random()), rng.uniform(-0.8, 0.8)
                middle = (wide * out * math.cos(angle), wide * out * math.sin(angle), tree.size * 0.72 + wide * up)
                rings.append(circle * (0.3 * wide) + np.array(middle) + np.array([tree.x, tree.y, 0.0]))
        return np.array(rings).reshape(-1, 8, 3)

    def _tree_shadows(self, mask: ByteArray, light: Light) -> None:
        rings = self._crowns
        x, y, z = light.sun_to
        feet = rings[..., :2] - rings[..., 2:3] / max(z, 0.12) * np.array([x, y])
        ground = self.optics.ground
        homogeneous = feet @ ground[:, :2].T + ground[:, 2]
        depth = homogeneous[..., 2]
        for ring, near in zip(homogeneous, depth.min(axis=1).tolist(), strict=True):
            if near > NEAR:
                fill(mask, ring[:, :2] / ring[:, 2:3], 0.0)
