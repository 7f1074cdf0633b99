"""Whether a bin overflows, from readings that come seldom and err now and then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

READ_EVERY_S = 5.0
READINGS = 3  # the median of these is what counts
_LET_GO = 0.6  # of the probability from which it overflows: below, it does not any more
MEMORY_S = 600.0  # not read for longer: nobody knows


@dataclass(frozen=True, slots=True)
class BinState:
    """One bin.

    Attributes:
        readings: the newest (stream time, probability) without a gap between them.
        read_at: stream time of the newest reading, s; None before the first.
        since: stream time since when it has overflown, s; None while it does not.
        below_since: an overflowing bin has read empty since then, s; None while it reads full.
    """

    readings: tuple[tuple[float, float], ...] = ()
    read_at: float | None = None
    since: float | None = None
    below_since: float | None = None

    @property
    def overflowing(self) -> float:
        """Probability, 0..1, robustly; 0 before the first reading."""
        return float(median(value for _, value in self.readings)) if self.readings else 0.0

    @property
    def sure(self) -> bool:
        """Read often enough since the last gap to decide anything."""
        return len(self.readings) == READINGS


def read(state: BinState, time: float, probability: float, least: float, leave_after: float) -> BinState:
    """The bin after a reading.

    It overflows from the first reading of a majority above `least` on, until it read clearly less for `leave_after`
    and at least twice.

    Args:
        least: probability from which it overflows.
        leave_after: s.
    """
    state = replace(state, readings=(*state.readings, (time, probability))[-READINGS:], read_at=time)
    value = state.overflowing
    if state.since is None:
        if value < least or not state.sure:
            return state
        first = next(t for t, p in state.readings if p >= least)
        return replace(state, since=first, below_since=None)
    if value >= _LET_GO * least:
        return replace(state, below_since=None)
    if state.below_since is None:
        low = [t for t, p in state.readings if p < _LET_GO * least]
        state = replace(state, below_since=low[0])
    if state.below_since is not None and time - state.below_since >= leave_after - 1e-6:
        return replace(state, since=None, below_since=None)
    return state
