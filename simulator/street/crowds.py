"""Scripts about crowding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simulator.street.actors import person
from simulator.street.life import traffic
from simulator.street.motion import walk, way
from simulator.street.optics import Optics
from simulator.street.people import some_figure
from simulator.street.place import Area, Fixture, in_the_way
from simulator.street.plot import LIGHTS, Plot
from simulator.street.types import FloatArray
from simulator.street.world import Poster, World

_T = 15.0
_HIDDEN = 0.8  # who is hidden more than that by others does not count: nobody who looks at the picture sees them
_TALL, _WIDE = 1.7, 0.5  # of somebody who hides others, m
_ABREAST = (0.9, 1.3, 1.8)  # between the two files of a line, m
_COUNTABLE = 0.45  # share of somebody that shows enough of them to be counted
_ROWS, _COLUMNS = 12, 5


def _begin(
    plot: Plot, areas: tuple[str, ...] = ("square",), lights: tuple[str, ...] = LIGHTS, **weather: tuple[str, ...]
) -> Area:
    plot.lasts(72, 105)
    name = areas[int(plot.rng.integers(len(areas)))]
    plot.stage(("square",) if name == "square" else ("street",), name)
    area = plot.watch("crowding", name)
    plot.weather(lights, **weather)
    if "night" in plot.slices:
        _light(plot, area)
    limit = int(plot.rng.integers(5, 9))
    if plot.rng.random() < 0.4:
        plot.calibrated.add(area.id)
        plot.algorithms["crowding"]["max_density"] = round((limit + 0.5) / area.area_m2, 4)
    else:
        plot.capacity[area.id] = limit
    plot.limit = limit
    return area


def _light(plot: Plot, area: Area) -> None:
    """Lamps at the area's sides: in the dark nobody, at the camera or elsewhere, counts people."""
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    along = [y1 + (y2 - y1) * part for part in (0.5, 0.7, 0.3, 0.9, 0.1)]
    for x in (max(x1 - 0.8, plot.place.kerb + 0.5), x2 + 0.8):
        lamps = [Fixture("lamp", x, y, 7.5, plot.seed_of("lamp", round(x))) for y in along]
        free = [lamp for lamp in lamps if not in_the_way(lamp, plot.place)]
        plot.place = replace(plot.place, fixtures=(*plot.place.fixtures, *free[:1]))


def _spots(plot: Plot, area: Area, count: int, apart: float = 0.95) -> list[tuple[float, float]]:
    """Places to stand inside the area, not on top of each other; closer together towards one middle."""
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    spots: list[tuple[float, float]] = []
    for attempt in range(4000):
        x, y = plot.between(x1 + 0.7, x2 - 0.7), plot.between(y1 + 0.7, y2 - 0.7)
        wanted = apart if attempt < 2500 else apart * 0.7
        if all(math.hypot(x - a, y - b) > wanted for a, b in spots):
            spots.append((x, y))
        if len(spots) == count:
            break
    return spots


def _outside(plot: Plot, area: Area) -> tuple[float, float]:
    """A place well outside the area, on foot ground."""
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    side = int(plot.rng.integers(3))
    if side == 0:
        return plot.between(x1, x2), y2 + plot.between(14, 20)
    if side == 1:
        return plot.between(x1, x2), y1 - plot.between(7, 9)
    return x2 + plot.between(4, 8) if area.kind == "square" else plot.between(x1, x2), y2 + plot.between(5, 12)


def _visit(plot: Plot, area: Area, spot: tuple[float, float], arrive: float, leave: float | None, number: int) -> None:
    """Somebody who walks in, stands at the spot, and leaves."""
    speed = plot.between(1.0, 1.5)
    start = _outside(plot, area)
    begin = arrive - math.hypot(spot[0] - start[0], spot[1] - start[1]) / speed
    points = walk([start, spot], begin, speed)
    # While standing they shift about a little.
    now = arrive
    last = plot.duration + 5 if leave is None else leave
    while now + 9 < last:
        now += plot.between(6, 14)
        if now < last:
            points.append((now, spot[0] + plot.between(-0.12, 0.12), spot[1] + plot.between(-0.12, 0.12)))
    points.append((last, *spot))
    if leave is not None:
        points += walk([spot, _outside(plot, area)], leave + 0.01, plot.between(1.0, 1.6))[1:]
    figure = some_figure(plot.seed_of("visitor", number), umbrellas=plot.effects.rain > 0)
    plot.actors.append(person(plot.number(), figure, way(points)))


