"""Laying down the training of a network of masks by ultralytics on a version of one mask, and running it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from algorithm_repo.datasets.photos import outlines_of
from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.types import Item, Manifest, Mask, Polygon
from algorithm_repo.formats import yolo
from algorithm_repo.training import ultrajob
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.ultra_settings import SegmentSettings
from algorithm_repo.training.ultrajob import Laid
from contracts.errors import ConfigError

RESULT = "segmenter.onnx"


def lay(
    folder: Path, manifest: Manifest, read: Read, settings: SegmentSettings, start: Path | None = None
) -> tuple[str, ...]:
    """Writes a job, unless the same one lies there already, begun or not.

    Args:
        folder: of the job; made when missing.
        manifest: frozen, of task `segment` with one class; masks count as their outer outlines.
        read: bytes of a picture or mask by SHA-256.
        settings: how to train.
        start: `segmenter.npz` of an earlier job of the same network; what fits of it is taken over. Never a pickle.

    Returns:
        What of the labels cannot be trained on, by item.

    Raises:
        ConfigError: the version cannot be trained on, or another job lies in the folder.
    """
    ultrajob.check(manifest, "segment", "one mask", start)
    if len(manifest.classes) != 1:
        raise ConfigError(f"{manifest.name}: it has {len(manifest.classes)} classes", "freeze one of one class")
    outlined = manifest.model_copy(
        update={"items": tuple(one.model_copy(update={"labels": (*_outlines(one, read),)}) for one in manifest.items)}
    )
    ultrajob.check_sides(outlined, "a mask")
    written = yolo.written(outlined)
    what = Laid("segment", {}, lambda: written.files(read), start)
    ultrajob.lay(folder, manifest, settings, what, written.warnings)
    return written.warnings


def train(folder: Path, python: Path, told: Callable[[Reached], None], cancelled: Callable[[], bool]) -> Path:
    """Runs a job that was laid down; see `ultrajob.train`."""
    return ultrajob.train(folder, RESULT, python, told, cancelled)


def _outlines(item: Item, read: Read) -> Iterator[Polygon]:
    for label in item.labels:
        if isinstance(label, Polygon):
            yield label
        elif isinstance(label, Mask):
            yield from outlines_of(decode(read(label.sha256), cv2.IMREAD_GRAYSCALE), label.label)
