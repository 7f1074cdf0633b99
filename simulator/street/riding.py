"""Scripts about wrong-way cycling: who rides against a lane, and who rides with it or across."""

from __future__ import annotations

import math

from contracts.vision import ObjectClass
from simulator.street.actors import Actor, bicycle_mesh
from simulator.street.life import passers, traffic
from simulator.street.motion import Motion, walk, way
from simulator.street.people import some_figure
from simulator.street.place import LANE, STRIP, Area, rectangle
from simulator.street.plot import Plot
from simulator.street.world import World

ZONE = "lane"
_MIN_TRAVEL = 1.5
"""Body lengths: a camera along the road shows a way foreshortened."""
_BEFORE, _BEHIND = 32.0, 2.0
"""How far beyond the zone somebody appears, and rides on after it, m."""


def against(plot: Plot) -> World:
    """One or two ride against the lane, one after the other, among vehicles and riders that go with it."""
    area = _begin(plot)
    y1, y2 = _reach(area)
    now = plot.between(3, 7)
    times = []
    for number in range(1 + int(plot.rng.random() < 0.5)):
        x, speed = plot.place.strip + plot.between(-0.7, 0.7), plot.between(2.6, 4.2)
        enters = now + _BEFORE / speed
        leaves = enters + (y2 - y1) / speed
        if number and leaves > plot.duration - 3.0:
            break
        _ride(plot, way(walk([(x, y2 + _BEFORE), (x, y1 - _BEHIND)], now, speed)), number)
        plot.tell("wrong_way", ZONE, enters, leaves)
        times.append((enters - 14.0, leaves))
        now = leaves + plot.between(0, 6)
    _others(plot, times)
    return plot.world()


def along(plot: Plot) -> World:
    """Riders and vehicles go with the lane; one rider crosses it."""
    area = _begin(plot)
    y1, y2 = _reach(area)
    now = plot.between(5, 9)
    for number in range(3):
        x, speed = plot.place.strip + plot.between(-0.7, 0.7), plot.between(2.6, 4.2)
        _ride(plot, way(walk([(x, y1 - 6.0), (x, y2 + _BEFORE)], now, speed)), number)
        now += plot.between(9, 14)
    y = y1 + (y2 - y1) * plot.between(0.3, 0.6)
    crossing = [(plot.place.left - 6.0, y), (plot.place.kerb + 6.0, y + plot.between(-1.0, 1.0))]
    _ride(plot, way(walk(crossing, now, plot.between(2.0, 3.0))), 3)
    _others(plot, [(now - 10.0, now + 8.0)])
    return plot.world()


def _begin(plot: Plot) -> Area:
    plot.lasts(50, 64)
    plot.stage(("street", "kerb"), "kerbside")
    y1, y2 = plot.place.watched
    area = Area(ZONE, "road", rectangle(plot.place.kerb - STRIP - LANE, plot.place.kerb, y1 - 1.0, y2 + 2.0))
    plot.used.append(area)
    plot.algorithms["wrong_way"] = {"direction": _direction(plot, area), "min_travel": _MIN_TRAVEL}
    plot.weather(("day", "overcast", "dusk"), never=("compressed",))
    return area


def _direction(plot: Plot, area: Area) -> list[float]:
    """Where the lane leads in the middle of the zone, x right and y down in equal units."""
    x = sum(corner[0] for corner in area.corners) / 4
    y1, y2 = _reach(area)
    middle = (y1 + y2) / 2
    (u1, v1), (u2, v2) = plot.place.optics.normalised([(x, middle - 1.0), (x, middle + 1.0)])
    dx, dy = (u2 - u1) * plot.size[0] / plot.size[1], v2 - v1
    length = math.hypot(dx, dy)
    return [round(dx / length, 3), round(dy / length, 3)]


def _reach(area: Area) -> tuple[float, float]:
    ys = [corner[1] for corner in area.corners]
    return min(ys), max(ys)


def _ride(plot: Plot, motion: Motion, number: int) -> None:
    mesh, figure = bicycle_mesh(plot.seed_of("bike", number)), some_figure(plot.seed_of("rider", number))
    plot.actors.append(Actor(plot.number(), ObjectClass.BICYCLE, motion, mesh, figure, action="ride"))


def _others(plot: Plot, clear: list[tuple[float, float]]) -> None:
    traffic(plot, plot.between(6, 14), clear=clear, heavy=0.05)
    passers(plot, 18)
