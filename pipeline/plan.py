"""When to look next: the union of what a camera's rules need, on the cheapest pictures that satisfy it.

Everything is in stream time, so a file replayed as fast as it goes and the same file arriving live are looked at
at the same moments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.source.ring import Gop, PacketRing

# A keyframe this much earlier than due is taken all the same: waiting for the next GOP would miss the promise.
_EARLY = 0.1
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class LookAt:
    """One picture to decode: the last keyframe itself, or on from it to the newest picture."""

    time: float
    keyframe: bool


def next_look(
    last: float | None,
    every: float,
    newest_keyframe: float | None,
    newest: float,
    gop: float | None,
) -> LookAt | None:
    """The look that is due now, if one is.

    A camera whose GOPs are no longer than `every` costs only its keyframes; on a longer GOP decoding goes on from
    the last keyframe when a look is due, and not before.

    Args:
        last: stream time of the previous look, s; None before the first.
        every: promised interval, s.
        newest_keyframe: stream time of the newest keyframe in the ring, s; None when there is none yet.
        newest: stream time of the newest packet, s.
        gop: usual distance of keyframes, s; None while unknown.

    Returns:
        What to decode, or None while nothing is due.
    """
    if newest_keyframe is None:
        return None
    if last is None:
        return LookAt(newest_keyframe, keyframe=True)
    since = newest_keyframe - last
    if since >= every * (1 - _EARLY) or (gop is not None and _last_chance(since, every, gop)):
        return LookAt(newest_keyframe, keyframe=True)
    keyframes_suffice = gop is not None and gop <= every * (1 + _EARLY)
    # Where keyframes usually suffice, give the next one half an interval's grace before decoding deltas.
    due = every * 1.5 if keyframes_suffice else every
    if newest > newest_keyframe and newest - last >= due - _ROUNDING:
        if keyframes_suffice:
            return LookAt(newest, keyframe=False)
        # On the promised moments, not whenever packets happened to come: live and replay then see the same pictures.
        passed = math.floor((newest - last + _ROUNDING) / every)
        return LookAt(max(last + passed * every, newest_keyframe), keyframe=False)
    return None


def _last_chance(since: float, every: float, gop: float) -> bool:
    """A keyframe before its time is taken when the next one would break the promise.

    So a camera whose keyframes fell out of step (its clock jumped, a clip began anew) is in step again at once.
    """
    return since >= every / 2 and since + gop > every * (1 + _EARLY)


class Planner:
    """Remembers of one camera what `next_look` needs: the last look and how far apart keyframes are."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._gop: Gop | None = None
        self._gop_s: float | None = None

    def due(self, ring: PacketRing, every: float) -> tuple[LookAt, Gop] | None:
        """The look that is due now and the GOP it is in; None while nothing is."""
        gop = ring.latest_keyframe()
        if gop is None:
            return None
        if self._gop is not None and gop.uid != self._gop.uid:
            self._gop_s = max(gop.start - self._gop.start, 0.0)
        self._gop = gop
        at = next_look(self._last, every, gop.start, gop.newest, self._gop_s)
        return (at, gop) if at is not None else None

    def planned(self, at: LookAt) -> None:
        """That look is under way: the next one is counted from it."""
        self._last = at.time

    @property
    def last(self) -> float | None:
        """Stream time of the newest planned look, s."""
        return self._last
