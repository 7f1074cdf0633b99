"""A model on trial: it looks at a few pictures, in a process of its own. Runs in the child alone.

It is opened by the project's own runner and read by the project's own reader, as it would be in service.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.intake.card import Card
from algorithm_repo.intake.ranges import range_faults
from algorithm_repo.intake.reasons import Code, Reason, refuse, stop_at
from algorithm_repo.intake.types import Limits, TrialFigures
from contracts.errors import ConfigError, RunnerError
from contracts.vision import ByteArray
from models.classifier import build_classifier
from models.detector import build_detector
from models.openvino_runner import OpenVinoRunner
from models.picture import frame_from_bgr
from models.runner import Runner
from models.segmenter import build_segmenter

Outputs = dict[str, NDArray[Any]]

# How far two runs over the same picture may differ: rounding, where sums are taken in another order.
_CLOSE = 1e-4
_TIMED = 5
_LEAST_SCORE = 0.01


def try_model(path: Path, sha256: str, card: Card, limits: Limits) -> TrialFigures:
    """Runs the model on noise, on black and on a drawn scene, one by one, again, and together.

    Args:
        path: of the ONNX file, statically checked.
        sha256: of it.
        card: what it should be.
        limits: of one output.

    Raises:
        Refusal: it cannot be run, or what it answers is not what the family's reader expects.
        MemoryError: it takes more than the process may have.
    """
    runner = _open(path, sha256, card, limits)
    pictures = _pictures(card.width, card.height)
    batch = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2), np.float32)
    image = runner.inputs[0].name
    first = [_infer(runner, {image: batch[index : index + 1]}) for index in range(len(batch))]
    stop_at(fault for number, outputs in enumerate(first) for fault in _not_finite(outputs, number))
    stop_at(fault for outputs in first for fault in range_faults(outputs, card))
    second = [_infer(runner, {image: batch[index : index + 1]}) for index in range(len(batch))]
    stop_at(
        _differences(first, second, Code.NOT_DETERMINISTIC, "the same picture gives another answer the second time")
    )
    together = _infer(runner, {image: batch})
    rows = [{name: array[index : index + 1] for name, array in together.items()} for index in range(len(batch))]
    stop_at(_differences(first, rows, Code.BATCH_DIFFERS, "a picture among others gives another answer than alone"))
    _read(runner, card, sha256, pictures)
    times = []
    for _ in range(_TIMED):
        begun = time.perf_counter()
        _infer(runner, {image: batch[-1:]})
        times.append(time.perf_counter() - begun)
    return TrialFigures(ms_per_picture=round(float(np.median(times)) * 1000, 3), peak_memory_bytes=_peak_memory())


def _open(path: Path, sha256: str, card: Card, limits: Limits) -> Runner:
    try:
        runner = OpenVinoRunner(path, name=f"{card.name}-{sha256[:8]}", sha256=sha256)
    except RunnerError as error:
        raise _cannot_run(error) from error
    for spec in runner.outputs:
        sides = spec.shape[1:]
        # An open side has no length, or one near 2^63.
        size = spec.dtype.itemsize
        for side in sides:
            size *= side if side > 0 else limits.tensor_bytes + 1
        if size > limits.tensor_bytes:
            what = f"compiled for one picture its shape is {list(spec.shape)}, whose size is open or too large"
            raise refuse(Code.OUTPUT, f"graph.output[{spec.name}]", what, "fix the sides of the output at export")
    return runner


def _infer(runner: Runner, inputs: dict[str, NDArray[Any]]) -> Outputs:
    try:
        return runner.infer(inputs)
    except RunnerError as error:
        raise _cannot_run(error) from error


def _cannot_run(error: RunnerError) -> Exception:
    """OpenVINO says in words, deep in a chain, that memory ran out."""
    words = f"{error} {error.__cause__}"
    if "bad_alloc" in words or "llocate" in words:
        return MemoryError(str(error))
    lines = [line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()]
    return refuse(Code.CANNOT_RUN, "graph", f"it cannot be run: {lines[-1]}", "use what OpenVINO runs on a CPU")


def _pictures(width: int, height: int) -> list[ByteArray]:
    """uint8 [H, W, 3] BGR: noise; black; a gradient with bright and dark things on it, like a scene under a sky."""
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    black = np.zeros((height, width, 3), np.uint8)
    down = np.linspace(230, 60, height)[:, None, None]
    across = np.linspace(-25, 25, width)[None, :, None]
    scene = np.clip(down + across + np.array([15.0, 0.0, -10.0]), 0, 255).astype(np.uint8)
    cv2.rectangle(scene, (width // 8, height // 2), (width // 3, height * 7 // 8), (40, 40, 150), -1)
    cv2.circle(scene, (width * 2 // 3, height // 2), max(2, min(width, height) // 6), (210, 220, 225), -1)
    return [noise, black, scene]


def _not_finite(outputs: Outputs, number: int) -> Iterator[Reason]:
    for name, array in outputs.items():
        bad = ~np.isfinite(array)
        if bad.any():
            kinds = "NaN" if np.isnan(array).any() else "infinite"
            what = f"{int(bad.sum())} of {array.size} values are {kinds} on picture {number + 1}"
            yield Reason(
                code=Code.NOT_FINITE,
                field=f"graph.output[{name}]",
                what=what,
                fix="it is fed BGR 0 to 255 as float32: scale inside the graph where it was trained on 0 to 1",
            )


def _differences(one: Sequence[Outputs], other: Sequence[Outputs], code: Code, what: str) -> Iterator[Reason]:
    for name in one[0]:
        pairs = [(a[name].astype(np.float64), b[name].astype(np.float64)) for a, b in zip(one, other, strict=True)]
        worst = max(float(np.abs(a - b).max(initial=0)) for a, b in pairs)
        if not all(np.allclose(a, b, rtol=_CLOSE, atol=_CLOSE) for a, b in pairs):
            yield Reason(
                code=code, field=f"graph.output[{name}]", what=f"{what} (by {worst:.3g})", fix="export for inference"
            )


def _read(runner: Runner, card: Card, sha256: str, pictures: Sequence[ByteArray]) -> None:
    """Lets the reader of the family read it, as in service.

    Raises:
        Refusal: the reader cannot.
    """
    artefact = card.artefact(sha256)
    try:
        if card.family == "classifier":
            build_classifier(artefact, runner).classify(pictures)
        elif card.family == "segmenter":
            build_segmenter(artefact, runner).segment_frames([frame_from_bgr(one) for one in pictures])
        else:
            detector = build_detector(artefact, runner)
            detector.detect_frames([frame_from_bgr(one) for one in pictures], _LEAST_SCORE)
    except ConfigError as error:
        raise refuse(Code.OUTPUT, "graph", error.message, error.fix or "correct the card or the export") from error


def _peak_memory() -> int:
    """Bytes. Of this program alone: what `getrusage` says begins with the memory of whoever started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
