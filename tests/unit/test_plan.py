"""When to look: promises kept on the cheapest pictures."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plan import LookAt, next_look


def run(every: float, gop: float, fps: float, seconds: float) -> list[LookAt]:
    """Looks at a steady stream, the planner asked after every packet."""
    looks: list[LookAt] = []
    last: float | None = None
    keyframe: float | None = None
    for n in range(int(seconds * fps)):
        now = n / fps
        if n % round(gop * fps) == 0:
            keyframe = now
        look = next_look(last, every, keyframe, now, gop)
        if look is not None:
            looks.append(look)
            last = look.time
    return looks


def test_nothing_before_the_first_keyframe() -> None:
    assert next_look(None, 2, None, 5.0, None) is None


def test_short_gops_cost_keyframes_only() -> None:
    looks = run(every=2, gop=2, fps=25, seconds=60)
    assert all(look.keyframe for look in looks)
    assert len(looks) == 30


def test_a_gop_of_20_s_is_decoded_on_when_a_look_is_due() -> None:
    looks = run(every=2, gop=20, fps=25, seconds=60)
    assert len(looks) == pytest.approx(30, abs=1)
    assert sum(look.keyframe for look in looks) == 3


@given(
    every=st.floats(0.2, 10),
    gop=st.sampled_from([0.2, 0.4, 1.0, 2.0, 4.0, 10.0, 20.0]),
    fps=st.sampled_from([5.0, 10.0, 25.0]),
)
def test_the_promise_is_kept_and_no_look_goes_backwards(every: float, gop: float, fps: float) -> None:
    looks = run(every, gop, fps, seconds=60)
    gaps = [b.time - a.time for a, b in itertools.pairwise(looks)]
    assert all(gap > 0 for gap in gaps)
    assert all(gap <= every * 1.5 + gop * 0.1 + 1 / fps + 1e-6 for gap in gaps)


def test_keyframes_out_of_step_are_followed_at_once() -> None:
    """After a jump keyframes come 1.75 s after the last look: no look may be a second old for ever after."""
    last, newest_keyframe = 100.0, 101.75
    look = next_look(last, 2.0, newest_keyframe, 101.8, 2.0)
    assert look == LookAt(101.75, keyframe=True)
    assert next_look(101.75, 2.0, 103.75, 103.8, 2.0) == LookAt(103.75, keyframe=True)


def test_short_gops_do_not_double_the_looks() -> None:
    assert next_look(100.0, 2.0, 101.0, 101.5, 1.0) is None
    assert next_look(100.0, 2.0, 102.0, 102.1, 1.0) == LookAt(102.0, keyframe=True)
