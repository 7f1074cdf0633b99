"""Scripts about waterlogging."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contracts.vision import ObjectClass
from simulator.street.actors import make_of
from simulator.street.life import passers, riders, traffic
from simulator.street.optics import Optics
from simulator.street.place import Area
from simulator.street.plot import LIGHTS, Plot
from simulator.street.types import FloatArray
from simulator.street.water import Puddle, hollow
from simulator.street.world import World

ALARM_SHARE = 0.08
"""Share of a zone's area in the picture from which water is waterlogging, as truth tells it."""
_AREA = "road"


def _begin(plot: Plot, lights: tuple[str, ...] = LIGHTS, **weather: tuple[str, ...]) -> Area:
    plot.lasts(85, 120)
    plot.stage(("street", "kerb", "junction"), _AREA)
    area = plot.watch("waterlogging", _AREA)
    plot.weather(lights, **weather)
    return area


def _shape(plot: Plot, share: float) -> tuple[float, float, float, float]:
    """Middle and half axes (m) of a puddle that covers about `share` of the zone's ground at level 1."""
    area = plot.used[0]
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    wide = min(plot.between(0.30, 0.45) * (x2 - x1), 3.6)
    deep = share * area.area_m2 / (np.pi * wide)
    x = plot.between(x1 + 0.55 * wide, x2 - 0.55 * wide)
    # Nearer than the middle: far water fills few pixels.
    y = y1 + (y2 - y1) * plot.between(0.25, 0.45)
    return x, y, wide, float(deep)


def shares(puddle: Puddle, optics: Optics, area: Area, times: NDArray[np.floating]) -> FloatArray:
    """Share of the zone's pixels that are water, at each time."""
    small = replace(optics, size=(320, max(2, 320 * optics.size[1] // optics.size[0])))
    x, y, depth = small.ground_maps()
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    inside = (depth > 0) & (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)
    field = np.sort(hollow(puddle, x[inside], y[inside]).ravel())
    levels = np.array([puddle.level(float(t)) for t in times])
    return np.asarray(np.searchsorted(field, levels) / max(1, len(field)))


def _growing(plot: Plot, share: float, begins: float, grows: float, ends: float | None) -> Puddle:
    """A puddle, its truth told; `share` of the zone in the picture at its largest."""
    x, y, wide, deep = _shape(plot, share)
    levels = [(0.0, 0.0), (begins, 0.0), (begins + grows, 1.0)]
    if ends is not None:
        levels += [(ends, 1.0), (ends + 12.0, 0.0)]
    puddle = Puddle(x, y, wide, deep, plot.seed_of("puddle"), tuple(levels))
    times = np.arange(0, plot.duration, 0.25)
    # The shape is made larger until the water in the picture is as much as wanted.
    for _ in range(12):
        seen = shares(puddle, plot.place.optics, plot.used[0], times)
        if seen.max() >= share:
            break
        puddle = replace(puddle, wide=puddle.wide * 1.08, deep=puddle.deep * 1.12)
    _measure(plot, puddle)
    above = times[shares(puddle, plot.place.optics, plot.used[0], times) >= ALARM_SHARE]
    if len(above):
        end = float(above[-1]) + 0.25
        plot.tell("waterlogging", plot.used[0].id, float(above[0]), end if end < plot.duration - 0.5 else plot.duration)
    return puddle


def _measure(plot: Plot, puddle: Puddle) -> None:
    """Notes how much of the zone the only puddle covers."""
    area, times = plot.used[0], np.arange(0, plot.duration, 0.25)
    plot.measure("waterlogging", area.id, times, shares(puddle, plot.place.optics, area, times))


def _ends(plot: Plot, full: float) -> float | None:
    ends = full + plot.between(28, 36)
    return ends if plot.rng.random() < 0.5 and ends + 14 < plot.duration else None


def _grow(plot: Plot, every: float) -> World:
    begins, grows = plot.between(6, 16), plot.between(8, 18)
    puddle = _growing(plot, plot.between(0.22, 0.42), begins, grows, _ends(plot, begins + grows))
    traffic(plot, every)
    passers(plot, 20)
    riders(plot, 50)
    return plot.world(puddles=(puddle,))


def grow(plot: Plot) -> World:
    _begin(plot)
    return _grow(plot, plot.between(14, 25))


def rainy(plot: Plot) -> World:
    _begin(plot, ("overcast", "dusk", "night"), always_=("rain",), never=("shadow",))
    return _grow(plot, plot.between(14, 25))


def dark(plot: Plot) -> World:
    _begin(plot, ("night",), never=("shadow",))
    return _grow(plot, plot.between(12, 25))


def driven(plot: Plot) -> World:
    _begin(plot)
    return _grow(plot, plot.between(5.5, 9))


def wet(plot: Plot) -> World:
    _begin(plot, ("overcast", "dusk"), always_=("rain", "wet"), never=("shadow",))
    traffic(plot, plot.between(8, 16))
    passers(plot, 15)
    return plot.world()


def shadows(plot: Plot) -> World:
    _begin(plot, ("day",), always_=("shadow",), never=("rain",))
    traffic(plot, plot.between(6, 12))
    passers(plot, 15)
    return plot.world()


def headlights(plot: Plot) -> World:
    _begin(plot, ("night",), always_=("wet",), never=("shadow",))
    traffic(plot, plot.between(5, 10))
    passers(plot, 25)
    return plot.world()


def small(plot: Plot) -> World:
    area = _begin(plot)
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    radius = plot.between(0.5, 0.9)
    begins = plot.between(0, 12)
    puddle = Puddle(
        plot.between(x1 + 1, x2 - 1), plot.between(y1 + 4, y2 - 2), radius, radius * plot.between(0.9, 1.5),
        plot.seed_of("puddle"), ((0.0, 0.4), (begins + 1, 0.4), (begins + 15, 1.0)),
    )  # fmt: skip
    times = np.arange(0, plot.duration, 1.0)
    while shares(puddle, plot.place.optics, area, times).max() > 0.35 * ALARM_SHARE:
        puddle = replace(puddle, wide=puddle.wide * 0.85, deep=puddle.deep * 0.85)
    _measure(plot, puddle)
    traffic(plot, plot.between(8, 18))
    passers(plot, 20)
    return plot.world(puddles=(puddle,))


def cleaning(plot: Plot) -> World:
    """A sprinkler truck passes; what it leaves dries within T."""
    area = _begin(plot, ("day", "overcast", "dusk"), never=("rain", "shadow"))
    comes = plot.between(14, 24)
    truck = make_of(ObjectClass.TRUCK, plot.seed_of("sprinkler"))
    traffic(plot, 16, planned=[(comes - 4, truck)], clear=[(comes - 8, comes + 2)])
    y1, y2 = area.corners[0][1], area.corners[2][1]
    lane = plot.place.lanes[0].x
    levels = ((0.0, 0.0), (comes, 0.0), (comes + 2, 1.0), (comes + 7, 0.8), (comes + 13, 0.0))
    film = Puddle(lane, (y1 + y2) / 2, 1.3, (y2 - y1) * 0.55, plot.seed_of("film"), levels)
    passers(plot, 20)
    return plot.world(puddles=(film,))
