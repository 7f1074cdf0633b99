"""YOLOX (Ge et al. 2021, arXiv:2107.08430): anchor-free, one prediction a grid cell at strides 8, 16 and 32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigError
from contracts.vision import VEHICLES, Detections, Frame, ObjectClass
from models.detector import Prepared
from models.families.base import FamilyDetector, class_numbers, to_detections
from models.nms import batched_nms
from models.picture import Size
from models.runner import Runner
from models.zoo import DetectorSpec

_STRIDES = (8, 16, 32)
# More candidates than this in one picture are noise; the best are kept, so that NMS stays bounded.
_MAX_CANDIDATES = 300
# COCO's 80 classes in the order models number them: those that have a class of their own here.
_COCO = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}


class YoloxDetector(FamilyDetector):
    """Letterboxed input (picture top left, 114 around it), output [N, cells, 5 + classes].

    Cars, buses and trucks suppress each other in NMS: the model labels many vehicles twice. Boxes whose best label has
    no class here are dropped.
    """

    def __init__(self, runner: Runner, spec: DetectorSpec) -> None:
        super().__init__(runner, spec)
        output = runner.outputs[0]
        self._output = output.name
        self._grid, self._stride = _grid(self._width, self._height)
        if len(output.shape) != 3 or output.shape[1] != len(self._stride):
            raise ConfigError(f"{runner.name}: output {output.shape} is not [N, {len(self._stride)}, 5 + classes]")
        labels = _COCO if spec.labels == "coco" else spec.labels
        known = class_numbers(labels, runner.name)
        self._classes = np.full(output.shape[2] - 5, -1, np.int64)
        self._classes[: len(known)] = known
        self._group = np.arange(len(ObjectClass))
        self._group[sorted(VEHICLES)] = ObjectClass.VEHICLE

    def _fit(self, frame: Frame) -> Size:
        ratio = min(self._width / frame.width, self._height / frame.height)
        # Even, because chroma is scaled at half size.
        return max(2, int(frame.width * ratio) // 2 * 2), max(2, int(frame.height * ratio) // 2 * 2)

    def _read(
        self, outputs: dict[str, NDArray[Any]], prepared: Sequence[Prepared], floors: NDArray[np.float32]
    ) -> list[Detections]:
        raw = outputs[self._output]
        picture, cell, scores, classes = self._candidates(raw, floors)
        boxes = self._decode(raw[picture, cell, :4].astype(np.float32), cell)
        counts = np.bincount(picture, minlength=len(prepared))
        # Candidates come ordered by picture, so each one's column is its place within its picture.
        column = np.arange(len(picture)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (len(prepared), int(counts.max(initial=0)))
        padded_boxes = np.zeros((*shape, 4), np.float32)
        padded_scores = np.zeros(shape, np.float32)
        padded_groups = np.zeros(shape, np.int64)
        padded_boxes[picture, column] = boxes
        padded_scores[picture, column] = scores
        padded_groups[picture, column] = self._group[classes]
        kept = batched_nms(padded_boxes, padded_scores, padded_groups, self._spec.nms_iou)[picture, column]
        picture, boxes = picture[kept], boxes[kept]
        pad = np.array([(*one.pad, *one.pad) for one in prepared], np.float32)
        scale = np.array([(*one.scale, *one.scale) for one in prepared], np.float32)
        boxes = (boxes - pad[picture]) / scale[picture]
        return to_detections(len(prepared), picture, boxes, scores[kept], classes[kept])

    def _candidates(
        self, raw: NDArray[Any], floors: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
        """Picture, cell, score and class of every cell above its picture's floor, ordered by picture.

        A score is objectness times the best class probability, so objectness alone rules out nearly all cells before
        the 80 class columns are touched.
        """
        objectness = raw[:, :, 4]
        picture, cell = np.nonzero(objectness >= floors[:, None])
        rows = raw[picture, cell, 5:].astype(np.float32)
        best = rows.argmax(axis=1)
        scores = (objectness[picture, cell] * rows[np.arange(len(rows)), best]).astype(np.float32)
        classes = self._classes[best]
        wanted = (scores >= floors[picture]) & (classes >= 0) & (scores > 0)
        picture, cell, scores, classes = picture[wanted], cell[wanted], scores[wanted], classes[wanted]
        counts = np.bincount(picture, minlength=len(raw))
        if counts.max(initial=0) > _MAX_CANDIDATES:
            keep = np.concatenate(
                [
                    np.sort(start + np.argsort(-scores[start : start + count], kind="stable")[:_MAX_CANDIDATES])
                    for start, count in zip(np.cumsum(counts) - counts, counts, strict=True)
                ]
            )
            picture, cell, scores, classes = picture[keep], cell[keep], scores[keep], classes[keep]
        return picture, cell, scores, classes

    def _decode(self, raw: NDArray[np.float32], cell: NDArray[np.int64]) -> NDArray[np.float32]:
        """Boxes x1 y1 x2 y2 in tensor pixels from (dx, dy, log w, log h) in strides."""
        stride = self._stride[cell, None]
        centre = (raw[:, :2] + self._grid[cell]) * stride
        # exp is bounded: a box larger than any picture is clipped later anyway.
        half = np.exp(np.minimum(raw[:, 2:], 10.0)) * stride / 2
        boxes: NDArray[np.float32] = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
        return boxes


def _grid(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cell positions [cells, 2] (x, y) and strides [cells], in the order of the output's rows."""
    grids, strides = [], []
    for stride in _STRIDES:
        columns, rows = width // stride, height // stride
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        grids.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(columns * rows, stride))
    return np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)
