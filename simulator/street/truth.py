"""What a picture is known to hold, from what was drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray, ObjectClass
from simulator.street.actors import Actor
from simulator.street.motion import Pose
from simulator.street.paint import fixed
from simulator.street.stage import Sprite, Stage
from simulator.street.things import Bin, Item
from simulator.street.types import Box, FloatArray, TruthBin, TruthBox, TruthItem
from simulator.street.water import Pool
from simulator.street.world import Poster

_LABEL = 4
"""What hides what is kept at a quarter of the picture's size."""


@dataclass(slots=True, eq=False)
class Drawn:
    """Something that was drawn, with its outline [N, 2] in pixels."""

    what: Actor | Item | Bin | Poster | Sprite
    depth: float
    pose: Pose | None
    at: tuple[int, int]
    """The pixel (column, row) where it stands, inside the picture."""
    joints: FloatArray | None = None
    outline: FloatArray | None = None


def water_seen(stage: Stage, pools: tuple[Pool, ...], drawn: list[Drawn], time: float) -> NDArray[np.bool_] | None:
    """Standing water that nobody stands before, bool [H/4, W/4]; None for a street without puddles."""
    if not pools:
        return None
    width, height = stage.optics.size
    whole = np.zeros((height, width), np.uint8)
    for pool in pools:
        cover = pool.cover(time)
        if cover is not None:
            whole[pool.part] = np.maximum(whole[pool.part], (cover > 0.5).astype(np.uint8))
    for one in drawn:
        if isinstance(one.what, Actor) and one.outline is not None:
            shown = one.what.mesh is not None
            hull = cv2.convexHull(one.outline.astype(np.float32))[:, 0]
            middle = hull.mean(axis=0)
            cv2.fillConvexPoly(
                whole,
                fixed(np.asarray(hull if shown else middle + (hull - middle) * (0.6, 1.0), np.float64)),
                0,
                cv2.LINE_8,
                4,
            )
    return np.asarray(whole[2::_LABEL, 2::_LABEL][: height // _LABEL, : width // _LABEL] > 0)


def told(
    stage: Stage, drawn: list[Drawn], time: float
) -> tuple[tuple[TruthBox, ...], tuple[TruthItem, ...], tuple[TruthBin, ...]]:
    """Boxes, things on the ground and bins that were drawn, far to near."""
    width, height = stage.optics.size
    labels = np.zeros((height // _LABEL, width // _LABEL), np.uint8)
    areas: list[float] = []
    kept: list[tuple[Drawn, Box]] = []
    sprites = list(stage.sprites)
    for one in drawn:
        while sprites and sprites[0].depth > one.depth:
            _hide(labels, sprites.pop(0))
        if one.outline is None:
            continue
        box = _box(one.outline, width, height)
        if box is None:
            continue
        hull = cv2.convexHull(one.outline.astype(np.float32))[:, 0]
        small = fixed(hull / _LABEL)
        kept.append((one, box))
        areas.append(max(1.0, abs(float(cv2.contourArea(hull))) / _LABEL**2))
        cv2.fillConvexPoly(labels, small, min(len(kept), 255), cv2.LINE_8, 4)
    for sprite in sprites:
        _hide(labels, sprite)
    shown = np.bincount(labels.ravel(), minlength=257)
    boxes, items, bins = [], [], []
    for index, (one, box) in enumerate(kept):
        what = one.what
        if isinstance(what, Actor) and what.object_class is not None:
            # Rasterising a small outline counts its border too: never more than all of it.
            visible = min(1.0, float(shown[index + 1]) / areas[index]) if index < 254 else 1.0
            boxes += _actor_boxes(what, box, visible)
        elif isinstance(what, Item):
            items.append(TruthItem(what.id, box, what.since, what.is_attended(time), what.kind))
        elif isinstance(what, Bin):
            bins.append(TruthBin(what.zone, box, what.level(time) > 1.0))
    return tuple(boxes), tuple(items), tuple(bins)


def _actor_boxes(actor: Actor, box: Box, visible: float) -> list[TruthBox]:
    assert actor.object_class is not None
    if actor.mesh is not None and actor.figure is not None:
        x1, y1, x2, y2 = box
        rider = TruthBox(actor.id + 1_000_000, ObjectClass.PERSON, (x1, y1, x2, y2 - 0.2 * (y2 - y1)), visible)
        return [TruthBox(actor.id, actor.object_class, (x1, y1 + 0.35 * (y2 - y1), x2, y2), visible), rider]
    return [TruthBox(actor.id, actor.object_class, box, visible)]


def _box(outline: FloatArray, width: int, height: int) -> Box | None:
    low, high = outline.min(axis=0), outline.max(axis=0)
    x1, y1 = max(0.0, float(low[0]) / width), max(0.0, float(low[1]) / height)
    x2, y2 = min(1.0, float(high[0]) / width), min(1.0, float(high[1]) / height)
    if x2 - x1 < 2 / width or y2 - y1 < 2 / height:
        return None
    return x1, y1, x2, y2


def moved(box: Box, dx: float, dy: float) -> Box:
    """The box displaced by parts of the picture."""
    x1, y1, x2, y2 = box

    def inside(value: float) -> float:
        return min(max(value, 0.0), 1.0)

    return inside(x1 + dx), inside(y1 + dy), inside(x2 + dx), inside(y2 + dy)


def _hide(labels: ByteArray, sprite: Sprite) -> None:
    """What a fixture covers is nobody's, so that what stands behind a tree counts as hidden."""
    top, left = sprite.y // _LABEL, sprite.x // _LABEL
    mask = sprite.mask[::_LABEL, ::_LABEL]
    part = labels[top : top + mask.shape[0], left : left + mask.shape[1]]
    if cv2.hasNonZero(part):
        part[mask[: part.shape[0], : part.shape[1]] > 0] = 0
