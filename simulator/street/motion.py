"""Where things are at a moment: polylines in time, so that any moment can be asked for in any order."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Pose:
    """A place and a direction on the ground.

    Attributes:
        x, y: m.
        heading: rad from +y towards +x.
        gone: distance covered so far, m (drives walking legs).
        speed: m/s.
    """

    x: float
    y: float
    heading: float
    gone: float
    speed: float


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A way: places at times, straight in between; nowhere before the first and after the last.

    Attributes:
        times: s, increasing.
        xs, ys: m.
        headings: rad, without jumps from one to the next.
        gone: m since the first.
    """

    times: Sequence[float]
    xs: Sequence[float]
    ys: Sequence[float]
    headings: Sequence[float]
    gone: Sequence[float]

    def at(self, time: float) -> Pose | None:
        times = self.times
        if time < times[0] or time > times[-1]:
            return None
        index = min(bisect_right(times, time), len(times) - 1)
        before = max(index - 1, 0)
        step = times[index] - times[before]
        part = (time - times[before]) / step if step > 0 else 0.0
        gone = self.gone[index] - self.gone[before]
        return Pose(
            self.xs[before] + (self.xs[index] - self.xs[before]) * part,
            self.ys[before] + (self.ys[index] - self.ys[before]) * part,
            self.headings[before] + (self.headings[index] - self.headings[before]) * part,
            self.gone[before] + gone * part,
            gone / step if step > 0 else 0.0,
        )

    @property
    def start(self) -> float:
        return self.times[0]

    @property
    def end(self) -> float:
        return self.times[-1]


def way(points: Sequence[tuple[float, float, float]], heading: float | None = None) -> Motion:
    """A way through (time, x, y); it faces where it goes, and goes on facing there while it stands.

    Args:
        heading: where it faces when it never moves before.
    """
    times, xs, ys = ([float(p[i]) for p in points] for i in range(3))
    facing: list[float] = []
    last = heading
    for index in range(len(points) - 1):
        dx, dy = xs[index + 1] - xs[index], ys[index + 1] - ys[index]
        if math.hypot(dx, dy) > 0.02:
            last = _near(math.atan2(dx, dy), last)
            for waiting in range(len(facing) - 1, -1, -1):
                if math.isnan(facing[waiting]):
                    facing[waiting] = last
        facing.append(math.nan if last is None else last)
    facing.append(facing[-1] if facing else (heading or 0.0))
    facing = [0.0 if math.isnan(value) else value for value in facing]
    gone = [0.0]
    for index in range(len(points) - 1):
        gone.append(gone[-1] + math.hypot(xs[index + 1] - xs[index], ys[index + 1] - ys[index]))
    return Motion(times, xs, ys, facing, gone)


def _near(angle: float, last: float | None) -> float:
    if last is None:
        return angle
    return last + math.remainder(angle - last, math.tau)


def walk(points: Sequence[tuple[float, float]], start: float, speed: float) -> list[tuple[float, float, float]]:
    """(time, x, y) of somebody who passes the points at that speed, from `start` on."""
    timed = [(start, *points[0])]
    for before, here in pairwise(points):
        distance = math.hypot(here[0] - before[0], here[1] - before[1])
        timed.append((timed[-1][0] + max(distance / speed, 0.05), *here))
    return timed
