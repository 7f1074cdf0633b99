"""Vehicles that follow each other: a car-following model run once, kept as ways in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.street.motion import Motion
from simulator.street.place import Lane

STEP = 0.25
_REACH = 130.0
_BEHIND = 24.0  # traffic away from the camera comes from this far behind it, m


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vehicle that comes into the lane at `time`, s, if there is room by then."""

    time: float
    length: float
    speed: float


@dataclass(frozen=True, slots=True)
class Barrier:
    """Nobody passes `y` (m) from start to end, s: a red light, or the head of a jam."""

    y: float
    start: float
    end: float


def along(lane: Lane, y: float) -> float:
    """Distance covered since the lane's beginning at y, m."""
    return y + _BEHIND if lane.direction > 0 else _REACH - _BEHIND - y


def flow(lane: Lane, time: float, length: float, speed: float) -> Motion:
    """The way of a vehicle that enters the lane at `time` and goes through at one speed, m/s."""
    first, last = -_BEHIND - length / 2, _REACH - _BEHIND - length / 2
    ys = (first, last) if lane.direction > 0 else (_REACH - 2 * _BEHIND - first, _REACH - 2 * _BEHIND - last)
    heading = 0.0 if lane.direction > 0 else float(np.pi)
    reach = last - first
    return Motion((time, time + reach / speed), (lane.x, lane.x), ys, (heading, heading), (0.0, reach))


def drive(lane: Lane, arrivals: Sequence[Arrival], barriers: Sequence[Barrier], end: float) -> list[Motion | None]:
    """Ways of all vehicles of one lane (intelligent driver model), in order of arrival; None: it never got in."""
    count = len(arrivals)
    if count == 0:
        return []
    begin = arrivals[0].time
    lengths = np.array([a.length for a in arrivals])
    wishes = np.array([a.speed for a in arrivals])
    position, speed = np.full(count, -1e3), np.zeros(count)
    entered = np.full(count, -1, np.int64)
    walls = [(along(lane, b.y), b.start, b.end) for b in barriers]
    steps = int((end - begin) / STEP) + 1
    history = np.full((steps, count), np.nan)
    next_in = 0
    for step in range(steps):
        now = begin + step * STEP
        if next_in < count and arrivals[next_in].time <= now:
            before = next_in - 1
            room = position[before] - lengths[before] if before >= 0 and position[before] < _REACH else 1e3
            if room > 3.0:
                position[next_in] = 0.0
                speed[next_in] = min(wishes[next_in], max(0.0, (room - 3.0) / 1.6))
                entered[next_in] = step
                next_in += 1
        active = slice(0, next_in)
        _advance(position[active], speed[active], lengths[active], wishes[active], walls, now)
        history[step, active] = position[active]
    return [_motion(lane, history[:, i], begin, int(entered[i]), float(lengths[i])) for i in range(count)]


def _advance(
    position: np.ndarray[tuple[int], np.dtype[np.float64]],
    speed: np.ndarray[tuple[int], np.dtype[np.float64]],
    lengths: np.ndarray[tuple[int], np.dtype[np.float64]],
    wishes: np.ndarray[tuple[int], np.dtype[np.float64]],
    walls: list[tuple[float, float, float]],
    now: float,
) -> None:
    """One step, in place."""
    if len(position) == 0:
        return
    gap = np.full(len(position), 1e3)
    closing = np.zeros(len(position))
    gap[1:] = position[:-1] - lengths[:-1] - position[1:]
    closing[1:] = speed[1:] - speed[:-1]
    for at, start, end in walls:
        if start <= now < end:
            ahead = at - position
            # Those that cannot stop any more go through.
            holds = (ahead > speed**2 / 7.0 - 0.5) & (ahead > -0.5) & (ahead < gap)
            gap = np.where(holds, np.maximum(ahead, 0.05), gap)
            closing = np.where(holds, speed, closing)
    wanted = 1.8 + np.maximum(0.0, speed * 1.2 + speed * closing / (2 * np.sqrt(1.6 * 2.2)))
    force = 1.6 * (1 - (speed / wishes) ** 4 - (wanted / np.maximum(gap, 0.3)) ** 2)
    moved = np.clip(speed + np.clip(force, -7.0, 2.0) * STEP, 0.0, None)
    moved[(moved < 0.12) & (gap < 2.6)] = 0.0
    position += (speed + moved) / 2 * STEP
    speed[:] = moved


def _motion(
    lane: Lane, history: np.ndarray[tuple[int], np.dtype[np.float64]], begin: float, entered: int, length: float
) -> Motion | None:
    if entered < 0:
        return None
    inside = history[entered:]
    inside = inside[: int(np.searchsorted(inside, _REACH))]
    if len(inside) < 2:
        return None
    times = begin + (entered + np.arange(len(inside))) * STEP
    middle = inside - length / 2
    ys = middle - _BEHIND if lane.direction > 0 else _REACH - _BEHIND - middle
    heading = 0.0 if lane.direction > 0 else float(np.pi)
    many = len(inside)
    return Motion(times.tolist(), [lane.x] * many, ys.tolist(), [heading] * many, (inside - inside[0]).tolist())
