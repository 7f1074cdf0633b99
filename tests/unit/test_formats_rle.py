"""Run lengths of masks: exact, the same as the ones others make, and refused before memory is taken."""

from __future__ import annotations

import hashlib
import tracemalloc
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algorithm_repo.formats import rle
from contracts.errors import ConfigError
from tests.effort import examples

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30)))

# What pycocotools 2.0 makes of these masks.
PEERS = [
    ([[0]], "1"),
    ([[1, 1], [1, 1]], "04"),
    ([[0, 0], [0, 0]], "4"),
    ([[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]], "012000O02"),
    (
        [
            [1, 0, 1, 0, 0, 1, 1],
            [1, 1, 0, 0, 0, 1, 0],
            [0, 0, 0, 0, 1, 1, 0],
            [0, 1, 1, 0, 0, 1, 0],
            [1, 0, 1, 1, 0, 1, 0],
        ],
        "022OO00000112ON0052",
    ),
]


@given(MASKS)
@settings(max_examples=examples(300), deadline=None)
def test_each_way_there_and_back(mask: rle.Pixels) -> None:
    height, width = mask.shape
    runs = rle.coco_of(mask)
    assert np.array_equal(rle.from_coco(runs, height, width), mask)
    assert rle.unpacked(rle.packed(runs)) == runs
    rows, box = rle.cvat_of(mask)
    assert np.array_equal(rle.from_cvat(rows, box, height, width), mask)
    sha256, png = rle.png_of(mask)
    assert hashlib.sha256(png).hexdigest() == sha256
    grey: Any = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert grey.shape == mask.shape
    assert np.array_equal(rle.as_mask(grey, height, width, "x"), mask)


@given(st.lists(st.integers(0, rle.MOST_PIXELS)))
def test_runs_of_any_length_are_packed_exactly(runs: list[int]) -> None:
    assert rle.unpacked(rle.packed(runs)) == runs


@pytest.mark.parametrize(("rows", "text"), PEERS)
def test_the_packed_text_is_the_one_others_make(rows: list[list[int]], text: str) -> None:
    mask = np.array(rows, np.bool_)
    assert rle.packed(rle.coco_of(mask)) == text
    assert np.array_equal(rle.from_coco(rle.unpacked(text), *mask.shape), mask)


def test_the_order_is_by_columns_in_coco_and_by_rows_of_a_box_in_cvat() -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask[1, 1:3] = mask[2, 2] = True
    assert rle.coco_of(mask) == [4, 1, 2, 2, 3]
    assert rle.cvat_of(mask) == ([0, 2, 1, 1], (1, 1, 2, 2))
    assert rle.cvat_of(np.zeros((3, 4), np.bool_)) == ([1], (0, 0, 1, 1))
    wide = np.zeros((1000, 1000), np.bool_)
    wide[:, 500:] = True
    assert rle.packed(rle.coco_of(wide)) == "PYX?PYX?"  # as pycocotools 2.0


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([3, 2], "5 pixels together, not 6"),
        ([7], "from 0 to the number"),
        ([8, -2], "from 0 to the number"),
        ([6.0], "whole numbers"),
        ([True, 5], "whole numbers"),
        (["6"], "whole numbers"),
        ([None], "whole numbers"),
        ([10**400], "whole numbers"),
    ],
)
def test_runs_that_are_none_are_refused(runs: list[Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        rle.from_coco(runs, 2, 3)


@pytest.mark.parametrize("text", ["a" * 10_000, "é", " ", "\x00", "P", "0P", "🙂"])
def test_a_packed_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"belong|ends"):
        rle.unpacked(text)


def test_huge_masks_are_refused_before_memory_is_taken() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than"):
            rle.from_coco([10**9], 10**5, 10**4)
        with pytest.raises(ValueError, match="more than"):
            rle.from_cvat([1], (0, 0, 1, 1), 10**5, 10**4)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("box", [(0, 0, 5, 1), (-1, 0, 2, 1), (0, 2, 1, 2), (0, 0, 0, 1), (4, 0, 1, 1)])
def test_a_box_outside_the_picture_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="does not lie in the picture"):
        rle.from_cvat([box[2] * box[3]], box, 3, 4)


@pytest.mark.parametrize(
    ("given_mask", "told"),
    [
        (np.zeros((4, 3), np.bool_), r"a\.jpg: its mask is \(4, 3\), not \(3, 4\)"),
        (np.zeros((3, 4, 1), np.uint8), "its mask is"),
        (np.zeros((3, 4), np.float32), "float32"),
    ],
)
def test_what_is_no_mask_of_the_picture_is_refused(given_mask: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        rle.as_mask(given_mask, 3, 4, "a.jpg")


def test_grey_is_of_the_label_from_128_on() -> None:
    assert rle.as_mask(np.array([[0, 1, 127, 128, 255]], np.uint8), 1, 5, "x").tolist() == [[0, 0, 0, 1, 1]]
