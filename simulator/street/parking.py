"""Scripts about illegal parking."""

from __future__ import annotations

from contracts.vision import ObjectClass
from simulator.street.actors import make_of, person, some_vehicle
from simulator.street.life import busy, free_place, jam, park, passers, riders, traffic
from simulator.street.motion import way
from simulator.street.people import some_figure
from simulator.street.place import Area, rectangle
from simulator.street.plot import LIGHTS, Plot
from simulator.street.traffic import Barrier
from simulator.street.world import World

ZONE = "kerbside"
_T = 30.0


def _begin(plot: Plot, layouts: tuple[str, ...], lights: tuple[str, ...] = LIGHTS, **weather: tuple[str, ...]) -> None:
    plot.lasts(85, 130)
    plot.stage(layouts, ZONE)
    plot.watch("illegal_parking", ZONE)
    plot.weather(lights, **weather)


def _stay(plot: Plot, stop: float) -> float | None:
    """When it leaves: in half of the clips inside it, after T and a margin."""
    if plot.rng.random() < 0.5:
        return None
    leave = stop + _T + plot.between(14, 28)
    return leave if leave < plot.duration - 16 else None


def _violation(plot: Plot, stop: float, leave: float | None) -> None:
    plot.tell("illegal_parking", ZONE, stop, leave or plot.duration)


def kerb(plot: Plot) -> World:
    _begin(plot, ("street", "kerb", "junction"))
    return _one_vehicle(plot)


def night(plot: Plot) -> World:
    _begin(plot, ("street", "kerb", "junction"), ("night",), never=("shadow",))
    return _one_vehicle(plot)


def _one_vehicle(plot: Plot) -> World:
    make = some_vehicle(plot.seed_of("parked"), heavy=0.2)
    stop = plot.between(12, 26)
    leave = _stay(plot, stop)
    park(plot, make, free_place(plot, make.length), stop, leave)
    traffic(plot, plot.between(6, 16), clear=busy(stop, leave))
    passers(plot, plot.between(8, 30))
    riders(plot, 40)
    _violation(plot, stop, leave)
    return plot.world()


def occluded(plot: Plot) -> World:
    _begin(plot, ("kerb",), always_=("occlusion",))
    make = make_of(ObjectClass.CAR, plot.seed_of("parked"))
    stop = plot.between(12, 20)
    leave = _stay(plot, stop)
    y = free_place(plot, make.length)
    park(plot, make, y, stop, leave)
    # The bus waits in the lane beside the car: at y its middle, so its nose is half its length ahead.
    bus = make_of(ObjectClass.BUS, plot.seed_of("bus"))
    comes = stop + plot.between(6, 14)
    wall = Barrier(y + bus.length / 2 + 1.8, comes - 4.5, comes + plot.between(10, 16))
    traffic(plot, 14, [wall], clear=[*busy(stop, leave), (comes - 9, comes + 12)], planned=[(comes - 4.0, bus)])
    passers(plot, 20)
    _violation(plot, stop, leave)
    return plot.world()


def row(plot: Plot) -> World:
    _begin(plot, ("street", "kerb", "junction"))
    plot.duration = plot.asked_duration or plot.duration + 10
    taken: list[tuple[float, float]] = []
    times: list[tuple[float, float]] = []
    stop = plot.between(10, 16)
    for number in range(2):
        make = make_of(ObjectClass.CAR, plot.seed_of("parked", number))
        y = free_place(plot, make.length, taken) if not taken else _behind(plot, taken[-1], make.length)
        if number and y - make.length / 2 < plot.place.watched[0]:
            break
        if not taken:
            y = plot.place.watched[1] - make.length / 2 - plot.between(0.4, 1.5)
        taken.append((y, make.length))
        leave = None if number == 0 else _stay(plot, stop)
        park(plot, make, y, stop, leave)
        times += busy(stop, leave)
        _violation(plot, stop, leave)
        stop += plot.between(14, 20)
    traffic(plot, plot.between(4.5, 7), clear=times)
    passers(plot, 14)
    return plot.world()


def _behind(plot: Plot, before: tuple[float, float], length: float) -> float:
    return before[0] - (before[1] + length) / 2 - plot.between(0.9, 1.4)


