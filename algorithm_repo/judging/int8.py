"""Whether a network's INT8 form may stand in for it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from algorithm_repo.training.whole import write_whole
from contracts.records import Contract


class ByClass(Contract):
    """A figure of each class, from 0 to 1, on `pictures` pictures.

    Attributes:
        figure: what it is.
        classes: of those that there is truth of.
    """

    figure: Literal["precision", "accuracy", "overlap"]
    classes: dict[str, float]
    pictures: int

    @property
    def mean(self) -> float:
        """Over the classes; 0 where there are none."""
        return float(np.mean([*self.classes.values()])) if self.classes else 0.0


class Int8Limits(Contract):
    """What INT8 may cost.

    Attributes:
        least: mean figure of the network itself; below it there is nothing to compare.
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
    before: ByClass
    after: ByClass


def judged_int8(before: ByClass, after: ByClass, limits: Int8Limits) -> Int8Verdict:
    """INT8 (`after`) beside the network it was made from, on the same pictures.

    Raises:
        ValueError: they were measured on other pictures, or in another way.
    """
    if (before.figure, before.pictures, before.classes.keys()) != (after.figure, after.pictures, after.classes.keys()):
        raise ValueError("both have to be measured on the same pictures")
    reasons = []
    # Put so that what is no number falls short too.
    if not before.mean >= limits.least:
        reasons.append(f"the network's own {before.figure} of {before.mean:.3f} is below {limits.least:.2f}")
    if not before.mean - after.mean <= limits.fall:
        reasons.append(f"{before.figure} fell from {before.mean:.3f} to {after.mean:.3f}")
    for name, figure in before.classes.items():
        if not figure - after.classes[name] <= limits.class_fall:
            reasons.append(f"{name} fell from {figure:.3f} to {after.classes[name]:.3f}")
    return Int8Verdict(kept=not reasons, reasons=tuple(reasons), before=before, after=after)


def settle_int8(folder: Path, stem: str, verdict: Int8Verdict) -> None:
    """Writes `int8.json` beside the INT8 form of a job; of one that is not kept, the files go first.

    Args:
        folder: of the job (`algorithm_repo.training.ultrajob`).
        stem: of its files, e.g. "detector".
    """
    if not verdict.kept:
        _drop(folder, stem)
    write_whole(folder / "int8.json", verdict.model_dump_json(indent=2))


def settled_int8(folder: Path, stem: str) -> Int8Verdict | None:
    """What `settle_int8` wrote; None: nobody judged yet. What must not be kept, half a form too, is gone afterwards."""
    path = folder / "int8.json"
    try:
        verdict = Int8Verdict.model_validate_json(path.read_text()) if path.is_file() else None
    except ValidationError:  # a release that wrote it in place may have left half of it
        verdict = None
    whole = all(place.is_file() for place in _form(folder, stem))
    if not whole or (verdict is not None and not verdict.kept):
        _drop(folder, stem)
    return verdict


def _form(folder: Path, stem: str) -> tuple[Path, Path]:
    return folder / f"{stem}-int8.xml", folder / f"{stem}-int8.bin"


def _drop(folder: Path, stem: str) -> None:
    for place in _form(folder, stem):
        place.unlink(missing_ok=True)
