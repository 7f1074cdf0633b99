"""A small world of vehicles and people that move along timed paths, looked at as often as a test likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from contracts.pool import Camera
from contracts.vision import Look, ObjectClass, Tracks
from pipeline.rules.base import Output, Rule, Step

Path = Sequence[tuple[float, float, float]]  # (time, x, y) of the foot point, straight lines between


@dataclass(frozen=True)
class Actor:
    """Something that moves along `path`, present from its first to its last time.

    Attributes:
        track: its id; `ids` overrides it from a time on (id switches).
        size: width and height of its box, normalised.
        jitter: standard deviation of the detector's noise, shares of the box.
        colour: index of the only non-zero entry of its signature; None: no signature in the whole look.
        missed: time → the detector misses it.
        within: the picture's left and right border, where its box is cut off; None: it goes on beyond.
    """

    track: int
    path: Path
    size: tuple[float, float] = (0.10, 0.08)
    object_class: ObjectClass = ObjectClass.CAR
    jitter: float = 0.01
    colour: int = 0
    score: float = 0.8
    ids: tuple[tuple[float, int], ...] = ()
    missed: Callable[[float], bool] = field(default=lambda _: False)
    within: tuple[float, float] | None = None

    def at(self, time: float) -> tuple[float, float] | None:
        if not self.path[0][0] <= time <= self.path[-1][0]:
            return None
        for (t0, x0, y0), (t1, x1, y1) in zip(self.path, self.path[1:], strict=False):
            if t0 <= time <= t1:
                share = (time - t0) / (t1 - t0) if t1 > t0 else 1.0
                return x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        return None

    def track_at(self, time: float) -> int:
        track = self.track
        for since, other in self.ids:
            if time >= since:
                track = other
        return track


def parked(
    track: int, x: float, y: float, start: float, end: float, *, from_x: float = 0.0, speed: float = 0.1, **more: Any
) -> Actor:
    """Drives in from `from_x` at `speed` (picture widths a second), stands at (x, y) from start to end, drives on."""
    arrive = start - abs(x - from_x) / speed
    away = end + abs(1.0 - x) / speed
    return Actor(track, ((arrive, from_x, y), (start, x, y), (end, x, y), (away, 1.0, y)), **more)


def standing(track: int, x: float, y: float, start: float, end: float, **more: Any) -> Actor:
    """There from start to end, without arriving or leaving."""
    return Actor(track, ((start, x, y), (end, x, y)), **more)


def passing(track: int, y: float, start: float, *, speed: float = 0.1, **more: Any) -> Actor:
    """Drives across the picture."""
    return Actor(track, ((start, 0.0, y), (start + 1 / speed, 1.0, y)), **more)


def _box(actor: Actor, x: float, y: float, noise: Random) -> tuple[float, float, float, float]:
    w, h = actor.size
    edges = (x - w / 2, y - h, x + w / 2, y)
    scale = (w, h, w, h)
    x1, y1, x2, y2 = (e + noise.gauss(0, actor.jitter) * s for e, s in zip(edges, scale, strict=True))
    return min(x1, x2 - 1e-3), min(y1, y2 - 1e-3), x2, y2


def look(
    actors: Iterable[Actor],
    time: float,
    *,
    seed: int = 0,
    gap: float = 0.0,
    preset: str | None = "",
    signatures: bool = True,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Look:
    """What the camera sees at `time`; the noise depends on seed, time and track alone."""
    rows = []
    for actor in actors:
        at = actor.at(time)
        if at is None or actor.missed(time):
            continue
        noise = Random(f"{seed} {actor.track} {time:.3f}")
        x1, y1, x2, y2 = _box(actor, *at, noise)
        if actor.within is not None:
            x1, x2 = max(x1, actor.within[0]), min(x2, actor.within[1])
        dx, dy = shift
        rows.append((actor, (x1 + dx, y1 + dy, x2 + dx, y2 + dy)))
    signature = np.zeros((len(rows), 8), np.float32)
    for i, (actor, _) in enumerate(rows):
        signature[i, actor.colour] = 1.0
    tracks = Tracks(
        ids=np.array([a.track_at(time) for a, _ in rows], np.int64),
        boxes=np.array([b for _, b in rows], np.float32).reshape(-1, 4),
        scores=np.array([a.score for a, _ in rows], np.float32),
        classes=np.array([int(a.object_class) for a, _ in rows], np.int64),
        first_seen=np.array([a.path[0][0] for a, _ in rows], np.float64),
        velocity=np.zeros((len(rows), 2), np.float32),
        appearance=signature if signatures else None,
    )
    return Look("cam", time, 1_700_000_000.0 + time, tracks, 16 / 9, preset, gap)


def looks(actors: Sequence[Actor], start: float, end: float, rate: float, **more: Any) -> list[Look]:
    """Looks at `rate` a second from start to end."""
    count = math.floor((end - start) * rate + 1e-9) + 1
    return [look(actors, start + i / rate, **more) for i in range(count)]


def run(rule: Rule[Any], seen: Iterable[Look], state: Any = None) -> tuple[Any, list[Output]]:
    """All looks through the rule."""
    state = rule.initial() if state is None else state
    said: list[Output] = []
    for one in seen:
        state, outputs = rule.step(state, one)
        said.extend(outputs)
    return state, said


def of(said: Iterable[Output], step: Step) -> list[Output]:
    return [output for output in said if output.step is step]


def camera(*zones: dict[str, Any], mounting: str = "high", kind: str = "fixed", **algorithms: dict[str, Any]) -> Camera:
    """A camera with these zones and algorithms."""
    return Camera.model_validate(
        {
            "id": "cam",
            "name": "cam",
            "department": "traffic",
            "main": {"url": "rtsp://127.0.0.1/main"},
            "mounting": mounting,
            "kind": kind,
            "presets": [{"id": "home", "name": "home"}, {"id": "gate", "name": "gate"}] if kind == "ptz" else [],
            "zones": list(zones),
            "algorithms": algorithms,
        }
    )


def rectangle(x1: float, y1: float, x2: float, y2: float) -> list[list[float]]:
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def check_protocol(said: Iterable[Output]) -> None:
    """Every matter goes candidate → (dissolved | opened → updated* → closed), with times that never run back."""
    last: dict[tuple[str, str], Output] = {}
    allowed: dict[Step | None, set[Step]] = {
        None: {Step.CANDIDATE},
        Step.CANDIDATE: {Step.DISSOLVED, Step.OPENED},
        Step.OPENED: {Step.UPDATED, Step.CLOSED},
        Step.UPDATED: {Step.UPDATED, Step.CLOSED},
    }
    for output in said:
        before = last.get((output.zone, output.key))
        if before is not None and before.step in {Step.DISSOLVED, Step.CLOSED}:
            assert output.started >= before.time  # the same key again is another matter, and later
            before = None
        step = before.step if before else None
        assert output.step in allowed.get(step, set()), f"{step} then {output.step} for {output.key}"
        assert output.started <= output.time
        if before is not None:
            assert output.time >= before.time
            assert output.started == before.started
        if output.step in {Step.OPENED, Step.UPDATED, Step.CLOSED}:
            assert output.reason["zh"]
            assert output.reason["en"]
        last[output.zone, output.key] = output
