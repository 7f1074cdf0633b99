"""Figures of quality, from arrays: average precision of boxes, IoU of masks, accuracy of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """One picture's boxes: [N, 4], and [N] scores (of truth: 1) and labels (of truth: −1 is not judged)."""

    boxes: Array
    scores: Array
    labels: Array


def suppress(found: Boxes, groups: Array, limit: float = 0.5) -> Boxes:
    """Non-maximum suppression: of boxes of one group that overlap more than `limit`, the best stays."""
    order = np.argsort(-found.scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        same = groups[found.labels[order]] == groups[found.labels[best]]
        order = order[~((iou(found.boxes[best : best + 1], found.boxes[order])[0] > limit) & same)]
    return Boxes(found.boxes[kept], found.scores[kept], found.labels[kept])


def iou(a: Array, b: Array) -> Array:
    """[N, M] of boxes [N, 4] and [M, 4]."""
    top = np.maximum(a[:, None, :2], b[None, :, :2])
    end = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(end - top, 0, None).prod(axis=2)
    areas = [np.clip(one[:, 2:] - one[:, :2], 0, None).prod(axis=1) for one in (a, b)]
    result: Array = shared / (areas[0][:, None] + areas[1][None, :] - shared + 1e-9)
    return result


def average_precision(found: Sequence[Boxes], truth: Sequence[Boxes], label: int) -> tuple[float, int]:
    """AP at IoU .5 of one label (area under the precision envelope), and how many objects there were.

    A detection on an object that is not judged counts neither way.
    """
    rows: list[tuple[float, bool]] = []
    total = 0
    for one, real in zip(found, truth, strict=True):
        mine, wanted, unsure = one.labels == label, real.labels == label, real.labels == -1
        total += int(wanted.sum())
        boxes, scores = one.boxes[mine], one.scores[mine]
        overlaps, grey = iou(boxes, real.boxes[wanted]), iou(boxes, real.boxes[unsure])
        taken = np.zeros(int(wanted.sum()), bool)
        for row in np.argsort(-scores, kind="stable"):
            free = np.where(taken, 0.0, overlaps[row])
            hit = bool(len(free)) and float(free.max()) >= 0.5
            if hit:
                taken[int(free.argmax())] = True
            elif grey.shape[1] and float(grey[row].max()) >= 0.3:
                continue
            rows.append((float(scores[row]), hit))
    if not total or not rows:
        return 0.0, total
    hits = np.array([hit for _, hit in sorted(rows, key=lambda row: -row[0])], bool)
    recall, precision = np.cumsum(hits) / total, np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope)), total


def mask_iou(found: Sequence[Array], truth: Sequence[Array]) -> float:
    """IoU of boolean masks over all pictures together; cells outside `truth` are cut off beforehand."""
    both = sum(int((a & b).sum()) for a, b in zip(found, truth, strict=True))
    either = sum(int((a | b).sum()) for a, b in zip(found, truth, strict=True))
    return both / either if either else 1.0


def accuracy(found: Array, truth: Array, label: int) -> dict[str, float]:
    """Precision and recall of one label among predicted and true labels, and the share that is right overall."""
    hits = int(((found == label) & (truth == label)).sum())
    return {
        "precision": hits / max(1, int((found == label).sum())),
        "recall": hits / max(1, int((truth == label).sum())),
        "accuracy": float((found == truth).mean()) if len(truth) else 0.0,
        "count": float(len(truth)),
    }
