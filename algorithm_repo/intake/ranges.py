"""Whether the numbers a model answers mean what its family's reader takes them for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithm_repo.intake.card import Card
from algorithm_repo.intake.reasons import Code, Reason

_SLACK = 1e-3  # half precision rounds a probability of 1 up by less
_FARTHEST = 4.0  # a box may reach out of the picture, by a few of its sides
# Logarithm of a box's side in strides: the median cell of a network that answers logarithms lies far below; of one
# that has turned them into pixels already, far above.
_LARGEST_LOG = 6.0
_SIGMOID = "put the sigmoid or softmax into the graph"

Outputs = Mapping[str, NDArray[Any]]


def range_faults(outputs: Outputs, card: Card) -> Iterator[Reason]:
    """What is out of range in the outputs [1, …] for one picture, all finite."""
    if card.family == "yolox":
        for name, array in outputs.items():
            yield from _yolox(name, array[0].astype(np.float64), card)
    elif card.family == "omz_ssd":
        yield from _ssd(outputs, card)
    else:
        for name, array in outputs.items():
            yield from _shares(name, array, "probabilities")


def _yolox(name: str, rows: NDArray[np.float64], card: Card) -> Iterator[Reason]:
    """Rows of dx, dy, log w, log h (in strides of 8 to 32 pixels), objectness, classes."""
    yield from _shares(name, rows[:, 4:], "objectness and classes")
    far = _FARTHEST * max(card.width, card.height) / 8
    if np.abs(rows[:, :2]).max(initial=0) > far or np.median(rows[:, 2:4]) > _LARGEST_LOG:
        what = "boxes are not offsets and logarithms in strides; they look like pixels"
        yield _reason(name, what, "export it without decoding (decode_in_inference off)")


def _ssd(outputs: Outputs, card: Card) -> Iterator[Reason]:
    if "boxes" in outputs:
        rows, name = outputs["boxes"][0].astype(np.float64), "boxes"
        labels, scores = outputs["labels"][0].astype(np.float64), rows[:, 4]
        boxes = rows[:, :4] / np.array([card.width, card.height] * 2)
    else:
        name, array = next(iter(outputs.items()))
        rows = array[0, 0].astype(np.float64)
        labels, scores, boxes = rows[:, 1], rows[:, 2], rows[:, 3:]
    yield from _shares(name, scores, "scores")
    used = scores > 0
    if (labels[used] != np.round(labels[used])).any() or not _within(labels[used], 0, card.classes - 1):
        what = f"label numbers are not whole, or not between 0 and {card.classes - 1}"
        yield _reason(name, what, "list every label of the model on the card; those of no use as `unused`")
    if not _within(boxes[used], 1 - _FARTHEST, _FARTHEST):
        yield _reason(name, "boxes lie far outside the picture", "give normalised corners, in `boxes` pixels")


def _shares(name: str, array: NDArray[Any], what: str) -> Iterator[Reason]:
    if not _within(array, -_SLACK, 1 + _SLACK):
        yield _reason(
            name, f"{what} reach from {float(array.min()):.3g} to {float(array.max()):.3g}, not 0 to 1", _SIGMOID
        )


def _within(array: NDArray[Any], least: float, most: float) -> bool:
    return array.size == 0 or (float(array.min()) >= least and float(array.max()) <= most)


def _reason(name: str, what: str, fix: str) -> Reason:
    return Reason(code=Code.OUT_OF_RANGE, field=f"graph.output[{name}]", what=what, fix=fix)
