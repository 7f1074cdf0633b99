"""Scripts about the camera's health, and the ordinary street of any length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from contracts.vision import ObjectClass
from simulator.street.actors import Actor, Make, some_vehicle, vehicle
from simulator.street.hashing import generator, mix
from simulator.street.life import busy, halt, passers, traffic
from simulator.street.light import Light, daylight
from simulator.street.motion import Motion, walk, way
from simulator.street.people import some_figure
from simulator.street.place import Place
from simulator.street.plot import LIGHTS, Plot
from simulator.street.things import Bin
from simulator.street.traffic import Arrival, Barrier, drive, flow
from simulator.street.weather import Fault
from simulator.street.world import World

_DAY = 86_400.0
_BLOCK = 300.0
_LIGHT_STEP = 120.0
_CYCLE = 75.0
_RED = 24.0
_WATCHES = {"illegal_parking": "kerbside", "waterlogging": "road", "crowding": "pavement", "litter": "pavement"}


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
    """Traffic at lights, brief stops, people who pass or meet, a bin that never overflows.

    By day and night, for as long as asked.
    """
    plot.lasts(120, 120)
    plot.stage(("street", "junction"), "kerbside")
    for algorithm, area in _WATCHES.items():
        zone = plot.watch(algorithm, area).id
        plot.algorithms[algorithm]["zones"] = [zone]
    plot.capacity["pavement"] = 12
    plot.weather(LIGHTS, never=("compressed",))
    begins = {"day": 13.0, "overcast": 11.0, "dusk": 18.3, "night": 23.0}[plot.slices[0]] * 3600
    clouds = 0.95 if plot.effects.rain > 0 or plot.slices[0] == "overcast" else plot.between(0.05, 0.6)
    place, key = plot.place, plot.key
    rate = plot.between(9, 22)

    @lru_cache(maxsize=4)
    def block(number: int) -> list[Actor]:
        return _Block(place, key, number, begins, rate).actors

    def cast(time: float) -> Sequence[Actor]:
        number = math.floor(time / _BLOCK)
        return [a for a in (*block(number - 1), *block(number)) if a.motion.start <= time <= a.motion.end]

    plot.light = _day(begins, clouds)
    bin = Bin("", *place.bin_at, plot.seed_of("bin"), ((0.0, 0.5), (3600.0, 0.8)))
    return plot.world(cast=cast, bins=(bin,), green=_green if place.stop_line is not None else None)


def _green(time: float) -> bool:
    return time % _CYCLE >= _RED


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


class _Block:
    """One block of time: who comes in it; everybody is gone before the next but one begins."""

    def __init__(self, place: Place, key: int, number: int, begins: float, rate: float) -> None:
        self.place, self.key, self.number, self.rate = place, key, number, rate
        self.start = number * _BLOCK
        self.share = _busy(begins, self.start)
        self.actors: list[Actor] = []
        self._vehicles(self._brief_stop())
        self._walkers()
        self._meeting()

    def _id(self) -> int:
        return (self.number % 5000) * 500 + len(self.actors) + 1

    def _brief_stop(self) -> list[tuple[float, float]]:
        """Sometimes a vehicle stops at the kerb for less than any T; when nobody may run into it."""
        rng = generator(self.key, "block", self.number, "stop")
        if rng.random() > 0.6 * self.share:
            return []
        make = some_vehicle(int(rng.integers(256)), heavy=0.0)
        y1, y2 = self.place.watched
        stop = self.start + float(rng.uniform(40, 200))
        leave = stop + float(rng.uniform(6, 20))
        y = float(rng.uniform(y1 + 3, y2 - 3))
        motion = halt(self.place.lanes[0].x, self.place.strip, y, stop, leave, self.start + 2 * _BLOCK)
        self.actors.append(vehicle(self._id(), make, motion))
        return busy(stop, leave)

    def _vehicles(self, clear: list[tuple[float, float]]) -> None:
        reds: list[Barrier] = []
        if self.place.stop_line is not None:
            first = math.floor(self.start / _CYCLE) * _CYCLE
            times = [first + k * _CYCLE for k in range(-1, 6)]
            reds = [Barrier(self.place.stop_line, time, time + _RED) for time in times]
        for index, lane in enumerate(self.place.lanes):
            rng = generator(self.key, "block", self.number, index)
            entries: list[tuple[float, Make]] = []
            now = self.start + float(rng.exponential(self.rate / self.share))
            # The last half minute is left free, so that the next block's vehicles meet nobody standing.
            while now < self.start + _BLOCK - 30:
                if index != 0 or not any(a <= now <= b for a, b in clear):
                    entries.append((now, some_vehicle(mix(self.key, self.number, index, len(entries)) & 0xFF)))
                now += 2.5 + float(rng.exponential(self.rate / self.share))
            if reds and lane.direction > 0:
                arrivals = [Arrival(t, make.length, float(rng.uniform(8, 12))) for t, make in entries]
                ways = drive(lane, arrivals, reds, self.start + _BLOCK + 60)
            else:
                speed = float(rng.uniform(8.5, 11.5))
                ways = [flow(lane, t, make.length, speed) for t, make in entries]
            for (_, make), motion in zip(entries, ways, strict=True):
                if motion is not None:
                    self.actors.append(vehicle(self._id(), make, motion))

    def _person(self, motion: Motion) -> None:
        figure = some_figure(mix(self.key, self.number, len(self.actors)) & 0x7FFFFFFF)
        self.actors.append(Actor(self._id(), ObjectClass.PERSON, motion, figure=figure))

    def _walkers(self) -> None:
        rng = generator(self.key, "block", self.number, "people")
        now = self.start + float(rng.exponential(15 / self.share))
        while now < self.start + _BLOCK:
            right = rng.random() < 0.6
            kerb, left = self.place.kerb, self.place.left
            x = kerb + float(rng.uniform(0.6, 3.0)) if right else left - float(rng.uniform(0.8, 3.5))
            ends = [(x, -4.0), (x + float(rng.uniform(-0.3, 0.3)), 55.0)]
            if rng.random() < 0.5:
                ends.reverse()
            self._person(way(walk(ends, now, float(rng.uniform(1.0, 1.6)))))
            now += float(rng.exponential(15 / self.share))

    def _meeting(self) -> None:
        """Sometimes two to four people meet on the pavement and talk for a while."""
        rng = generator(self.key, "block", self.number, "meeting")
        if rng.random() > 0.7 * self.share:
            return
        y1, y2 = self.place.watched
        x, y = self.place.kerb + float(rng.uniform(1.4, 2.6)), float(rng.uniform(y1 + 2, y2 - 2))
        meet = self.start + float(rng.uniform(60, 120))
        part = meet + float(rng.uniform(30, 120))
        count = int(rng.integers(2, 5))
        for member in range(count):
            angle = member * math.tau / count
            spot = (x + 0.55 * math.sin(angle), y + 0.55 * math.cos(angle))
            far = (spot[0], 55.0 if rng.random() < 0.5 else -4.0)
            coming = walk([far, spot], 0.0, 1.3)[-1][0]
            points = walk([far, spot], meet - coming + 1.5 * member, 1.3)
            points += walk([spot, (spot[0], 51.0 - far[1])], part + 0.8 * member, 1.3)
            self._person(way(points))
