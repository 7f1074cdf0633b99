"""Which worker runs which camera."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.placement import place

_ids = st.lists(st.text("abcdefgh0123456789", min_size=1, max_size=4), unique=True, max_size=40)


def _workers(count: int) -> list[str]:
    return [f"w{i}" for i in range(count)]


@given(_ids, st.integers(1, 8), st.integers(1, 8))
def test_balanced_complete_and_settled(cameras: list[str], before: int, after: int) -> None:
    first = place(cameras, _workers(before))
    second = place(cameras, _workers(after), first)
    for placed, count in ((first, before), (second, after)):
        assert sorted(c for some in placed.values() for c in some) == sorted(cameras)
        sizes = [len(some) for some in placed.values()]
        assert len(placed) == count
        assert max(sizes) - min(sizes) <= 1
    assert place(cameras, _workers(after), second) == second


@given(_ids.filter(bool), st.integers(1, 8))
def test_one_camera_more_moves_nothing_else(cameras: list[str], count: int) -> None:
    *some, new = cameras
    before = place(some, _workers(count))
    after = place(cameras, _workers(count), before)
    assert all(set(before[worker]) <= set(after[worker]) for worker in before)
    assert new in {c for some in after.values() for c in some}


def test_a_lost_worker_moves_only_its_own() -> None:
    cameras = [f"cam{i}" for i in range(40)]
    before = place(cameras, _workers(4))
    after = place(cameras, ["w0", "w1", "w3"], before)
    assert all(set(before[worker]) <= set(after[worker]) for worker in after)


def test_a_new_worker_takes_only_its_share() -> None:
    cameras = [f"cam{i}" for i in range(40)]
    before = place(cameras, _workers(3))
    after = place(cameras, _workers(4), before)
    moved = sum(1 for worker in before for camera in before[worker] if camera not in after[worker])
    assert moved == len(after["w3"]) == 10


def test_nobody_to_run_them() -> None:
    assert place([], []) == {}
    with pytest.raises(ValueError, match="without workers"):
        place(["a"], [])
