"""One moment of a world as a picture with its truth."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray
from simulator.street import glare
from simulator.street.actors import Actor
from simulator.street.houses import signal_lamp
from simulator.street.light import Light
from simulator.street.motion import Pose
from simulator.street.paint import disc, fill, ground_shadow, paint_mesh, turn
from simulator.street.people import paint_person, skeleton
from simulator.street.place import Place
from simulator.street.stage import Lit, Sprite, Stage
from simulator.street.textures import fractal
from simulator.street.things import Bin, Item, paint_bin, paint_item
from simulator.street.truth import Drawn, moved, told, water_seen
from simulator.street.types import FloatArray, Picture
from simulator.street.water import Pool
from simulator.street.weather import coded, displaced, drops, faulty, rain, sense, shake
from simulator.street.world import Poster, World


class Renderer:
    """Draws a world; holds only what does not depend on the moment, and caches."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._stage = self._make_stage(world.place)
        self._moved: Stage | None = None
        self._pools: dict[int, tuple[Pool, ...]] = {}

    def _make_stage(self, place: Place) -> Stage:
        return Stage(place, self.world.effects.wet, bool(self.world.puddles), self.world.backdrop)

    def _stage_at(self, time: float) -> Stage:
        fault = self.world.fault
        if fault is None or fault.kind != "moved" or not fault.holds(time):
            return self._stage
        if self._moved is None:
            optics = self.world.place.optics
            side = 1 if fault.seed % 2 else -1
            turned = replace(optics, yaw=optics.yaw + side * 0.42 / optics.focal * 0.8, pitch=optics.pitch + 0.05)
            self._moved = self._make_stage(replace(self.world.place, optics=turned))
        return self._moved

    def _water(self, stage: Stage) -> tuple[Pool, ...]:
        key = id(stage)
        if key not in self._pools:
            mirrors = stage.reflectance() if self.world.puddles else stage.depth
            self._pools[key] = tuple(
                Pool(p, stage.x, stage.y, stage.depth, mirrors, self.world.effects) for p in self.world.puddles
            )
        return self._pools[key]

    def picture(self, time: float) -> Picture:
        """The world at `time`, s; the same pixels whatever was drawn before."""
        world, fault = self.world, self.world.fault
        if fault is not None and fault.kind == "frozen" and fault.holds(time):
            time = fault.start
        stage, light = self._stage_at(time), world.light(time)
        lit = stage.lit(light)
        image = lit.picture.copy()
        self._clouds(image, stage, light, time)
        drawn = self._things(stage, time)
        self._shadows(image, stage, light, lit, drawn, time)
        pools = self._water(stage)
        self._reflections(image, stage, light, lit, pools, drawn, time)
        if light.headlights:
            glare.cones(image, stage.optics, drawn, time)
        self._paint(image, stage, light, lit, drawn, time)
        self._signal(image, stage, time)
        water = water_seen(stage, pools, drawn, time)
        boxes, items, bins = told(stage, drawn, time)
        dx, dy = shake(world.effects, world.seed, time, stage.optics.size[0])
        image = self._through_the_lens(image, light, time, dx, dy)
        if fault is not None and fault.holds(time) and fault.kind not in {"frozen", "moved"}:
            image = sense(faulty(image, fault), replace(world.effects, drift=0.0), world.seed, time, 0.0)
            if fault.kind in {"black", "bright", "covered"}:
                return Picture(image, (), None if water is None else np.zeros_like(water), (), ())
        if dx or dy:
            width, height = stage.optics.size
            boxes = tuple(replace(b, box=moved(b.box, dx / width, dy / height)) for b in boxes)
            items = tuple(replace(i, box=moved(i.box, dx / width, dy / height)) for i in items)
            bins = tuple(replace(b, box=moved(b.box, dx / width, dy / height)) for b in bins)
        return Picture(image, boxes, water, items, bins)

    def _through_the_lens(self, image: ByteArray, light: Light, time: float, dx: float, dy: float) -> ByteArray:
        world = self.world
        bright = min(1.0, 0.25 + light.ambient[1])
        rain(image, world.effects, world.seed, time, bright)
        image = displaced(image, dx, dy)
        drops(image, world.effects, world.seed, time)
        image = sense(image, world.effects, world.seed, time, 1 - min(1.0, light.ambient[1] / 0.5))
        return coded(image, world.effects.jpeg)

    def _clouds(self, image: ByteArray, stage: Stage, light: Light, time: float) -> None:
        """Shadows of clouds that drift over everything."""
        depth = self.world.effects.clouds
        if depth <= 0 or not light.sunny:
            return
        noise = fractal(self.world.seed & 3, 4, 0.5, 2)
        height, width = image.shape[:2]
        small = (32, 18)
        x = cv2.resize(np.clip(stage.x, -70, 70), small, interpolation=cv2.INTER_AREA) / 90 * 512 + time * 28
        y = cv2.resize(np.clip(stage.y, -70, 70), small, interpolation=cv2.INTER_AREA) / 90 * 512 + time * 9
        field = cv2.remap(noise, np.mod(x, 512), np.mod(y, 512), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        shade = np.clip(1 - depth * np.clip(0.5 + 1.2 * field, 0, 1), 0, 1)
        large = cv2.resize((shade * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
        cv2.multiply(image, cv2.merge([large, large, large]), image, 1 / 255)

    def _things(self, stage: Stage, time: float) -> list[Drawn]:
        """Everything at this moment, far to near."""
        h = stage.optics.ground.tolist()
        width, height = stage.optics.size
        found: list[Drawn] = []

        def add(what: Actor | Item | Bin | Poster, x: float, y: float, pose: Pose | None, nearer: float = 0.0) -> None:
            depth = h[2][0] * x + h[2][1] * y + h[2][2]
            if depth > 0.5:
                u, v = h[0][0] * x + h[0][1] * y + h[0][2], h[1][0] * x + h[1][1] * y + h[1][2]
                at = (min(max(int(u / depth), 0), width - 1), min(max(int(v / depth), 0), height - 1))
                found.append(Drawn(what, depth - nearer, pose, at))

        for actor in self.world.cast(time):
            pose = actor.motion.at(time)
            if pose is not None:
                add(actor, pose.x, pose.y, pose)
        for item in self.world.items:
            if item.since <= time < item.until:
                add(item, item.x, item.y, None, -0.05)
        for bin in self.world.bins:
            add(bin, bin.x, bin.y, None)
        for poster in self.world.posters:
            add(poster, poster.x, poster.y, None)
        found.sort(key=lambda d: -d.depth)
        for one in found:
            if isinstance(one.what, Actor) and one.what.figure is not None and one.pose is not None:
                one.joints = skeleton(one.what.figure, one.pose, time, one.what.action)
        return found

    def _shadows(self, image: ByteArray, stage: Stage, light: Light, lit: Lit, drawn: list[Drawn], time: float) -> None:
        """Contact shadows, and those of the sun, of all actors at once."""
        height, width = image.shape[:2]
        half = (width // 2, height // 2)
        soft: NDArray[np.uint8] = np.zeros((half[1], half[0]), np.uint8)
        dark = 255 * (1 - _shadow_level(light))
        for one in drawn:
            if not isinstance(one.what, Actor) or one.pose is None:
                continue
            self._contact(soft, stage, one)
            if light.sunny:
                cast = ground_shadow(stage.optics, _body(one), light)
                if cast is not None:
                    fill(soft, cast / 2, dark * self._in_sun(lit, one))
        bx, by, bw, bh = cv2.boundingRect(soft)
        if bw == 0:
            return
        bx, by = max(0, bx - 4), max(0, by - 4)
        bw, bh = min(half[0] - bx, bw + 8), min(half[1] - by, bh + 8)
        soft = np.asarray(cv2.GaussianBlur(soft[by : by + bh, bx : bx + bw], (0, 0), max(0.7, width / 900)), np.uint8)
        part = image[2 * by : 2 * (by + bh), 2 * bx : 2 * (bx + bw)]
        keep = cv2.resize(cv2.bitwise_not(soft), (part.shape[1], part.shape[0]), interpolation=cv2.INTER_LINEAR)
        cv2.multiply(part, cv2.merge([keep, keep, keep]), part, 1 / 255)

    def _contact(self, soft: NDArray[np.uint8], stage: Stage, one: Drawn) -> None:
        """What touches the ground darkens it."""
        assert isinstance(one.what, Actor)
        assert one.pose is not None
        if one.what.mesh is not None:
            w, d = one.what.mesh.width / 2 + 0.08, one.what.mesh.length / 2 + 0.08
            ground = np.array([(-w, -d, 0), (w, -d, 0), (w, d, 0), (-w, d, 0)])
            outline = stage.optics.polygon(turn(ground, one.pose))
            if outline is not None:
                fill(soft, outline / 2, 150.0)
            return
        wide = 0.13 * stage.optics.scale(one.depth)
        axes = (max(1, round(8 * 1.3 * wide)), max(1, round(8 * 0.6 * wide)))
        cv2.ellipse(soft, (one.at[0] * 8, one.at[1] * 8), axes, 0, 0, 360, 105.0, -1, cv2.LINE_AA, 4)

    def _in_sun(self, lit: Lit, one: Drawn) -> float:
        return float(lit.sun[one.at[1], one.at[0]]) / 255

    def _reflections(
        self,
        image: ByteArray,
        stage: Stage,
        light: Light,
        lit: Lit,
        pools: tuple[Pool, ...],
        drawn: list[Drawn],
        time: float,
    ) -> None:
        if lit.mirror is None or not any(pool.cover(time) is not None for pool in pools):
            return
        mirror = lit.mirror
        pools = tuple(pool for pool in pools if pool.cover(time) is not None)
        near = [one for one in drawn if isinstance(one.what, Actor) and self._mirrored_in(stage, pools, one)]
        if near:
            mirror = np.empty_like(lit.mirror)
            for pool in pools:
                mirror[pool.seen] = lit.mirror[pool.seen]
            for one in near:
                self._paint_one(mirror, stage, light, lit, one, time, mirrored=True)
        for pool in pools:
            pool.paint(image, mirror, time, light)

    def _mirrored_in(self, stage: Stage, pools: tuple[Pool, ...], one: Drawn) -> bool:
        """Whether one of the puddles may show its reflection."""
        assert one.pose is not None
        foot, _ = stage.optics.project(np.array([(one.pose.x, one.pose.y, 0.0)]))
        u, v, reach = float(foot[0, 0]), float(foot[0, 1]), stage.optics.scale(one.depth)
        aside, below = 6.0 * reach, 3.6 * reach
        return any(
            pool.part[1].start - aside < u < pool.part[1].stop + aside
            and pool.part[0].start - below < v < pool.part[0].stop + aside
            for pool in pools
        )

    def _paint(self, image: ByteArray, stage: Stage, light: Light, lit: Lit, drawn: list[Drawn], time: float) -> None:
        sprites = list(stage.sprites)
        touched: list[tuple[float, float, float, float]] = []
        for one in drawn:
            while sprites and sprites[0].depth > one.depth:
                _put_back(image, lit.picture, sprites.pop(0), touched)
            one.outline = self._paint_one(image, stage, light, lit, one, time)
            if light.headlights and isinstance(one.what, Actor) and one.what.lights_on(time):
                assert one.pose is not None
                glare.glows(image, stage.optics, one.what, one.pose, light, self.world.effects.wet)
            if one.outline is not None:
                low, high = one.outline.min(axis=0), one.outline.max(axis=0)
                touched.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
        for sprite in sprites:
            _put_back(image, lit.picture, sprite, touched)
        if self.world.effects.wind > 0:
            self._sway(image, stage, time)

    def _sway(self, image: ByteArray, stage: Stage, time: float) -> None:
        """Trees in the wind."""
        for number, sprite in enumerate(stage.sprites):
            if not sprite.sways or sprite.mask.shape[1] < image.shape[1] // 24:
                continue
            height, width = sprite.mask.shape
            part = image[sprite.y : sprite.y + height, sprite.x : sprite.x + width]
            reach = self.world.effects.wind * 0.05 * width
            lean = math.sin(time * 1.9 + number) + 0.5 * math.sin(time * 4.3 + 2.1 * number)
            matrix = np.array([(1, -reach * lean / height, reach * lean), (0, 1, 0)], np.float64)
            moved = cv2.warpAffine(
                part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            where = cv2.warpAffine(sprite.mask, matrix, (width, height), flags=cv2.INTER_NEAREST)
            cv2.copyTo(moved, where, part)

    def _paint_one(
        self, image: ByteArray, stage: Stage, light: Light, lit: Lit, one: Drawn, time: float, mirrored: bool = False
    ) -> FloatArray | None:
        optics = stage.optics
        in_sun = self._in_sun(lit, one)
        lamp = float(stage.lamp[one.at[1], one.at[0]]) * light.lamps if light.lamps > 0 else 0.0
        what = one.what
        if isinstance(what, Actor):
            return _paint_actor(image, stage, one, what, time, light, in_sun, lamp, mirrored)
        if mirrored:
            return None
        if isinstance(what, Item):
            return paint_item(image, optics, what, light, in_sun, lamp)
        if isinstance(what, Bin):
            return paint_bin(image, optics, what, time, light, in_sun, lamp)
        if isinstance(what, Poster):
            return glare.paint_poster(image, optics, what, light, in_sun, lamp)
        return None

    def _signal(self, image: ByteArray, stage: Stage, time: float) -> None:
        if self.world.green is None or self.world.backdrop is not None:
            return
        for fixture in self.world.place.fixtures:
            if fixture.kind == "signal":
                pixel, radius, colour = signal_lamp(stage.optics, fixture, self.world.green(time))
                disc(image, pixel, radius, colour)


def _shadow_level(light: Light) -> float:
    """How bright ground in a shadow is against ground in the sun, 0..1."""
    sun = light.sun[1] * light.sun_to[2]
    return light.ambient[1] / (light.ambient[1] + sun)


def _body(one: Drawn) -> FloatArray:
    """Points [M, 3] of an actor whose shadow is its."""
    assert isinstance(one.what, Actor)
    assert one.pose is not None
    parts = [] if one.what.mesh is None else [turn(one.what.mesh.vertices, one.pose)]
    if one.joints is not None:
        parts += [one.joints, one.joints[2:3] + np.array([0, 0, 0.1])]
    return np.vstack(parts)


def _paint_actor(
    image: ByteArray,
    stage: Stage,
    one: Drawn,
    actor: Actor,
    time: float,
    light: Light,
    in_sun: float,
    lamp: float,
    mirrored: bool,
) -> FloatArray | None:
    pose, optics, outline = one.pose, stage.optics, None
    assert pose is not None
    if actor.mesh is not None:
        seen = light if actor.lights_on(time) else replace(light, headlights=False)
        outline = paint_mesh(image, optics, actor.mesh, pose, seen, in_sun, lamp, mirrored)
    if actor.figure is not None and one.joints is not None:
        person = paint_person(image, optics, actor.figure, one.joints, light, in_sun, lamp, actor.action, mirrored)
        if person is not None:
            outline = person if outline is None else np.vstack([outline, person])
    return outline


def _put_back(
    image: ByteArray, empty: ByteArray, sprite: Sprite, touched: list[tuple[float, float, float, float]]
) -> None:
    """A fixture before what was drawn so far: its pixels come back from the empty street."""
    height, width = sprite.mask.shape
    for x1, y1, x2, y2 in touched:
        ax, ay = max(sprite.x, math.floor(x1)), max(sprite.y, math.floor(y1))
        bx, by = min(sprite.x + width, math.ceil(x2)), min(sprite.y + height, math.ceil(y2))
        if bx > ax and by > ay:
            mask = sprite.mask[ay - sprite.y : by - sprite.y, ax - sprite.x : bx - sprite.x]
            cv2.copyTo(empty[ay:by, ax:bx], mask, image[ay:by, ax:bx])
