"""When to look next: the union of what a camera's rules need, on the cheapest pictures that satisfy it.

Everything is in stream time, so a file replayed as fast as it goes and the same file arriving live are looked at
at the same moments.
"""

from __future__ import annotations

from dataclasses import dataclass

# A keyframe this much earlier than due is taken all the same: waiting for the next GOP would miss the promise.
_EARLY = 0.1


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
    if newest_keyframe - last >= every * (1 - _EARLY):
        return LookAt(newest_keyframe, keyframe=True)
    keyframes_suffice = gop is not None and gop <= every * (1 + _EARLY)
    # Where keyframes usually suffice, give the next one half an interval's grace before decoding deltas.
    due = every * 1.5 if keyframes_suffice else every
    if newest > newest_keyframe and newest - last >= due - 1e-6:
        return LookAt(newest, keyframe=False)
    return None