def after_jam(plot: Plot) -> World:
    _begin(plot, ("street", "kerb"), always_=("jam",))
    plot.duration = plot.asked_duration or max(plot.duration, 125.0)
    make = make_of(ObjectClass.CAR, plot.seed_of("parked"))
    stop = plot.between(9, 14)
    y = free_place(plot, make.length)
    park(plot, make, y, stop, None)
    begins = stop + plot.between(3, 8)
    wall = Barrier(plot.place.watched[1] + plot.between(2, 8), begins, begins + plot.between(24, 34))
    traffic(plot, 3.6, [wall], clear=busy(stop, None))
    _violation(plot, stop, None)
    passers(plot, 25)
    return plot.world()


def queue(plot: Plot) -> World:
    _begin(plot, ("junction",), always_=("jam",))
    assert plot.place.stop_line is not None
    line = plot.place.stop_line
    red, green = plot.between(36, 48), plot.between(20, 28)
    first = plot.between(4, 14)
    reds = [(first + k * (red + green), first + k * (red + green) + red) for k in range(-1, 4)]
    traffic(plot, plot.between(4.5, 6), [Barrier(line, a, b) for a, b in reds], longest=8.0)
    passers(plot, 18)
    return plot.world(green=lambda time: not any(a <= time < b for a, b in reds))


def standstill(plot: Plot) -> World:
    _begin(plot, ("street", "kerb", "junction"), always_=("jam",))
    begins = plot.between(6, 16)
    wall = Barrier(plot.place.watched[1] + plot.between(3, 14), begins, begins + plot.between(44, 58))
    jam(plot, wall, plot.between(3.0, 4.0))
    passers(plot, 20)
    return plot.world()


def brief(plot: Plot) -> World:
    _begin(plot, ("street", "kerb", "junction"))
    make = some_vehicle(plot.seed_of("parked"), heavy=0.2)
    stop = plot.between(12, 30)
    leave = stop + plot.between(9, 22)
    park(plot, make, free_place(plot, make.length), stop, leave)
    traffic(plot, plot.between(7, 16), clear=busy(stop, leave))
    passers(plot, 20)
    return plot.world()


def legal(plot: Plot) -> World:
    _begin(plot, ("street", "kerb"))
    y1, y2 = plot.place.watched
    cut = y1 + 0.5 * (y2 - y1)
    kerbside = plot.place.areas[ZONE]
    xs = sorted({x for x, _ in kerbside.corners})
    plot.used[:] = [Area(ZONE, "no_parking", rectangle(xs[0], xs[-1], y1, cut))]
    make = make_of(ObjectClass.CAR, plot.seed_of("parked"))
    stop = plot.between(10, 25)
    park(plot, make, cut + make.length / 2 + plot.between(0.9, 2.0), stop, None)
    traffic(plot, plot.between(7, 14), clear=busy(stop, None))
    passers(plot, 20)
    return plot.world()


def loading(plot: Plot) -> World:
    _begin(plot, ("street", "kerb"))
    make = make_of(ObjectClass.TRUCK, plot.seed_of("van"))
    stop = plot.between(12, 25)
    leave = stop + plot.between(18, 25)
    y = free_place(plot, make.length)
    park(plot, make, y, stop, leave)
    side = plot.place.kerb + 0.5
    rear = y - make.length / 2 - 0.7
    for number in range(2):
        begin = stop + 2.0 + 2.5 * number
        shop = (plot.place.kerb + plot.place.pavement - 0.6, y + 1.5 * number)
        points, now, here = [(begin, side, y + 0.6 * number)], begin, (side, y + 0.6 * number)
        while now < leave - 5:
            there = (plot.place.strip + 0.5, rear) if len(points) % 2 else shop
            now += max(1.5, ((there[0] - here[0]) ** 2 + (there[1] - here[1]) ** 2) ** 0.5 / 1.3)
            points.append((now, *there))
            here = there
        points += [(now + 4, *shop)]
        figure = some_figure(plot.seed_of("loader", number))
        plot.actors.append(person(plot.number(), figure, way(points)))
    traffic(plot, plot.between(7, 14), clear=busy(stop, leave))
    passers(plot, 25)
    return plot.world()
