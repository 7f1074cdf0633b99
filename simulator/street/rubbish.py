"""Scripts about litter."""

from __future__ import annotations

import math

from contracts.vision import ObjectClass
from simulator.street.actors import Actor, bicycle_mesh, cart_mesh, person
from simulator.street.life import passers, traffic
from simulator.street.motion import walk, way
from simulator.street.people import some_figure
from simulator.street.place import Area
from simulator.street.plot import LIGHTS, Plot
from simulator.street.things import Bin, Item
from simulator.street.world import World

_T = 20.0
_FOREVER = 1e9
_SIZES = {"bag": (0.5, 0.75), "carton": (0.5, 0.8), "pile": (1.0, 1.5), "food": (0.4, 0.5), "bottle": (0.4, 0.5)}


def _begin(
    plot: Plot,
    areas: tuple[str, ...] = ("pavement", "square"),
    lights: tuple[str, ...] = LIGHTS,
    **weather: tuple[str, ...],
) -> Area:
    plot.lasts(80, 115)
    name = areas[int(plot.rng.integers(len(areas)))]
    plot.stage(("square",) if name == "square" else ("street", "kerb"), name)
    area = plot.watch("litter", name)
    plot.weather(lights, **weather)
    return area


def _spot(plot: Plot, area: Area) -> tuple[float, float]:
    """A place in the nearer half of the area, away from its edge."""
    (x1, y1), (x2, y2) = area.corners[0], area.corners[2]
    return plot.between(x1 + 0.8, max(x1 + 0.9, x2 - 0.8)), y1 + (y2 - y1) * plot.between(0.12, 0.5)


def _far(plot: Plot, area: Area) -> tuple[float, float]:
    (x1, _), (x2, y2) = area.corners[0], area.corners[2]
    return plot.between(x1 + 0.4, x2 - 0.4), y2 + plot.between(10, 18)


def _item(
    plot: Plot,
    kind: str,
    spot: tuple[float, float],
    since: float,
    until: float,
    attended: tuple[tuple[float, float], ...],
) -> Item:
    size = plot.between(*_SIZES.get(kind, (0.5, 0.7)))
    return Item(1, kind, *spot, size, plot.seed_of("item"), since, until, attended)


def _leaver(plot: Plot, area: Area, spot: tuple[float, float], drop: float, stays: float, number: int = 0) -> float:
    """Somebody who comes, puts something down at `drop` and goes after `stays`; when they are 4 m away, s."""
    beside = (spot[0] - 0.45, spot[1] + 0.1)
    speed = plot.between(1.1, 1.5)
    start, end = _far(plot, area), _far(plot, area)
    coming = math.hypot(beside[0] - start[0], beside[1] - start[1]) / speed
    points = walk([start, beside], drop - coming, speed)
    points.append((drop + stays, *beside))
    points += walk([beside, end], drop + stays + 0.01, speed)[1:]
    figure = some_figure(plot.seed_of("leaver", number), umbrellas=plot.effects.rain > 0)
    plot.actors.append(person(plot.number(), figure, way(points)))
    return drop + stays + 4.0 / speed


def _around(plot: Plot) -> None:
    traffic(plot, plot.between(9, 18))
    passers(plot, plot.between(12, 30), clear=1.6 if plot.used[0].kind == "sidewalk" else 0.5)


def _left(plot: Plot, kinds: tuple[str, ...], area: Area) -> World:
    kind = kinds[int(plot.rng.integers(len(kinds)))]
    spot = _spot(plot, area)
    drop, stays = plot.between(10, 18), plot.between(1.5, 5)
    gone = _leaver(plot, area, spot, drop, stays)
    until = gone + _T + plot.between(20, 28) if plot.rng.random() < 0.5 else _FOREVER
    if until > plot.duration - 8:
        until = _FOREVER
    if until < _FOREVER:
        _leaver(plot, area, spot, until, 1.0, 1)
    item = _item(plot, kind, spot, drop, until, ((drop, gone),))
    plot.tell("litter", area.id, drop, until)
    _around(plot)
    return plot.world(items=(item,))


def bag(plot: Plot) -> World:
    return _left(plot, ("bag", "bag", "carton"), _begin(plot))


def pile(plot: Plot) -> World:
    return _left(plot, ("pile",), _begin(plot))


