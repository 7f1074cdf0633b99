"""Matching of raised and true events: against every possible assignment, and what a person would expect."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithm_repo.evaluation.match import Span, match, overlap

_MOMENTS = st.integers(0, 20)


@st.composite
def _spans(draw: st.DrawFn) -> list[Span]:
    count = draw(st.integers(0, 5))
    spans = []
    for _ in range(count):
        start = draw(_MOMENTS)
        spans.append(
            Span(draw(st.sampled_from("ab")), draw(st.sampled_from("xy")), float(start), float(start + draw(_MOMENTS)))
        )
    return spans


def _best(truth: list[Span], raised: list[Span]) -> tuple[int, float]:
    """Most pairs, then most time in common, by trying everything."""
    rows, columns = (truth, raised) if len(truth) <= len(raised) else (raised, truth)
    best = (0, 0.0)
    for order in permutations(range(len(columns)), len(rows)):
        shared = [overlap(row, columns[column]) for row, column in zip(rows, order, strict=True)]
        fits = [one for one in shared if one is not None]
        best = max(best, (len(fits), sum(fits)))
    return best


@given(_spans(), _spans())
def test_as_many_pairs_as_can_be_and_then_the_longest(truth: list[Span], raised: list[Span]) -> None:
    pairs = match(truth, raised)
    shared = [overlap(truth[row], raised[column]) for row, column in pairs]
    times = [one for one in shared if one is not None]
    assert len(times) == len(pairs), "only what is of one type and zone, and shares a moment"
    count, total = _best(truth, raised)
    assert len(pairs) == count
    assert sum(times) == pytest.approx(total)


@given(_spans(), _spans())
def test_one_to_one(truth: list[Span], raised: list[Span]) -> None:
    pairs = match(truth, raised)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert pairs == sorted(pairs)


@given(_spans(), _spans())
def test_turned_around_it_finds_as_many(truth: list[Span], raised: list[Span]) -> None:
    assert len(match(truth, raised)) == len(match(raised, truth))


def test_a_second_event_for_the_same_truth_is_left_over() -> None:
    truth = [Span("parking", "kerb", 10, 60)]
    assert match(truth, [Span("parking", "kerb", 12, 20), Span("parking", "kerb", 25, 60)]) == [(0, 1)]


def test_another_zone_or_type_is_no_match() -> None:
    truth = [Span("parking", "kerb", 10, 60)]
    assert match(truth, [Span("parking", "lane", 10, 60), Span("litter", "kerb", 10, 60)]) == []


def test_touching_is_a_moment_in_common() -> None:
    assert match([Span("a", "x", 0, 10)], [Span("a", "x", 10, 20)]) == [(0, 0)]
    assert match([Span("a", "x", 0, 10)], [Span("a", "x", 10.001, 20)]) == []


def test_two_pairs_are_better_than_one_long_one() -> None:
    truth = [Span("a", "x", 0, 100), Span("a", "x", 90, 91)]
    raised = [Span("a", "x", 5, 91), Span("a", "x", 0, 6)]
    assert match(truth, raised) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("end", [float("inf"), float("nan"), -1.0])
def test_a_span_without_an_end_is_refused(end: float) -> None:
    with pytest.raises(ValueError, match="no stretch of time"):
        match([Span("a", "x", 0, end)], [])
