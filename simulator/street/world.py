"""Everything a scenario consists of, before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.vision import ByteArray
from simulator.street.actors import Actor
from simulator.street.light import Light
from simulator.street.place import Place
from simulator.street.things import Bin, Item
from simulator.street.water import Puddle
from simulator.street.weather import Effects, Fault

Cast = Callable[[float], Sequence[Actor]]


def always(actors: Sequence[Actor]) -> Cast:
    """A cast of actors who come and go by their own ways."""
    fixed = tuple(actors)

    def cast(time: float) -> Sequence[Actor]:
        return [actor for actor in fixed if actor.motion.start <= time <= actor.motion.end]

    return cast


@dataclass(frozen=True, slots=True)
class Poster:
    """A board with a picture of a person on it."""

    x: float
    y: float
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What there is, as functions of time.

    Attributes:
        light: the light at a moment (constant for minutes, so that the empty street is seldom lit anew).
        cast: who is there at a moment (more may be named than are).
        green: whether the signal shows green.
    """

    seed: int
    place: Place
    light: Callable[[float], Light]
    cast: Cast
    effects: Effects
    puddles: tuple[Puddle, ...] = ()
    items: tuple[Item, ...] = ()
    bins: tuple[Bin, ...] = ()
    posters: tuple[Poster, ...] = ()
    fault: Fault | None = None
    green: Callable[[float], bool] | None = None
    backdrop: ByteArray | None = None
