"""Two networks on the same labelled pictures: figures by class, slice and size, and whether the candidate may go on.

Pure: from what both found to rows and verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithm_repo.judging import coco, masks
from algorithm_repo.judging.bootstrap import interval95, often
from algorithm_repo.judging.coco import Measured, Sight
from algorithm_repo.judging.events import Growth
from algorithm_repo.judging.masks import Overlap
from algorithm_repo.judging.slices import by_slice
from contracts.records import Contract

Kind = Literal["whole", "class", "slice", "size"]
_DRAWS = 1000  # of boxes, where each draw is counted anew
_MUCH = 0.4  # of a picture, as `algorithm_repo.datasets.photos` has it
_HALF = 0  # the first IoU, one half
SURE = 0.4
"""The score from which a box is shown to people."""


class PictureLimits(Contract):
    """What is asked of a candidate.

    Attributes:
        fall: the first figure of no row may fall by more, once the fall is sure: the upper end of its 95 % interval
            below 0.
        pictures: rows of fewer are told, not judged; all together have to be so many.
        least_gain: where it is set, the lower end of the interval of the whole's gain has to be above it.
    """

    fall: float = Field(0.02, ge=0, le=1)
    pictures: int = Field(8, ge=1)
    least_gain: float | None = Field(None, ge=-1, le=1)


class PictureRow(Contract):
    """All pictures, or those of a class, slice or size.

    Attributes:
        kind, name: of what; the name of all is "".
        pictures: so many; of a class, those where it is to be seen.
        before, after: figures of production and candidate by name; the first is judged. None: nothing of it is there.
        gained: the first figure's gain; None where it has none.
    """

    kind: Kind
    name: str
    pictures: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    gained: Growth | None

    @property
    def title(self) -> str:
        """Of what, in words."""
        return "all pictures" if self.kind == "whole" else f"{self.kind} {self.name}"

    def falls(self, limits: PictureLimits) -> str | None:
        """Why the candidate may not go on for this row alone, in words; None: it may."""
        grown = self.gained
        if grown is None or self.pictures < limits.pictures or -grown.by <= limits.fall or grown.high >= 0:
            return None
        far = f"{-grown.by:.3f} ({-grown.high:.3f} to {-grown.low:.3f})"
        return f"{self.title}: {next(iter(self.before))} fell by {far}, on {self.pictures} pictures"


class PictureVerdict(Contract):
    """Whether it passed; `reasons` says why not, in words, and is empty when it did."""

    passed: bool
    reasons: tuple[str, ...]
    rows: tuple[PictureRow, ...]
    failed: tuple[str, ...] = ()


def judged_pictures(
    rows: Sequence[PictureRow], limits: PictureLimits, failed: Sequence[str] = (), broken: Sequence[str] = ()
) -> PictureVerdict:
    """The gate.

    Args:
        rows: the first of all pictures (`box_rows`, `mask_rows`).
        failed: pictures that are in no figure, and why.
        broken: those of them that the candidate alone cannot be run on.
    """
    whole = rows[0]
    reasons = [f"it cannot be run on {one}" for one in broken]
    if whole.pictures < limits.pictures:
        reasons.append(f"{whole.pictures} pictures are too few to judge by: {limits.pictures} are asked for")
    if whole.gained is None:
        reasons.append("no picture shows anything that is asked for")
    elif limits.least_gain is not None and whole.gained.low <= limits.least_gain:
        grown = whole.gained
        told = f"{grown.by:+.3f} ({grown.low:+.3f} to {grown.high:+.3f})"
        reasons.append(f"the gain of {next(iter(whole.before))} of {told} is not surely above {limits.least_gain:g}")
    reasons += filter(None, (row.falls(limits) for row in rows))
    return PictureVerdict(passed=not reasons, reasons=tuple(reasons), rows=tuple(rows), failed=tuple(failed))


def box_rows(
    before: Sequence[Sight], after: Sequence[Sight], names: Mapping[int, str], seed: int = 1
) -> list[PictureRow]:
    """Of detectors: all pictures, each class of their truth, each slice.

    Args:
        before, after: the same pictures in the same order, at least one.
        names: of the classes.
        seed: of the bootstrap, which draws pictures.
    """
    old, new = coco.measured(before), coco.measured(after)
    draws = often(len(before), seed, _DRAWS)
    rows = [_box_row("whole", "", len(before), old, new, draws)]
    for number, figures in old.classes.items():
        precision = [coco.average_precision(one.hits[number], draws) for one in (old, new)]
        by = (new.classes[number].ap or 0.0) - (figures.ap or 0.0)
        rows.append(
            PictureRow(
                kind="class",
                name=names[number],
                pictures=int(np.count_nonzero(old.hits[number].truths)),
                before=figures.told(),
                after=new.classes[number].told(),
                gained=_growth(by, precision[1] - precision[0]),
            )
        )
    for name, (olds, news) in by_slice(before, after).items():
        mine = often(len(olds), seed, _DRAWS)
        rows.append(_box_row("slice", name, len(olds), coco.measured(olds), coco.measured(news), mine))
    return rows


def mask_rows(before: Sequence[Overlap], after: Sequence[Overlap], label: str, seed: int = 1) -> list[PictureRow]:
    """Of segmenters: all pictures, each slice, and by how much of a picture is what they look for.

    Args:
        before, after: the same pictures in the same order, at least one.
        label: what their maps show.
        seed: of the bootstrap, which draws pictures.
    """
    rows = [_mask_row("whole", "", before, after, seed)]
    rows += [_mask_row("slice", name, *pair, seed) for name, pair in by_slice(before, after).items()]
    sizes: list[tuple[str, Callable[[float], bool]]] = [
        (f"no {label}", lambda share: share == 0),
        (f"little {label}", lambda share: 0 < share < _MUCH),
        (f"much {label}", lambda share: share >= _MUCH),
    ]
    for name, fits in sizes:
        places = [place for place, one in enumerate(before) if fits(one.share)]
        if places:
            olds, news = ([side[place] for place in places] for side in (before, after))
            rows.append(_mask_row("size", name, olds, news, seed))
    return rows


def box_worth(sights: Sequence[Sight]) -> list[float]:
    """How well each picture alone is told, 0..1: F1 of the boxes that are surer than 0.4, at an IoU of one half."""
    right, said, there = (np.zeros(len(sights)) for _ in range(3))
    found = coco.measured(sights)
    for hits in found.hits.values():
        sure = hits.scores >= SURE
        right += np.bincount(hits.pictures, hits.right[_HALF] & sure, len(sights))
        said += np.bincount(hits.pictures, sure, len(sights))
        there += hits.truths
    total = said + there
    return [float(one) for one in np.divide(2 * right, total, out=np.ones(len(sights)), where=total > 0)]


def _box_row(
    kind: Kind, name: str, pictures: int, before: Measured, after: Measured, draws: NDArray[np.float64]
) -> PictureRow:
    old, new = before.whole, after.whole
    growth = None
    if old.ap is not None and new.ap is not None:
        drawn = [coco.mean_precision(one.hits, draws) for one in (before, after)]
        growth = _growth(new.ap - old.ap, drawn[1] - drawn[0])
    return PictureRow(kind=kind, name=name, pictures=pictures, before=old.told(), after=new.told(), gained=growth)


def _growth(by: float, grown: NDArray[np.float64]) -> Growth:
    low, high = interval95(grown[~np.isnan(grown)])  # draws without any truth say nothing
    return Growth(by=round(by, 4), low=round(low, 4), high=round(high, 4))


def _mask_row(kind: Kind, name: str, before: Sequence[Overlap], after: Sequence[Overlap], seed: int) -> PictureRow:
    grown = masks.gain(before, after, seed)
    old, new = (
        {"IoU": round(masks.iou(side), 4), "IoU of a picture": round(float(np.mean([masks.iou([o]) for o in side])), 4)}
        for side in (before, after)
    )
    return PictureRow(
        kind=kind,
        name=name,
        pictures=len(before),
        before=dict[str, float | None](old),
        after=dict[str, float | None](new),
        gained=Growth(by=round(grown.gain, 4), low=round(grown.low, 4), high=round(grown.high, 4)),
    )
