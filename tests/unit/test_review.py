"""The interval of a rate that few verdicts stand behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.review import wilson


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share_and_shrinks(counts: tuple[int, int]) -> None:
    hits, of = counts
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    tighter = wilson(4 * hits, 4 * of)
    assert tighter[1] - tighter[0] < high - low
    mirrored = wilson(of - hits, of)
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_as_tabulated() -> None:
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
