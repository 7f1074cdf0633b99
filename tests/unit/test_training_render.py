"""What a rendering worker makes of a seed: the same samples every time, with labels in their places."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from algorithm_repo.datasets.pictures import encode
from algorithm_repo.training import samples
from algorithm_repo.training.packed import Labelled, RealPictures
from algorithm_repo.training.rendering import TRAIN_SEEDS, Teacher, changed, pictures, real_samples, write_chunk


def _real() -> RealPictures:
    rng = np.random.default_rng(9)
    photo = encode(rng.integers(0, 255, (288, 480, 3), np.uint8))
    mask = np.zeros((288, 480), np.uint8)
    mask[100:] = 255
    piece = np.zeros((96, 96), np.uint8)
    piece[30:60, 20:70] = 255
    pair = (photo, encode(mask, ".png"))
    small = (encode(rng.integers(0, 255, (96, 96, 3), np.uint8)), encode(piece, ".png"))
    labelled = Labelled(photo, np.array([[0.1, 0.1, 0.4, 0.5]], np.float32), np.array([2]))
    return RealPictures(
        flood={"train": [pair], "val": [pair], "test": [pair]},
        trash={"train": [small], "val": [small], "test": [small]},
        photos={"train": [labelled], "val": [labelled]},
        grounds=[photo],
    )


def test_a_seed_decides_everything(tmp_path: Path) -> None:
    one = Teacher(_real(), "train").street(TRAIN_SEEDS + 3).arrays()
    other = Teacher(_real(), "train").street(TRAIN_SEEDS + 3).arrays()
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)
    assert len(one["street"]) == len(one["street_boxes"]) == 10
    assert len(one["crops"]) == len(one["things"]) == len(one["bins"]) > 10
    assert set(one["things"].tolist()) <= {-1, 0, 1, 2, 3}
    batch = Teacher(_real(), "train").street(TRAIN_SEEDS + 3)
    write_chunk(tmp_path, "train-000003", batch)
    assert [path.name for path in tmp_path.iterdir()] == ["train-000003.npz"]


def test_moments_of_a_street_are_in_order_and_differ() -> None:
    found = [picture.bgr for picture, _ in pictures(TRAIN_SEEDS + 1)]
    assert len(found) == 10
    assert any((first != second).any() for first, second in pairwise(found))


def test_what_has_changed_is_put_forward() -> None:
    before = np.full((180, 320, 3), 90, np.uint8)
    now = before.copy()
    now[100:120, 200:230] = 200
    (box,) = changed(before, now, np.random.default_rng(0), 5)
    assert samples.overlap(box, (200 / 320, 100 / 180, 230 / 320, 120 / 180))[0] > 0.7
    assert changed(before, before, np.random.default_rng(0), 5) == []


def test_real_photos_become_samples_with_our_labels() -> None:
    arrays = real_samples(_real(), "train").arrays()
    assert len(arrays["water"]) == len(arrays["street"]) == 1
    assert arrays["street_boxes"][0, 0, 4] == 2
    assert (arrays["water_masks"] == samples.WATER_FULL).any()
