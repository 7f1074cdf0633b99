"""Who moves in a street: vehicles, people, bicycles, carts, posters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from contracts.vision import ObjectClass
from simulator.street.hashing import generator
from simulator.street.meshes import Mesh, bicycle, bus, car, tricycle, truck
from simulator.street.motion import Motion
from simulator.street.people import Figure
from simulator.street.types import Colour

_PAINTS: tuple[Colour, ...] = (
    (225, 226, 228), (205, 205, 206), (150, 150, 152), (96, 96, 98), (38, 38, 40), (52, 48, 46), (140, 72, 30),
    (42, 40, 165), (60, 60, 190), (90, 105, 128), (70, 95, 60), (170, 190, 200), (40, 150, 205), (110, 60, 70),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """Somebody or something with a way.

    Attributes:
        id: unique in the scenario.
        object_class: as truth tells it; None is not told (a poster).
        mesh: a solid thing, or
        figure: a person; a bicycle with its rider has both.
        action: of the figure: "walk", "ride", "bend".
        lit: it has lights, on when it is dark.
        dark: from when to when it stands with its lights off, s.
    """

    id: int
    object_class: ObjectClass | None
    motion: Motion
    mesh: Mesh | None = None
    figure: Figure | None = None
    action: str = "walk"
    lit: bool = False
    dark: tuple[float, float] | None = None

    def lights_on(self, time: float) -> bool:
        return self.lit and not (self.dark is not None and self.dark[0] <= time < self.dark[1])


@dataclass(frozen=True, slots=True)
class Make:
    """What a vehicle is."""

    object_class: ObjectClass
    shape: str
    length: float
    seed: int


def some_vehicle(seed: int, heavy: float = 0.16) -> Make:
    """A vehicle by chance; `heavy`: share of buses and trucks."""
    rng = generator(seed, "vehicle")
    if rng.random() < heavy:
        if rng.random() < 0.5:
            return Make(ObjectClass.BUS, "bus", float(rng.uniform(8.5, 12)), seed)
        return Make(ObjectClass.TRUCK, "truck", float(rng.uniform(5.8, 8.5)), seed)
    shape = str(rng.choice(["sedan", "hatch", "suv", "van"], p=[0.4, 0.2, 0.27, 0.13]))
    low, high = {"sedan": (4.5, 4.95), "hatch": (3.7, 4.3), "suv": (4.4, 4.9), "van": (4.3, 5.4)}[shape]
    return Make(ObjectClass.CAR, shape, float(rng.uniform(low, high)), seed)


def make_of(object_class: ObjectClass, seed: int) -> Make:
    """A vehicle of that class."""
    rng = generator(seed, "class")
    if object_class is ObjectClass.BUS:
        return Make(object_class, "bus", float(rng.uniform(9.5, 12)), seed)
    if object_class is ObjectClass.TRUCK:
        return Make(object_class, "truck", float(rng.uniform(5.8, 8.0)), seed)
    return some_vehicle(seed, heavy=0.0)


@lru_cache(maxsize=512)
def vehicle_mesh(make: Make) -> Mesh:
    rng = generator(make.seed, "paint")
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    spread = rng.uniform(0.88, 1.1, 3)
    colour = (min(250.0, paint[0] * spread[0]), min(250.0, paint[1] * spread[1]), min(250.0, paint[2] * spread[2]))
    if make.shape == "bus":
        livery = [(60, 160, 60), (190, 120, 40), (50, 60, 200), (40, 170, 225), (215, 215, 212)]
        return bus(livery[int(rng.integers(len(livery)))], make.length)
    if make.shape == "truck":
        cargo = [(215, 216, 216), (150, 152, 155), (160, 110, 60), (80, 120, 150)]
        return truck(colour, cargo[int(rng.integers(len(cargo)))], make.length)
    height = {"sedan": 1.45, "hatch": 1.5, "suv": 1.68, "van": 1.92}[make.shape]
    width = {"sedan": 1.82, "hatch": 1.72, "suv": 1.88, "van": 1.84}[make.shape]
    return car(make.shape, colour, make.length, width, height)


@lru_cache(maxsize=64)
def cart_mesh(seed: int) -> Mesh:
    rng = generator(seed, "cart")
    paints = [(60, 120, 40), (150, 80, 30), (40, 50, 150), (120, 120, 118)]
    load = rng.uniform(60, 220, 3)
    return tricycle(
        paints[int(rng.integers(len(paints)))],
        (float(load[0]), float(load[1]), float(load[2])),
        bool(rng.random() < 0.6),
    )


@lru_cache(maxsize=64)
def bicycle_mesh(seed: int) -> Mesh:
    rng = generator(seed, "bicycle")
    paint = rng.uniform(30, 220, 3)
    return bicycle((float(paint[0]), float(paint[1]), float(paint[2])), bool(rng.random() < 0.5))


def vehicle(number: int, make: Make, motion: Motion, dark: tuple[float, float] | None = None) -> Actor:
    return Actor(number, make.object_class, motion, vehicle_mesh(make), lit=True, dark=dark)


def person(number: int, figure: Figure, motion: Motion, action: str = "walk") -> Actor:
    return Actor(number, ObjectClass.PERSON, motion, figure=figure, action=action)
