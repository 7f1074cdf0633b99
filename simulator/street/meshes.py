"""Solid things as flat faces in metres: x right, y forward, z up, around the middle of their footprint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.street.types import Colour, FloatArray

GLASS: Colour = (62, 52, 44)
RUBBER: Colour = (26, 26, 28)
STEEL: Colour = (120, 118, 114)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Faces between vertices; all have the same number of corners after padding (the last one is repeated).

    Attributes:
        points: float64 [V + F, 3]: V vertices, then the middle of each face.
        faces: int64 [F, K], numbers of vertices.
        normals: float64 [F, 3], unit length.
        colours: float64 [F, 3].
        layer: int64 [F]; details (1) lie on bodies (0) and are drawn after them.
        glow: float64 [F], 0..1: how much of its colour the face gives off by itself when lights are on.
        lights: float64 [N, 4]: x, y, z of head and tail lights, and 1 (head) or -1 (tail).
        length, width, height: of the whole, m.
    """

    points: FloatArray
    faces: NDArray[np.int64]
    normals: FloatArray
    colours: FloatArray
    layer: NDArray[np.int64]
    glow: FloatArray
    lights: FloatArray
    length: float
    width: float
    height: float

    @property
    def vertices(self) -> FloatArray:
        return self.points[: len(self.points) - len(self.faces)]


class Builder:
    """Collects faces."""

    def __init__(self) -> None:
        self._corners: list[list[tuple[float, float, float]]] = []
        self._middles: list[tuple[float, float, float]] = []
        self._normals: list[tuple[float, float, float]] = []
        self._colours: list[Colour] = []
        self._layer: list[int] = []
        self._glow: list[float] = []
        self._lights: list[tuple[float, float, float, float]] = []

    def face(
        self,
        corners: Sequence[Sequence[float]],
        colour: Colour,
        *,
        detail: bool = False,
        glow: float = 0,
        inside: Sequence[float] = (0.0, 0.0, 0.8),
    ) -> None:
        """A flat convex face that looks away from the point `inside`."""
        nx = ny = nz = 0.0
        for (ax, ay, az), (bx, by, bz) in zip([corners[-1], *corners[:-1]], corners, strict=True):
            # Newell: right for any flat polygon.
            nx, ny, nz = nx + ay * bz - az * by, ny + az * bx - ax * bz, nz + ax * by - ay * bx
        count = len(corners)
        middle = tuple(sum(c[axis] for c in corners) / count for axis in range(3))
        outwards = sum(n * (m - i) for n, m, i in zip((nx, ny, nz), middle, inside, strict=True))
        length = math.copysign(max(math.hypot(nx, ny, nz), 1e-9), outwards)
        self._corners.append([(float(x), float(y), float(z)) for x, y, z in corners])
        self._middles.append((middle[0], middle[1], middle[2]))
        self._normals.append((nx / length, ny / length, nz / length))
        self._colours.append(colour)
        self._layer.append(int(detail))
        self._glow.append(glow)

    def light(self, x: float, y: float, z: float, head: bool) -> None:
        self._lights.append((x, y, z, 1.0 if head else -1.0))

    def prism(
        self, profile: Sequence[tuple[float, float, float]], colour: Colour, strips: dict[int, Colour] | None = None
    ) -> None:
        """A convex side profile (y, z, half width), drawn out across.

        Args:
            strips: other colours for the strips from corner i to i + 1.
        """
        right = [(w, y, z) for y, z, w in profile]
        left = [(-w, y, z) for y, z, w in profile]
        count = len(profile)
        middle = (0.0, sum(p[0] for p in profile) / count, sum(p[1] for p in profile) / count)
        self.face(right, colour, inside=middle)
        self.face(left, colour, inside=middle)
        for index in range(count):
            following = (index + 1) % count
            quad = [left[index], right[index], right[following], left[following]]
            self.face(quad, (strips or {}).get(index, colour), inside=middle)

    def box(self, low: Sequence[float], high: Sequence[float], colour: Colour, top: Colour | None = None) -> None:
        """An upright box between two corners."""
        (x1, y1, z1), (x2, y2, z2) = low, high
        middle = ((x1 + x2) / 2, (y1 + y2) / 2, (z1 + z2) / 2)
        self.face([(x2, y1, z1), (x2, y2, z1), (x2, y2, z2), (x2, y1, z2)], colour, inside=middle)
        self.face([(x1, y2, z1), (x1, y1, z1), (x1, y1, z2), (x1, y2, z2)], colour, inside=middle)
        self.face([(x1, y1, z1), (x2, y1, z1), (x2, y1, z2), (x1, y1, z2)], colour, inside=middle)
        self.face([(x2, y2, z1), (x1, y2, z1), (x1, y2, z2), (x2, y2, z2)], colour, inside=middle)
        self.face([(x1, y1, z2), (x2, y1, z2), (x2, y2, z2), (x1, y2, z2)], top or colour, inside=middle)

    def wheel(self, x: float, y: float, radius: float, hub: Colour = STEEL) -> None:
        """A wheel's outer face at side x (its sign is the side), axle at y."""
        side = 1.0 if x > 0 else -1.0
        for size, colour in ((1.0, RUBBER), (0.58, hub)):
            ring = []
            for step in range(10):
                angle = side * step * math.tau / 10
                ring.append((x, y + radius * size * math.cos(angle), radius + radius * size * math.sin(angle)))
            self.face(ring, colour, detail=True)

    def mesh(self) -> Mesh:
        most = max(len(corners) for corners in self._corners)
        numbers: dict[tuple[float, float, float], int] = {}
        faces = [[numbers.setdefault(c, len(numbers)) for c in corners] for corners in self._corners]
        vertices = np.array(list(numbers))
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        return Mesh(
            np.vstack([vertices, np.array(self._middles)]),
            np.array([face + face[-1:] * (most - len(face)) for face in faces], np.int64),
            np.array(self._normals),
            np.array(self._colours, np.float64),
            np.array(self._layer, np.int64),
            np.array(self._glow),
            np.array(self._lights, np.float64).reshape(-1, 4),
            float(high[1] - low[1]),
            float(high[0] - low[0]),
            float(high[2]),
        )


