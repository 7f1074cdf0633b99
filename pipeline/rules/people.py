"""Who is in a zone, and since when: counting people robustly when boxes double, tracks break and posters stare.

Lengths are in body heights, in true proportions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from contracts.geometry import foot_points, iou, overlap_area, points_in_polygon
from contracts.vision import Look, ObjectClass
from pipeline.rules.boxes import Box, moved

Point = tuple[float, float]
Ground = Callable[[Point], Point]  # a point of the picture, normalised, to metres on the ground

KEEP_S = 3.0  # a visitor not seen for longer has left
_HIDDEN_S = 8.0  # or, where somebody stands in front, for longer
_HIDING = 0.25  # share of the figure that something in front must cover
_KEEP_STEPS = 1.5  # or, when looks are far apart, for this many steps
_WALK = 0.9  # body heights a second: who turns up this close to where somebody was lost is the same
_REACH = 0.3  # body heights, on top of that
_DOUBLE = 0.65  # IoU of two boxes of one person
_INSIDE = 0.85  # or: share of the smaller box inside the larger, both beginning at the same head
RIGID = 0.03  # body heights: nobody alive keeps that still
RIGID_S = 120.0
_FIXTURE_IOU = 0.7
_FIXTURE_KEPT_S = 3600.0
TRAIL_S = 5.0
_TRAIL_SPACING_S = 0.9
PACE_S = 1.5  # a shorter way says nothing about a pace
_HEIGHT_M = 1.7
_FORESHORTENED = 2.5  # metres of ground behind a metre of picture height, as most cameras look down


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody in the zone.

    Attributes:
        track: the track they are linked to now.
        entered: stream time when they were first seen in the zone, s.
        last_seen: and last, s.
        box: then, normalised.
        spot: where they have not moved from by more than `RIGID` since `spot_since`.
        trail: (time, x, y) of the feet in the last seconds, normalised, the newest last; see `pace`.
    """

    track: int
    entered: float
    last_seen: float
    box: Box
    spot: Box
    spot_since: float
    trail: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Fixture:
    """A person-like thing that never moves: a poster, a statue, a mannequin."""

    box: Box
    last_seen: float


@dataclass(frozen=True, slots=True)
class Gathering:
    """Visitors of one zone, and the fixtures in it."""

    visitors: tuple[Visitor, ...] = ()
    fixtures: tuple[Fixture, ...] = ()


def persons(look: Look, min_score: float) -> tuple[list[int], list[Box], list[int]]:
    """The people of a look, each once, best detection first: track numbers, boxes, and their rows in the look."""
    tracks = look.tracks
    keep = np.flatnonzero((tracks.classes == ObjectClass.PERSON) & (tracks.scores >= min_score))
    if len(keep) == 0:
        return [], [], []
    keep = keep[np.lexsort((tracks.ids[keep], -tracks.scores[keep]))]
    boxes = tracks.boxes[keep].astype(np.float64)
    double = _doubles(boxes)
    kept: list[int] = []
    for i in range(len(keep)):
        if not any(double[i, k] for k in kept):
            kept.append(i)
    rows = boxes[kept].tolist()
    at = [int(keep[i]) for i in kept]
    return [int(tracks.ids[i]) for i in at], [(b[0], b[1], b[2], b[3]) for b in rows], at


