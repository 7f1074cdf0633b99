"""Which looks of which cameras are inferred together, in which order, and which are given up.

The scheduling core of one model in one worker. Pure: no thread, no clock; the caller says what time it is (seconds of
one monotonic clock) and reports how long its batches took.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Generic, TypeVar

T = TypeVar("T")

# A start this much before the last possible moment absorbs the scheduler's own jitter, s.
_MARGIN = 0.005
_REMEMBERED = 15


@dataclass(frozen=True, slots=True)
class WaitingLook(Generic[T]):
    """One look that waits for inference.

    Attributes:
        camera: the camera's id.
        camera_class: 1 (shed last) to 3 (shed first).
        deadline: when its result is due, s.
        payload: whatever the caller needs back with the result.
    """

    camera: str
    camera_class: int
    deadline: float
    payload: T


@dataclass(frozen=True, slots=True)
class Take(Generic[T]):
    """What to do now.

    Attributes:
        batch: looks to infer together now, most urgent first; may be empty.
        shed: looks given up at this moment; each camera's share of not watching.
        wait_until: when to ask again unless something is offered before, s; None while nothing waits, or with a batch.
    """

    batch: tuple[WaitingLook[T], ...]
    shed: tuple[WaitingLook[T], ...]
    wait_until: float | None


@dataclass(frozen=True, slots=True)
class LookCounts:
    """What became of one camera's looks."""

    taken: int = 0
    superseded: int = 0
    shed: int = 0


class BatchTime:
    """How long a batch takes, from the batches that were run: a median, so that one stall does not cause shedding.

    Args:
        initial: assumed for a single look before the first was run, s.
    """

    def __init__(self, initial: float = 0.02) -> None:
        self._initial = initial
        self._seen: dict[int, deque[float]] = {}

    def observe(self, n: int, seconds: float) -> None:
        """A batch of `n` took `seconds`."""
        self._seen.setdefault(n, deque(maxlen=_REMEMBERED)).append(seconds)

    def seconds(self, n: int) -> float:
        """Estimate for a batch of `n`: of its own size, else of the next larger one seen, else scaled up."""
        if not self._seen:
            return self._initial * n
        larger = [size for size in self._seen if size >= n]
        size = min(larger) if larger else max(self._seen)
        return median(self._seen[size]) * max(1.0, n / size)


@dataclass(slots=True)
class _Place(Generic[T]):
    """A camera's place in the queue. `due` survives supersession: who has waited longest is not sent back."""

    look: WaitingLook[T]
    due: float
    since: float


@dataclass(slots=True)
class _Tally:
    taken: int = 0
    superseded: int = 0
    shed: int = 0
    last_shed: float = field(default=-math.inf)


class LookQueue(Generic[T]):
    """Waiting looks of all cameras of a worker for one model.

    At most one look waits per camera: a newer one takes its place. Earliest deadline first. A batch goes when it is
    full, when its first deadline needs it, or when its oldest look has waited `linger`. When the looks that wait
    cannot all be done by their deadlines, the lowest class is shed first (3, then 2, then 1), within a class what is
    late anyway, then whoever was shed longest ago. A look that is late whatever is done is still run while no higher
    class needs its place: on a machine that is too slow, late is better than never.

    Args:
        max_batch: looks a batch holds at most, >= 1.
        linger: s a look may wait for company. 0 where batching gains nothing (CPU in process), so that inference never
            idles while something waits.
        time: estimate of a batch's duration; shared with whoever runs the batches.
    """

    def __init__(self, *, max_batch: int, linger: float = 0.0, time: BatchTime | None = None) -> None:
        if max_batch < 1 or linger < 0:
            raise ValueError(f"LookQueue: max_batch {max_batch} must be >= 1 and linger {linger} >= 0")
        self._max_batch = max_batch
        self._linger = linger
        self.time = time or BatchTime()
        self._places: dict[str, _Place[T]] = {}
        self._tallies: dict[str, _Tally] = {}

    def __len__(self) -> int:
        return len(self._places)

    def offer(self, look: WaitingLook[T], now: float) -> WaitingLook[T] | None:
        """Puts a look in line. Returns the one it superseded, if one waited."""
        old = self._places.get(look.camera)
        if old is None:
            self._places[look.camera] = _Place(look, look.deadline, now)
            return None
        self._tally(look.camera).superseded += 1
        self._places[look.camera] = _Place(look, min(old.due, look.deadline), old.since)
        return old.look

    def take(self, now: float) -> Take[T]:
        """What to run now, after shedding what cannot be done."""
        shed = self._shed(now)
        order = self._in_order()
        if not order:
            return Take((), shed, None)
        start = self._start_by(order)
        if len(order) < self._max_batch and now < start:
            return Take((), shed, start)
        batch = tuple(place.look for place in order[: self._max_batch])
        for look in batch:
            del self._places[look.camera]
            self._tally(look.camera).taken += 1
        return Take(batch, shed, None)

    def counts(self, camera: str) -> LookCounts:
        """Of one camera, since the start or since it was forgotten."""
        tally = self._tallies.get(camera, _Tally())
        return LookCounts(tally.taken, tally.superseded, tally.shed)

    def forget(self, cameras: Iterable[str]) -> None:
        """Cameras that left: their waiting looks and counts go."""
        for camera in cameras:
            self._places.pop(camera, None)
            self._tallies.pop(camera, None)

    def _in_order(self) -> list[_Place[T]]:
        # The camera's id makes the order the same each time, also among equal deadlines.
        return sorted(self._places.values(), key=lambda place: (place.due, place.look.camera))

    def _start_by(self, order: list[_Place[T]]) -> float:
        needed = order[0].due - self.time.seconds(len(order)) - _MARGIN
        return min(needed, min(place.since for place in order) + self._linger)

    def _shed(self, now: float) -> tuple[WaitingLook[T], ...]:
        """Walks the line in order; where a look would be late, the least important one up to there goes."""
        each = self.time.seconds(self._max_batch) / self._max_batch
        order = self._in_order()
        kept: list[tuple[tuple[int, bool, float, str], _Place[T]]] = []
        shed: list[_Place[T]] = []
        for place in order:
            hopeless = now + each > place.look.deadline
            heapq.heappush(kept, (self._importance(place, hopeless), place))
            while self._finish(now, each, len(kept), len(order) - len(shed)) > place.look.deadline:
                if hopeless and kept[0][1].look.camera_class <= place.look.camera_class:
                    break
                victim = heapq.heappop(kept)[1]
                shed.append(victim)
                if victim is place:
                    break
        for place in shed:
            del self._places[place.look.camera]
            tally = self._tally(place.look.camera)
            tally.shed += 1
            tally.last_shed = now
        return tuple(place.look for place in shed)

    def _finish(self, now: float, each: float, position: int, waiting: int) -> float:
        """When the look at 1-based `position` is done: with its whole batch."""
        batches = math.ceil(position / self._max_batch)
        return now + each * min(batches * self._max_batch, waiting)

    def _importance(self, place: _Place[T], hopeless: bool) -> tuple[int, bool, float, str]:
        """Smallest is shed first."""
        look = place.look
        return (-look.camera_class, not hopeless, self._tally(look.camera).last_shed, look.camera)

    def _tally(self, camera: str) -> _Tally:
        return self._tallies.setdefault(camera, _Tally())
