"""Boxes of a network against the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.types import Box, Item
from algorithm_repo.judging.int8 import ByClass
from algorithm_repo.training.figures import Boxes, average_precision
from contracts.vision import ObjectClass
from models.detector import Detector
from models.picture import frame_from_bgr

_LEAST_SCORE = 0.01
NUMBERS = {one.name.lower(): int(one) for one in ObjectClass}
"""Of the classes, by what their labels are called."""


def seen(detector: Detector, item: Item, read: Read) -> tuple[Boxes, Boxes]:
    """What a detector as it runs finds in a picture, and what is there; labels are numbers of `ObjectClass`.

    Args:
        item: its box labels are classes in lower case; boxes of other labels are left out.
        read: bytes of a picture by SHA-256.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    said = detector.detect_frames([frame_from_bgr(decode(read(item.content)))], _LEAST_SCORE)[0]
    boxes = [one for one in item.labels if isinstance(one, Box) and one.label in NUMBERS]
    truth = Boxes(
        np.array([one.box for one in boxes], np.float32).reshape(-1, 4),
        np.ones(len(boxes)),
        np.array([NUMBERS[one.label] for one in boxes], np.int64),
    )
    return Boxes(said.boxes, said.scores, said.classes), truth


def precision(detector: Detector, items: Sequence[Item], read: Read) -> ByClass:
    """Of a detector as it runs: average precision at an IoU of one half, of each class that there is truth of.

    Args:
        items, read: see `seen`.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    pairs = [seen(detector, item, read) for item in items]
    found, truth = [one for one, _ in pairs], [one for _, one in pairs]
    classes = {}
    for name, number in NUMBERS.items():
        figure, count = average_precision(found, truth, number)
        if count:
            classes[name] = round(figure, 4)
    return ByClass(figure="precision", classes=classes, pictures=len(items))
