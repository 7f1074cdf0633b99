"""What the queue trains on a version of data, by the version's task: laid down in a folder, run, judged, kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from algorithm_repo.datasets.pictures import Read
from algorithm_repo.datasets.types import Item, Manifest
from algorithm_repo.judging.boxes import precision
from algorithm_repo.judging.int8 import ByClass, Int8Limits, judged_int8, settle_int8, settled_int8
from algorithm_repo.judging.masks import iou, overlaps
from algorithm_repo.judging.tags import accuracy, int8_limits
from algorithm_repo.training import classifyjob, detectjob, headjob, segmentjob, ultrajob
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.headjob import Point
from algorithm_repo.training.ultra_settings import ClassifySettings, DetectSettings, SegmentSettings
from algorithm_repo.training.ultrazoo import zoo_of
from contracts.errors import ConfigError
from models.classifier import load_classifier
from models.detector import load_detector
from models.segmenter import load_segmenter
from models.zoo import Zoo

Told = Callable[[Reached], None]
Cancelled = Callable[[], bool]


class Course(Protocol):
    """How versions of one task are trained. `kept`: files of the folder that are the result."""

    kept: tuple[str, ...]

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        """Writes the job, unless it lies there already. Raises ConfigError: it cannot be trained on."""
        ...

    def train(self, folder: Path, python: Path, told: Told, cancelled: Cancelled) -> None:
        """Runs it to its end, from its checkpoint if it has one. Raises TrainingFailed."""
        ...

    def judge(self, folder: Path, manifest: Manifest, read: Read) -> None:
        """What still has to be measured before anything is kept."""
        ...


class _Ultralytics(ABC):
    """A network of ultralytics. Its INT8 form stays only if the gate allows, on the val side.

    Args:
        stem: of the files that are its result.
    """

    def __init__(self, stem: str) -> None:
        self._stem = stem
        suffixes = (".npz", ".onnx", ".xml", ".bin", "-int8.xml", "-int8.bin")
        self.kept: tuple[str, ...] = tuple(f"{stem}{suffix}" for suffix in suffixes)

    def train(self, folder: Path, python: Path, told: Told, cancelled: Cancelled) -> None:
        ultrajob.train(folder, f"{self._stem}.onnx", python, told, cancelled)

    def judge(self, folder: Path, manifest: Manifest, read: Read) -> None:
        if settled_int8(folder, self._stem) is not None or not (folder / f"{self._stem}-int8.xml").is_file():
            return
        zoo = zoo_of(folder, "trained", "not stated", ("onnx", "int8"))
        shown = [item for item in manifest.items if item.side == "val"]
        before, after = (self._measured(name, zoo, shown, read) for name in ("trained", "trained-int8"))
        settle_int8(folder, self._stem, judged_int8(before, after, self._limits(before)))

    @abstractmethod
    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        """See `Course`."""

    @abstractmethod
    def _measured(self, name: str, zoo: Zoo, shown: Sequence[Item], read: Read) -> ByClass:
        """A network of the zoo, on pictures."""

    def _limits(self, _before: ByClass) -> Int8Limits:
        """What INT8 may cost one that was measured so."""
        return Int8Limits()


class Detectors(_Ultralytics):
    """Boxes: a detector."""

    def __init__(self) -> None:
        super().__init__("detector")

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        detectjob.lay(folder, manifest, read, DetectSettings(**settings))

    def _measured(self, name: str, zoo: Zoo, shown: Sequence[Item], read: Read) -> ByClass:
        with closing(load_detector(name, zoo)) as detector:
            return precision(detector, shown, read)


class Classifiers(_Ultralytics):
    """Tags of whole pictures: a classifier."""

    def __init__(self) -> None:
        super().__init__("classifier")

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        classifyjob.lay(folder, manifest, read, ClassifySettings(**settings))

    def _measured(self, name: str, zoo: Zoo, shown: Sequence[Item], read: Read) -> ByClass:
        with closing(load_classifier(name, zoo)) as classifier:
            return accuracy(classifier, classifyjob.HEAD, shown, read)

    def _limits(self, before: ByClass) -> Int8Limits:
        return int8_limits(before)


class Segmenters(_Ultralytics):
    """A mask: a network of ultralytics, all of it trained."""

    def __init__(self) -> None:
        super().__init__("segmenter")

    def lay(self, folder: Path, manifest: Manifest, read: Read, settings: Mapping[str, Any]) -> None:
        segmentjob.lay(folder, manifest, read, SegmentSettings(**settings))

    def _measured(self, name: str, zoo: Zoo, shown: Sequence[Item], read: Read) -> ByClass:
        with closing(load_segmenter(name, zoo)) as segmenter:
            found = iou(overlaps(segmenter, shown, read))
            return ByClass(figure="overlap", classes={segmenter.label: round(found, 4)}, pictures=len(shown))


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

    def train(self, folder: Path, python: Path, told: Told, cancelled: Cancelled) -> None:
        def point(one: Point) -> None:
            told(Reached(one.step, one.of, {"loss": one.loss}))

        headjob.train(folder, python, point, cancelled)

    def judge(self, folder: Path, manifest: Manifest, read: Read) -> None:
        """Nothing: it has no smaller form."""


def course_of(courses: Mapping[str, Course], task: str, settings: Mapping[str, Any]) -> Course:
    """What trains a version of a task: of a mask two kinds may, and only a network of ultralytics has a `network`.

    Raises:
        ConfigError: nothing trains versions of this task.
    """
    wanted = "decode" if task == "segment" and "network" not in settings else task
    if wanted not in courses:
        raise ConfigError(f"dataset: nothing trains a version of task {task}", "take one of boxes, tags or a mask")
    return courses[wanted]
