"""Ordinary life in the background: traffic in the lanes, people on the pavement, vehicles that park."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from contracts.vision import ObjectClass
from simulator.street.actors import Actor, Make, bicycle_mesh, some_vehicle, vehicle
from simulator.street.hashing import generator
from simulator.street.motion import Motion, walk, way
from simulator.street.people import some_figure
from simulator.street.plot import Plot
from simulator.street.traffic import Arrival, Barrier, drive

_STEP = 0.2


def traffic(
    plot: Plot,
    every: float,
    barriers: Sequence[Barrier] = (),
    *,
    lanes: Sequence[int] | None = None,
    clear: Sequence[tuple[float, float]] = (),
    planned: Sequence[tuple[float, Make]] = (),
    heavy: float = 0.14,
    longest: float = 60.0,
) -> list[Actor]:
    """Vehicles in the lanes, one every `every` seconds and lane on average.

    Args:
        barriers: for lanes that lead away from the camera.
        lanes: numbers of the lanes with traffic; None: all.
        clear: times in which nobody enters the first lane (somebody parks there), s.
        longest: no gap is longer, s.
        planned: vehicles that enter the first lane at given times.
    """
    added = []
    for number, lane in enumerate(plot.place.lanes):
        if lanes is not None and number not in lanes:
            continue
        rng = generator(plot.key, "traffic", number)
        entries: list[tuple[float, Make]] = list(planned) if number == 0 else []
        now = -14.0 + float(rng.exponential(every))
        while now < plot.duration:
            free = number != 0 or not any(a <= now <= b for a, b in clear)
            if free and all(abs(now - other) > 3.0 for other, _ in entries):
                entries.append((now, some_vehicle(plot.seed_of("lane", number, len(entries)), heavy)))
            now += min(longest, 2.2 + float(rng.exponential(max(0.1, every - 2.2))))
        entries.sort(key=lambda e: e[0])
        arrivals = [Arrival(t, make.length, float(rng.uniform(8.0, 12.5))) for t, make in entries]
        walls = [b for b in barriers if lane.direction > 0]
        for (_, make), motion in zip(entries, drive(lane, arrivals, walls, plot.duration + 1), strict=True):
            if motion is not None:
                added.append(vehicle(plot.number(), make, motion))
                plot.actors.append(added[-1])
    return added


def jam(plot: Plot, barrier: Barrier, every: float = 3.0) -> None:
    """Dense traffic in the lanes that lead away, held by a barrier."""
    away = [n for n, lane in enumerate(plot.place.lanes) if lane.direction > 0]
    traffic(plot, every, [barrier], lanes=away, longest=8.0)
    traffic(plot, 12.0, lanes=[n for n in range(len(plot.place.lanes)) if n not in away])


def park(plot: Plot, make: Make, y: float, stop: float, leave: float | None, x: float | None = None) -> Actor:
    """A vehicle that drives in, stands at the kerb from `stop` on, and leaves (None: stays)."""
    target = plot.place.strip + plot.between(-0.15, 0.2) if x is None else x
    motion = halt(plot.place.lanes[0].x, target, y, stop, leave, plot.duration + 1.0)
    dark = (stop + 3.0, (leave or 1e9) - 2.0)
    actor = vehicle(plot.number(), make, motion, dark=dark)
    plot.actors.append(actor)
    return actor


def halt(lane: float, target: float, y: float, stop: float, leave: float | None, end: float) -> Motion:
    """From the lane at x = `lane` to (target, y), there from `stop` to `leave` (None: to `end`), and back, s and m."""
    points: list[tuple[float, float, float, float]] = []

    def add(time: float, left: float) -> None:
        """`left`: distance to the place, negative after it."""
        part = min(1.0, abs(left) / 15.0)
        smooth = part * part * (3 - 2 * part)
        slope = 6 * part * (1 - part) / 15.0 if part < 1 else 0.0
        turned = math.atan(slope * (target - lane)) * (1 if left >= 0 else -1)
        points.append((time, target + (lane - target) * smooth, y - left, turned))

    brake, before = 4.5, 8.0
    for back in np.arange(brake + before, 0, -_STEP).tolist():
        left = 0.95 * back * back if back < brake else 0.95 * brake * (2 * back - brake)
        add(stop - back, left)
    add(stop, 0.0)
    if leave is None or leave > end:
        add(end, 0.0)
    else:
        add(leave, 0.0)
        for after in np.arange(_STEP, 16.0, _STEP).tolist():
            add(leave + after, -0.7 * after * after if after < 6 else -0.7 * 6 * (2 * after - 6))
    times, xs, ys, headings = (list(values) for values in zip(*points, strict=True))
    gone = [0.0]
    for index in range(len(xs) - 1):
        gone.append(gone[-1] + math.hypot(xs[index + 1] - xs[index], ys[index + 1] - ys[index]))
    return Motion(times, xs, ys, headings, gone)


def busy(stop: float, leave: float | None) -> list[tuple[float, float]]:
    """When the first lane has to be free for a vehicle that parks."""
    # Traffic takes about as long from its entry as the vehicle that parks; those behind it must not run into it.
    times = [(stop - 13.0, stop - 2.0)]
    if leave is not None:
        times.append((leave - 6.0, leave + 4.0))
    return times


def passers(plot: Plot, every: float, *, clear: float = 0.0) -> None:
    """People who walk along both pavements, sometimes a bicycle at the edge of the road.

    Args:
        clear: keep that far off the right kerb, m.
    """
    place, rng = plot.place, generator(plot.key, "passers")
    wet = plot.effects.rain > 0
    now = -30.0 + float(rng.exponential(every))
    count = 0
    while now < plot.duration:
        count += 1
        right = rng.random() < 0.6
        low, high = place.kerb + 0.5 + clear, place.kerb + min(place.pavement, 4.5) - 0.6
        x = float(rng.uniform(min(low, high - 0.3), high)) if right else place.left - float(rng.uniform(0.8, 3.5))
        there, back = -4.0, 55.0
        ends = [(x, there), (x + float(rng.uniform(-0.4, 0.4)), back)]
        if rng.random() < 0.5:
            ends.reverse()
        motion = way(walk(ends, now, float(rng.uniform(1.0, 1.6))))
        figure = some_figure(plot.seed_of("passer", count), umbrellas=wet)
        plot.actors.append(Actor(plot.number(), ObjectClass.PERSON, motion, figure=figure))
        now += float(rng.exponential(every))


def riders(plot: Plot, every: float) -> None:
    """Bicycles and scooters along the strip."""
    rng = generator(plot.key, "riders")
    now = float(rng.exponential(every))
    count = 0
    while now < plot.duration:
        count += 1
        x = plot.place.left + float(rng.uniform(0.5, 1.0))
        motion = way(walk([(x, 70.0), (x, -6.0)], now, float(rng.uniform(3.5, 5.5))))
        mesh, figure = bicycle_mesh(plot.seed_of("bike", count)), some_figure(plot.seed_of("rider", count))
        plot.actors.append(Actor(plot.number(), ObjectClass.BICYCLE, motion, mesh, figure, action="ride"))
        now += 4 + float(rng.exponential(every))


def free_place(plot: Plot, length: float, taken: Sequence[tuple[float, float]] = ()) -> float:
    """A y in the watched part of the kerb where a vehicle of that length fits wholly, away from those `taken`."""
    y1, y2 = plot.place.watched
    low, high = y1 + length / 2 + 0.3, y2 - length / 2 - 0.3
    best, found = low, -1.0
    for _ in range(12):
        y = plot.between(low, max(low + 0.1, high))
        room = min((abs(y - other) - (length + size) / 2 for other, size in taken), default=9.0)
        if room > found:
            best, found = y, room
        if found > 1.2:
            break
    return best
