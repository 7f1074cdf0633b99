"""Puddles as shares of the picture over time, and the maps a sense would make of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from contracts.senses import Senses, WaterMap
from contracts.vision import Look
from pipeline.rules.base import Output, Rule
from tests.unit.scenes import Actor, look

Spot = Callable[[float], tuple[float, float, float, float] | None]  # time → an ellipse: x, y, half width, half height
SHAPE = (54, 96)


def puddle(x: float, y: float, grown: float, *, start: float, full: float, end: float = math.inf) -> Spot:
    """Grows from nothing at `start` to half width `grown` at `full`, drains in as long a time from `end` on."""

    def at(time: float) -> tuple[float, float, float, float] | None:
        size = min(1.0, (time - start) / (full - start)) if full > start else float(time >= start)
        if time > end:
            size = min(size, 1 - (time - end) / max(full - start, 1e-9))
        return (x, y, grown * math.sqrt(size), grown * math.sqrt(size)) if size > 0 else None

    return at


def moving(y: float, size: float, *, speed: float) -> Spot:
    """A reflection that sweeps across the picture, again and again."""
    return lambda time: ((time * speed) % 1.2 - 0.1, y, size, size)


def water(spots: Iterable[Spot], time: float, *, seed: int = 0, noise: float = 0.0, specks: int = 0) -> WaterMap:
    """The map at `time`: 240 inside the spots, 10 outside; `noise` flips that share of the places, `specks` are
    single wet places somewhere else each time."""
    random = np.random.default_rng([seed, round(time * 1000)])
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    ys, xs = (rows + 0.5) / SHAPE[0], (columns + 0.5) / SHAPE[1]
    wet = np.zeros(SHAPE, np.bool_)
    for spot in spots:
        at = spot(time)
        if at is not None:
            x, y, a, b = at
            wet |= ((xs - x) / a) ** 2 + ((ys - y) / b) ** 2 <= 1
    wet ^= random.random(SHAPE) < noise
    for _ in range(specks):
        wet[random.integers(SHAPE[0]), random.integers(SHAPE[1])] = True
    return WaterMap(np.where(wet, np.uint8(240), np.uint8(10)))


def watch(
    rule: Rule[Any],
    spots: Sequence[Spot],
    times: Iterable[float],
    *,
    actors: Sequence[Actor] = (),
    state: Any = None,
    utc: float | None = None,
    missed: float = 0.0,
    change: Callable[[Look], Look] = lambda one: one,
    **more: Any,
) -> tuple[Any, list[Output]]:
    """Looks at `times`, with a water map where the rule asks for one; a share `missed` of the looks is lost."""
    state = rule.initial() if state is None else state
    said: list[Output] = []
    for time in times:
        if missed and Random(f"missed {time:.3f}").random() < missed:
            continue
        one = look(actors, time)
        if utc is not None:
            one = replace(one, utc=utc + time)
        if rule.asks(state, time).water:
            one = replace(one, senses=Senses(water=water(spots, time, **more)))
        state, outputs = rule.step(state, change(one))
        said.extend(outputs)
    return state, said


def every(seconds: float, start: float, end: float) -> list[float]:
    return [start + i * seconds for i in range(math.floor((end - start) / seconds + 1e-9) + 1)]
