"""A candidate that breaks late is ended as fast as one that breaks at once, whatever the machine's clock does."""

from __future__ import annotations

from typing import Any

import pytest

from algorithm_repo.rollout.guardrails import broken
from algorithm_repo.rollout.types import Guardrails, Observed, Span
from algorithm_repo.rollout.watching import Heard, Past, Tally, Working

RAILS = Guardrails()


def why(*spans: Span, **seen: Any) -> str | None:
    observed = Observed(running_s=90_000, ready=True, silent_s=0.5, recent=spans, **seen)
    return broken(RAILS, observed, cameras=2, lasted_s=90_000.0)


MINUTE, HOUR = Span(lasted_s=60.0), Span(lasted_s=3600.0)


def test_after_a_good_day_looks_that_fail_now_end_it() -> None:
    day: dict[str, Any] = {"looks": 43_200, "failed": 30}
    assert why(MINUTE.model_copy(update={"looks": 27, "failed": 1}), **day) is None
    found = why(MINUTE.model_copy(update={"looks": 0, "failed": 30}), **day)
    assert found == "looks fail: 30 of 30 in the last 60 s, allowed are 5%"


def test_after_a_usual_week_a_flood_ends_it() -> None:
    week: dict[str, Any] = {"events": 92, "usual_events": 70.0}
    assert why(MINUTE.model_copy(update={"events": 4}), **week) is None
    found = why(MINUTE.model_copy(update={"events": 10, "usual_events": 0.1}), **week)
    assert found is not None
    assert "floods events: 10 in 2.0 camera-minutes" in found
    assert "floods" in (why(MINUTE, HOUR.model_copy(update={"events": 30, "usual_events": 6.0}), **week) or "")


@pytest.mark.parametrize(("events", "says_too_little"), [(0, True), (4, True), (5, False), (300, False)])
def test_one_that_says_next_to_nothing_of_what_production_says_is_ended(events: int, says_too_little: bool) -> None:
    found = why(events=events, usual_events=80.0, sure_events=50.0)
    assert (found is not None and "says too little" in found) == says_too_little


def test_where_little_is_to_be_expected_silence_says_nothing() -> None:
    assert why(events=0, sure_events=9.9) is None
    late = HOUR.model_copy(update={"events": 0, "sure_events": 20.0})
    assert "says too little: 0 in 120.0 camera-minutes" in (
        why(late, events=90, sure_events=100.0, usual_events=100.0) or ""
    )


def test_one_that_waits_while_it_loads_and_does_nothing_hangs() -> None:
    def loads(idle_s: float) -> str | None:
        return broken(RAILS, Observed(running_s=30, cpu_s=3, idle_s=idle_s), cameras=1, lasted_s=30.0)

    assert loads(RAILS.silent_longest_s) is None
    assert "hangs" in (loads(RAILS.silent_longest_s + 1) or "")


def test_silence_is_measured_by_a_clock_that_nobody_sets() -> None:
    heard = Heard()
    assert heard.silent(5.0, 1.0) == (None, 0.0)
    heard.begin(10.0, 2.0)
    assert heard.silent(14.0, 5.0) == (4.0, 3.0)
    heard.note(15.0, 6.0, {"a": 1_000_000.0})
    for second, told in enumerate((1_000_060.0, 999_940.0, 1_000_001.0)):  # forward, back, forward
        heard.note(16.0 + second, 7.0, {"a": told})
        assert heard.silent(16.0 + second, 7.0) == (0.0, 0.0)
    for moment in (19.0, 25.0):
        heard.note(moment, 9.0, {"a": 1_000_001.0})
    heard.note(30.0, 9.0, {})  # its status is gone: that is no word of it
    heard.note(31.0, 9.5, {"a": 1_000_001.0})
    assert heard.silent(31.0, 9.5) == (13.0, 2.5)
    heard.deaf(32.0, 9.75)
    assert heard.silent(33.0, 10.0) == (1.0, 0.25), "while nothing can be heard nobody is silent"


def test_looks_are_counted_on_when_a_camera_begins_anew_or_is_not_heard_for_a_while() -> None:
    tally = Tally()
    tally.note({"a": (10, 1), "b": (20, 0)})
    tally.note({"a": (12, 1)})
    assert (tally.looks, tally.failed) == (32, 1)
    tally.note({"a": (3, 2), "b": (21, 0)})
    assert (tally.looks, tally.failed) == (36, 3)


def test_what_was_done_in_the_last_minute_is_known_once_there_was_one() -> None:
    past = Past((60.0, 3600.0))
    for second in range(0, 300):
        past.note(float(second), looks=second, failed=second // 100, events=second // 60, usual_events=1.0)
        if second < 60:
            assert past.spans(float(second)) == ()
    (minute,) = past.spans(299.0)
    assert (minute.lasted_s, minute.looks, minute.failed, minute.events, minute.usual_events) == (60.0, 60, 0, 1, 0.0)
    past.note(300.0, looks=400, failed=0, events=0, usual_events=0.5)  # a camera left: sums may fall
    (minute,) = past.spans(300.0)
    assert (minute.looks, minute.failed, minute.events, minute.usual_events) == (160, 0, 0, 0.0)


def test_a_process_works_when_it_has_had_some_of_the_processor() -> None:
    working = Working()
    assert working.idle(0.0, 0.0) == 0.0
    assert working.idle(10.0, 0.05) == 10.0, "what threads take that only wait"
    assert working.idle(11.0, 0.5) == 0.0
    assert working.idle(15.0, 0.5) == 4.0