def _doubles(
    boxes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which pairs are two boxes of one person: nearly the same box, or a torso inside a whole figure.

    A child in front of a grown-up lies inside the larger box too, but its head is lower.
    """
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    area = np.maximum(width * height, 1e-12)
    inside = overlap_area(boxes, boxes) / np.minimum(area[:, None], area[None, :])
    heads = np.abs(boxes[:, None, 1] - boxes[None, :, 1]) <= 0.15 * np.maximum(height[:, None], height[None, :])
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    aligned = np.abs(middle[:, None] - middle[None, :]) <= 0.25 * np.maximum(width[:, None], width[None, :])
    result: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (iou(boxes, boxes) >= _DOUBLE) | (
        (inside >= _INSIDE) & heads & aligned
    )
    return result


def _apart(a: Box, b: Box, aspect: float) -> float:
    """Distance of the feet, in heights of `a`."""
    dx = ((a[0] + a[2]) - (b[0] + b[2])) / 2 * aspect
    return math.hypot(dx, a[3] - b[3]) / max(a[3] - a[1], 1e-6)


def gather(
    gathering: Gathering, look: Look, polygon: tuple[tuple[float, float], ...], min_score: float, step: float
) -> tuple[Gathering, tuple[Visitor, ...], tuple[Visitor, ...]]:
    """The gathering after a look, the visitors seen in it, and those whom others hide for the moment.

    Somebody whose track broke keeps the time they entered: a track that begins where a visitor was lost is that
    visitor. So at one look every two seconds, where tracks hardly live, people are still counted, by place.

    Args:
        step: s since the look before; 0 after unwatched time.
    """
    ids, boxes, at = persons(look, min_score)
    entered: dict[int, float] = {}
    if boxes:
        corners = np.array(polygon)
        feet = foot_points(np.array(boxes))
        inside = points_in_polygon(feet, corners)
        # A tracker confirms a track at its second sighting: whoever was inside at the first has been here since.
        born = np.maximum(look.tracks.first_seen[at], look.time - step)
        was_inside = points_in_polygon(feet - look.tracks.velocity[at] * (look.time - born)[:, None], corners)
        entered = {track: float(b) for track, b, was in zip(ids, born, was_inside, strict=True) if was}
        ids = [i for i, kept in zip(ids, inside, strict=True) if kept]
        boxes = [b for b, kept in zip(boxes, inside, strict=True) if kept]
    ids, boxes, fixtures = _without_fixtures(gathering.fixtures, ids, boxes, look.time)
    known = {visitor.track: visitor for visitor in gathering.visitors}
    lost = [visitor for visitor in gathering.visitors if visitor.track not in set(ids)]
    keep_s = max(KEEP_S, _KEEP_STEPS * step)
    lost = [
        visitor
        for visitor in lost
        if look.time - visitor.last_seen <= keep_s
        or (look.time - visitor.last_seen <= _HIDDEN_S and _hid(visitor, look))
    ]
    present: list[Visitor] = []
    for track, box in zip(ids, boxes, strict=True):
        before = known.get(track) or _take_nearest(lost, box, look)
        present.append(_visited(before, track, box, look, entered.get(track, look.time)))
    rigid = [v for v in present if look.time - v.spot_since >= RIGID_S]
    present = [v for v in present if v not in rigid]
    fixtures += [Fixture(visitor.spot, look.time) for visitor in rigid]
    hidden = tuple(visitor for visitor in lost if _hid(visitor, look))
    return Gathering((*present, *lost), tuple(fixtures)), tuple(present), hidden


def _hid(visitor: Visitor, look: Look) -> bool:
    """Whether something seen now stands before the place of somebody who is not seen anywhere."""
    tracks = look.tracks
    if len(tracks.ids) == 0 or visitor.track in tracks.ids:
        return False
    x1, y1, x2, y2 = visitor.box
    covered = overlap_area(np.array([visitor.box]), tracks.boxes.astype(np.float64))[0]
    before = tracks.boxes[:, 3] >= y2 - 0.1 * (y2 - y1)
    return bool((before & (covered >= _HIDING * (x2 - x1) * (y2 - y1))).any())


def _without_fixtures(
    fixtures: tuple[Fixture, ...], ids: list[int], boxes: list[Box], time: float
) -> tuple[list[int], list[Box], list[Fixture]]:
    """Takes the boxes of known fixtures out; a fixture not seen for an hour is forgotten."""
    kept = [fixture for fixture in fixtures if time - fixture.last_seen <= _FIXTURE_KEPT_S]
    if not kept or not boxes:
        return ids, boxes, kept
    overlaps = iou(np.array([fixture.box for fixture in kept]), np.array(boxes))
    taken: set[int] = set()
    seen: list[Fixture] = []
    for fixture, row in zip(kept, overlaps, strict=True):
        best = int(np.argmax(row))
        if row[best] >= _FIXTURE_IOU and best not in taken:
            taken.add(best)
            seen.append(replace(fixture, last_seen=time))
        else:
            seen.append(fixture)
    rest = [i for i in range(len(ids)) if i not in taken]
    return [ids[i] for i in rest], [boxes[i] for i in rest], seen


def _take_nearest(lost: list[Visitor], box: Box, look: Look) -> Visitor | None:
    """The lost visitor this may be, taken off the list."""
    best: tuple[float, int] | None = None
    for i, visitor in enumerate(lost):
        distance = _apart(visitor.box, box, look.aspect)
        if distance <= _REACH + _WALK * (look.time - visitor.last_seen) and (best is None or distance < best[0]):
            best = (distance, i)
    return lost.pop(best[1]) if best is not None else None


def pace(visitor: Visitor, aspect: float, to_ground: Ground | None) -> float:
    """How fast somebody gets anywhere, m/s: from where they were up to 5 s ago, as the crow flies.

    Metres by the zone's calibration (`to_ground`: feet to metres); without one by their own height, at the steepness
    at which most cameras look down. 0 for whoever was not seen for long enough.
    """
    if len(visitor.trail) < 2:
        return 0.0
    (t0, x0, y0), (t1, x1, y1) = visitor.trail[0], visitor.trail[-1]
    if t1 - t0 < PACE_S:
        return 0.0
    if to_ground is not None:
        (ax, ay), (bx, by) = to_ground((x0, y0)), to_ground((x1, y1))
        return math.hypot(bx - ax, by - ay) / (t1 - t0)
    metre = max(visitor.box[3] - visitor.box[1], 1e-6) / _HEIGHT_M
    return math.hypot((x1 - x0) * aspect, (y1 - y0) * _FORESHORTENED) / metre / (t1 - t0)


def _trodden(
    trail: tuple[tuple[float, float, float], ...], time: float, box: Box
) -> tuple[tuple[float, float, float], ...]:
    """The trail with one more step; the last one gives way when it is too close to its predecessor."""
    if len(trail) >= 2 and trail[-1][0] - trail[-2][0] < _TRAIL_SPACING_S:
        trail = trail[:-1]
    trail = (*trail, (time, (box[0] + box[2]) / 2, box[3]))
    return tuple(step for step in trail if time - step[0] <= TRAIL_S)


def _visited(before: Visitor | None, track: int, box: Box, look: Look, entered: float) -> Visitor:
    if before is None:
        return Visitor(track, min(entered, look.time), look.time, box, box, look.time, _trodden((), look.time, box))
    # A spot is a matter of body heights, so it is measured in heights even where a figure is wider than tall.
    size = max((before.spot[2] - before.spot[0]) * look.aspect, before.spot[3] - before.spot[1])
    height = max(before.spot[3] - before.spot[1], 1e-6)
    stirred = moved(box, before.spot, look.aspect) * size / height > RIGID
    return replace(
        before,
        track=track,
        last_seen=look.time,
        box=box,
        spot=box if stirred else before.spot,
        spot_since=look.time if stirred else before.spot_since,
        trail=_trodden(before.trail, look.time, box),
    )
