"""The tracker's parts against plain, slow ways of saying the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from pipeline.appearance import K, signatures
from pipeline.track.assignment import assign
from pipeline.track.association import sweep
from pipeline.track.motion import begin, correct, predict
from pipeline.track.settings import TrackerSettings
from pipeline.track.table import ROWS, TrackTable, pack, unpack
from tests.effort import examples

few = settings(max_examples=examples(60), deadline=None)
seeds = st.integers(0, 2**32 - 1)


@few
@given(seed=seeds, density=st.floats(0.05, 1.0), ties=st.booleans())
def test_assignment_is_one_to_one_and_optimal(seed: int, density: float, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 14, 2)
    full = rng.random((n, m)) + 1e-3
    if ties:
        full = np.ceil(full * 3) / 3
    present = rng.random((n, m)) < density
    rows, columns = np.nonzero(present)
    order = rng.permutation(len(rows))
    rows, columns = rows[order], columns[order]
    chosen = assign(rows, columns, full[rows, columns], int(n), int(m))
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    best = np.where(present, full, 0.0)
    assert full[rows[chosen], columns[chosen]].sum() == pytest.approx(best[linear_sum_assignment(-best)].sum())


@few
@given(seed=seeds)
def test_sweep_finds_every_pair_within_reach_and_no_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    track_band, track_x, reach = rng.integers(0, 5, 20), rng.uniform(0, 1.8, 20), rng.uniform(0, 0.5, 20)
    band, x = rng.integers(0, 5, 30), rng.uniform(0, 1.8, 30)
    order = np.lexsort((x, band))
    band, x = band[order], x[order]
    expected = (track_band[:, None] == band) & (np.abs(track_x[:, None] - x) <= reach[:, None])
    got = np.zeros_like(expected)
    pairs = sweep(track_band, track_x, reach, band, x)
    got[pairs] = True
    assert len(pairs[0]) == got.sum()
    assert np.array_equal(got, expected)


def test_closed_form_filter_is_the_kalman_filter() -> None:
    """Against matrices, for one axis of one track over uneven times."""
    s = TrackerSettings()
    rng = np.random.default_rng(1)
    seen = np.array([[0.4], [0.5], [0.1], [0.2]])
    motion = begin(seen, s)
    size = 0.15
    x = np.array([0.4, 0.0])
    p = np.diag([(s.measure_size * size) ** 2, (s.speed_size * size) ** 2])
    for gap in (0.04, 0.5, 2.0, 0.2):
        path = s.coast_s * (1 - np.exp(-gap / s.coast_s))
        move = np.array([[1, path], [0, np.exp(-gap / s.coast_s)]])
        drift = (s.accelerate_size * float(motion.place[2, 0] + motion.place[3, 0]) / 2) ** 2
        x = move @ x
        p = move @ p @ move.T + drift * np.array([[path**2 * gap / 3, path**2 / 2], [path**2 / 2, path]])
        motion = predict(motion, np.array([gap]), s)
        seen = seen + rng.normal(0, 0.01, seen.shape)
        gain = p[:, 0] / (p[0, 0] + (s.measure_size * float(seen[2, 0] + seen[3, 0]) / 2) ** 2)
        x = x + gain * (seen[0, 0] - x[0])
        p = p - np.outer(gain, p[0])
        motion = correct(motion, seen, s)
        assert [motion.place[0, 0], motion.speed[0, 0]] == pytest.approx(list(x))
        assert motion.spread[:3, 0] == pytest.approx([p[0, 0], p[0, 1], p[1, 1]])


@few
@given(seed=seeds)
def test_table_keeps_what_is_not_removed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, kept = TrackTable(), list[float]()
    for round_ in range(8):
        born = rng.integers(0, 60)
        columns = np.zeros((ROWS, born))
        columns[0] = np.arange(born) + 1000 * round_
        table.add(columns)
        kept += columns[0].tolist()
        gone = np.flatnonzero(rng.random(table.count) < 0.4)
        for name in table.live[0, gone].tolist():
            kept.remove(name)
        table.remove(gone)
        assert sorted(table.live[0].tolist()) == sorted(kept)
    assert np.array_equal(unpack(pack(table.live)), table.live)


def test_signatures_tell_colours_apart_and_shrug_off_shade() -> None:
    picture = np.full((120, 200, 3), 90, np.uint8)
    picture[20:100, 20:60] = (40, 40, 200)  # a red coat
    picture[20:100, 80:120] = (30, 30, 150)  # the same in the shade
    picture[20:100, 140:180] = (200, 60, 40)  # a blue one
    boxes = np.array([[20, 20, 60, 100], [80, 20, 120, 100], [140, 20, 180, 100]], np.float32)
    found = signatures(picture, boxes)
    assert found.shape == (3, K)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert found[0] @ found[1] > 0.9
    assert found[0] @ found[2] < 0.3


@few
@given(seed=seeds)
def test_signatures_of_any_box_are_its_own(seed: int) -> None:
    """Boxes may be empty, or hang over the edge; rows do not depend on each other."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    corners = rng.uniform(-10, 70, (6, 2, 2))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)
    boxes[0] = [5, 5, 5, 5]
    boxes[1] = [100, 100, 120, 120]
    found = signatures(picture, boxes)
    assert np.isfinite(found).all()
    assert np.array_equal(signatures(picture, boxes[3:4])[0], found[3])


def test_signatures_refuse_other_shapes() -> None:
    picture = np.zeros((10, 10, 3), np.uint8)
    assert signatures(picture, np.zeros((0, 4), np.float32)).shape == (0, K)
    with pytest.raises(ValueError, match="signatures"):
        signatures(picture[..., 0], np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="signatures"):
        signatures(picture, np.zeros((1, 5), np.float32))
