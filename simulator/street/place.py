"""Places in metres: a street, a kerbside, a junction approach, a square; each varied by its seed.

The road runs along y around x = 0; traffic keeps to the right. On its right side lie a strip at the kerb where
vehicles could stop, the kerb, a pavement and houses; a square takes the place of the right side's houses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from simulator.street.hashing import generator
from simulator.street.optics import Optics, aim
from simulator.street.types import Colour

LAYOUTS = ("street", "kerb", "junction", "square")
LANE = 3.3
STRIP = 2.5
Ground = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: its middle, and whether it leads away from the camera (1) or towards it (-1)."""

    x: float
    direction: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A flat piece of ground. `wear`: how much of its paint is gone, 0..1; `rough`: contrast of its texture."""

    corners: Ground
    colour: Colour
    wear: float = 0.0
    rough: float = 1.0


@dataclass(frozen=True, slots=True)
class House:
    low: tuple[float, float]
    high: tuple[float, float]
    height: float
    colour: Colour
    seed: int


@dataclass(frozen=True, slots=True)
class Fixture:
    """Something that stands: "tree", "lamp", "pole", "bench", "sign", "signal"."""

    kind: str
    x: float
    y: float
    size: float
    seed: int


@dataclass(frozen=True, slots=True)
class Area:
    """A zone on the ground."""

    id: str
    kind: str
    corners: Ground

    @property
    def area_m2(self) -> float:
        total = 0.0
        for (ax, ay), (bx, by) in zip(self.corners, self.corners[1:] + self.corners[:1], strict=True):
            total += ax * by - bx * ay
        return abs(total) / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a ground point lies inside (corners around a convex quadrilateral)."""
        signs = [
            (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
            for (ax, ay), (bx, by) in zip(self.corners, self.corners[1:] + self.corners[:1], strict=True)
        ]
        return all(signs) or not any(signs)


@dataclass(frozen=True)
class Place:
    """A place and the camera that watches it.

    Attributes:
        kerb: x of the right kerb, m; the strip lies left of it, the pavement right of it.
        pavement: width of the right pavement (or depth of the square), m.
        left: x of the left kerb.
        far: where the road ends, y.
        stop_line: y where queues stand, None without lights.
        crossing: y range of the crossing road, None without.
        watched: y range in front of the camera in which things happen.
        areas: zones by name: "kerbside" (no parking), "road", "pavement", "square", "bin".
        bin_at: where the bin stands.
    """

    layout: str
    optics: Optics
    lanes: tuple[Lane, ...]
    kerb: float
    pavement: float
    left: float
    far: float
    stop_line: float | None
    crossing: tuple[float, float] | None
    watched: tuple[float, float]
    shapes: tuple[Shape, ...]
    houses: tuple[House, ...]
    fixtures: tuple[Fixture, ...]
    areas: dict[str, Area]
    bin_at: tuple[float, float]
    seed: int

    @property
    def strip(self) -> float:
        """x in the middle of the strip at the right kerb."""
        return self.kerb - STRIP / 2


def rectangle(x1: float, x2: float, y1: float, y2: float) -> Ground:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def make_place(seed: int, layout: str, size: tuple[int, int], focus: str) -> Place:
    """A place by chance, with the camera aimed at the area called `focus`."""
    rng = generator(seed, "place", layout)
    each = 1 if layout == "kerb" or rng.random() < 0.4 else 2
    road = each * LANE
    kerb, left = road + STRIP, -road
    pavement = float(rng.uniform(3.2, 4.8)) if layout != "square" else float(rng.uniform(13, 17))
    near = float(rng.uniform(9.0, 12.0))
    deep = float(rng.uniform(12.0, 15.0))
    far = float(rng.uniform(75, 110))
    stop = near + deep if layout == "junction" else None
    crossing = (stop + 5.0, stop + 5.0 + float(rng.uniform(9, 13))) if stop is not None else None
    areas = _areas(rng, layout, kerb, left, pavement, near, deep)
    bin_at = _middle(areas["bin"].corners)
    lanes = tuple([Lane(LANE * (0.5 + i), 1) for i in range(each)] + [Lane(-LANE * (0.5 + i), -1) for i in range(each)])
    optics = _camera(rng, layout, size, areas[focus], kerb, focus)
    place = Place(
        layout, optics, lanes, kerb, pavement, left, far, stop, crossing, (near, near + deep), (), (), (), areas,
        bin_at, seed,
    )  # fmt: skip
    return replace(place, shapes=_ground(rng, place), houses=_houses(rng, place), fixtures=_fixtures(rng, place))


def _middle(corners: Ground) -> tuple[float, float]:
    return (sum(c[0] for c in corners) / len(corners), sum(c[1] for c in corners) / len(corners))


def _areas(
    rng: np.random.Generator, layout: str, kerb: float, left: float, pavement: float, near: float, deep: float
) -> dict[str, Area]:
    end = near + deep
    square = layout == "square"
    bin_y = near + deep * float(rng.uniform(0.25, 0.5))
    bin_x = kerb + (0.8 if not square else 1.4)
    walk = (kerb + 0.15, kerb + (pavement if not square else 4.0) - 0.1)
    found = {
        "kerbside": Area("kerbside", "no_parking", rectangle(kerb - STRIP - LANE, kerb + 0.5, near - 1.5, end + 2.5)),
        "road": Area("carriageway", "road", rectangle(left if kerb - left < 12 else 0.0, kerb, near, end - 2)),
        "pavement": Area("pavement", "sidewalk", rectangle(*walk, near, end)),
        "bin": Area("bin", "bin", rectangle(bin_x - 1.1, bin_x + 1.1, bin_y - 1.0, bin_y + 1.0)),
    }
    if square:
        found["square"] = Area("square", "square", rectangle(kerb + 2.5, kerb + 2.5 + 9.0, near + 1, near + 10.0))
    return found


def _camera(
    rng: np.random.Generator, layout: str, size: tuple[int, int], focus: Area, kerb: float, name: str
) -> Optics:
    height = float(rng.uniform(5.0, 8.5))
    middle = _middle(focus.corners)
    if layout == "kerb":
        angle = float(rng.uniform(0.5, 0.95))
        distance = float(rng.uniform(13, 16))
        at = (middle[0] - distance * math.sin(angle), middle[1] - distance * math.cos(angle))
    elif layout == "square":
        at = (middle[0] + float(rng.uniform(-6, 6)), middle[1] - float(rng.uniform(13, 16)))
    else:
        at = (float(rng.uniform(-2.0, kerb + 1.5)), float(rng.uniform(-1.5, 0.5)))
    if name == "bin":
        # A bin is small: the camera is closer.
        dx, dy = at[0] - middle[0], at[1] - middle[1]
        part = float(rng.uniform(8.5, 11.0)) / math.hypot(dx, dy)
        at = (middle[0] + dx * part, middle[1] + dy * part)
        height = float(rng.uniform(4.0, 6.0))
    corners = list(focus.corners)
    if name == "bin":
        corners = list(rectangle(middle[0] - 3.5, middle[0] + 3.0, middle[1] - 2.5, middle[1] + 4.0))
    low = float(rng.uniform(0.56, 0.64))
    roll = float(rng.normal(0, 0.008))
    return aim(size, (at[0], at[1], height), corners, low=low, roll=roll, narrowest=float(rng.uniform(1.0, 1.35)))


def _ground(rng: np.random.Generator, place: Place) -> tuple[Shape, ...]:
    grey = float(rng.uniform(78, 122))
    asphalt = (grey * 1.02, grey, grey * 0.985)
    tone = float(rng.uniform(125, 178))
    paving = (tone * float(rng.uniform(0.88, 1.0)), tone * 0.97, tone)
    stone = (168.0, 170.0, 172.0)
    far, kerb, left = place.far, place.kerb, place.left
    behind = -30.0
    shapes = [
        Shape(rectangle(-160, 160, behind, 400), (78, 112, 104), rough=1.4),
        Shape(rectangle(left - 5.0, kerb + place.pavement, behind, far), paving, rough=0.8),
        Shape(rectangle(left - 0.25, kerb + 0.25, behind, far), stone, rough=0.5),
        Shape(rectangle(left, kerb, behind, far), asphalt),
    ]
    if place.crossing is not None:
        y1, y2 = place.crossing
        shapes += [
            Shape(rectangle(-60, 60, y1 - 4, y2 + 4), paving, rough=0.8),
            Shape(rectangle(-60, 60, y1, y2), asphalt),
            Shape(rectangle(left, kerb, behind, far), asphalt),
        ]
    shapes += _slabs(rng, place, paving)
    shapes += _markings(rng, place)
    shapes += _patches(rng, place, asphalt)
    return tuple(shapes)


def _slabs(rng: np.random.Generator, place: Place, paving: Colour) -> list[Shape]:
    """Joints of the paving."""
    joint = (paving[0] * 0.86, paving[1] * 0.86, paving[2] * 0.86)
    step = float(rng.uniform(0.8, 1.6))
    start, end = place.kerb + 0.3, place.kerb + place.pavement
    y2 = min(place.watched[1] + 18, place.far)
    shapes = [Shape(rectangle(x, x + 0.03, 0, y2), joint) for x in np.arange(start + step, end, step).tolist()]
    shapes += [Shape(rectangle(start, end, y, y + 0.03), joint) for y in np.arange(0, y2, step).tolist()]
    if rng.random() < 0.7:
        yellow = (90.0, 175.0, 205.0)
        shapes.append(Shape(rectangle(start + 0.9, start + 1.2, -30, place.far), yellow, wear=0.3))
    return shapes


def _markings(rng: np.random.Generator, place: Place) -> list[Shape]:
    white, yellow = (222.0, 224.0, 224.0), (70.0, 180.0, 222.0)
    wear = float(rng.uniform(0.1, 0.5))
    shapes: list[Shape] = []
    stop = place.stop_line
    end = place.far if stop is None else stop
    shapes += [Shape(rectangle(x, x + 0.1, -30, end), yellow, wear) for x in (-0.14, 0.06)]
    edge = place.kerb - STRIP
    shapes.append(Shape(rectangle(edge, edge + 0.12, -30, end), white, wear))
    between = sorted({abs(lane.x) + LANE / 2 for lane in place.lanes})[:-1]
    for x in [*between, *(-b for b in between)]:
        dashes = np.arange(-30, end - 3, 6.0).tolist()
        shapes += [Shape(rectangle(x - 0.06, x + 0.06, y, y + 3.0), white, wear) for y in dashes]
    if stop is not None:
        shapes.append(Shape(rectangle(0.2, place.kerb, stop, stop + 0.35), white, wear))
        bars = np.arange(place.left + 0.3, place.kerb - 0.5, 1.0).tolist()
        shapes += [Shape(rectangle(x, x + 0.45, stop + 1.2, stop + 4.2), white, wear) for x in bars]
    y1, y2 = place.watched
    if rng.random() < 0.75:  # no parking: a yellow kerb, sometimes a hatched strip
        shapes.append(Shape(rectangle(place.kerb, place.kerb + 0.22, y1, y2), yellow, wear * 0.6))
    if rng.random() < 0.35:
        for y in np.arange(y1, y2 - 1.5, 2.0).tolist():
            corners = ((edge + 0.2, y), (edge + 0.35, y), (place.kerb - 0.1, y + 1.5), (place.kerb - 0.25, y + 1.5))
            shapes.append(Shape(corners, yellow, wear))
    return shapes


def _patches(rng: np.random.Generator, place: Place, asphalt: Colour) -> list[Shape]:
    """Repaired asphalt and manhole covers."""
    shapes = []
    for _ in range(int(rng.integers(1, 5))):
        x, y = float(rng.uniform(place.left, place.kerb - 1.5)), float(rng.uniform(4, 40))
        w, d = float(rng.uniform(0.8, 2.4)), float(rng.uniform(1.0, 6.0))
        factor = float(rng.uniform(0.78, 1.12))
        colour = (asphalt[0] * factor, asphalt[1] * factor, asphalt[2] * factor)
        shapes.append(Shape(rectangle(x, min(x + w, place.kerb), y, y + d), colour))
    for _ in range(int(rng.integers(1, 4))):
        x, y = float(rng.uniform(place.left + 1, place.kerb - 1)), float(rng.uniform(6, 30))
        ring = tuple((x + 0.36 * math.cos(a * 0.4189), y + 0.36 * math.sin(a * 0.4189)) for a in range(15))
        shapes.append(Shape(ring, (62, 64, 66), rough=2.0))
    return shapes


_WALLS: tuple[Colour, ...] = (
    (150, 170, 190), (120, 150, 185), (175, 180, 182), (110, 120, 160), (165, 185, 200), (140, 140, 138),
    (95, 110, 150),
)  # fmt: skip


def _houses(rng: np.random.Generator, place: Place) -> tuple[House, ...]:
    houses = []
    sides = [(place.left - 5.0, -1), (place.kerb + place.pavement, 1)]
    for edge, side in sides:
        y = float(rng.uniform(-16, -6))
        while y < place.far:
            deep = float(rng.uniform(9, 20))
            gap = float(rng.uniform(0, 2)) if rng.random() < 0.7 else float(rng.uniform(5, 12))
            if place.crossing is not None and y < place.crossing[1] + 4 and y + deep > place.crossing[0] - 4:
                y = place.crossing[1] + 4.5
                continue
            set_back = float(rng.uniform(0, 1.2))
            height = float(rng.uniform(6, 24))
            colour = _WALLS[int(rng.integers(len(_WALLS)))]
            x1 = edge + side * set_back
            low, high = (min(x1, x1 + side * 14), y), (max(x1, x1 + side * 14), y + deep)
            if not _hides(low, high, place):
                houses.append(House(low, high, height, colour, int(rng.integers(1 << 30))))
            y += deep + gap
    end = place.far + 1
    x = -40.0
    while x < 44:
        wide = float(rng.uniform(10, 22))
        colour = _WALLS[int(rng.integers(len(_WALLS)))]
        houses.append(
            House((x, end), (x + wide, end + 12), float(rng.uniform(10, 34)), colour, int(rng.integers(1 << 30)))
        )
        x += wide
    return tuple(houses)


def _hides(low: tuple[float, float], high: tuple[float, float], place: Place) -> bool:
    """Whether a house would stand on the camera, or between it and what is watched."""
    cx, cy, _ = place.optics.position
    for area in place.areas.values():
        for x, y in area.corners:
            for step in range(13):
                px, py = cx + (x - cx) * step / 12, cy + (y - cy) * step / 12
                if low[0] - 1.5 < px < high[0] + 1.5 and low[1] - 1.5 < py < high[1] + 1.5 and step < 12:
                    return True
    return False


def _fixtures(rng: np.random.Generator, place: Place) -> tuple[Fixture, ...]:
    fixtures: list[Fixture] = []
    y1, y2 = place.watched
    right = place.kerb + min(place.pavement, 5.0) - 0.5
    first = float(rng.uniform(2, 8))
    for y in np.arange(first, place.far, float(rng.uniform(9, 14))).tolist():
        clear = place.crossing is None or not place.crossing[0] - 3 < y < place.crossing[1] + 3
        if not clear:
            continue
        fixtures.append(
            Fixture("tree", place.left - 1.2, float(y), float(rng.uniform(3.5, 7)), int(rng.integers(1 << 30)))
        )
        # Trees in front of what is watched would hide it.
        if not y1 - 12 < y < y2 + 2:
            fixtures.append(Fixture("tree", right, float(y), float(rng.uniform(3.5, 6.5)), int(rng.integers(1 << 30))))
    for y in np.arange(float(rng.uniform(10, 20)), place.far, float(rng.uniform(20, 28))).tolist():
        fixtures += [
            Fixture("lamp", x, y, float(rng.uniform(6.5, 8)), int(rng.integers(1 << 30)))
            for x in (place.left - 0.6, place.kerb + 0.5)
        ]
    if rng.random() < 0.6:
        fixtures.append(Fixture("bench", right + 0.1, y2 + float(rng.uniform(1, 5)), 1.6, int(rng.integers(1 << 30))))
    fixtures.append(Fixture("sign", place.kerb + 0.35, y2 + 1.0, 2.4, int(rng.integers(1 << 30))))
    if place.stop_line is not None:
        fixtures.append(Fixture("signal", place.kerb + 0.6, place.stop_line + 4.6, 5.2, int(rng.integers(1 << 30))))
    return tuple(fixture for fixture in fixtures if not in_the_way(fixture, place))


def in_the_way(fixture: Fixture, place: Place) -> bool:
    """Whether it stands between the camera and what is watched."""
    reach = 0.42 * fixture.size + 0.4 if fixture.kind == "tree" else 0.45
    cx, cy, _ = place.optics.position
    for area in place.areas.values():
        for x, y in (*area.corners, _middle(area.corners)):
            away = math.hypot(x - cx, y - cy)
            along = ((fixture.x - cx) * (x - cx) + (fixture.y - cy) * (y - cy)) / away
            beside = abs((fixture.x - cx) * (y - cy) - (fixture.y - cy) * (x - cx)) / away
            if -reach < along < away and beside < reach:
                return True
    return False
