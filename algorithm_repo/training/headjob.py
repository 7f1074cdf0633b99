"""Laying down a job for `algorithm_repo.training.head`, running it in the environment of training, reading its curve.

Only numpy and OpenCV are needed here; torch is in the process that is started.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from algorithm_repo.datasets.photos import mask_of
from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.training.samples import Batch, add_water
from contracts.errors import CityVisionError, ConfigError
from store.offspring import die_with_parent

_ROOT = Path(__file__).resolve().parents[2]
_POLL_S = 0.2


class TrainingFailed(CityVisionError):
    """A training ended without a result; what it had reached lies in its folder."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """See `algorithm_repo.training.head.Job`."""

    seed: int = 1
    steps: int = 400
    batch: int = 12
    rate: float = 2e-3
    variations: int = 4
    every: int = 20
    threads: int = 2


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
        start: weights of the trunk (`pack_start`).
        settings: how to train.

    Raises:
        ConfigError: the version cannot be trained on, or another job lies in the folder.
    """
    if not manifest.frozen or manifest.task != "segment" or len(manifest.classes) != 1:
        raise ConfigError(f"{manifest.name}: not a frozen version of one mask", "freeze one of task segment first")
    told = json.dumps({"dataset": manifest.digest, "settings": asdict(settings)}, sort_keys=True)
    mark = folder / "of.json"
    if mark.is_file():
        if mark.read_text() != told:
            raise ConfigError(f"{folder}: another training lies here", "name an empty folder")
        return
    folder.mkdir(parents=True, exist_ok=True)
    batch = Batch()
    for item in manifest.items:
        if item.side == "train":
            add_water(batch, decode(read(item.content)), mask_of(item, read))
    if not batch.water:
        raise ConfigError(f"{manifest.name}: nothing is on the train side", "split it anew")
    np.savez(folder / "samples.npz", pictures=np.stack(batch.water), masks=np.stack(batch.water_masks))
    shutil.copyfile(start, folder / "start.npz")
    (folder / "job.json").write_text(json.dumps(asdict(settings)))
    mark.write_text(told)  # last: a job that was half laid down is laid down again


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
    result = folder / "water.onnx"
    if result.is_file():
        return result
    log = folder / "log.txt"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(python), "-m", "algorithm_repo.training.head", str(folder)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 two calls, see there
        )
    seen = 0
    try:
        while process.poll() is None:
            if cancelled():
                raise TrainingFailed(f"{folder.name}: cancelled", "start it again to go on from its checkpoint")
            seen = _tell(folder, seen, told)
            time.sleep(_POLL_S)
    finally:
        process.kill()
        process.wait()
    _tell(folder, seen, told)
    if process.returncode != 0 or not result.is_file():
        last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise TrainingFailed(f"{folder.name}: training ended with {process.returncode}: {last[:300]}", f"see {log}")
    return result


def curve(folder: Path) -> list[Point]:
    """What a training has told so far."""
    path = folder / "curve.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.is_file() else []
    return [Point(**json.loads(line)) for line in lines]


def _tell(folder: Path, seen: int, told: Callable[[Point], None]) -> int:
    points = [point for point in curve(folder) if point.step > seen]
    for point in points:
        told(point)
    return points[-1].step if points else seen
