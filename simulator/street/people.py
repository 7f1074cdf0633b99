"""People: a skeleton of a dozen limbs in metres that walks, stands, rides or bends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from contracts.vision import ByteArray
from simulator.street.hashing import generator, unit
from simulator.street.light import Light
from simulator.street.motion import Pose
from simulator.street.optics import NEAR, Optics
from simulator.street.paint import disc, fill, limb, turn
from simulator.street.types import Colour, FloatArray

_SKIN: tuple[Colour, ...] = ((150, 180, 225), (120, 155, 205), (90, 125, 180), (60, 85, 130))

_DOME = tuple((math.cos(a * math.pi / 8), math.sin(a * math.pi / 8)) for a in range(9))
"""Outline of an umbrella."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How somebody looks.

    Attributes:
        height: m.
        top, legs, skin, hair: colours.
        skirt: a skirt or long coat instead of two legs.
        umbrella: None, or its colour.
        seed: of the gait and of how they shift while standing.
    """

    height: float
    top: Colour
    legs: Colour
    skin: Colour
    hair: Colour
    skirt: bool
    umbrella: Colour | None
    seed: int


def some_figure(seed: int, umbrellas: bool = False) -> Figure:
    """Somebody, by chance."""
    rng = generator(seed, "figure")
    bright = rng.random() < 0.45
    top = rng.uniform(30, 235, 3) if bright else np.full(3, rng.uniform(25, 230)) + rng.uniform(-12, 12, 3)
    legs = np.full(3, rng.uniform(20, 110)) + np.array([rng.uniform(0, 45), 0, 0])
    if rng.random() < 0.15:
        legs = rng.uniform(120, 215, 3)
    hair = (25.0, 25.0, 28.0) if rng.random() < 0.8 else (170.0, 170.0, 172.0)
    umbrella = None
    if umbrellas and rng.random() < 0.6:
        shade = rng.uniform(20, 220, 3)
        umbrella = (float(shade[0]), float(shade[1]), float(shade[2]))
    return Figure(
        float(rng.choice([rng.uniform(1.55, 1.86), rng.uniform(1.15, 1.4)], p=[0.93, 0.07])),
        _colour(np.clip(top, 8, 245)),
        _colour(np.clip(legs, 8, 245)),
        _SKIN[int(rng.integers(len(_SKIN)))],
        hair,
        bool(rng.random() < 0.18),
        umbrella,
        seed,
    )


def _colour(values: FloatArray) -> Colour:
    return (float(values[0]), float(values[1]), float(values[2]))


def skeleton(figure: Figure, pose: Pose, time: float, action: str) -> FloatArray:
    """World joints float64 [13, 3]: hip, neck, head, then knee, foot, elbow, hand left and right, shoulders."""
    h = figure.height
    phase = pose.gone / (0.42 * h) * math.pi if pose.speed > 0.1 else 0.0
    swing = 0.24 * h * min(1.0, pose.speed / 1.2) if action != "ride" else 0.0
    own = unit(figure.seed, "phase") * math.tau
    shift = 0.035 * math.sin(time * 0.55 + own) + 0.02 * math.sin(time * 1.7 + 2 * own)
    if pose.speed > 0.1 or action == "ride":
        shift = 0.0
    lean = {"bend": 0.42 * h, "ride": 0.12 * h}.get(action, 0.02 * h)
    sit = 0.06 * h if action == "ride" else 0.0
    hip = (shift, 0.0, 0.50 * h + sit - (0.08 * h if action == "bend" else 0))
    neck = (shift * 1.6, lean, hip[2] + (0.33 * h if action != "bend" else 0.14 * h))
    head = (shift * 1.8, lean * 1.25, neck[2] + (0.10 * h if action != "bend" else 0.02 * h))
    joints = [hip, neck, head]
    for side in (-1.0, 1.0):
        step = math.sin(phase + (0 if side < 0 else math.pi)) * swing
        if action == "ride":
            turned = time * 6.0 + (0 if side < 0 else math.pi)
            joints += [(side * 0.08, 0.22, 0.52 * h), (side * 0.08, 0.05 + 0.12 * math.sin(turned), 0.22 * h)]
        else:
            lift = max(0.0, math.cos(phase + (0 if side < 0 else math.pi))) * 0.06 * h if swing else 0.0
            joints += [(side * 0.055 * h, 0.55 * step + 0.02, 0.27 * h + lift), (side * 0.06 * h, step, 0.03 + lift)]
    fidget = 0.05 * math.sin(time * 0.9 + 3 * own)
    for side in (-1.0, 1.0):
        step = -math.sin(phase + (0 if side < 0 else math.pi)) * swing * 0.8
        if action == "ride":
            joints += [(side * 0.15 * h, 0.22, 0.72 * h), (side * 0.14 * h, 0.42, 0.60 * h)]
        elif action == "bend":
            joints += [(side * 0.10 * h, lean + 0.1, 0.36 * h), (side * 0.06 * h, lean + 0.18, 0.14 * h)]
        else:
            hand = 0.48 * h if unit(figure.seed, "arm", int(side)) < 0.8 or pose.speed > 0.1 else 0.72 * h
            reach = step + (0.16 * h if hand > 0.6 * h else 0.03) + fidget
            joints += [(side * 0.135 * h, 0.4 * step, 0.63 * h), (side * 0.125 * h, reach, hand)]
    for side in (-1.0, 1.0):
        joints.append((neck[0] + side * 0.115 * h, neck[1], neck[2] - 0.025 * h))
    return turn(np.array(joints), pose)


def paint_person(
    picture: ByteArray,
    optics: Optics,
    figure: Figure,
    joints: FloatArray,
    light: Light,
    in_sun: float,
    lamp: float,
    action: str = "walk",
    mirrored: bool = False,
) -> FloatArray | None:
    """Draws somebody by their `skeleton`; the outline's corners in pixels [N, 2], None when not before the camera."""
    if mirrored:
        joints = joints * (1, 1, -1)
    pixels, depth = optics.project(joints)
    if depth.min() < NEAR:
        return None
    unit_m = optics.scale(float(depth[0])) * figure.height
    radius = 0.062 * unit_m
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    outline = np.array(
        [
            (low[0] - 0.03 * unit_m, low[1] - radius),
            (high[0] + 0.03 * unit_m, low[1] - radius),
            (high[0] + 0.03 * unit_m, high[1] + 0.015 * unit_m),
            (low[0] - 0.03 * unit_m, high[1] + 0.015 * unit_m),
        ]
    )
    width, height = optics.size
    if high[0] < -20 or high[1] < -20 or low[0] > width + 20 or low[1] > height + 20:
        return outline
    factor = np.asarray(light.ambient) * 0.86 + lamp * np.array([0.5, 0.72, 0.86]) * 0.85
    sunlit = factor + np.asarray(light.sun) * in_sun * 0.55

    def lit(colour: Colour, share: float = 1.0) -> list[float]:
        shade = factor + (sunlit - factor) * share
        return [min(255.0, c * s) for c, s in zip(colour, shade.tolist(), strict=True)]

    at = [(float(u), float(v)) for u, v in pixels.tolist()]
    hip, neck, head = at[:3]
    legs, dark_legs, top, dark_top = lit(figure.legs), lit(figure.legs, 0.3), lit(figure.top), lit(figure.top, 0.3)
    skin, shoes = lit(figure.skin), lit((30, 30, 32))
    # The side away from the camera first.
    far_side = 0 if depth[7] > depth[9] else 1
    for side in (far_side, 1 - far_side):
        knee, foot, elbow, hand = at[3 + 2 * side], at[4 + 2 * side], at[7 + 2 * side], at[8 + 2 * side]
        tone = dark_legs if side == far_side else legs
        if not figure.skirt or action == "ride":
            limb(picture, hip, knee, 0.095 * unit_m, 0.075 * unit_m, tone)
            limb(picture, knee, foot, 0.072 * unit_m, 0.05 * unit_m, tone)
        else:
            limb(picture, knee, foot, 0.05 * unit_m, 0.04 * unit_m, skin)
        disc(picture, foot, 0.03 * unit_m, shoes)
        if side == far_side:
            limb(picture, at[11 + side], elbow, 0.055 * unit_m, 0.05 * unit_m, dark_top)
            limb(picture, elbow, hand, 0.048 * unit_m, 0.035 * unit_m, skin)
    if figure.skirt and action != "ride":
        hem = ((at[3][0] + at[5][0]) / 2, (at[3][1] + at[5][1]) / 2)
        limb(picture, hip, hem, 0.15 * unit_m, 0.21 * unit_m, top)
    across = max(0.13, math.hypot(at[11][0] - at[12][0], at[11][1] - at[12][1]) / unit_m)
    limb(picture, neck, hip, across * unit_m, 0.86 * across * unit_m, top)
    near = 1 - far_side
    limb(picture, at[11 + near], at[7 + 2 * near], 0.06 * unit_m, 0.052 * unit_m, top)
    limb(picture, at[7 + 2 * near], at[8 + 2 * near], 0.048 * unit_m, 0.038 * unit_m, skin)
    up = 1.0 if mirrored else -1.0
    disc(picture, head, radius, skin)
    disc(picture, (head[0], head[1] + up * 0.25 * radius), radius * 0.92, lit(figure.hair))
    if figure.umbrella is not None and action == "walk":
        dome = np.array([(0.30 * c, up * (0.14 + 0.13 * max(0.0, k))) for c, k in _DOME]) * unit_m + pixels[2]
        fill(picture, dome, tuple(lit(figure.umbrella)))
        outline = np.vstack([outline, dome])
    return outline
