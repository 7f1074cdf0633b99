"""Batched NMS against the textbook loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from contracts.geometry import iou
from models.nms import batched_nms
from tests.effort import examples


def _greedy(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], groups: NDArray[np.int64], threshold: float
) -> set[int]:
    kept: list[int] = []
    overlap = iou(boxes.astype(np.float64), boxes.astype(np.float64))
    for i in np.argsort(-scores, kind="stable"):
        if scores[i] > 0 and not any(groups[i] == groups[j] and overlap[i, j] > threshold for j in kept):
            kept.append(int(i))
    return set(kept)


# Whole pixels and a threshold no ratio of small whole numbers hits, so that both ways round alike.
_box = st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 12)] * 2, st.integers(1, 50), st.integers(0, 1))


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.lists(_box, max_size=14), min_size=1, max_size=4))
def test_as_the_greedy_loop(pictures: list[list[tuple[int, ...]]]) -> None:
    columns = max(len(picture) for picture in pictures)
    boxes = np.zeros((len(pictures), columns, 4), np.float32)
    scores = np.zeros((len(pictures), columns), np.float32)
    groups = np.zeros((len(pictures), columns), np.int64)
    for row, picture in enumerate(pictures):
        for column, (x, y, w, h, score, group) in enumerate(picture):
            boxes[row, column] = (x, y, x + w, y + h)
            scores[row, column] = score / 50
            groups[row, column] = group
    kept = batched_nms(boxes, scores, groups, 0.4503)
    for row in range(len(pictures)):
        assert set(np.flatnonzero(kept[row])) == _greedy(boxes[row], scores[row], groups[row], 0.4503)


def test_a_suppressed_box_suppresses_nobody() -> None:
    # Three in a row, each overlapping only its neighbour: the middle one goes, the last stays.
    boxes = np.array([[[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]], np.float32)
    kept = batched_nms(boxes, np.array([[0.9, 0.8, 0.7]], np.float32), np.zeros((1, 3), np.int64), 0.3)
    assert kept.tolist() == [[True, False, True]]


def test_no_boxes() -> None:
    empty = batched_nms(np.zeros((2, 0, 4), np.float32), np.zeros((2, 0), np.float32), np.zeros((2, 0), np.int64), 0.5)
    assert empty.shape == (2, 0)
