"""Two networks on the pictures of a version, one after the other on each, and how fast both are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from algorithm_repo.datasets.pictures import Read
from algorithm_repo.datasets.types import Item, Manifest, Side
from algorithm_repo.judging.boxes import NUMBERS, seen
from algorithm_repo.judging.coco import Sight
from algorithm_repo.judging.networks import Network, TimedRunner
from algorithm_repo.judging.speed import Speed, by_turns, speed
from algorithm_repo.training.figures import Boxes
from contracts.errors import ConfigError, RunnerError
from contracts.rollout import DETECTOR
from contracts.vision import VEHICLES, ObjectClass
from models.detector import Detector
from models.served import WATER
from models.zoo import DetectorSpec

T = TypeVar("T")
_TURNS = 40
_TASKS = {DETECTOR: "detect", WATER: "segment"}
_COCO = ("person", "bicycle", "car", "motorcycle", "bus", "truck")  # what readers of its labels tell


@dataclass(frozen=True, slots=True)
class Looked(Generic[T]):
    """What both said.

    Attributes:
        items: the pictures that both could be run on.
        before, after: of each of them, production's and the candidate's.
        failed: the other pictures, and why.
        broken: those of `failed` that the candidate alone fails on.
    """

    items: tuple[Item, ...]
    before: tuple[T, ...]
    after: tuple[T, ...]
    failed: tuple[str, ...]
    broken: tuple[str, ...]


def looked(items: Iterable[Item], before: Callable[[Item], T], after: Callable[[Item], T]) -> Looked[T]:
    """Both on each picture. A picture that one of them cannot be run on is told, never an error."""
    kept, old, new = list[Item](), list[T](), list[T]()
    failed, broken = list[str](), list[str]()
    for item in items:
        try:
            mine = before(item)
        except (ConfigError, RunnerError, ValueError) as error:
            failed.append(f"{item.name}: {error}")
            continue
        try:
            other = after(item)
        except (ConfigError, RunnerError, ValueError) as error:
            failed.append(f"{item.name}: {error}")
            broken.append(failed[-1])
            continue
        kept.append(item)
        old.append(mine)
        new.append(other)
    return Looked(tuple(kept), tuple(old), tuple(new), tuple(failed), tuple(broken))


def pictures_of(manifest: Manifest, side: Side, network: Network) -> list[Item]:
    """Those that a network can be judged by.

    Raises:
        ConfigError: the version is of another task or of other labels, or has no picture on this side.
    """
    task, label = _TASKS.get(network.role), network.entry.segmenter and network.entry.segmenter.label
    if task != manifest.task:
        fix = f"name a version of {task}" if task else "compare it by events: `cityvision evaluate versions`"
        raise ConfigError(f"--dataset: {manifest.name} is of {manifest.task}, {network.name} plays {network.role}", fix)
    if label and label not in manifest.classes:
        what = f"--dataset: {manifest.name} has {', '.join(manifest.classes)}, the map of {network.name} shows {label}"
        raise ConfigError(what, f"name a version that shows {label}")
    if task == "detect" and not set(manifest.classes) & NUMBERS.keys():
        what = f"--dataset: no detector tells {', '.join(manifest.classes)}"
        raise ConfigError(what, f"name a version with one of {', '.join(NUMBERS)}")
    found = [item for item in manifest.items if item.side == side and item.media == "image"]
    if not found:
        raise ConfigError(f"--side: {manifest.name} has no picture on {side}", "name another side, or split it anew")
    return [_of_label(item, label) for item in found] if label else found


def _of_label(item: Item, label: str) -> Item:
    return item.model_copy(update={"labels": tuple(one for one in item.labels if one.label == label)})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The classes that two detectors are asked for.

    Attributes:
        told: number of `ObjectClass` to the number that it counts as; a class that is not there is not asked for.
    """

    told: Mapping[int, int]

    def of(self, boxes: Boxes) -> Boxes:
        """Boxes of these classes, as they count."""
        keep = np.array([int(label) in self.told for label in boxes.labels], bool)
        labels = np.array([self.told[int(label)] for label in boxes.labels[keep]], np.int64)
        return Boxes(boxes.boxes[keep], boxes.scores[keep], labels)


def vocabulary(manifest: Manifest, *networks: Network) -> Vocabulary:
    """What at least one of the networks tells. Where one of them, or the labels, do not tell cars, buses and trucks
    apart, they are one class for all.
    """
    told = {NUMBERS[name] for one in networks for name in _labels(one.entry.detector) if name in NUMBERS}
    vehicles = {int(one) for one in VEHICLES}
    labelled = {NUMBERS[name] for name in manifest.classes if name in NUMBERS}
    if int(ObjectClass.VEHICLE) in told | labelled and told & vehicles:
        return Vocabulary({one: int(ObjectClass.VEHICLE) if one in vehicles else one for one in told | vehicles})
    return Vocabulary({one: one for one in told})


def _labels(spec: DetectorSpec | None) -> Iterable[str]:
    if spec is None:
        return ()
    return _COCO if spec.labels == "coco" else spec.labels.values()


def sight(detector: Detector, item: Item, read: Read, words: Vocabulary) -> Sight:
    """What a detector finds in a picture, beside the truth.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    found, truth = seen(detector, item, read)
    return Sight(item.content, item.width, item.height, item.slices, words.of(truth), words.of(found))


def paced(before: TimedRunner, after: TimedRunner) -> tuple[Speed, Speed]:
    """One inference of each, by turns, on some of the pictures that they were asked."""
    old, new = by_turns(before.again, after.again, _TURNS if before.remembers and after.remembers else 0)
    return speed(old), speed(new)
