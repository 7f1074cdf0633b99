"""Laying down a job for `algorithm_repo.training.head`, running it in the environment of training, reading its curve.

Only numpy and OpenCV are needed here; torch is in the process that is started.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from algorithm_repo.datasets.photos import mask_of
from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.training import folderjob
from algorithm_repo.training.folderjob import Reached, TrainingFailed
from algorithm_repo.training.head_settings import HeadSettings, check_room
from algorithm_repo.training.samples import Batch, add_water
from contracts.errors import ConfigError

__all__ = ["RESULT", "Point", "TrainingFailed", "curve", "lay", "train"]


RESULT = "water.onnx"


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the curve: after `step` of `of` steps, the loss smoothed over about ten."""

    step: int
    of: int
    loss: float


def lay(folder: Path, manifest: Manifest, read: Read, start: Path, settings: HeadSettings) -> None:
    """Writes a job, unless the same one lies there already, begun or not.

    Args:
        folder: of the job; made when missing.
        manifest: frozen, of task `segment` with one class; its train side is trained on.
        read: bytes of a picture or mask by SHA-256.
        start: weights of the trunk (`training.trunk`).
        settings: how to train.

    Raises:
        ConfigError: the version cannot be trained on, its variations have no room, or another job lies in the folder.
    """
    if not manifest.frozen or manifest.task != "segment" or len(manifest.classes) != 1:
        raise ConfigError(f"{manifest.name}: not a frozen version of one mask", "freeze one of task segment first")
    told = json.dumps({"dataset": manifest.digest, "settings": asdict(settings)}, sort_keys=True)
    if not folderjob.claim(folder, told):
        return
    shown = [item for item in manifest.items if item.side == "train"]
    if not shown:
        raise ConfigError(f"{manifest.name}: nothing is on the train side", "split it anew")
    check_room(len(shown), settings, shutil.disk_usage(folder).free)
    batch = Batch()
    for item in shown:
        add_water(batch, decode(read(item.content)), mask_of(item, read))
    np.savez(folder / "samples.npz", pictures=np.stack(batch.water), masks=np.stack(batch.water_masks))
    shutil.copyfile(start, folder / "start.npz")
    (folder / "job.json").write_text(json.dumps(asdict(settings)))
    folderjob.laid(folder, told)


def train(folder: Path, python: Path, told: Callable[[Point], None], cancelled: Callable[[], bool]) -> Path:
    """Runs a job that was laid down, from its checkpoint if it has one.

    Args:
        folder: of the job.
        python: of the environment with torch.
        told: given each new point of the curve.
        cancelled: asked now and then; a training that is cancelled keeps its checkpoint.

    Returns:
        The exported network.

    Raises:
        TrainingFailed: it ended without one; names the last line that it printed.
    """
    return folderjob.run(folder, "head", RESULT, python, lambda line: told(_point(line)), cancelled)


def curve(folder: Path) -> list[Point]:
    """What a training has told so far."""
    return [_point(line) for line in folderjob.curve(folder)]


def _point(line: Reached) -> Point:
    return Point(line.step, line.of, line.figures["loss"])