def _count(plot: Plot, area: Area) -> tuple[FloatArray, FloatArray]:
    """Times, s, every half a second, and how many are in the area then for the camera to see."""
    times = np.arange(0, plot.duration, 0.5)
    counts = []
    for time in times.tolist():
        poses = [a.motion.at(time) for a in plot.actors if a.figure is not None and a.mesh is None]
        places = [(pose.x, pose.y) for pose in poses if pose is not None]
        seen = shown(plot.place.optics, places) > 1 - _HIDDEN
        counts.append(sum(area.holds(*place) for place, visible in zip(places, seen, strict=True) if visible))
    return np.asarray(times, np.float64), np.array(counts, np.float64)


def shown(optics: Optics, places: Sequence[tuple[float, float]]) -> FloatArray:
    """Which share of each of N people standing at `places`, m, the others leave to see: [N], 0..1; bodies as boxes."""
    ground = np.array([(x, y, 0.0) for x, y in places]).reshape(-1, 3)
    feet, depths = optics.project(ground)
    heads, _ = optics.project(ground + np.array([0.0, 0.0, _TALL]))
    half = _WIDE / 2 * np.array([optics.scale(depth) for depth in depths.tolist()])
    down = (np.arange(_ROWS) + 0.5)[:, None] / _ROWS
    across = (np.arange(_COLUMNS) + 0.5)[None, :] / _COLUMNS * 2 - 1
    shares = np.ones(len(places))
    for i in range(len(places)):
        x = feet[i, 0] + (heads[i, 0] - feet[i, 0]) * (1 - down) + across * half[i]
        y = heads[i, 1] + (feet[i, 1] - heads[i, 1]) * down + 0 * across
        nearer = np.flatnonzero(depths < depths[i])
        beside = np.abs(x[..., None] - feet[nearer, 0]) < half[nearer]
        hidden = beside & (y[..., None] > heads[nearer, 1]) & (y[..., None] < feet[nearer, 1])
        shares[i] = 1 - hidden.any(axis=-1).mean()
    return shares


def _tell(plot: Plot, area: Area) -> None:
    """The longest time above the limit, if it lasts."""
    times, counts = _count(plot, area)
    plot.measure("crowding", area.id, times, counts)
    above = plot.measures[-1].longest_above(plot.limit)
    if above is not None and above[1] - above[0] >= _T:
        plot.tell("crowding", area.id, *above)


def _gather(plot: Plot, area: Area) -> World:
    count = plot.limit + int(plot.rng.integers(5, 9))
    begins, fills = plot.between(10, 18), plot.between(5, 12)
    leaves = begins + fills + plot.between(26, 34)
    goes = plot.rng.random() < 0.5 and leaves + 10 < plot.duration
    for number, spot in enumerate(_spots(plot, area, count)):
        arrive = begins + fills * number / count + plot.between(0, 1)
        _visit(plot, area, spot, arrive, leaves + plot.between(0, 5) if goes else None, number)
    _tell(plot, area)
    traffic(plot, 12)
    return plot.world()


def gather(plot: Plot) -> World:
    return _gather(plot, _begin(plot, ("square", "square", "pavement")))


def dusk(plot: Plot) -> World:
    return _gather(plot, _begin(plot, lights=("dusk",), never=("shadow",)))


def queue(plot: Plot) -> World:
    """A line at a door or a stall."""
    area = _begin(plot, ("square", "pavement"))
    count = plot.limit + int(plot.rng.integers(4, 7))
    across = area.kind == "square" and plot.rng.random() < 0.5
    begins = plot.between(8, 16)
    leaves = begins + 14 + plot.between(28, 36)
    goes = plot.rng.random() < 0.5 and leaves + 10 < plot.duration
    for number, spot in enumerate(_line(plot, area, count, across)):
        _visit(plot, area, spot, begins + 14 * number / count, leaves + 0.4 * number if goes else None, number)
    _tell(plot, area)
    traffic(plot, 12)
    return plot.world()


