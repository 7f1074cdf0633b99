"""Boxes of a network against the truth, and whether its INT8 form may stand in for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.types import Box, Item
from algorithm_repo.training.figures import Boxes, average_precision
from contracts.records import Contract
from contracts.vision import ObjectClass
from models.detector import Detector
from models.picture import frame_from_bgr

_LEAST_SCORE = 0.01


class Precision(Contract):
    """Average precision at an IoU of one half, by class, of `pictures` pictures.

    Attributes:
        classes: of those that there is truth of, in lower case.
    """

    classes: dict[str, float]
    pictures: int

    @property
    def mean(self) -> float:
        """Over the classes; 0 where there are none."""
        return float(np.mean([*self.classes.values()])) if self.classes else 0.0


class Int8Limits(Contract):
    """What INT8 may cost.

    Attributes:
        least: mean precision of the network itself; below it there is nothing to compare.
        fall: of the mean, at most.
        class_fall: of any class, at most.
    """

    least: float = Field(0.05, ge=0, le=1)
    fall: float = Field(0.01, ge=0, le=1)
    class_fall: float = Field(0.03, ge=0, le=1)


class Int8Verdict(Contract):
    """Whether it is kept; `reasons` says why not, in words, and is empty when it is."""

    kept: bool
    reasons: tuple[str, ...]
    before: Precision
    after: Precision


def precision(detector: Detector, items: Sequence[Item], read: Read) -> Precision:
    """Of a detector as it runs.

    Args:
        items: pictures whose box labels are classes in lower case; boxes of other labels are not asked for.
        read: bytes of a picture by SHA-256.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    numbers = {one.name.lower(): int(one) for one in ObjectClass}
    found, truth = [], []
    for item in items:
        said = detector.detect_frames([frame_from_bgr(decode(read(item.content)))], _LEAST_SCORE)[0]
        boxes = [one for one in item.labels if isinstance(one, Box) and one.label in numbers]
        found.append(Boxes(said.boxes, said.scores, said.classes))
        truth.append(
            Boxes(
                np.array([one.box for one in boxes], np.float32).reshape(-1, 4),
                np.ones(len(boxes)),
                np.array([numbers[one.label] for one in boxes], np.int64),
            )
        )
    classes = {}
    for name, number in numbers.items():
        figure, count = average_precision(found, truth, number)
        if count:
            classes[name] = round(figure, 4)
    return Precision(classes=classes, pictures=len(items))


def judged_int8(before: Precision, after: Precision, limits: Int8Limits) -> Int8Verdict:
    """INT8 (`after`) beside the network it was made from, on the same pictures.

    Raises:
        ValueError: they were measured on other pictures.
    """
    if before.pictures != after.pictures or before.classes.keys() != after.classes.keys():
        raise ValueError("both have to be measured on the same pictures")
    reasons = []
    if before.mean < limits.least:
        reasons.append(f"the network's own precision of {before.mean:.3f} is below {limits.least:.2f}")
    if before.mean - after.mean > limits.fall:
        reasons.append(f"precision fell from {before.mean:.3f} to {after.mean:.3f}")
    for name, figure in before.classes.items():
        if figure - after.classes[name] > limits.class_fall:
            reasons.append(f"{name} fell from {figure:.3f} to {after.classes[name]:.3f}")
    return Int8Verdict(kept=not reasons, reasons=tuple(reasons), before=before, after=after)


def settle_int8(folder: Path, verdict: Int8Verdict) -> None:
    """Writes `int8.json` beside the INT8 form of a job; of one that is not kept, the files go.

    Args:
        folder: of the job (`algorithm_repo.training.detectjob`).
    """
    (folder / "int8.json").write_text(verdict.model_dump_json(indent=2))
    if not verdict.kept:
        for suffix in (".xml", ".bin"):
            (folder / "detector-int8").with_suffix(suffix).unlink(missing_ok=True)
