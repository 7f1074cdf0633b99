"""Detectors of Intel's Open Model Zoo. NMS is part of their graphs; the frame is stretched to the input.

Two heads: `detection_out` [N, 1, 200, 7] (picture, label, score, x1, y1, x2, y2; normalised), and
`boxes` [N, 100, 5] (x1, y1, x2, y2 in input pixels, score) beside `labels` [N, 100].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigError
from contracts.vision import Detections
from models.detector import Prepared
from models.families.base import FamilyDetector, class_numbers, to_detections
from models.runner import Runner
from models.zoo import DetectorSpec


class OmzSsdDetector(FamilyDetector):
    """Reads either head; which one is seen from the outputs' shapes."""

    def __init__(self, runner: Runner, spec: DetectorSpec) -> None:
        super().__init__(runner, spec)
        if spec.labels == "coco":
            raise ConfigError(f"{runner.name}: an Open Model Zoo detector needs its own labels")
        self._table = class_numbers(spec.labels, runner.name)
        self._size: NDArray[np.float32] = np.array([self._width, self._height] * 2, np.float32)
        self._names = [output.name for output in runner.outputs]
        shapes = {output.name: output.shape for output in runner.outputs}
        self._two_heads = "boxes" in shapes and "labels" in shapes
        if not self._two_heads and (len(shapes) != 1 or shapes[self._names[0]][-1] != 7):
            raise ConfigError(f"{runner.name}: outputs {shapes} are no known SSD head")

    def _read(
        self, outputs: dict[str, NDArray[Any]], prepared: Sequence[Prepared], floors: NDArray[np.float32]
    ) -> list[Detections]:
        if self._two_heads:
            found: NDArray[np.float32] = outputs["boxes"].astype(np.float32)
            labels, scores = outputs["labels"].astype(np.int64), found[..., 4]
            boxes = found[..., :4] / self._size
        else:
            rows: NDArray[np.float32] = outputs[self._names[0]][:, 0].astype(np.float32)
            # An unused row carries picture −1 and score 0.
            labels, scores, boxes = rows[..., 1].astype(np.int64), rows[..., 2], rows[..., 3:]
        known = (labels >= 0) & (labels < len(self._table))
        classes = np.where(known, self._table[np.where(known, labels, 0)], -1)
        wanted = (classes >= 0) & (scores >= floors[:, None]) & (scores > 0)
        picture, row = np.nonzero(wanted)
        return to_detections(len(prepared), picture, boxes[picture, row], scores[picture, row], classes[picture, row])