def _darker(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def _ends(b: Builder, half: float, length: float, z: float, plate: Colour) -> None:
    """Lights, plates and bumpers of a vehicle."""
    front, rear = length / 2 + 0.01, -length / 2 - 0.01
    for side in (-1.0, 1.0):
        inner, outer = side * (half - 0.42), side * (half - 0.06)
        low, high = min(inner, outer), max(inner, outer)
        lamp = [(high, front, z), (low, front, z), (low, front, z + 0.16), (high, front, z + 0.16)]
        b.face(lamp, (225, 230, 232), detail=True, glow=1.0)
        tail = [(low, rear, z + 0.06), (high, rear, z + 0.06), (high, rear, z + 0.24), (low, rear, z + 0.24)]
        b.face(tail, (38, 30, 190), detail=True, glow=0.8)
        b.light((low + high) / 2, front, z + 0.08, head=True)
        b.light((low + high) / 2, rear, z + 0.14, head=False)
    for y, sign in ((front, -1.0), (rear, 1.0)):
        corners = [(sign * -0.24, y, 0.42), (sign * 0.24, y, 0.42), (sign * 0.24, y, 0.56), (sign * -0.24, y, 0.56)]
        b.face(corners, plate, detail=True)
        w = half - 0.03
        bumper = [(sign * -w, y, 0.24), (sign * w, y, 0.24), (sign * w, y, 0.38), (sign * -w, y, 0.38)]
        b.face(bumper, (58, 58, 60), detail=True)


def _side_glass(b: Builder, corners: Sequence[tuple[float, float, float]]) -> None:
    """The same window on both sides: (y, z, half width), front to rear along the bottom, then back."""
    out = 0.012
    b.face([(w + out, y, z) for y, z, w in reversed(corners)], GLASS, detail=True)
    b.face([(-w - out, y, z) for y, z, w in corners], GLASS, detail=True)


def car(shape: str, colour: Colour, length: float, width: float, height: float) -> Mesh:
    """A passenger car: "sedan", "hatch", "suv" or "van"."""
    b = Builder()
    half = length / 2
    waist = height * (0.60 if shape in {"suv", "van"} else 0.62)
    nose = waist - (0.10 if shape != "van" else -0.04)
    w = width / 2
    roof = w * 0.80
    # Where the glass begins and ends at the waist and at the roof, shares of half the length, rear to front.
    rear_low, rear_top, front_top, front_low = {
        "sedan": (-0.72, -0.40, 0.14, 0.46),
        "hatch": (-0.97, -0.74, 0.16, 0.50),
        "suv": (-0.97, -0.84, 0.14, 0.46),
        "van": (-0.99, -0.95, 0.48, 0.82),
    }[shape]
    body = [
        (-half, 0.22, w),
        (-half, waist * 0.92, w),
        (-half * 0.97, waist, w * 0.97),
        (half * front_low, waist, w * 0.97),
        (half * 0.94, nose, w * 0.95),
        (half, nose - 0.16, w),
        (half, 0.22, w),
    ]
    b.prism(body, colour)
    cabin = [
        (half * rear_low, waist - 0.01, w * 0.95),
        (half * rear_top, height, roof),
        (half * front_top, height, roof),
        (half * front_low, waist - 0.01, w * 0.95),
    ]
    b.prism(cabin, colour, {0: GLASS, 2: GLASS})
    rise = height - waist
    low, high = waist + 0.06 * rise, waist + 0.86 * rise
    slope = 0.86

    def at(share: float, z: float, lean: float) -> tuple[float, float, float]:
        part = (z - waist) / rise
        return (half * (share + lean * part), z, w * 0.95 + (roof - w * 0.95) * part)

    lean_rear, lean_front = (rear_top - rear_low) * slope, (front_top - front_low) * slope
    end_rear, end_front = rear_low + 0.06, front_low - 0.07
    middle = (end_rear + end_front) / 2 - 0.02
    if shape == "van" and length > 4.9:
        end_rear = front_low - 0.62
        lean_rear, middle = 0.0, end_rear + 0.02
        _side_glass(
            b,
            [
                at(end_front, low, lean_front),
                at(end_rear, low, 0),
                at(end_rear, high, 0),
                at(end_front, high, lean_front),
            ],
        )
    else:
        _side_glass(
            b,
            [
                at(end_front, low, lean_front),
                at(middle + 0.03, low, 0),
                at(middle + 0.03, high, 0),
                at(end_front, high, lean_front),
            ],
        )
        _side_glass(
            b,
            [
                at(middle - 0.03, low, 0),
                at(end_rear, low, lean_rear),
                at(end_rear, high, lean_rear),
                at(middle - 0.03, high, 0),
            ],
        )
    radius = 0.33 if shape in {"suv", "van"} else 0.30
    for axle in (-0.62, 0.62):
        b.wheel(w + 0.005, half * axle, radius)
        b.wheel(-w - 0.005, half * axle, radius)
    _ends(b, w, length, waist * 0.62, (150, 70, 20))
    return b.mesh()


def bus(colour: Colour, length: float) -> Mesh:
    b = Builder()
    half, w, height = length / 2, 1.26, 3.05
    b.prism(
        [(-half, 0.32, w), (-half, height, w * 0.97), (half, height, w * 0.97), (half, 0.32, w)],
        colour,
        {1: (225, 224, 222)},
    )
    out = 0.012
    panes = max(4, round(length / 1.5))
    for index in range(panes):
        y1 = -half + 0.25 + index * (length - 0.4) / panes
        y2 = y1 + (length - 0.4) / panes - 0.12
        _side_glass(b, [(y2, 1.45, w * 0.985), (y1, 1.45, w * 0.985), (y1, 2.55, w * 0.972), (y2, 2.55, w * 0.972)])
    for y, sign, top in ((half + out, -1.0, 2.75), (-half - out, 1.0, 2.5)):
        glass = [(sign * -1.1, y, 1.25), (sign * 1.1, y, 1.25), (sign * 1.08, y, top), (sign * -1.08, y, top)]
        b.face(glass, GLASS, detail=True)
    stripe = _darker(colour, 0.55)
    b.face(
        [(w + out, -half, 0.75), (w + out, half, 0.75), (w + out, half, 1.05), (w + out, -half, 1.05)],
        stripe,
        detail=True,
    )
    b.face(
        [(-w - out, half, 0.75), (-w - out, -half, 0.75), (-w - out, -half, 1.05), (-w - out, half, 1.05)],
        stripe,
        detail=True,
    )
    for axle in (-0.55, 0.62):
        b.wheel(w + 0.02, half * axle, 0.48)
        b.wheel(-w - 0.02, half * axle, 0.48)
    _ends(b, w, length, 0.62, (30, 190, 220))
    return b.mesh()


def truck(colour: Colour, cargo: Colour, length: float) -> Mesh:
    b = Builder()
    half, w = length / 2, 1.12
    height = 2.7 if length < 7.5 else 3.2
    back = half - 1.9
    b.box((-w, -half, 0.75), (w, back - 0.12, height), cargo)
    b.box((-w * 0.8, -half, 0.42), (w * 0.8, back, 0.78), (50, 50, 52))
    cab_top = min(height, 2.45)
    b.prism(
        [
            (back, 0.35, w * 0.97),
            (back, cab_top, w * 0.93),
            (half - 0.38, cab_top, w * 0.93),
            (half - 0.02, 1.25, w * 0.97),
            (half, 0.35, w * 0.97),
        ],
        colour,
        {2: GLASS},
    )
    _side_glass(
        b,
        [
            (half - 0.28, 1.3, w * 0.965),
            (back + 0.3, 1.3, w * 0.965),
            (back + 0.3, 2.1, w * 0.95),
            (half - 0.45, 2.1, w * 0.95),
        ],
    )
    for y in (-half * 0.55, half * 0.66):
        b.wheel(w + 0.02, y, 0.44)
        b.wheel(-w - 0.02, y, 0.44)
    _ends(b, w, length, 0.62, (30, 190, 220))
    return b.mesh()


def tricycle(colour: Colour, load: Colour, loaded: bool) -> Mesh:
    """A cargo tricycle or hand cart, as vendors and cleaners use."""
    b = Builder()
    b.box((-0.5, -1.15, 0.38), (0.5, 0.25, 0.80), colour, _darker(colour, 0.6))
    if loaded:
        b.box((-0.42, -1.05, 0.8), (0.42, 0.1, 1.15), load)
    b.box((-0.05, 0.25, 0.42), (0.05, 1.0, 0.5), STEEL)
    b.box((-0.32, 0.82, 0.95), (0.32, 0.9, 1.02), (40, 40, 42))
    b.box((-0.03, 0.85, 0.3), (0.03, 0.92, 1.0), STEEL)
    b.box((-0.14, 0.3, 0.72), (0.14, 0.6, 0.82), (30, 30, 34))
    for x in (-0.52, 0.52):
        b.wheel(x, -0.55, 0.30, (70, 70, 72))
    for x in (0.03, -0.03):
        b.wheel(x, 0.95, 0.30, (70, 70, 72))
    return b.mesh()


def bicycle(colour: Colour, motor: bool) -> Mesh:
    """A bicycle, or an electric scooter."""
    b = Builder()
    for x in (0.025, -0.025):
        for y in (-0.52, 0.52):
            b.wheel(x, y, 0.31 if not motor else 0.26, (105, 105, 105))
    if motor:
        b.box((-0.16, -0.75, 0.32), (0.16, 0.05, 0.72), colour)
        b.box((-0.15, 0.05, 0.28), (0.15, 0.42, 0.36), _darker(colour, 0.8))
        b.box((-0.17, 0.40, 0.30), (0.17, 0.50, 0.95), colour)
    else:
        b.box((-0.025, -0.5, 0.30), (0.025, 0.45, 0.36), colour)
        b.box((-0.025, -0.18, 0.3), (0.025, -0.12, 0.85), colour)
        b.box((-0.025, -0.15, 0.62), (0.025, 0.42, 0.68), colour)
        b.box((-0.08, -0.3, 0.85), (0.08, -0.05, 0.9), (30, 30, 30))
    b.box((-0.28, 0.38, 0.92), (0.28, 0.44, 0.98), (45, 45, 48))
    b.box((-0.03, 0.40, 0.3), (0.03, 0.46, 0.95), colour)
    return b.mesh()


def bin_box(colour: Colour, wheeled: bool) -> Mesh:
    """A street bin without its lid: wheeled containers are larger."""
    b = Builder()
    w, d, h = (0.36, 0.40, 1.05) if wheeled else (0.27, 0.25, 0.92)
    b.box((-w, -d, 0.06), (w, d, h), colour, (28, 28, 30))
    b.face(
        [
            (-w * 0.6, -d - 0.01, h * 0.55),
            (w * 0.6, -d - 0.01, h * 0.55),
            (w * 0.6, -d - 0.01, h * 0.8),
            (-w * 0.6, -d - 0.01, h * 0.8),
        ],
        (215, 215, 212),
        detail=True,
    )
    return b.mesh()


def carton(colour: Colour, size: float) -> Mesh:
    b = Builder()
    b.box((-size * 0.5, -size * 0.4, 0), (size * 0.5, size * 0.4, size * 0.55), colour, _darker(colour, 1.12))
    b.face(
        [
            (-0.05 * size, -0.4 * size, size * 0.555),
            (0.05 * size, -0.4 * size, size * 0.555),
            (0.05 * size, 0.4 * size, size * 0.555),
            (-0.05 * size, 0.4 * size, size * 0.555),
        ],
        (120, 165, 190),
        detail=True,
    )
    return b.mesh()
