"""A photo with what is there and what a network says, for cards: green by the label, blue by the network."""

from __future__ import annotations

import cv2
import numpy as np

from algorithm_repo.datasets.pictures import ByteArray
from algorithm_repo.training.figures import Boxes

_TRUTH, _SAID = (0, 200, 0), (220, 60, 30)  # BGR


def with_masks(photo: ByteArray, mask: ByteArray | None, chances: ByteArray, width: int) -> ByteArray:
    """Outlines, on the photo scaled down to a width in px.

    Args:
        photo: uint8 [H, W, 3], BGR.
        mask: uint8 [h, w], 128 and above where the label says so; None: nowhere.
        chances: the network's map, uint8 [h, w] likewise.
    """
    small = _small(photo, width)
    size = (small.shape[1], small.shape[0])
    said = cv2.resize(chances, size, interpolation=cv2.INTER_LINEAR)
    for shape, colour in ((mask, _TRUTH), (said, _SAID)):
        if shape is None:
            continue
        area = np.asarray(cv2.resize(shape, size, interpolation=cv2.INTER_NEAREST) > 127, np.uint8)
        outlines, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(small, outlines, -1, colour, 2)
    return small


def with_boxes(photo: ByteArray, truth: Boxes, found: Boxes, names: dict[int, str], width: int) -> ByteArray:
    """Boxes, on the photo scaled down to a width in px; the network's with class and score.

    Args:
        photo: uint8 [H, W, 3], BGR.
        truth, found: shares of the photo.
        names: of the classes.
    """
    small = _small(photo, width)
    sides = np.array([small.shape[1], small.shape[0]] * 2, float)
    for boxes, colour in ((truth, _TRUTH), (found, _SAID)):
        for box, score, label in zip(boxes.boxes, boxes.scores, boxes.labels, strict=True):
            x1, y1, x2, y2 = (int(side) for side in np.rint(box * sides))
            cv2.rectangle(small, (x1, y1), (x2, y2), colour, 2)
            if boxes is found:
                told = f"{names.get(int(label), '?')} {score:.2f}"
                cv2.putText(small, told, (x1 + 2, max(10, y1 + 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.35, colour, 1)
    return small


def _small(photo: ByteArray, width: int) -> ByteArray:
    size = (width, max(1, round(photo.shape[0] * width / photo.shape[1])))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
