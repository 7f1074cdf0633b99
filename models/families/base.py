"""What every family shares: slots, fitting a frame into the input, scores a picture, boxes back to the frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigError, RunnerError
from contracts.vision import Detections, Frame, ObjectClass
from models.detector import Batch, Prepared
from models.picture import Size, small_bgr, write_chw
from models.runner import Runner
from models.zoo import DetectorSpec

# What is left free around a letterboxed picture; YOLOX was trained with it.
_PAD_VALUE = 114.0


class FamilyDetector(ABC):
    """`Detector` around one image input [N, 3, H, W] of BGR bytes 0..255 as float32."""

    def __init__(self, runner: Runner, spec: DetectorSpec) -> None:
        self.name = runner.name
        self.sha256 = runner.sha256
        self._runner = runner
        self._spec = spec
        image = runner.inputs[0]
        if len(image.shape) != 4 or image.shape[1] != 3:
            raise ConfigError(f"{runner.name}: input {image.name} {image.shape} is not [N, 3, H, W]")
        self._input = image.name
        self._height, self._width = image.shape[2], image.shape[3]

    def slots(self, n: int) -> Batch:
        """See `Detector.slots`."""
        return np.empty((n, 3, self._height, self._width), np.float32)

    def prepare(self, frame: Frame, slot: Batch) -> Prepared:
        """See `Detector.prepare`."""
        width, height = self._fit(frame)
        bgr = small_bgr(frame, (width, height))
        write_chw(bgr, slot)
        slot[:, height:, :] = _PAD_VALUE
        slot[:, :height, width:] = _PAD_VALUE
        return Prepared(slot, bgr, (float(width), float(height)), (0.0, 0.0))

    def detect_frames(self, frames: Sequence[Frame], min_score: float | Sequence[float]) -> list[Detections]:
        """See `Detector.detect_frames`."""
        batch = self.slots(len(frames))
        prepared = [self.prepare(frame, slot) for frame, slot in zip(frames, batch, strict=True)]
        return self.detect(batch, prepared, min_score)

    def detect(
        self, batch: Batch, prepared: Sequence[Prepared], min_score: float | Sequence[float]
    ) -> list[Detections]:
        """See `Detector.detect`."""
        if len(batch) != len(prepared):
            raise RunnerError(f"{self.name}: batch of {len(batch)} for {len(prepared)} prepared frames")
        if len(batch) == 0:
            return []
        floors = np.broadcast_to(np.asarray(min_score, np.float32), (len(batch),))
        outputs = self._runner.infer({self._input: batch})
        return self._read(outputs, prepared, floors)

    def close(self) -> None:
        """Closes the runner."""
        self._runner.close()

    def _fit(self, frame: Frame) -> Size:
        """Width and height the frame takes in the input; by default all of it, as the Intel models were trained."""
        return self._width, self._height

    @abstractmethod
    def _read(
        self, outputs: dict[str, NDArray[Any]], prepared: Sequence[Prepared], floors: NDArray[np.float32]
    ) -> list[Detections]:
        """Detections from the model's outputs; `floors` [N] are the lowest scores wanted."""


def to_detections(
    count: int,
    picture: NDArray[np.integer],
    boxes: NDArray[np.floating],
    scores: NDArray[np.floating],
    classes: NDArray[np.integer],
) -> list[Detections]:
    """One `Detections` for each of `count` pictures; all pictures are handled in one array step.

    Boxes are clipped to the frame, those left empty are dropped; best score first, equal scores in their order.

    Args:
        picture: [M], which picture each row is of.
        boxes: [M, 4], normalised.
        scores, classes: [M].
    """
    clipped = np.clip(boxes, 0, 1).astype(np.float32)
    real = np.flatnonzero((clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1]))
    order = real[np.lexsort((-scores[real], picture[real]))]
    ends = np.searchsorted(picture[order], np.arange(count + 1))
    boxes32, scores32 = clipped[order], scores[order].astype(np.float32)
    classes64: NDArray[np.int64] = classes[order].astype(np.int64)
    rows = [slice(ends[index], ends[index + 1]) for index in range(count)]
    return [Detections(boxes32[row], scores32[row], classes64[row]) for row in rows]


def class_numbers(labels: dict[int, str], name: str) -> NDArray[np.int64]:
    """[max label + 1]: label number to `ObjectClass`, −1 where the label is unused.

    Raises:
        ConfigError: a label names no class.
    """
    table = np.full(max(labels) + 1, -1, np.int64)
    for number, label in labels.items():
        try:
            table[number] = ObjectClass[label.upper()]
        except KeyError as error:
            known = ", ".join(member.name.lower() for member in ObjectClass)
            raise ConfigError(f"{name}: label {label!r} is no class", f"write one of {known}") from error
    return table