def _line(plot: Plot, area: Area, count: int, across: bool) -> list[tuple[float, float]]:
    """Places of a line; one that leads away from the camera is two abreast, so far apart that it can be counted."""
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    step = min(0.95, ((x2 - x1 if across else y2 - y1) - 1.6) / count)
    middle = plot.between(0.35, 0.65)
    asides = [plot.between(-0.12, 0.12) for _ in range(count)]
    if across:
        return [(x1 + 0.8 + step * n, y1 + (y2 - y1) * middle + aside) for n, aside in enumerate(asides)]
    best: list[tuple[float, float]] = []
    most = -1
    for abreast in _ABREAST:
        for side in (1, -1):
            half = min(abreast, x2 - x1 - 0.6) / 2
            x = min(max(x1 + (x2 - x1) * middle, x1 + 0.3 + half), x2 - 0.3 - half)
            spots = [
                (x + side * half * (1 if n % 2 else -1) + aside, y2 - 0.8 - step * n) for n, aside in enumerate(asides)
            ]
            seen = int((shown(plot.place.optics, spots) >= _COUNTABLE).sum())
            if seen > most:
                best, most = spots, seen
        if most >= plot.limit + 3:
            break
    return best


def passing(plot: Plot) -> World:
    """Groups that cross the area within seconds."""
    area = _begin(plot)
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    now, number = plot.between(4, 10), 0
    while now < plot.duration - 8:
        group = int(plot.rng.integers(3, plot.limit + 3))
        along = plot.rng.random() < 0.5
        forth = plot.rng.random() < 0.5
        speed = plot.between(1.25, 1.6)
        base = plot.between(0.3, 0.7)
        for member in range(group):
            row, column = divmod(member, 3)
            side = base + 0.12 * (column - 1) + plot.between(-0.02, 0.02)
            if along:
                ends = [(x1 + (x2 - x1) * side, y1 - 8), (x1 + (x2 - x1) * side, y2 + 16)]
            else:
                ends = [(x1 - 1.5, y1 + (y2 - y1) * side), (x2 + 8, y1 + (y2 - y1) * side)]
            if not forth:
                ends.reverse()
            number += 1
            figure = some_figure(plot.seed_of("group", number), umbrellas=plot.effects.rain > 0)
            motion = way(walk(ends, now + 0.9 * row + plot.between(0, 0.3), speed))
            plot.actors.append(person(plot.number(), figure, motion))
        now += plot.between(15, 22)
    times = np.arange(0, plot.duration, 0.5)
    plot.measure("crowding", area.id, times, np.zeros(len(times)))  # nobody stays
    traffic(plot, 12)
    return plot.world()


def _few(plot: Plot, area: Area) -> None:
    count = max(2, plot.limit - 2)
    for number, spot in enumerate(_spots(plot, area, count, 1.4)):
        arrive = plot.between(-20, 20)
        _visit(plot, area, spot, arrive, None if plot.rng.random() < 0.6 else arrive + plot.between(30, 50), number)
    traffic(plot, 12)


def sparse(plot: Plot) -> World:
    area = _begin(plot, ("square", "pavement"))
    _few(plot, area)
    _tell(plot, area)
    return plot.world()


def poster(plot: Plot) -> World:
    """Boards stand beside the area's far edge, inside it."""
    area = _begin(plot)
    (x1, _), (x2, y2) = area.corners[0], area.corners[2]
    plot.limit = max(plot.limit, 7)
    if area.id in plot.capacity:
        plot.capacity[area.id] = plot.limit
    else:
        plot.algorithms["crowding"]["max_density"] = round((plot.limit + 0.5) / area.area_m2, 4)
    boards = tuple(
        Poster(x1 + (x2 - x1) * (0.2 + 0.3 * n), y2 - plot.between(0.5, 1.5), plot.seed_of("poster", n))
        for n in range(3)
    )
    for number, spot in enumerate(_spots(plot, area, plot.limit - 3, 1.4)):
        _visit(plot, area, spot, plot.between(-20, 20), None, number)
    _tell(plot, area)
    traffic(plot, 12)
    return plot.world(posters=boards)


def brief(plot: Plot) -> World:
    """Above the limit for less than half of T."""
    area = _begin(plot)
    count = plot.limit + int(plot.rng.integers(3, 6))
    begins = plot.between(18, 40)
    for number, spot in enumerate(_spots(plot, area, count)):
        if number < plot.limit - 1:
            _visit(plot, area, spot, plot.between(-10, 15), None, number)
        else:
            _visit(plot, area, spot, begins + plot.between(0, 1), begins + plot.between(4, 5), number)
    _tell(plot, area)
    traffic(plot, 12)
    return plot.world()
