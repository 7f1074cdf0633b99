"""Laying down the training of a detector for `algorithm_repo.training.detect`, and running it there.

Only what reads pictures and labels is needed here; torch and ultralytics are in the process that is started.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from algorithm_repo.datasets.pictures import Read
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.formats import yolo
from algorithm_repo.training import folderjob
from algorithm_repo.training.folderjob import Reached
from contracts.errors import ConfigError

RESULT = "detector.onnx"
Network = Literal["yolo11n", "yolo11s", "yolo11m"]
NETWORKS: tuple[Network, ...] = get_args(Network)
_STRIDE = 32  # px, of the coarsest grid
# What a mistyped setting must not do is take the worker's machine with it.
_RANGES = {
    "epochs": (1, 10_000),
    "batch": (1, 1024),
    "threads": (1, 256),
    "workers": (0, 64),
    "mosaic": (0, 10_000),
    "calibrate": (0, 100_000),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """How to train.

    Attributes:
        network: its shape; weights are drawn by `seed` unless `lay` is given some.
        size: of the square input, px, a multiple of 32.
        epochs: how often each picture of the train side is shown.
        batch: pictures a step.
        rate: highest learning rate.
        optimizer: as torch names it.
        mosaic: until how many epochs before the end four pictures are shown as one.
        seed: of first weights, order and variations.
        threads: of the processor; more or fewer add up in another order and give another network.
        workers: processes that read pictures beside it.
        calibrate: training pictures at most from which INT8 learns its ranges; 0: no INT8.
        device: "cpu" or "cuda"; only on a processor two runs are alike to the bit.
    """

    network: Network = "yolo11n"
    size: int = 320
    epochs: int = 50
    batch: int = 16
    rate: float = 1e-3
    optimizer: Literal["AdamW", "SGD"] = "AdamW"
    mosaic: int = 10
    seed: int = 1
    threads: int = 2
    workers: int = 0
    calibrate: int = 300
    device: Literal["cpu", "cuda"] = "cpu"

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ConfigError(f"network: {self.network!r} is not known", f"write one of {', '.join(NETWORKS)}")
        if self.size % _STRIDE or not 64 <= self.size <= 1280:
            raise ConfigError(f"size: {self.size} is no multiple of {_STRIDE} from 64 to 1280", "write 320")
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name}: {getattr(self, name)} is not from {least} to {most}", "write one that is")
        if not 0 < self.rate < 1:
            raise ConfigError(f"rate: {self.rate} is not between 0 and 1", "write 0.001")


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
        ConfigError: the version cannot be trained on, or another job lies in the folder.
    """
    if not manifest.frozen or manifest.task != "detect":
        raise ConfigError(f"{manifest.name}: not a frozen version of boxes", "freeze one of task detect first")
    if start is not None and start.suffix != ".npz":
        raise ConfigError(f"start: {start.name} is no .npz", "take detector.npz of an earlier training")
    sides = {item.side for item in manifest.items if item.labels}
    for side in ("train", "val"):
        if side not in sides:
            raise ConfigError(f"{manifest.name}: nothing with a box is on the {side} side", "split it anew")
    written = yolo.written(manifest)
    of = {
        "dataset": manifest.digest,
        "start": None if start is None else hashlib.sha256(start.read_bytes()).hexdigest(),
        "settings": asdict(settings),
    }
    told = json.dumps(of, sort_keys=True)
    if not folderjob.claim(folder, told):
        return written.warnings
    for path, content in written.files(read):
        place = folder / "data" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    if start is not None:
        shutil.copyfile(start, folder / "start.npz")
    (folder / "job.json").write_text(
        json.dumps(asdict(settings) | {"dataset": manifest.digest, "classes": list(manifest.classes)})
    )
    folderjob.laid(folder, told)
    return written.warnings


def train(folder: Path, python: Path, told: Callable[[Reached], None], cancelled: Callable[[], bool]) -> Path:
    """Runs a job that was laid down; see `folderjob.run`. A line of its curve is an epoch.

    Returns:
        The exported network, `detector.onnx`; `detector.xml` and `detector-int8.xml` lie beside it.
    """
    return folderjob.run(folder, "detect", RESULT, python, told, cancelled)
