"""Key frames that tell where a tracker saw a thing."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithm_repo.datasets.trackfit import Sighting, fitted

SHARE = st.floats(0.05, 0.45)


@st.composite
def walks(draw: st.DrawFn) -> list[Sighting]:
    """A thing that is seen now and then, wherever it likes."""
    steps = draw(st.lists(st.floats(0.05, 3.0), min_size=1, max_size=30))
    at, seen = 0.0, []
    for step in steps:
        at = round(at + step, 6)
        x, y = draw(SHARE), draw(SHARE)
        seen.append(Sighting(at, (x, y, x + draw(SHARE), y + draw(SHARE))))
    return seen


@given(walks(), st.floats(0.001, 0.2))
def test_every_sighting_lies_within_the_tolerance(seen: list[Sighting], tolerance: float) -> None:
    track = fitted("car", seen, tolerance)
    for one in seen:
        there = track.at(one.at)
        assert there is not None
        assert max(abs(a - b) for a, b in zip(there, one.box, strict=True)) <= tolerance + 1e-9


@given(walks())
def test_it_is_outside_where_it_was_not_seen_for_long(seen: list[Sighting]) -> None:
    track = fitted("car", seen, gap_s=1.0)
    for before, after in pairwise(seen):
        middle = track.at((before.at + after.at) / 2 + 0.26 * (after.at - before.at))
        assert (middle is None) == (after.at - before.at > 1.0)


def test_a_thing_that_goes_straight_on_has_two_key_frames() -> None:
    seen = [Sighting(n / 5, (0.1 + n / 100, 0.2, 0.3 + n / 100, 0.4)) for n in range(50)]
    assert [one.at for one in fitted("car", seen).keys] == [0.0, 9.8]


@pytest.mark.parametrize(("tolerance", "most"), [(0.05, 10), (0.01, 20), (0.002, 40)])
def test_a_curve_takes_few_key_frames_and_more_for_a_finer_line(tolerance: float, most: int) -> None:
    seen = [
        Sighting(n / 10, (x, y, x + 0.1, y + 0.1))
        for n in range(200)
        for x, y in [(0.4 + 0.3 * math.cos(n / 32), 0.4 + 0.3 * math.sin(n / 32))]
    ]
    assert most / 2 < len(fitted("car", seen, tolerance).keys) <= most
