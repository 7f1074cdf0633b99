"""What the queue trains on a version of data, by the version's task: laid down in a folder, run, judged, kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from algorithm_repo.datasets.pictures import Read
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.judging.boxes import Int8Limits, judged_int8, precision, settle_int8
from algorithm_repo.training import detectjob, headjob
from algorithm_repo.training.detectjob import DetectSettings
from algorithm_repo.training.detectzoo import zoo_of
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.headjob import Point
from contracts.errors import ConfigError
from models.detector import load_detector

Told = Callable[[Reached], None]
Asked = Callable[[], bool]


class Course(Protocol):
    """How versions of one task are trained. `kept`: files of the folder that are the result."""

    kept: tuple[str, ...]

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        """Writes the job, unless it lies there already. Raises ConfigError: it cannot be trained on."""
        ...

    def train(self, folder: Path, python: Path, told: Told, cancelled: Asked) -> None:
        """Runs it to its end, from its checkpoint if it has one. Raises TrainingFailed."""
        ...

    def judge(self, folder: Path, manifest: Manifest, read: Read) -> None:
        """What still has to be measured before anything is kept."""
        ...


class Detectors:
    """Boxes: a detector by ultralytics. Its INT8 form stays only if the gate allows, on the val side."""

    kept: tuple[str, ...] = (
        "detector.npz",
        "detector.onnx",
        "detector.xml",
        "detector.bin",
        "detector-int8.xml",
        "detector-int8.bin",
    )

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        detectjob.lay(folder, manifest, read, DetectSettings(**settings))

    def train(self, folder: Path, python: Path, told: Told, cancelled: Asked) -> None:
        detectjob.train(folder, python, told, cancelled)

    def judge(self, folder: Path, manifest: Manifest, read: Read) -> None:
        if not (folder / "detector-int8.xml").is_file() or (folder / "int8.json").is_file():
            return
        zoo = zoo_of(folder, "trained", "not stated", ("onnx", "int8"))
        shown = [item for item in manifest.items if item.side == "val"]
        figures = []
        for name in ("trained", "trained-int8"):
            detector = load_detector(name, zoo)
            try:
                figures.append(precision(detector, shown, read))
            finally:
                detector.close()
        settle_int8(folder, judged_int8(figures[0], figures[1], Int8Limits()))


class Heads:
    """A mask: a decoder on frozen features.

    Args:
        trunk: gives the weights of what is frozen; asked at the first job.
    """

    kept: tuple[str, ...] = ("water.npz", headjob.RESULT)

    def __init__(self, trunk: Callable[[], Path]) -> None:
        self._trunk = trunk

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        headjob.lay(folder, manifest, read, self._trunk(), HeadSettings(**settings))

    def train(self, folder: Path, python: Path, told: Told, cancelled: Asked) -> None:
        def point(one: Point) -> None:
            told(Reached(one.step, one.of, {"loss": one.loss}))

        headjob.train(folder, python, point, cancelled)

    def judge(self, folder: Path, manifest: Manifest, read: Read) -> None:
        """Nothing: it has no smaller form."""


def course_of(courses: Mapping[str, Course], task: str) -> Course:
    """Raises ConfigError: nothing trains versions of this task."""
    if task not in courses:
        raise ConfigError(f"dataset: nothing trains a version of task {task}", f"take {' or '.join(courses)}")
    return courses[task]
