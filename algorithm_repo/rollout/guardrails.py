"""Whether a candidate goes on: pure decisions on what is seen of it."""

from __future__ import annotations

from algorithm_repo.rollout.types import Guardrails, Observed, Span

_DAY_S = 86_400.0


def broken(rails: Guardrails, seen: Observed, *, cameras: int, lasted_s: float) -> str | None:
    """Why the lane must end now, in words; None while it may go on.

    Args:
        rails: the limits.
        seen: of the lane.
        cameras: how many it has.
        lasted_s: since it began, s.
    """
    whole = Span(
        lasted_s=lasted_s,
        looks=seen.looks,
        failed=seen.failed,
        events=seen.events,
        usual_events=seen.usual_events,
        sure_events=seen.sure_events,
    )
    spans = [(whole, ""), *((span, f" in the last {span.lasted_s:.0f} s") for span in seen.recent)]
    found = [_crash(seen)]
    found += [_failures(rails, span, when) for span, when in spans]
    found += [_hang(rails, seen), _latency(rails, seen)]
    for span, _ in spans:
        camera_days = cameras * span.lasted_s / _DAY_S
        found += [_flood(rails, span, camera_days), _drought(rails, span, camera_days)]
    return next((why for why in found if why is not None), None)


def _crash(seen: Observed) -> str | None:
    return None if seen.ended is None else f"crashed: {seen.ended}"


def _hang(rails: Guardrails, seen: Observed) -> str | None:
    if not seen.ready:
        if seen.idle_s > rails.silent_longest_s:
            return f"hangs: it has done nothing for {seen.idle_s:.0f} s, and its networks are not loaded"
        late = seen.cpu_s > rails.load_s or seen.running_s > rails.load_longest_s
        return f"not ready {seen.running_s:.0f} s after its start: its networks do not load" if late else None
    if seen.silent_s is None:
        return None
    # Of a machine that is busy with other things a candidate may get next to nothing, and is not to blame.
    hangs = seen.silent_cpu_s > rails.silent_s or seen.silent_s > rails.silent_longest_s
    return f"hangs: nothing heard of it for {seen.silent_s:.0f} s" if hangs else None


def _failures(rails: Guardrails, span: Span, when: str) -> str | None:
    tried = span.looks + span.failed
    if span.failed < rails.least_failed or span.failed <= rails.failed_share * tried:
        return None
    return f"looks fail: {span.failed} of {tried}{when}, allowed are {rails.failed_share:.0%}"


def _latency(rails: Guardrails, seen: Observed) -> str | None:
    if seen.looks < rails.least_looks or seen.look_ms is None or seen.usual_ms is None:
        return None
    limit = rails.slower * seen.usual_ms + rails.slack_ms
    if seen.look_ms <= limit:
        return None
    return f"too slow: a look takes {seen.look_ms:.0f} ms, production's {seen.usual_ms:.0f}, allowed are {limit:.0f}"


def _flood(rails: Guardrails, span: Span, camera_days: float) -> str | None:
    if span.events < rails.least_events or span.events <= rails.events_more * max(span.usual_events, 1.0):
        return None
    return (
        f"floods events: {_rates(span.events, span.usual_events, camera_days)}; "
        f"allowed are {rails.events_more:g} times as many"
    )


def _drought(rails: Guardrails, span: Span, camera_days: float) -> str | None:
    """It sees nothing any more: its cameras would be blind."""
    if span.sure_events < rails.least_events or span.events * rails.events_fewer >= span.sure_events:
        return None
    return (
        f"says too little: {_rates(span.events, span.sure_events, camera_days)}; "
        f"at least one in {rails.events_fewer:g} is asked for"
    )


def _rates(events: int, production: float, camera_days: float) -> str:
    rate, usual = (count / max(camera_days, 1e-6) for count in (events, production))
    return f"{events} in {camera_days * 1440:.1f} camera-minutes, {rate:.0f} a camera-day, production {usual:.0f}"
