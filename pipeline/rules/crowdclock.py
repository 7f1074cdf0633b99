"""When a crowd began and ended, and how much of the time it was one: of the past, not of the look that is sure.

A count becomes sure some seconds after it is true: people slow down before they stand, and a median lags. So the
beginning is dated by when each of the people who are there now began to count. The end is when too few were left, on
their way or not: how soon somebody who walks off is known to be walking depends on the look rate, when they are gone
does not. That makes both the same at any look rate, within one look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.rules.people import TRAIL_S, Visitor

SMOOTH_S = 5.0  # the count is the median over this time, or over three looks
BINS = 10  # of `hold`
LEAVING_S = 10.0  # people who walk off leave the zone within this, or others pass through it all the time
_LOOKS_BACK = 2  # of the three that the median is taken over where looks are far apart


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a zone's people counted in the look at `time`, s, and how many were seen, walking or not."""

    time: float
    people: int
    seen: int


Bins = tuple[tuple[int, float, float], ...]
"""Index, watched s and crowded s of the last `hold` seconds, a tenth of it each."""


def began(visitors: Sequence[Visitor], limit: float, linger: float, now: float, step: float, earliest: float) -> float:
    """Since when more people have counted than the limit allows, s of stream time.

    Args:
        visitors: who is there now and has been for `linger`. Somebody who only passes is no matter here: they came
            a few seconds ago, so they do not date the beginning to before that.
        limit: more than this many is too many.
        linger: from how long in the zone on somebody counts, s.
        now: of the look in which the count became sure, s.
        step: watched time before it, s.
        earliest: not before this, s.
    """
    counting = sorted(visitor.entered + linger for visitor in visitors)
    needed = math.floor(limit)
    since = counting[needed] if needed < len(counting) else now
    lag = TRAIL_S + SMOOTH_S + _LOOKS_BACK * step
    return min(max(since, now - lag, earliest), now)


@dataclass(frozen=True, slots=True)
class Ebb:
    """A crowd that is too small to be one.

    Attributes:
        since: when the count went below what it takes, s of stream time.
        lasting: watched time since then, s.
        left: when, from `since` on, fewer than that were seen at all; None while they walk off.
    """

    since: float
    lasting: float
    left: float | None = None

    @property
    def ended(self) -> float:
        """When the crowd was over: gone, or as small as that while others pass through."""
        return self.since if self.left is None else self.left

    def over(self, hold: float) -> bool:
        """Whether it lasts for `hold` s; longer while they walk off."""
        return self.lasting >= hold + (LEAVING_S if self.left is None else 0.0) - 1e-6


def ebbing(before: Ebb | None, counts: Sequence[Count], least: float, earliest: float, watched: float) -> Ebb:
    """The ebb after a look that counted fewer than `least`.

    Args:
        before: at the look before; None: it was no ebb.
        counts: the newest.
        earliest: it did not begin before this, s.
        watched: time before the look, s.
    """
    time = counts[-1].time
    if before is None:
        fell = _low_since([(one.time, one.people) for one in counts], least)
        since = max(time if fell is None else fell, earliest)
        before = Ebb(since, time - since)
    else:
        before = replace(before, lasting=before.lasting + watched)
    if before.left is not None:
        return before
    left = _low_since([(one.time, one.seen) for one in counts], least)
    return before if left is None else replace(before, left=max(left, before.since))


def _low_since(counts: Sequence[tuple[float, int]], least: float) -> float | None:
    """Since when the newest counts, (time, how many), are below `least`; None: they are not."""
    since: float | None = None
    for time, people in reversed(counts):
        if people >= least:
            break
        since = time
    return since


def entered(bins: Bins, time: float, hold: float, watched: float, crowded: bool) -> Bins:
    """The bins with `watched` seconds more, all in the bin of the look that ended them."""
    index = math.floor(time / (hold / BINS))
    kept = tuple(entry for entry in bins if index - BINS <= entry[0] <= index)
    before = kept[-1] if kept and kept[-1][0] == index else (index, 0.0, 0.0)
    kept = kept[:-1] if kept and kept[-1][0] == index else kept
    return (*kept, (index, before[1] + watched, before[2] + (watched if crowded else 0.0)))


def dated_back(bins: Bins, hold: float, since: float, now: float) -> Bins:
    """The bins when it has turned out that the zone was crowded from `since` until `now`, as far as it was watched."""
    width = hold / BINS
    known = []
    for index, watched, crowded in bins:
        start, end = index * width, min((index + 1) * width, now)
        within = 1.0 if since <= start else max(0.0, end - since) / (end - start) if end > start else 0.0
        known.append((index, watched, max(crowded, watched * within)))
    return tuple(known)


def share(bins: Bins, hold: float, time: float) -> tuple[float, float]:
    """Watched seconds of the last `hold`, and the share of them in which the zone was crowded."""
    oldest = math.floor((time - hold) / (hold / BINS))
    watched = sum(w for index, w, _ in bins if index > oldest)
    crowded = sum(c for index, _, c in bins if index > oldest)
    return watched, crowded / watched if watched > 0 else 0.0
