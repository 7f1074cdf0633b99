"""Not watching is not calm: which stretches of time no rule of a camera saw.

Pure: the worker tells it about looks and states, it answers with `Unwatched` intervals to record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts.records import Unwatched, UnwatchedReason, event_id

# Late by less than this is jitter, not blindness, s.
GRACE_S = 6.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """One camera's watching.

    Attributes:
        last_utc: when the camera was last looked at (or watching began), s since 1970 UTC.
        open: the interval of the whole camera now going on, if any.
        blind: those of single rules now going on, by rule.
    """

    last_utc: float
    open: Unwatched | None = None
    blind: tuple[Unwatched, ...] = ()


def looked(state: Coverage, utc: float) -> tuple[Coverage, float, Unwatched | None]:
    """A look succeeded.

    Returns:
        the next state; the unwatched seconds before this look (`Look.gap`); the interval that just ended, to be
        recorded, or None.
    """
    if state.open is None:
        return replace(state, last_utc=max(utc, state.last_utc)), 0.0, None
    ended = state.open.model_copy(update={"end_utc": max(utc, state.open.start_utc)})
    return replace(state, last_utc=utc, open=None), max(0.0, utc - state.open.start_utc), ended


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


def blind_rules(
    state: Coverage, camera: str, now_utc: float, reasons: Mapping[str, tuple[UnwatchedReason, float]]
) -> tuple[Coverage, list[Unwatched]]:
    """Some rules cannot judge just now although the camera is looked at.

    Args:
        state: of the camera.
        camera: its id.
        now_utc: s since 1970 UTC.
        reasons: rule -> why, and since when, s since 1970 UTC. A rule that is not among them sees again.

    Returns:
        the next state; the intervals that ended or began, to be recorded.
    """
    told: list[Unwatched] = []
    going: list[Unwatched] = []
    for one in state.blind:
        now = reasons.get(one.algorithm)
        if now is not None and now[0] == one.reason:
            going.append(one)
        else:
            told.append(one.model_copy(update={"end_utc": max(now_utc, one.start_utc)}))
    known = {one.algorithm for one in going}
    for rule, (reason, since_utc) in sorted(reasons.items()):
        if rule not in known:
            begun = Unwatched(
                id=event_id(camera, "unwatched", rule, reason, round(since_utc * 1000)),
                camera=camera,
                algorithm=rule,
                reason=reason,
                start_utc=since_utc,
            )
            going.append(begun)
            told.append(begun)
    return replace(state, blind=tuple(going)), told


def closed(state: Coverage, utc: float) -> list[Unwatched]:
    """Nobody will watch this camera any more: everything that is going on ends, to be recorded."""
    _, _, ended = looked(state, utc)
    _, told = blind_rules(state, "", utc, {})
    return told if ended is None else [*told, ended]
