"""Not watching is not calm: which stretches of time no rule of a camera saw.

Pure: the worker tells it about looks and states, it answers with `Unwatched` intervals to record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.records import Unwatched, UnwatchedReason, event_id

# Late by less than this is jitter, not blindness, s.
GRACE_S = 6.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """One camera's watching.

    Attributes:
        last_utc: when the camera was last looked at (or watching began), s since 1970 UTC.
        open: the interval now going on, if any.
    """

    last_utc: float
    open: Unwatched | None = None


def looked(state: Coverage, utc: float) -> tuple[Coverage, float, Unwatched | None]:
    """A look succeeded.

    Returns:
        the next state; the unwatched seconds before this look (`Look.gap`); the interval that just ended, to be
        recorded, or None.
    """
    if state.open is None:
        return Coverage(max(utc, state.last_utc)), 0.0, None
    ended = state.open.model_copy(update={"end_utc": max(utc, state.open.start_utc)})
    return Coverage(utc), max(0.0, utc - state.open.start_utc), ended


def missed(
    state: Coverage, camera: str, now_utc: float, every: float, reason: UnwatchedReason
) -> tuple[Coverage, Unwatched | None]:
    """Nothing was looked at just now; `reason` says why.

    An interval opens, dated back to the last look, once that is overdue by `GRACE_S` beyond three promised
    intervals.

    Returns:
        the next state; the interval that just began, to be recorded, or None.
    """
    if state.open is not None or now_utc - state.last_utc < 3 * every + GRACE_S:
        return state, None
    begun = Unwatched(
        id=event_id(camera, "unwatched", "*", reason, round(state.last_utc * 1000)),
        camera=camera,
        algorithm="*",
        reason=reason,
        start_utc=state.last_utc,
    )
    return replace(state, open=begun), begun
