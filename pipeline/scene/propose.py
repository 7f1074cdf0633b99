"""Zones out of a day's tracks: lanes with their direction, stopping places, footways, squares. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, box, unary_union

from contracts.polygons import polygon_problem
from contracts.pool import ZoneKind
from contracts.proposals import ZoneProposal
from pipeline.scene.traffic import COLUMNS, DIRECTIONS, ROWS, Cells, Traffic

MAX_CORNERS = 12
_LEAST_PASSES = 2.0
_SHARE = 0.15  # of what a busy cell sees: less is a stray
_LEAST_CELLS = 10  # of the grid's 2304
_LEAST_CELLS_STOP = 3
_COHERENT = 0.5  # length of the mean direction: less, and vehicles go both ways
_QUEUE = 4.0  # so many vehicles drive through for one that stands: it stands in a queue
_ROUND = 2.2  # longer than wide by less: a square
_SQUARE_CELLS = 60
_TOLERANCES = (0.006, 0.012, 0.02, 0.03, 0.05, 0.08)

Mask = NDArray[np.bool_]


def propose_zones(traffic: Traffic) -> tuple[ZoneProposal, ...]:
    """What the pool's zones might be, best supported first within each kind; nothing where too little was seen."""
    drives = traffic.passes.sum(axis=0)
    lanes = _busy(drives)
    proposals = [*_lanes(traffic, drives, lanes), *_stopping(traffic, drives), *_footways(traffic, lanes)]
    return tuple(sorted(proposals, key=lambda one: (_ORDER.index(one.kind), -one.support)))


_ORDER = (ZoneKind.ROAD, ZoneKind.NO_PARKING, ZoneKind.SIDEWALK, ZoneKind.SQUARE)


def _busy(counts: Cells) -> Mask:
    """Cells that see what a busy one sees, or a fair share of it."""
    seen = counts[counts > 0]
    if not len(seen):
        return np.zeros(counts.shape, np.bool_)
    busy: Mask = counts >= max(_LEAST_PASSES, _SHARE * float(np.percentile(seen, 90)))
    return busy


def _lanes(traffic: Traffic, drives: Cells, lanes: Mask) -> Iterator[ZoneProposal]:
    """One proposal for each stretch of road on which vehicles go one way."""
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    x = np.tensordot(np.cos(angles), traffic.passes, 1)
    y = np.tensordot(np.sin(angles), traffic.passes, 1)
    coherent = lanes & (np.hypot(x, y) >= _COHERENT * np.maximum(drives, 1e-6))
    if not coherent.any():
        return
    # The main axis, whichever way along it: by doubled angles.
    doubled = np.sum(np.exp(2j * np.arctan2(y[coherent], x[coherent])) * drives[coherent])
    axis = float(np.angle(doubled)) / 2
    quarter = np.round((np.arctan2(y, x) - axis) / (np.pi / 2)).astype(int) % 4
    for way in range(4):
        for part in _parts(coherent & (quarter == way), _LEAST_CELLS):
            direction = math.degrees(math.atan2(float(y[part].sum()), float(x[part].sum()))) % 360.0
            count = int(np.percentile(drives[part], 75))
            why = {
                "zh": f"{count} 辆车沿同一方向驶过",
                "en": f"{count} vehicles drove through, all one way",
            }
            yield from _proposal(ZoneKind.ROAD, part, count, why, direction % 360.0)


def _stopping(traffic: Traffic, drives: Cells) -> Iterator[ZoneProposal]:
    """Where vehicles stand although others do not drive through there: at the kerb, in bays."""
    standing = (traffic.stops >= 1) & (drives < _QUEUE * traffic.stops)
    for part in _parts(standing, _LEAST_CELLS_STOP):
        count = round(float(traffic.stops[part].max()))
        minutes = float(traffic.stood_s[part].max()) / 60
        why = {
            "zh": f"{count} 辆车在此停留，共 {minutes:.0f} 分钟",
            "en": f"{count} vehicles stood here, {minutes:.0f} min in all",
        }
        yield from _proposal(ZoneKind.NO_PARKING, part, count, why)


def _footways(traffic: Traffic, lanes: Mask) -> Iterator[ZoneProposal]:
    """Where people walk and vehicles do not drive."""
    walked = cv2.dilate(_busy(traffic.walks).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    for part in _parts(walked & ~lanes, _LEAST_CELLS):
        count = int(np.percentile(traffic.walks[part], 90))
        if count < 1:
            continue
        minutes = float(traffic.lingered_s[part].sum()) / 60
        rows, columns = np.nonzero(part)
        (_, size, _) = cv2.minAreaRect(np.stack((columns, rows), axis=1).astype(np.float32))
        ratio = (max(size) + 1) / (min(size) + 1)
        square = ratio < _ROUND and len(rows) >= _SQUARE_CELLS
        why = {
            "zh": f"{count} 人经过，停留共 {minutes:.0f} 分钟",
            "en": f"{count} people walked through, and stood {minutes:.0f} min in all",
        }
        yield from _proposal(ZoneKind.SQUARE if square else ZoneKind.SIDEWALK, part, count, why)


def _parts(mask: Mask, least: int) -> Iterator[Mask]:
    """Connected parts, without holes and hairs of one cell, of at least `least` cells."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(closed, connectivity=4)
    for label in range(1, count):
        part: Mask = labels == label
        if np.count_nonzero(part) >= least:
            yield part


def _proposal(
    kind: ZoneKind, part: Mask, support: int, why: dict[str, str], direction: float | None = None
) -> Iterator[ZoneProposal]:
    polygon = polygon_of(part)
    if polygon is not None:
        rounded = None if direction is None else round(direction, 1) % 360.0
        yield ZoneProposal(kind=kind, polygon=polygon, why=why, support=support, direction=rounded)


def polygon_of(part: Mask) -> tuple[tuple[float, float], ...] | None:
    """The outline of grid cells with few corners, fit for the pool; None where there is none."""
    rows, columns = np.nonzero(part)
    cells = [
        box(column / COLUMNS, row / ROWS, (column + 1) / COLUMNS, (row + 1) / ROWS)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    outline = unary_union(cells).buffer(0.02, join_style="mitre").buffer(-0.02, join_style="mitre")
    pieces = list(outline.geoms) if hasattr(outline, "geoms") else [outline]
    largest = Polygon(max(pieces, key=lambda piece: piece.area).exterior)
    shapes = [largest.simplify(tolerance) for tolerance in _TOLERANCES]
    for shape in (*shapes, largest.convex_hull.simplify(0.02), largest.minimum_rotated_rectangle):
        if not isinstance(shape, Polygon) or shape.is_empty or not shape.is_valid:
            continue
        corners = tuple(
            (round(min(1.0, max(0.0, x)), 4), round(min(1.0, max(0.0, y)), 4))
            for x, y in list(shape.exterior.coords)[:-1]
        )
        if len(corners) <= MAX_CORNERS and polygon_problem(corners) is None:
            return corners
    return None
