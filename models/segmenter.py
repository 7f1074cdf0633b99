"""Where in a picture something is, pixel by pixel: the reader of segmentation networks, e.g. water on the road."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.errors import ConfigError, RunnerError
from contracts.vision import ByteArray, Frame
from models.detector import Batch, Prepared, open_runner
from models.picture import small_bgr, write_chw
from models.runner import Runner
from models.zoo import Artefact, Zoo

# What is left free around a letterboxed picture, as in training.
_PAD_VALUE = 114.0


class WaterSegmenter:
    """One version of a segmentation network behind a runner. Stateless but for the runner, so safe to share.

    Input [N, 3, H, W] of BGR bytes 0..255 as float32, the picture letterboxed top left; output [N, 1, h, w] of
    probabilities. A map covers the whole picture, its padding cut off: cell (row, column) of [rows, columns] shows
    the picture from (column / columns, row / rows) on, normalised.

    Attributes:
        name: the version's name, as provenance records it.
        sha256: of the weights.
        label: what the map shows.

    Raises:
        ConfigError: inputs or outputs are not of these shapes.
    """

    def __init__(self, runner: Runner, label: str = "water") -> None:
        self.name = runner.name
        self.sha256 = runner.sha256
        self.label = label
        self._runner = runner
        image, output = runner.inputs[0], runner.outputs[0]
        if len(image.shape) != 4 or image.shape[1] != 3:
            raise ConfigError(f"{runner.name}: input {image.name} {image.shape} is not [N, 3, H, W]")
        self._height, self._width = image.shape[2], image.shape[3]
        if len(output.shape) != 4 or output.shape[1] != 1 or self._height % output.shape[2]:
            raise ConfigError(f"{runner.name}: output {output.name} {output.shape} is not [N, 1, H / k, W / k]")
        self._stride = self._height // output.shape[2]
        if output.shape[3] * self._stride != self._width:
            raise ConfigError(f"{runner.name}: output {output.name} {output.shape} does not cover the input")
        self._input, self._output = image.name, output.name

    def slots(self, n: int) -> Batch:
        """An empty batch, float32 [n, 3, H, W], for `prepare` to write into; reuse it from batch to batch."""
        return np.empty((n, 3, self._height, self._width), np.float32)

    def prepare(self, frame: Frame, slot: Batch) -> Prepared:
        """Scales, converts and writes a frame into one batch slot [3, H, W]."""
        width, height = self._fit(frame)
        bgr = small_bgr(frame, (width, height))
        write_chw(bgr, slot)
        slot[:, height:, :] = _PAD_VALUE
        slot[:, :height, width:] = _PAD_VALUE
        return Prepared(slot, bgr, (float(width), float(height)), (0.0, 0.0))

    def segment(self, batch: Batch, prepared: Sequence[Prepared]) -> list[ByteArray]:
        """Runs a batch whose rows were written by `prepare`.

        Returns:
            A map a picture, uint8 [rows, columns], probability 0..1 as 0..255; rows and columns follow the
            picture's proportions.

        Raises:
            RunnerError: inference failed.
        """
        if len(batch) != len(prepared):
            raise RunnerError(f"{self.name}: batch of {len(batch)} for {len(prepared)} prepared frames")
        if len(batch) == 0:
            return []
        found = self._runner.infer({self._input: batch})[self._output][:, 0]
        maps = []
        for one, raw in zip(prepared, found, strict=True):
            columns, rows = (int(side) // self._stride for side in one.scale)
            maps.append(np.rint(np.clip(raw[:rows, :columns], 0, 1) * 255.0).astype(np.uint8))
        return maps

    def segment_frames(self, frames: Sequence[Frame]) -> list[ByteArray]:
        """`prepare` and `segment` in one call, for callers without a batch of their own."""
        batch = self.slots(len(frames))
        return self.segment(batch, [self.prepare(frame, slot) for frame, slot in zip(frames, batch, strict=True)])

    def close(self) -> None:
        """Closes the runner."""
        self._runner.close()

    def _fit(self, frame: Frame) -> tuple[int, int]:
        """Width and height in the input: whole cells of the output, so that a map ends where the picture ends."""
        unit = max(2, self._stride)
        ratio = min(self._width / frame.width, self._height / frame.height)
        return (
            max(unit, round(frame.width * ratio / unit) * unit),
            max(unit, round(frame.height * ratio / unit) * unit),
        )


def load_segmenter(
    name: str, zoo: Zoo, *, triton_url: str | None = None, threads: int = 1, precision: str = "auto"
) -> WaterSegmenter:
    """A segmenter of the zoo, ready to run; arguments and errors as of `models.detector.load_detector`."""
    artefact = zoo.artefact(name)
    if artefact.segmenter is None:
        names = ", ".join(one for one in zoo.names() if zoo.artefact(one).segmenter)
        raise ConfigError(f"{name} is no segmenter", f"take one of {names or 'none: this zoo has no segmenter'}")
    path = zoo.fetch(name)[0]
    runner = open_runner(name, artefact, path, triton_url=triton_url, threads=threads, precision=precision)
    return build_segmenter(artefact, runner)


def build_segmenter(artefact: Artefact, runner: Runner) -> WaterSegmenter:
    """The reader around a runner that is already there.

    Raises:
        ConfigError: the artefact has no segmenter entry, or the model's shapes do not fit.
    """
    if artefact.segmenter is None:
        raise ConfigError(f"{runner.name} is no segmenter")
    return WaterSegmenter(runner, artefact.segmenter.label)
