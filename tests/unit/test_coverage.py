"""Hours not watched: every blind stretch is one interval, begun and ended once."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from contracts.records import Unwatched
from pipeline.coverage import GRACE_S, Coverage, blind_rules, closed, looked, missed


def test_a_late_look_is_not_blindness() -> None:
    state, begun = missed(Coverage(100.0), "cam", 105.0, 2.0, "offline")
    assert begun is None
    _, gap, ended = looked(state, 106.0)
    assert (gap, ended) == (0.0, None)


def test_an_outage_is_dated_back_to_the_last_look() -> None:
    state, begun = missed(Coverage(100.0), "cam", 130.0, 2.0, "offline")
    assert begun is not None
    assert (begun.start_utc, begun.end_utc, begun.reason) == (100.0, None, "offline")
    state, again = missed(state, "cam", 140.0, 2.0, "stalled")
    assert again is None
    state, gap, ended = looked(state, 150.0)
    assert gap == 50.0
    assert ended is not None
    assert (ended.id, ended.start_utc, ended.end_utc) == (begun.id, 100.0, 150.0)
    assert state == Coverage(150.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 60)), max_size=50), st.floats(0.5, 10))
def test_intervals_never_overlap_and_cover_every_long_gap(steps: list[tuple[bool, float]], every: float) -> None:
    now, state = 1000.0, Coverage(1000.0)
    last_look = now
    intervals: list[Unwatched] = []
    for is_look, wait in steps:
        now += wait
        if is_look:
            state, gap, ended = looked(state, now)
            if ended is not None:
                intervals.append(ended)
                assert gap == now - last_look
            last_look = now
        else:
            state, _ = missed(state, "cam", now, every, "shed")
    assert all(i.end_utc is not None and i.end_utc - i.start_utc >= 3 * every + GRACE_S - 1e-6 for i in intervals)
    assert all(a.end_utc is not None and a.end_utc <= b.start_utc for a, b in itertools.pairwise(intervals))


def test_rules_that_cannot_judge_are_told_one_by_one() -> None:
    state, begun = blind_rules(
        Coverage(100.0), "cam", 110.0, {"litter": ("blurred", 98.0), "crowding": ("blurred", 98.0)}
    )
    assert [(one.algorithm, one.reason, one.start_utc, one.end_utc) for one in begun] == [
        ("crowding", "blurred", 98.0, None),
        ("litter", "blurred", 98.0, None),
    ]
    state, _, _ = looked(state, 120.0)
    state, told = blind_rules(state, "cam", 120.0, {"litter": ("blurred", 98.0), "crowding": ("black", 119.0)})
    assert [(one.algorithm, one.reason, one.end_utc) for one in told] == [
        ("crowding", "blurred", 120.0),
        ("crowding", "black", None),
    ]
    assert len({one.id for one in (*begun, *told)}) == 3
    _, told = blind_rules(state, "cam", 130.0, {})
    assert {(one.algorithm, one.end_utc) for one in told} == {("crowding", 130.0), ("litter", 130.0)}
    state, _ = missed(state, "cam", 200.0, 1.0, "offline")
    assert {(one.algorithm, one.end_utc) for one in closed(state, 210.0)} == {
        ("*", 210.0),
        ("crowding", 210.0),
        ("litter", 210.0),
    }
