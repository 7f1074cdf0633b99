"""Scripts about the camera's health, and the ordinary street of any length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from contracts.vision import ObjectClass
from simulator.street.actors import Actor, Make, some_vehicle, vehicle
from simulator.street.hashing import generator, mix, unit
from simulator.street.life import passers, traffic
from simulator.street.light import Light, daylight
from simulator.street.motion import walk, way
from simulator.street.people import some_figure
from simulator.street.place import Place
from simulator.street.plot import LIGHTS, PARAMETERS, Plot
from simulator.street.things import Bin
from simulator.street.traffic import Arrival, Barrier, drive, flow
from simulator.street.weather import Fault
from simulator.street.world import World

_DAY = 86_400.0
_BLOCK = 300.0
_LIGHT_STEP = 120.0
_CYCLE = 75.0


def health(kind: str) -> Callable[[Plot], World]:
    """A script in which the camera has that fault."""

    def script(plot: Plot) -> World:
        plot.lasts(80, 110)
        plot.stage(("street", "kerb", "junction"), "kerbside")
        plot.watch("camera_health", "kerbside")
        plot.used.clear()
        plot.weather(LIGHTS if kind not in {"black"} else ("day", "overcast", "dusk"))
        start = plot.between(20, 30)
        ends = plot.rng.random() < 0.5
        end = start + plot.between(28, 40) if ends else plot.duration + 1
        traffic(plot, plot.between(6, 12))
        passers(plot, 12)
        plot.tell("camera_health", "", start, end)
        return plot.world(fault=Fault(kind, start, end, plot.seed_of("fault")))

    return script


def ordinary(plot: Plot) -> World:
    """Traffic at lights, brief stops, people, a bin that never overflows; by day and night, for as long as asked."""
    plot.lasts(120, 120)
    plot.stage(("street", "junction"), "kerbside")
    for algorithm, area in (
        ("illegal_parking", "kerbside"),
        ("waterlogging", "road"),
        ("crowding", "pavement"),
        ("litter", "pavement"),
    ):
        plot.watch(algorithm, area)
    plot.algorithms = {name: dict(PARAMETERS[name]) for name in plot.algorithms}
    plot.capacity["pavement"] = 12
    plot.weather(LIGHTS, never=("compressed",))
    begins = {"day": 13.0, "overcast": 11.0, "dusk": 18.3, "night": 23.0}[plot.slices[0]] * 3600
    clouds = 0.95 if plot.effects.rain > 0 or plot.slices[0] == "overcast" else plot.between(0.05, 0.6)
    place, key = plot.place, plot.key
    rate = plot.between(9, 22)

    @lru_cache(maxsize=4)
    def block(number: int) -> tuple[Actor, ...]:
        return _block(place, key, number, begins, rate)

    def cast(time: float) -> Sequence[Actor]:
        number = math.floor(time / _BLOCK)
        return [a for a in (*block(number - 1), *block(number)) if a.motion.start <= time <= a.motion.end]

    plot.light = _day(begins, clouds)
    bin = Bin("", *place.bin_at, plot.seed_of("bin"), ((0.0, 0.5), (3600.0, 0.8)))
    return plot.world(cast=cast, bins=(bin,), green=_green if place.stop_line is not None else None)


def _green(time: float) -> bool:
    return time % _CYCLE >= 30.0


def _day(begins: float, clouds: float) -> Callable[[float], Light]:
    """The light of a day that begins at `begins` seconds after midnight, in steps of two minutes."""

    @lru_cache(maxsize=4)
    def at(step: int) -> Light:
        hour = ((begins + step * _LIGHT_STEP) % _DAY) / 3600
        elevation = 0.95 * math.sin((hour - 6.0) / 24 * math.tau)
        return daylight(elevation, (hour - 12) / 24 * math.tau + math.pi, clouds)

    return lambda time: at(math.floor(time / _LIGHT_STEP))


def _busy(begins: float, time: float) -> float:
    """How much goes on, 0.1 at night to 1 in the day."""
    hour = ((begins + time) % _DAY) / 3600
    return 0.12 + 0.88 * max(0.0, math.sin((hour - 5) / 18 * math.pi)) ** 0.6 if 5 < hour < 23 else 0.12


def _block(place: Place, key: int, number: int, begins: float, rate: float) -> tuple[Actor, ...]:
    """Who comes in one block of time; everybody is gone before the next but one begins."""
    start = number * _BLOCK
    actors: list[Actor] = []
    share = _busy(begins, start)

    def next_id() -> int:
        return (number % 5000) * 500 + len(actors) + 1

    reds = []
    if place.stop_line is not None:
        first = math.floor(start / _CYCLE) * _CYCLE
        reds = [Barrier(place.stop_line, first + k * _CYCLE, first + k * _CYCLE + 30.0) for k in range(-1, 6)]
    for index, lane in enumerate(place.lanes):
        rng = generator(key, "block", number, index)
        entries: list[tuple[float, Make]] = []
        now = start + float(rng.exponential(rate / share))
        # The last half minute is left free, so that the next block's vehicles meet nobody standing.
        while now < start + _BLOCK - 30:
            entries.append((now, some_vehicle(mix(key, number, index, len(entries)) & 0xFF)))
            now += 2.5 + float(rng.exponential(rate / share))
        if reds and lane.direction > 0:
            arrivals = [Arrival(t, make.length, float(rng.uniform(8, 12))) for t, make in entries]
            ways = drive(lane, arrivals, reds, start + _BLOCK + 60)
        else:
            speed = float(rng.uniform(8.5, 11.5))
            ways = [flow(lane, t, make.length, speed) for t, make in entries]
        for (_, make), motion in zip(entries, ways, strict=True):
            if motion is not None:
                actors.append(vehicle(next_id(), make, motion))
    rng = generator(key, "block", number, "people")
    now = start + float(rng.exponential(15 / share))
    while now < start + _BLOCK:
        right = unit(key, number, len(actors), "side") < 0.6
        x = place.kerb + float(rng.uniform(0.6, 3.0)) if right else place.left - float(rng.uniform(0.8, 3.5))
        ends = [(x, -4.0), (x + float(rng.uniform(-0.3, 0.3)), 55.0)]
        if rng.random() < 0.5:
            ends.reverse()
        motion = way(walk(ends, now, float(rng.uniform(1.0, 1.6))))
        figure = some_figure(mix(key, number, len(actors)) & 0x7FFFFFFF)
        actors.append(Actor(next_id(), ObjectClass.PERSON, motion, figure=figure))
        now += float(rng.exponential(15 / share))
    return tuple(actors)
