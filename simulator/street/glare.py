"""Light of headlights at night, and posters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from contracts.vision import ByteArray
from simulator.street.actors import Actor
from simulator.street.light import Light
from simulator.street.motion import Pose
from simulator.street.optics import NEAR, Optics
from simulator.street.paint import fill, fixed, turn
from simulator.street.people import paint_person, skeleton, some_figure
from simulator.street.types import FloatArray

if TYPE_CHECKING:
    from simulator.street.truth import Drawn
    from simulator.street.world import Poster

_QUARTER = 4


def cones(image: ByteArray, optics: Optics, drawn: Sequence[Drawn], time: float) -> None:
    """Light on the ground in front of vehicles, in place: what is there gets brighter."""
    height, width = image.shape[:2]
    field = np.zeros((height // _QUARTER, width // _QUARTER), np.uint8)
    burning = [
        (one.what.mesh.length / 2, one.pose)
        for one in drawn
        if isinstance(one.what, Actor)
        and one.what.mesh is not None
        and one.pose is not None
        and one.what.lights_on(time)
    ]
    for reach, spread, strength in ((15.0, 2.8, 34.0), (9.0, 1.9, 74.0), (4.5, 1.2, 114.0)):
        for front, pose in burning:
            local = np.array(
                [(-0.6, front, 0), (0.6, front, 0), (spread, front + reach, 0), (-spread, front + reach, 0)]
            )
            outline = optics.polygon(turn(local, pose))
            if outline is not None:
                cv2.fillConvexPoly(field, fixed(outline / _QUARTER), strength, cv2.LINE_AA, 4)
    bx, by, bw, bh = cv2.boundingRect(field)
    if bw == 0:
        return
    bx, by = max(0, bx - 4), max(0, by - 4)
    bw, bh = min(field.shape[1] - bx, bw + 8), min(field.shape[0] - by, bh + 8)
    soft = cv2.GaussianBlur(field[by : by + bh, bx : bx + bw], (0, 0), 2.2)
    part = image[_QUARTER * by : _QUARTER * (by + bh), _QUARTER * bx : _QUARTER * (bx + bw)]
    large = cv2.resize(soft, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_LINEAR)
    # At night the picture itself is a dark version of what the light meets.
    tinted = cv2.merge([cv2.convertScaleAbs(large, alpha=a) for a in (0.80, 0.95, 1.0)])
    extra = cv2.multiply(part, tinted, scale=1.9 / 110)
    cv2.add(part, cv2.scaleAdd(tinted, 0.10, extra), part)


def glows(image: ByteArray, optics: Optics, actor: Actor, pose: Pose, light: Light, wet: float) -> None:
    """Glare around a vehicle's lamps, and their streaks on a wet road, in place."""
    if actor.mesh is None or len(actor.mesh.lights) == 0:
        return
    dark = 1 - min(1.0, light.ambient[1] / 0.5)
    lamps = actor.mesh.lights
    world = turn(lamps[:, :3], pose)
    pixels, depth = optics.project(world)
    for index in range(len(lamps)):
        if depth[index] < NEAR:
            continue
        head = lamps[index, 3] > 0
        facing = pose.heading if head else pose.heading + math.pi
        to_x, to_y = optics.position[0] - world[index, 0], optics.position[1] - world[index, 1]
        straight = (math.sin(facing) * to_x + math.cos(facing) * to_y) / max(math.hypot(to_x, to_y), 0.1)
        if straight <= 0.05:
            continue
        size = optics.scale(float(depth[index])) * (0.8 if head else 0.4) * (0.5 + 0.5 * straight)
        tint = (215.0, 235.0, 245.0) if head else (40.0, 30.0, 200.0)
        _add_glow(image, pixels[index], size, size, tint, dark * straight)
        if wet > 0.1:
            ground, _ = optics.project(world[index : index + 1] * (1, 1, -1.6))
            _add_glow(image, ground[0], size * 0.7, size * 3.0, tint, 0.55 * wet * dark * straight)


@lru_cache(maxsize=64)
def _glow_tile(wide: int, tall: int) -> FloatArray:
    v, u = np.mgrid[:tall, :wide]
    away = np.sqrt(((u - wide / 2 + 0.5) / (wide / 2)) ** 2 + ((v - tall / 2 + 0.5) / (tall / 2)) ** 2)
    return np.asarray((np.clip(1 - away, 0, 1) ** 2.6)[..., None].astype(np.float32))


def _add_glow(
    image: ByteArray,
    centre: FloatArray,
    half_w: float,
    half_h: float,
    tint: tuple[float, float, float],
    strength: float,
) -> None:
    wide, tall = 2 * max(2, min(80, round(half_w))), 2 * max(2, min(120, round(half_h)))
    height, width = image.shape[:2]
    x, y = int(centre[0]) - wide // 2, int(centre[1]) - tall // 2
    ax, ay, bx, by = max(0, x), max(0, y), min(width, x + wide), min(height, y + tall)
    if bx <= ax or by <= ay:
        return
    tile = _glow_tile(wide, tall)[ay - y : by - y, ax - x : bx - x]
    part = image[ay:by, ax:bx]
    part[:] = np.minimum(part + tile * (np.asarray(tint, np.float32) * np.float32(1.1 * strength)), 255).astype(
        np.uint8
    )


def paint_poster(
    image: ByteArray, optics: Optics, poster: Poster, light: Light, in_sun: float, lamp: float
) -> FloatArray | None:
    """A board that faces the camera's side of the square, with somebody pictured on it."""
    camera = optics.position
    heading = math.atan2(camera[0] - poster.x, camera[1] - poster.y)
    pose = Pose(poster.x, poster.y, heading, 0, 0)
    board = np.array([(-0.62, 0, 0.15), (0.62, 0, 0.15), (0.62, 0, 2.15), (-0.62, 0, 2.15)])
    inner = np.array([(-0.56, 0.02, 0.21), (0.56, 0.02, 0.21), (0.56, 0.02, 2.09), (-0.56, 0.02, 2.09)])
    outline = optics.polygon(turn(board, pose))
    inside = optics.polygon(turn(inner, pose))
    if outline is None or inside is None:
        return None
    tone = np.asarray(light.ambient) + lamp * np.array([0.5, 0.72, 0.86]) + 0.4 * in_sun * np.asarray(light.sun)
    fill(image, outline, tuple(np.minimum(255, 70 * tone).tolist()))
    paper = np.array([(170.0, 215.0, 225.0), (215.0, 190.0, 150.0), (190.0, 200.0, 235.0)][poster.seed % 3])
    fill(image, inside, tuple(np.minimum(255, paper * tone).tolist()))
    figure = some_figure(poster.seed)
    step = 0.06
    at = Pose(poster.x + step * math.sin(heading), poster.y + step * math.cos(heading), heading, 0, 0)
    paint_person(image, optics, figure, skeleton(figure, at, 0.0, "walk"), light, in_sun, lamp)
    return outline
