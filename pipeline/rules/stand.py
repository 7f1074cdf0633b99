"""A standing vehicle as a frozen value: its place, its clock, and how the time there was spent."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from pipeline.rules.boxes import Box, moved

Sample = tuple[float, Box]

SETTLE_S = 1.5  # at rest this long: it has stopped
_LONGEST_STEP_S = 15.0  # looks further apart than this, and three promised intervals, are a gap
_RECENT_SPACING_S = 0.3
_RECENT_SAMPLES = 10
_WINDOW_S = 3.0  # where a settled vehicle is now: the median over this time, or of three looks
_SETTLING_WINDOW_S = 1.0


@dataclass(frozen=True, slots=True)
class Stand:
    """A vehicle and the place where it rests, or last began to.

    Attributes:
        number: unique in the scene, never reused.
        track: the track it is linked to now; -1 while none is.
        object_class: value of `ObjectClass`.
        anchor: the place: median of the first boxes there, normalised x1 y1 x2 y2.
        since: stream time of the first sighting there, s.
        from_start: it was there already when watching began (or went on after a gap).
        settled: it has stopped (see `SETTLE_S`).
        rested: it had stopped, here or at a place before.
        last_seen: stream time when it was last seen at its place, s.
        here: it was seen at its place in the newest look.
        first: the boxes the anchor is made of.
        recent: the newest boxes, for where it is now.
        seen_s, unseen_s, covered_s, unwatched_s: how the time since `since` was spent; covered: something stood
            or drove in front of it; unwatched: nobody looked.
        missing_s: how long it has been looked for in vain, without anything in front, s; part of `unseen_s`.
        missed: looks in that time.
        away: when its track was first seen elsewhere; None while it is not.
        looks_since_gap: looks that saw it since the last unwatched stretch.
        heading: unit vector in which it arrived (true proportions); None when nobody saw it move.
        travelled: body lengths it was seen to move before.
        last_box: its newest box.
        before: the box before that one; the same as `last_box` in its first look.
        appearance: its signature, unit length; None when there is none.
        appearance_at: when that was taken, s.
    """

    number: int
    track: int
    object_class: int
    anchor: Box
    since: float
    from_start: bool
    settled: bool
    last_seen: float
    here: bool
    first: tuple[Sample, ...]
    recent: tuple[Sample, ...]
    last_box: Box
    before: Box
    rested: bool = False
    seen_s: float = 0.0
    unseen_s: float = 0.0
    covered_s: float = 0.0
    unwatched_s: float = 0.0
    missing_s: float = 0.0
    missed: int = 0
    away: float | None = None
    looks_since_gap: int = 1
    heading: tuple[float, float] | None = None
    travelled: float = 0.0
    appearance: tuple[float, ...] | None = None
    appearance_at: float = 0.0

    @property
    def looks_share(self) -> float:
        """Share of the watched time in which it was seen, the search going on now left out; 1 at first."""
        looked_for = self.seen_s + self.unseen_s - self.missing_s
        return self.seen_s / looked_for if looked_for > 0 else 1.0

    @property
    def still_s(self) -> float:
        """How long it has been known to stand there, s."""
        return self.last_seen - self.since


@dataclass(frozen=True, slots=True)
class Ended:
    """A settled vehicle whose standing is over.

    Attributes:
        stand: its last state.
        cause: "left": seen driving off; "gone": not seen at its place for `leave_after`; "replaced": another
            vehicle has stopped in its place; "lost": hidden or not watched for longer than `MEMORY_S`.
    """

    stand: Stand
    cause: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The vehicles of one camera (at one preset).

    Attributes:
        time: stream time of the newest look; None before the first.
        stands: vehicles at rest and moving, in order of `number`.
        began: stream time when watching began, or went on after the last gap, s.
        next_number: for the next one.
    """

    time: float | None = None
    began: float = 0.0
    stands: tuple[Stand, ...] = ()
    next_number: int = 0


@dataclass(frozen=True, slots=True)
class Stillness:
    """What counts as still; see `contracts.algorithms.IllegalParking`."""

    max_move: float
    leave_after: float
    min_score: float
    settle: float
    longest_step: float

    @staticmethod
    def of(max_move: float, leave_after: float, min_score: float, dwell: float, look_every: float) -> Stillness:
        return Stillness(
            max_move, leave_after, min_score, min(SETTLE_S, dwell / 2), max(_LONGEST_STEP_S, 3 * look_every)
        )


def median_box(samples: tuple[Sample, ...]) -> Box:
    """Each edge at the median of the samples' edges."""
    boxes = [box for _, box in samples]
    if len(boxes) == 1:
        return boxes[0]
    x1, y1, x2, y2 = (median(column) for column in zip(*boxes, strict=True))
    return x1, y1, x2, y2


def place_now(stand: Stand) -> Box:
    """Where the vehicle is now, robustly: the median box of the last seconds (see `_WINDOW_S`)."""
    span, fewest = (_WINDOW_S, 3) if stand.settled else (_SETTLING_WINDOW_S, 1)
    newest = stand.recent[-1][0]
    inside = [i for i, (time, _) in enumerate(stand.recent) if time >= newest - span]
    start = min(inside[0], max(0, len(stand.recent) - fewest))
    return median_box(stand.recent[start:])


def moved_now(stand: Stand, aspect: float) -> float:
    """How far the vehicle is from its place now, body lengths."""
    return moved(place_now(stand), stand.anchor, aspect, rolling_in=not stand.settled)


def with_sample(samples: tuple[Sample, ...], sample: Sample) -> tuple[Sample, ...]:
    """The newest samples and one more; the last one gives way when it is too close to its predecessor."""
    if len(samples) >= 2 and samples[-1][0] - samples[-2][0] < _RECENT_SPACING_S:
        samples = samples[:-1]
    return (*samples, sample)[-_RECENT_SAMPLES:]