def rain(plot: Plot) -> World:
    area = _begin(plot, lights=("overcast", "dusk"), always_=("rain",), never=("shadow",))
    return _left(plot, ("bag", "carton", "pile"), area)


def overflow(plot: Plot) -> World:
    """A bin fills until it overflows; then bags stand beside it."""
    area = _begin(plot, ("bin",))
    x, y = plot.place.bin_at
    full = plot.between(14, 24)
    levels = ((0.0, plot.between(0.2, 0.8)), (full - 4, 0.85), (full, 1.0), (full + 0.1, 1.3), (full + 12, 1.7))
    bin = Bin(area.id, x, y, plot.seed_of("bin"), levels)
    beside = [
        Item(n + 1, "bag", x + dx, y + dy, plot.between(0.42, 0.6), plot.seed_of("heap", n), full + when, _FOREVER)
        for n, (dx, dy, when) in enumerate(((-0.65, -0.2, 3.0), (0.65, -0.3, 8.0), (0.1, -0.7, 14.0)))
    ]
    for number, when in enumerate((full - 4, full, full + 3, full + 8, full + 14)):
        _leaver(plot, area, (x - 0.5, y - 0.6), when, 1.2, number)
    plot.tell("litter", area.id, full + 0.1, plot.duration)
    _around(plot)
    return plot.world(bins=(bin,), items=tuple(beside))


def attended(plot: Plot) -> World:
    area = _begin(plot)
    spot = _spot(plot, area)
    drop = plot.between(8, 18)
    _leaver(plot, area, spot, drop, plot.duration, 0)
    kind = ("bag", "luggage", "carton")[int(plot.rng.integers(3))]
    item = _item(plot, kind, spot, drop, _FOREVER, ((drop, _FOREVER),))
    _around(plot)
    return plot.world(items=(item,))


def picked(plot: Plot) -> World:
    area = _begin(plot)
    spot = _spot(plot, area)
    drop = plot.between(10, 20)
    gone = _leaver(plot, area, spot, drop, plot.between(1, 3))
    until = gone + plot.between(5, 11)
    _leaver(plot, area, spot, until, 1.5, 1)
    kind = ("bag", "carton")[int(plot.rng.integers(2))]
    item = _item(plot, kind, spot, drop, until, ((drop, gone), (until - 2, until)))
    _around(plot)
    return plot.world(items=(item,))


def leaves(plot: Plot) -> World:
    area = _begin(plot, lights=("day", "overcast", "dusk"), always_=("wind",), never=("rain",))
    items = []
    for number in range(int(plot.rng.integers(2, 5))):
        spot = _spot(plot, area)
        since = plot.between(-20, 30)
        items.append(
            Item(number + 1, "leaves", *spot, plot.between(0.8, 1.6), plot.seed_of("leaves", number), since, _FOREVER)
        )
    _around(plot)
    return plot.world(items=tuple(items))


def cart(plot: Plot) -> World:
    area = _begin(plot)
    spot = _spot(plot, area)
    arrive = plot.between(10, 20)
    wheeled = plot.rng.random() < 0.5
    mesh = cart_mesh(plot.seed_of("cart")) if wheeled else bicycle_mesh(plot.seed_of("bicycle"))
    shown = ObjectClass.OTHER if wheeled else ObjectClass.BICYCLE
    start = _far(plot, area)
    coming = walk([start, spot], arrive - math.hypot(spot[0] - start[0], spot[1] - start[1]) / 1.2, 1.2)
    coming.append((plot.duration + 2, *spot))
    motion = way(coming)
    plot.actors.append(Actor(plot.number(), shown, motion, mesh))
    pushes = [(t, x + 0.1, y + 1.5) for t, x, y in coming[:-1]]
    end = _far(plot, area)
    pushes += walk([(pushes[-1][1], pushes[-1][2]), end], arrive + 1.5, 1.3)
    plot.actors.append(person(plot.number(), some_figure(plot.seed_of("pusher")), way(pushes)))
    _around(plot)
    return plot.world()


def shadow(plot: Plot) -> World:
    area = _begin(plot, lights=("day",), always_=("shadow",), never=("rain",))
    spot = _spot(plot, area)
    since = plot.between(10, 20)
    item = Item(1, "shadow", *spot, plot.between(0.7, 1.2), plot.seed_of("shadow"), since, _FOREVER)
    _around(plot)
    return plot.world(items=(item,))
