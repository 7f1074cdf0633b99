"""Why, and why not: the closing sentence and the timeline, from traces as chains write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from contracts.trace import StepName, TracedCondition, TracedStep, TraceLine, ZoneCount
from events.explain import Explanation, explain

START = 1_700_000_000.0
TYPE = "illegal_parking"


def line(
    at: float,
    *conditions: tuple[str, str, float, float],
    step: tuple[str, StepName] | None = None,
    opened: str = "",
    vehicles: int = 0,
    gap: float = 0.0,
    paused: str = "",
) -> TraceLine:
    """A line `at` s after START; conditions are (subject, name, value, needed)."""
    return TraceLine(
        time=at,
        utc=START + at,
        why="rule",
        every=2.0,
        gap=gap,
        tracks=vehicles,
        zones=(ZoneCount("lane", 0, vehicles, 0),),
        conditions=tuple(TracedCondition(TYPE, "lane", *one) for one in conditions),
        steps=(TracedStep(TYPE, "lane", step[0], step[1], "e" * 32),) if step else (),
        open=((TYPE, "lane", opened),) if opened else (),
        paused={TYPE: paused} if paused else {},
    )


def ask(lines: Sequence[TraceLine], at: float = 30.0, window: float = 60.0) -> Explanation:
    return explain(lines, "cam", TYPE, START + at, window=window, where=UTC)


def stop(seconds: int, dwell: float, begin: int = 4) -> list[TraceLine]:
    """A car that stands for `seconds`, then drives off."""
    end = begin + seconds
    standing = [line(t, ("v:1", "still_s", t - begin, dwell), vehicles=1) for t in range(begin + 2, end, 2)]
    first = line(begin, ("v:1", "still_s", 0.0, dwell), step=("v:1", "candidate"), vehicles=1)
    return [line(0), first, *standing, line(end, step=("v:1", "dissolved")), *(line(t) for t in range(end + 8, 60, 8))]


def test_a_stop_that_was_too_short_names_what_was_missing_and_for_how_long() -> None:
    found = ask(stop(20, 30.0), at=15.0)
    verdict = found.verdict
    assert verdict.outcome == "failed"
    assert verdict.failure is not None
    assert (verdict.failure.name, verdict.failure.value, verdict.failure.needed) == ("still_s", 18.0, 30.0)
    assert (verdict.failure.since - START, verdict.failure.until - START) == (4.0, 24.0)
    assert verdict.text["en"] == (
        "No event: from 22:13:24 to 22:13:44 this failed: standing still 18 s (at least 30 s needed); then it was gone."
    )
    assert "静止时长 18 秒（至少需 30 秒）" in verdict.text["zh"]
    assert [span.holds for course in found.courses for span in course.spans] == [False]


def test_an_event_names_what_made_it() -> None:
    opening = line(34, ("v:1", "still_s", 30.0, 30.0), step=("v:1", "opened"), opened="v:1")
    found = ask([*stop(30, 30.0)[:-1], opening])
    assert found.verdict.outcome == "opened"
    assert found.verdict.event == "e" * 32
    assert "standing still 30 s" in found.verdict.text["en"]


def test_an_event_that_was_open_before_the_window_is_said_to_be() -> None:
    assert ask([line(10, opened="v:1"), line(20, opened="v:1")]).verdict.outcome == "open"


def test_the_car_that_was_there_is_meant_not_one_that_came_nearer_later() -> None:
    early = [line(t, ("v:1", "still_s", float(t), 60.0)) for t in range(2, 12, 2)]
    later = [line(t, ("v:2", "still_s", t - 14.0, 60.0)) for t in range(14, 58, 2)]
    failure = ask([*early, *later], at=8.0).verdict.failure
    assert failure is not None
    assert failure.subject == "v:1"


def test_a_veto_is_what_failed_once_all_else_held() -> None:
    def veto(t: int) -> TraceLine:
        held = TracedCondition(TYPE, "lane", "v:1", "held_back_by_queue", float(t > 8), 0.0, at_least=False)
        still = line(t, ("v:1", "still_s", float(t), 15.0))
        return still.model_copy(update={"conditions": (*still.conditions, held)})

    failure = ask([veto(t) for t in range(0, 40, 2)], at=25.0).verdict.failure
    assert failure is not None
    assert (failure.name, failure.since - START) == ("held_back_by_queue", 10.0)


def test_nothing_to_judge_says_what_was_there() -> None:
    found = ask([line(t, vehicles=2) for t in range(0, 60, 8)])
    assert found.verdict.outcome == "nothing"
    assert "At most 2 vehicles" in found.verdict.text["en"]


def test_a_paused_rule_and_a_camera_nobody_watched_are_said_to_be() -> None:
    paused = ask([line(t, paused="covered") for t in range(0, 60, 8)])
    assert paused.verdict.outcome == "paused"
    assert {part.state for part in paused.watched} == {"paused"}
    assert ask([]).verdict.outcome == "unknown"
    assert [part.state for part in ask([]).watched] == ["unseen"]
    gap = ask([line(0), line(8), line(40, gap=30.0), line(48), line(56)])
    assert [(part.state, part.since - START, part.until - START) for part in gap.watched] == [
        ("watched", 0.0, 10.0),
        ("unseen", 10.0, 40.0),
        ("watched", 40.0, 60.0),
    ]


@given(st.lists(st.tuples(st.floats(0, 120), st.floats(0, 60)), max_size=30), st.floats(0, 120), st.floats(2, 200))
def test_a_timeline_is_whole_and_in_order(values: list[tuple[float, float]], at: float, window: float) -> None:
    lines = [line(time, ("v:1", "still_s", value, 30.0)) for time, value in values]
    found = ask(lines, at, window)
    reached = found.since
    for part in found.watched:
        assert part.since == reached
        assert part.until > part.since
        reached = part.until
    assert abs(reached - found.until) < 1e-6
    for course in found.courses:
        for before, after in zip(course.spans, course.spans[1:], strict=False):
            assert found.since <= before.since <= before.until <= after.since + 1e-6
            assert before.low <= before.last <= before.high
    assert found.verdict.text["zh"]
