"""Boxes by COCO's figures: pycocotools matches and counts; draws of pictures are counted from its matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from algorithm_repo.training.figures import Boxes
from contracts.records import Contract

Counts = NDArray[np.float64]
_AT_ONCE = 2_000_000  # numbers of a draw's weights, some 16 MB
_ALL, _SMALL, _MEDIUM, _LARGE = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture: what is there, and what a network found. Boxes are shares of the picture.

    Attributes:
        content: SHA-256 of its bytes.
        width, height: px; sizes of things are counted in them.
        slices: it is in.
    """

    content: str
    width: int
    height: int
    slices: tuple[str, ...]
    truth: Boxes
    found: Boxes


class BoxFigures(Contract):
    """COCO's figures, 0..1; None where there is no truth.

    Attributes:
        ap: average precision, the mean over IoU .50, .55 … .95 and over the classes.
        ap50, ap75: at one IoU alone.
        ar: recall of at most 100 boxes a picture, the mean over the same.
        small, medium, large: `ap` of things below 32 × 32 px, from there to 96 × 96 px, and above.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ar: float | None
    small: float | None
    medium: float | None
    large: float | None

    def told(self) -> dict[str, float | None]:
        """By the names that COCO's own table has."""
        names = ("AP", "AP50", "AP75", "AR", "AP small", "AP medium", "AP large")
        values = (self.ap, self.ap50, self.ap75, self.ar, self.small, self.medium, self.large)
        return dict(zip(names, values, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What was found of one class in all pictures, the surest first.

    Attributes:
        scores: [N].
        right: bool [10, N], whether it is a thing's, at each IoU.
        pictures: [N], index of the picture it is in.
        truths: [pictures], how many there are.
    """

    scores: Counts
    right: NDArray[np.bool_]
    pictures: NDArray[np.int64]
    truths: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One network on some pictures; by class: those that there is truth of."""

    whole: BoxFigures
    classes: Mapping[int, BoxFigures]
    hits: Mapping[int, Hits]


def measured(sights: Sequence[Sight]) -> Measured:
    """A network's figures, and its hits for `average_precision`.

    Only classes that some picture's truth has are asked for. There has to be a picture.
    """
    classes = sorted({int(label) for one in sights for label in one.truth.labels})
    if not classes:
        return Measured(BoxFigures(**dict.fromkeys(BoxFigures.model_fields)), {}, {})
    with redirect_stdout(StringIO()):  # it prints how far it is
        judge = COCOeval(_coco(sights, classes, truth=True), _coco(sights, classes, truth=False), "bbox")
        judge.evaluate()
        judge.accumulate()
    precision, recall = judge.eval["precision"], judge.eval["recall"]
    each = judge.params.areaRng
    found = {}
    for place, number in enumerate(classes):
        start = place * len(each) * len(sights)
        found[number] = _hits(judge.evalImgs[start : start + len(sights)])
    return Measured(
        _figures(precision, recall),
        {number: _figures(precision[:, :, [place]], recall[:, [place]]) for place, number in enumerate(classes)},
        found,
    )


def average_precision(hits: Hits, draws: Counts) -> Counts:
    """`BoxFigures.ap` of one class in each of many draws of the pictures, [n]; NaN where a draw has none of it.

    With every picture taken once it is the library's own figure; with some taken more often too, but where a picture
    has several detections of one score, whose order is anybody's.

    Args:
        draws: [n, pictures], how often each takes each (`algorithm_repo.judging.bootstrap.often`).
    """
    step = max(1, _AT_ONCE // max(1, len(hits.scores)))
    parts = [_precision(hits, draws[start : start + step]) for start in range(0, len(draws), step)]
    return np.concatenate(parts)


def mean_precision(found: Mapping[int, Hits], draws: Counts) -> Counts:
    """The mean over the classes that a draw has, [n]; NaN where it has none."""
    each = np.array([average_precision(hits, draws) for hits in found.values()]).reshape(len(found), len(draws))
    there = ~np.isnan(each)
    count = there.sum(axis=0)
    total = np.where(there, each, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(len(draws), np.nan), where=count > 0))


def _precision(hits: Hits, draws: Counts) -> Counts:
    # A look at the hits is enough: between them precision only falls and recall stands still.
    weights = draws[:, hits.pictures]
    said, there = weights.cumsum(axis=1), draws @ hits.truths
    levels = np.linspace(0.0, 1.0, 101)
    total = np.zeros(len(draws))
    for row in hits.right:
        at = np.flatnonzero(row)
        if not len(at):
            continue
        right = weights[:, at].cumsum(axis=1)
        precision = right / np.maximum(said[:, at], 1.0)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = right / np.maximum(there, 1.0)[:, None]
        reached = np.searchsorted(levels, recall, side="right")
        total += (best * np.diff(reached, axis=1, prepend=0)).sum(axis=1) / len(levels)
    return np.asarray(np.where(there > 0, total / len(hits.right), np.nan))


def _coco(sights: Sequence[Sight], classes: Sequence[int], *, truth: bool) -> Any:
    """The truth, or what was found, as the library holds it; numbers start at 1: it takes 0 for none."""
    entries: list[dict[str, Any]] = []
    for number, one in enumerate(sights, 1):
        boxes = one.truth if truth else one.found
        sides = np.array([one.width, one.height, one.width, one.height], float)
        for (x1, y1, x2, y2), score, label in zip(
            boxes.boxes.astype(float) * sides, boxes.scores, boxes.labels, strict=True
        ):
            across, down = float(x2 - x1), float(y2 - y1)
            entries.append(
                {
                    "id": len(entries) + 1,
                    "image_id": number,
                    "category_id": int(label),
                    "bbox": [float(x1), float(y1), across, down],
                    "area": across * down,
                    "iscrowd": 0,
                    "score": float(score),
                }
            )
    held = COCO()
    held.dataset = {
        "images": [{"id": number, "width": one.width, "height": one.height} for number, one in enumerate(sights, 1)],
        "categories": [{"id": number} for number in classes],
        "annotations": entries,
    }
    held.createIndex()
    return held


def _figures(precision: Counts, recall: Counts) -> BoxFigures:
    """From COCOeval's arrays: precision [IoU, recall, class, size, most], recall [IoU, class, size, most]."""
    return BoxFigures(
        ap=_mean(precision[..., _ALL, -1]),
        ap50=_mean(precision[0, ..., _ALL, -1]),
        ap75=_mean(precision[5, ..., _ALL, -1]),
        ar=_mean(recall[..., _ALL, -1]),
        small=_mean(precision[..., _SMALL, -1]),
        medium=_mean(precision[..., _MEDIUM, -1]),
        large=_mean(precision[..., _LARGE, -1]),
    )


def _mean(values: Counts) -> float | None:
    """Of those that are known; the library writes −1 for the others."""
    known = values[values > -1]
    return round(float(known.mean()), 6) if known.size else None


def _hits(pictures: Sequence[dict[str, Any] | None]) -> Hits:
    """Of one class, from what the library keeps of each picture."""
    scores = [np.asarray(one["dtScores"], float) if one else np.zeros(0) for one in pictures]
    right = [np.asarray(one["dtMatches"]) > 0 if one else np.zeros((10, 0), bool) for one in pictures]
    where = [np.full(len(one), number, np.int64) for number, one in enumerate(scores)]
    all_scores = np.concatenate(scores)
    order = np.argsort(-all_scores, kind="stable")
    return Hits(
        all_scores[order],
        np.concatenate(right, axis=1)[:, order],
        np.concatenate(where)[order],
        np.array([len(one["gtIds"]) if one else 0 for one in pictures], float),
    )
