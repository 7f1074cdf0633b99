"""Things on the ground and bins, as the senses would tell them, for tests of the litter rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from contracts.geometry import overlap_area
from contracts.senses import BinReading, Leftover, Senses
from contracts.vision import Look, ObjectClass
from pipeline.rules.base import Output, Rule
from tests.unit.scenes import Actor, look

TOLD_AFTER_S = 6.0


@dataclass(frozen=True)
class Drop:
    """Something lying at (x, y), its lower middle, from start to end.

    Attributes:
        numbers: (from time, number): what the sense calls it.
        missed: time → the sense does not find it.
    """

    number: int
    x: float
    y: float
    start: float
    end: float
    litter: float | Callable[[float], float] = 0.9
    size: tuple[float, float] = (0.03, 0.03)
    numbers: tuple[tuple[float, int], ...] = ()
    missed: Callable[[float], bool] = field(default=lambda _: False)

    @property
    def box(self) -> tuple[float, float, float, float]:
        w, h = self.size
        return self.x - w / 2, self.y - h, self.x + w / 2, self.y

    def told(self, one: Look) -> Leftover | None:
        """What the sense says of it in a look."""
        if not self.start + TOLD_AFTER_S <= one.time < self.end or self.missed(one.time) or self._hidden(one):
            return None
        number = self.number
        for since, other in self.numbers:
            number = other if one.time >= since else number
        litter = self.litter if isinstance(self.litter, float) else self.litter(one.time)
        return Leftover(number, self.box, self.start, litter)

    def _hidden(self, one: Look) -> bool:
        box = np.array([self.box])
        return bool((overlap_area(box, one.tracks.boxes) > 0.3 * self.size[0] * self.size[1]).any())


@dataclass(frozen=True)
class Bin:
    """A bin that overflows from start to end; `wrong` times are read wrongly."""

    zone: str
    start: float
    end: float
    wrong: Callable[[float], bool] = field(default=lambda _: False)

    def read(self, time: float) -> BinReading:
        full = (self.start <= time < self.end) != self.wrong(time)
        return BinReading(self.zone, 0.95 if full else 0.05)


def sensed(rule: Rule[Any], state: Any, one: Look, drops: Iterable[Drop], bins: Iterable[Bin] = ()) -> Look:
    """The look with what the rule asked for."""
    ask = rule.asks(state, one.time)
    told = [drop.told(one) for drop in drops]
    return replace(
        one,
        senses=Senses(
            leftovers=tuple(t for t in told if t is not None) if ask.leftovers else None,
            bins=tuple(b.read(one.time) for b in bins) if ask.bins else None,
        ),
    )


def watch(
    rule: Rule[Any], seen: Iterable[Look], drops: Sequence[Drop] = (), bins: Sequence[Bin] = (), state: Any = None
) -> tuple[Any, list[Output]]:
    """All looks through senses and rule."""
    state = rule.initial() if state is None else state
    said: list[Output] = []
    for one in seen:
        state, outputs = rule.step(state, sensed(rule, state, one, drops, bins))
        said += outputs
    return state, said


def at_rate(actors: Sequence[Actor], start: float, end: float, rate: float, **more: Any) -> list[Look]:
    """Looks at `rate` a second; start is a whole number of seconds."""
    return [look(actors, start + i / rate, **more) for i in range(int((end - start) * rate + 1e-9) + 1)]


def walker(track: int, path: Sequence[tuple[float, float, float]], height: float = 0.2, **more: Any) -> Actor:
    """A person along a path of (time, x, y)."""
    return Actor(track, tuple(path), (height / 4, height), ObjectClass.PERSON, **more)


def bringer(track: int, x: float, y: float, drop: float, *, stays: float = 1.0, speed: float = 0.08) -> Actor:
    """Walks in from the left, puts something down at `drop`, stays for `stays` seconds, walks on to the right."""
    beside = x - 0.05
    go = drop + stays
    return walker(
        track,
        (
            (drop - beside / speed, 0.0, y),
            (drop - 0.5, beside, y),
            (go, beside, y),
            (go + (1 - beside) / speed, 1.0, y),
        ),
    )
