"""Laying down the training of a detector by ultralytics on a version of boxes, and running it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from algorithm_repo.datasets.pictures import Read
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.formats import yolo
from algorithm_repo.training import ultrajob
from algorithm_repo.training.classes import check_classes
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.ultra_settings import DetectSettings
from algorithm_repo.training.ultrajob import Laid

RESULT = "detector.onnx"


def lay(
    folder: Path, manifest: Manifest, read: Read, settings: DetectSettings, start: Path | None = None
) -> tuple[str, ...]:
    """Writes a job, unless the same one lies there already, begun or not.

    Args:
        folder: of the job; made when missing.
        manifest: frozen, of task `detect`; trained on its train side, watched on its val side.
        read: bytes of a picture by SHA-256.
        settings: how to train.
        start: `detector.npz` of an earlier job of the same network; what fits of it is taken over. Never a pickle.

    Returns:
        What of the labels cannot be trained on, by item.

    Raises:
        ConfigError: the version cannot be trained on, detectors know none of its classes, or another job lies in the
            folder.
    """
    ultrajob.check(manifest, "detect", "boxes", start)
    check_classes(manifest)  # rather than when it is trained
    ultrajob.check_sides(manifest, "a box")
    written = yolo.written(manifest)
    what = Laid("detect", {}, lambda: written.files(read), start)
    ultrajob.lay(folder, manifest, settings, what, written.warnings)
    return written.warnings


def train(folder: Path, python: Path, told: Callable[[Reached], None], cancelled: Callable[[], bool]) -> Path:
    """Runs a job that was laid down; see `ultrajob.train`."""
    return ultrajob.train(folder, RESULT, python, told, cancelled)
