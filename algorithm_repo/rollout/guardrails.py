"""Whether a candidate goes on: pure decisions on what is seen of it."""

from __future__ import annotations

from algorithm_repo.rollout.types import Guardrails, Observed

_DAY_S = 86_400.0


def broken(rails: Guardrails, seen: Observed, *, cameras: int, lasted_s: float) -> str | None:
    """Why the lane must end now, in words; None while it may go on.

    Args:
        rails: the limits.
        seen: of the lane.
        cameras: how many it has.
        lasted_s: since it began, s.
    """
    for check in (_crash, _failures, _hang, _latency):
        why = check(rails, seen)
        if why is not None:
            return why
    return _flood(rails, seen, cameras * lasted_s / _DAY_S)


def _crash(_rails: Guardrails, seen: Observed) -> str | None:
    return None if seen.ended is None else f"crashed: {seen.ended}"


def _hang(rails: Guardrails, seen: Observed) -> str | None:
    if not seen.ready:
        late = seen.cpu_s > rails.load_s or seen.running_s > rails.load_longest_s
        return f"not ready {seen.running_s:.0f} s after its start: its networks do not load" if late else None
    if seen.silent_s is None:
        return None
    # Of a machine that is busy with other things a candidate may get next to nothing, and is not to blame.
    hangs = seen.silent_cpu_s > rails.silent_s or seen.silent_s > rails.silent_longest_s
    return f"hangs: nothing heard of it for {seen.silent_s:.0f} s" if hangs else None


def _failures(rails: Guardrails, seen: Observed) -> str | None:
    tried = seen.looks + seen.failed
    if seen.failed < rails.least_failed or seen.failed <= rails.failed_share * tried:
        return None
    return f"looks fail: {seen.failed} of {tried}, allowed are {rails.failed_share:.0%}"


def _latency(rails: Guardrails, seen: Observed) -> str | None:
    if seen.looks < rails.least_looks or seen.look_ms is None or seen.usual_ms is None:
        return None
    limit = rails.slower * seen.usual_ms + rails.slack_ms
    if seen.look_ms <= limit:
        return None
    return f"too slow: a look takes {seen.look_ms:.0f} ms, production's {seen.usual_ms:.0f}, allowed are {limit:.0f}"


def _flood(rails: Guardrails, seen: Observed, camera_days: float) -> str | None:
    if seen.events < rails.least_events or seen.events <= rails.events_more * max(seen.usual_events, 1.0):
        return None
    rate, usual = seen.events / max(camera_days, 1e-6), seen.usual_events / max(camera_days, 1e-6)
    return (
        f"floods events: {seen.events} in {camera_days * 1440:.1f} camera-minutes, {rate:.0f} a camera-day, "
        f"production {usual:.0f}; allowed are {rails.events_more:g} times as many"
    )
