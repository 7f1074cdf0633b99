"""What is noted of a lane from one look at it to the next. Moments are those of a clock that nobody sets, s."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from algorithm_repo.rollout.types import Span

_WORKED_S: Final = 0.1  # processor time that threads which only wait do not have in a minute
_APART_S: Final = 1.0  # between two notes of the past


class Heard:
    """When a lane last said something."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._last: tuple[float, float] | None = None

    def begin(self, now: float, cpu_s: float) -> None:
        """Its networks are loaded: from here on it is expected to say something."""
        self._last = now, cpu_s

    def note(self, now: float, cpu_s: float, told: Mapping[str, float]) -> None:
        """What it says now.

        Args:
            now: the moment.
            cpu_s: of processor time that its process has had, s.
            told: camera -> the time of its clock by which it has said what there is. Another one than before is a
                sign of life, also an earlier one: clocks are set back.
        """
        if any(self._told.get(camera) != moment for camera, moment in told.items()):
            self._last = now, cpu_s
        self._told.update(told)

    def deaf(self, now: float, cpu_s: float) -> None:
        """Nothing can be heard: the time does not count."""
        if self._last is not None:
            self._last = now, cpu_s

    def silent(self, now: float, cpu_s: float) -> tuple[float | None, float]:
        """Since when, s, and how much of the processor it has had since, s; (None, 0) before it was to say anything."""
        if self._last is None:
            return None, 0.0
        return now - self._last[0], cpu_s - self._last[1]


class Working:
    """Whether a process does anything."""

    def __init__(self) -> None:
        self._mark: tuple[float, float] | None = None

    def idle(self, now: float, cpu_s: float) -> float:
        """For how long it has had next to nothing of the processor, s."""
        if self._mark is None or cpu_s - self._mark[1] >= _WORKED_S:
            self._mark = now, cpu_s
        return now - self._mark[0]


class Tally:
    """Looks of a lane, counted on where a camera's own count begins anew or is not heard for a while.

    Attributes:
        looks, failed: in all.
    """

    def __init__(self) -> None:
        self.looks = self.failed = 0
        self._last: dict[str, tuple[int, int]] = {}

    def note(self, counts: Mapping[str, tuple[int, int]]) -> None:
        """Camera -> looks, and looks that failed, as it counts them now."""
        for camera, (looks, failed) in counts.items():
            before = self._last.get(camera, (0, 0))
            if looks < before[0] or failed < before[1]:
                before = (0, 0)
            self.looks += looks - before[0]
            self.failed += failed - before[1]
            self._last[camera] = looks, failed


class Past:
    """Sums of a lane as they were, so that what it does now is not lost in what it did before.

    Args:
        spans_s: which stretches up to now are told, s.
    """

    def __init__(self, spans_s: Sequence[float]) -> None:
        self._spans = tuple(spans_s)
        self._notes: deque[tuple[float, Span]] = deque()
        self._now = Span(lasted_s=0.0)

    def note(
        self,
        now: float,
        *,
        looks: int = 0,
        failed: int = 0,
        events: int = 0,
        usual_events: float = 0.0,
        sure_events: float = 0.0,
    ) -> None:
        """Sums since the lane began; see `Span`."""
        self._now = Span(
            lasted_s=0.0,
            looks=looks,
            failed=failed,
            events=events,
            usual_events=usual_events,
            sure_events=sure_events,
        )
        if not self._notes or now - self._notes[-1][0] >= _APART_S:
            self._notes.append((now, self._now))
        while len(self._notes) > 1 and self._notes[1][0] <= now - max(self._spans):
            self._notes.popleft()

    def spans(self, now: float) -> tuple[Span, ...]:
        """What was done in each stretch; those that the lane has not lasted yet are left out."""
        found = (self._since(now - lasted, lasted) for lasted in self._spans)
        return tuple(span for span in found if span is not None)

    def _since(self, moment: float, lasted: float) -> Span | None:
        before = next((sums for at, sums in reversed(self._notes) if at <= moment), None)
        if before is None:
            return None
        # Sums fall where a camera has left the pool: less than nothing was not done.
        return Span(
            lasted_s=lasted,
            looks=max(self._now.looks - before.looks, 0),
            failed=max(self._now.failed - before.failed, 0),
            events=max(self._now.events - before.events, 0),
            usual_events=max(self._now.usual_events - before.usual_events, 0.0),
            sure_events=max(self._now.sure_events - before.sure_events, 0.0),
        )
