"""What a zone takes, and where in it people stand closest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.algorithms import Crowding
from contracts.geometry import FloatArray, homography, polygon_area, project
from contracts.pool import Zone

Point = tuple[float, float]

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
