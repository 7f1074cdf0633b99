"""What a zone takes, and where in it people stand closest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.algorithms import Crowding
from contracts.geometry import FloatArray, homography, polygon_area, project
from contracts.pool import Zone
from contracts.vision import Look, ObjectClass
from pipeline.groundfit import fit_boxes
from pipeline.rules.people import persons

Point = tuple[float, float]

_SIZES = 100
_CARS = (ObjectClass.CAR, ObjectClass.VEHICLE)  # of the latter a bus now and then, which the fit leaves aside
_BORDER = 0.01  # nearer to the picture's border a figure may be cut off
_NARROW, _WIDE = 0.2, 0.6  # width by height of somebody standing or walking upright
_WINDOW_M2 = 9.0  # density at its highest is that of a circle of this area around somebody


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """What a zone takes.

    Attributes:
        people: more than this many is crowded.
        area_m2: of the zone; None when it is not calibrated.
        matrix: picture to ground, metres; None when it is not calibrated.
    """

    people: float
    area_m2: float | None = None
    matrix: FloatArray | None = None

    def to_ground(self, point: Point) -> Point:
        """A point of the picture on the ground, m; the zone must be calibrated, the point below the horizon."""
        assert self.matrix is not None
        x, y, w = (float(v) for v in self.matrix @ (point[0], point[1], 1.0))
        return x / w, y / w


def limit_of(zone: Zone, parameters: Crowding) -> Limit | None:
    """What the zone takes: by density where it is calibrated, else by its capacity or `max_people`.

    Where both a calibration and `max_people` are given, the lower one counts. None when there is nothing to go by.

    Raises:
        ValueError: the calibration does not fit the zone.
    """
    if zone.calibration is None:
        people = parameters.max_people if parameters.max_people is not None else zone.capacity
        return None if people is None else Limit(float(people))
    matrix = homography(zone.calibration.image, zone.calibration.ground_m)
    project((*zone.calibration.image, *zone.polygon), matrix)  # raises where the horizon runs between them
    area = polygon_area(project(zone.polygon, matrix))
    by_density = parameters.max_density * area
    most = by_density if parameters.max_people is None else min(by_density, float(parameters.max_people))
    return Limit(most, area, matrix)


Sizes = tuple[tuple[int, float, float], ...]
"""Track, row of the feet and height (picture heights) of people seen in full, each track once."""
Cars = tuple[tuple[int, float, float, float], ...]
"""Track, lower edge, height and width (picture heights) of cars seen in full, each track once."""


def measured(sizes: Sizes, look: Look, min_score: float) -> Sizes:
    """The sizes after a look. Once there are enough they stay: a camera that moves gets new zones."""
    if len(sizes) >= _SIZES:
        return sizes
    known = {track for track, _, _ in sizes}
    ids, boxes, _ = persons(look, min_score)
    new = [
        (track, round(y2, 4), round(y2 - y1, 4))
        for track, (x1, y1, x2, y2) in zip(ids, boxes, strict=True)
        if track not in known
        and min(x1, y1) > _BORDER
        and max(x2, y2) < 1 - _BORDER
        and _NARROW <= (x2 - x1) * look.aspect / max(y2 - y1, 1e-6) <= _WIDE
    ]
    return (*sizes, *new)[:_SIZES]


def measured_cars(cars: Cars, look: Look, min_score: float) -> Cars:
    """As `measured`, of cars."""
    if len(cars) >= _SIZES:
        return cars
    tracks = look.tracks
    boxes = tracks.boxes.astype(np.float64)
    whole = (boxes[:, :2].min(axis=1) > _BORDER) & (boxes[:, 2:].max(axis=1) < 1 - _BORDER)
    rows = np.flatnonzero(whole & np.isin(tracks.classes, _CARS) & (tracks.scores >= min_score))
    known = {track for track, *_ in cars}
    new = [
        (int(tracks.ids[i]), round(y2, 4), round(y2 - y1, 4), round((x2 - x1) * look.aspect, 4))
        for i, (x1, y1, x2, y2) in zip(rows.tolist(), boxes[rows].tolist(), strict=True)
        if int(tracks.ids[i]) not in known
    ]
    return (*cars, *new)[:_SIZES]


def estimated_area(sizes: Sizes, cars: Cars, polygon: Sequence[Point], aspect: float) -> tuple[float, float] | None:
    """Ground area, m², and its relative error, from how large people and cars look; None where that does not tell."""
    if not sizes and not cars:
        return None
    people = np.array([size[1:] for size in sizes], np.float64).reshape(-1, 2)
    scale = fit_boxes(people, np.array([car[1:] for car in cars], np.float64).reshape(-1, 3), aspect)
    try:
        return None if scale is None else scale.area_m2(polygon, aspect)
    except ValueError:
        return None  # the zone reaches up to the horizon


def peak_density(feet: Sequence[Point], limit: Limit) -> float:
    """People per m² where they stand closest: in the circle of 9 m² around one of them that holds the most.

    Args:
        feet: where they stand, normalised, inside the zone.
        limit: of a calibrated zone; one smaller than 9 m² is taken as a whole.
    """
    if limit.area_m2 is None or not feet:
        return 0.0
    window = min(_WINDOW_M2, limit.area_m2)
    reach = math.sqrt(window / math.pi)
    ground = [limit.to_ground(point) for point in feet]
    most = max(sum(math.hypot(x - a, y - b) <= reach for a, b in ground) for x, y in ground)
    return most / window
