"""Finding objects in frames: the `Detector` port and how one is loaded from the zoo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigError
from contracts.vision import ByteArray, Detections, Frame
from models.runner import Runner
from models.zoo import Artefact, Zoo

Batch = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One frame made ready for a detector.

    Attributes:
        tensor: float32 [3, H, W], the batch slot that was written.
        bgr_small: uint8 [h, w, 3], the whole frame as the model sees it, without padding; free to use for
            thumbnails and appearance.
        scale: tensor pixels per normalised unit, (x, y).
        pad: tensor pixels left of and above the picture, (x, y).
    """

    tensor: Batch
    bgr_small: ByteArray
    scale: tuple[float, float]
    pad: tuple[float, float]


class Detector(Protocol):
    """One version of one detection model behind a runner. Stateless but for the runner, so safe to share.

    Attributes:
        name: the version's name, as provenance records it.
        sha256: of the weights.
    """

    name: str
    sha256: str

    def slots(self, n: int) -> Batch:
        """An empty batch, float32 [n, 3, H, W], for `prepare` to write into; reuse it from batch to batch."""
        ...

    def prepare(self, frame: Frame, slot: Batch) -> Prepared:
        """Scales, converts and writes a frame into one batch slot [3, H, W]."""
        ...

    def detect(
        self, batch: Batch, prepared: Sequence[Prepared], min_score: float | Sequence[float]
    ) -> list[Detections]:
        """Runs the batch.

        Args:
            batch: float32 [N, 3, H, W], rows written by `prepare`.
            prepared: what `prepare` returned for each row.
            min_score: 0..1, one for all or one a picture.

        Returns:
            N Detections, normalised to the frames, best score first, after NMS.

        Raises:
            RunnerError: inference failed.
        """
        ...

    def detect_frames(self, frames: Sequence[Frame], min_score: float | Sequence[float]) -> list[Detections]:
        """`prepare` and `detect` in one call, for callers without a batch of their own."""
        ...

    def close(self) -> None: ...


def version_name(name: str, artefact: Artefact) -> str:
    """The name of one version of a model, e.g. "yolox_nano-695e750a": it changes with the weights."""
    return f"{name}-{artefact.digest[:8]}"


def load_detector(
    name: str,
    zoo: Zoo,
    *,
    triton_url: str | None = None,
    threads: int = 1,
    precision: str = "auto",
) -> Detector:
    """A detector of the zoo, ready to run.

    Args:
        name: e.g. "yolox_nano".
        zoo: where the weights come from.
        triton_url: "host:port" of a Triton gRPC endpoint that serves this version; None: in process by OpenVINO.
        threads: pictures inferred at the same time in process.
        precision: "auto", "f32", "bf16" or "f16", in process.

    Raises:
        ModelMissing, HashMismatch: the weights cannot be had.
        ConfigError: the artefact is no detector, or the precision is unknown.
        RunnerError: the runner cannot load the model, or the server does not serve it.
    """
    artefact = zoo.artefact(name)
    if artefact.detector is None:
        raise ConfigError(f"{name} is no detector", f"take one of {', '.join(detector_names(zoo))}")
    paths = zoo.fetch(name)
    runner = open_runner(name, artefact, paths[0], triton_url=triton_url, threads=threads, precision=precision)
    return build_detector(artefact, runner)


def build_detector(artefact: Artefact, runner: Runner) -> Detector:
    """The family's reader around a runner that is already there.

    Raises:
        ConfigError: the artefact has no detector entry, or its labels name no class.
    """
    from models.families.omz_ssd import OmzSsdDetector
    from models.families.yolox import YoloxDetector

    if artefact.detector is None:
        raise ConfigError(f"{runner.name} is no detector")
    families = {"yolox": YoloxDetector, "omz_ssd": OmzSsdDetector}
    detector: Detector = families[artefact.detector.family](runner, artefact.detector)
    return detector


def detector_names(zoo: Zoo) -> tuple[str, ...]:
    """Artefacts of the zoo that `load_detector` takes."""
    return tuple(name for name in zoo.names() if zoo.artefact(name).detector is not None)


def open_runner(
    name: str,
    artefact: Artefact,
    path: Path,
    *,
    triton_url: str | None = None,
    threads: int = 1,
    precision: str = "auto",
) -> Runner:
    """The runner of one version, in process or at a Triton server; for loaders of every kind of model.

    Args:
        name: in the zoo.
        artefact: its entry.
        path: the verified file that is opened in process.
        triton_url, threads, precision: see `load_detector`.

    Raises:
        ConfigError: the precision is unknown.
        RunnerError: the runner cannot load the model, or the server does not serve it.
    """
    version, sha256 = version_name(name, artefact), artefact.digest
    if triton_url is not None:
        from models.triton_runner import TritonRunner

        return TritonRunner(triton_url, name=version, sha256=sha256)
    from models.openvino_runner import PRECISIONS, OpenVinoRunner

    if precision not in PRECISIONS:
        raise ConfigError(f"precision {precision!r} is unknown", f"write one of {', '.join(PRECISIONS)}")
    return OpenVinoRunner(path, name=version, sha256=sha256, threads=threads, precision=precision)
