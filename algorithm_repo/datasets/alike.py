"""Which pictures are nearly the same: the same photo resized, coded anew, mirrored, turned by quarters or cropped,
neighbouring frames.

A picture is compared by what it looks like from afar. That finds the copies that make a test set worthless; two photos
of one street by different people it does not find, so those are kept apart by camera and time (`split`).
docs/datasets.md says in figures what is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.altered import SIDE, Altered
from algorithm_repo.datasets.links import NO_SIDE, IntArray, Links
from algorithm_repo.datasets.types import SIDES, Side

ALIKE = 0.85
CHECK = 2
"""Which check `pairs` is; raised with whatever it comes to find besides. The first did not look at views."""
_VIEW = 0.87  # a view has many tries, so it has to be more alike
_ROWS = 2048  # compared with all others at a time: 2048 x 100,000 similarities are 800 MB
_VIEWED = 4 << 20  # first looks at views that are held at a time
_FLAT = 1.0  # grey levels that a picture of nothing varies by: a covered or dark camera's noise

Signature = NDArray[np.float32]


def signature(grey: NDArray[np.uint8]) -> Signature:
    """What a picture looks like from afar.

    Args:
        grey: uint8 [H, W].

    Returns:
        float32 [576]: 24x24 grey values, of zero mean and unit length; of a picture of nothing always the same.
    """
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    length = float(np.linalg.norm(small))
    return nothing() if length < _FLAT * SIDE else small / length


def nothing() -> Signature:
    """What a picture of nothing looks like: a pattern that no photo has, as a photo shrunk so far is soft."""
    rows, columns = np.indices((SIDE, SIDE))
    return np.where((rows + columns) % 2, 1 / SIDE, -1 / SIDE).astype(np.float32).ravel()


def likeness(one: Signature, others: Sequence[Signature]) -> float:
    """How alike (-1..1) a picture is to the most alike of others, mirrored or not; -1: there are none."""
    if not others:
        return -1.0
    rows = _stacked(others)
    (whole,) = _stacked([one])
    return float(np.maximum(rows @ whole, rows @ _mirrored(whole[None])[0]).max())


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two contents that are nearly the same picture; `likeness` -1..1, `first` < `second`."""

    first: str
    second: str
    likeness: float


def pairs(
    signatures: Mapping[str, Signature],
    alike: float = ALIKE,
    *,
    sides: Mapping[str, Side] | None = None,
    checked: Collection[str] = (),
) -> list[Pair]:
    """Pairs by which all that is nearly the same hangs together, in order: of n pictures that are all alike n - 1.

    Args:
        signatures: by content hash, each of `signature`.
        alike: likeness above which two pictures are nearly the same: the whole of both, one of them mirrored or not, or
            one and a view of the other (`altered`), then at least 0.87.
        sides: of those that have one. Whoever has an alike one on another side stands in a pair with such a one.
        checked: contents that this very check has found well apart: no two of them are compared again.
    """
    fresh = sorted(signatures.keys() - set(checked))
    names = [*fresh, *sorted(signatures.keys() & set(checked))]
    if len(names) < 2 or not fresh:
        return []
    rows = _stacked([signatures[name] for name in names])
    held = sides or {}
    links = Links(np.array([SIDES.index(held[name]) if name in held else NO_SIDE for name in names], np.int64))
    told = [*_close(rows, links, alike, len(fresh)), *_views_of(rows, links, alike, len(fresh))]
    ordered = ((min(one, other), max(one, other), like) for one, other, like in told)
    return sorted(Pair(names[one], names[other], round(like, 4)) for one, other, like in ordered)


def _stacked(signatures: Sequence[Signature]) -> Signature:
    """Rows. Earlier releases kept zeros of a picture of nothing."""
    rows = np.stack(signatures)
    rows[np.linalg.norm(rows, axis=1) == 0] = nothing()
    return rows


def _mirrored(rows: Signature) -> Signature:
    return np.ascontiguousarray(rows.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(rows), -1))


def _close(rows: Signature, links: Links, alike: float, fresh: int) -> Iterator[tuple[int, int, float]]:
    """Pictures that are alike as they are, or mirrored, one of them among the first `fresh` rows."""
    mirrored = _mirrored(rows)
    for start in range(0, fresh, _ROWS):
        some = rows[start : min(start + _ROWS, fresh)]
        found = np.maximum(some @ rows.T, some @ mirrored.T)
        for one, likeness in enumerate(found, start):
            others = np.flatnonzero(likeness[one + 1 :] > alike) + one + 1
            yield from _told(links, one, others, likeness[others])


def _views_of(rows: Signature, links: Links, alike: float, fresh: int) -> Iterator[tuple[int, int, float]]:
    """Pictures of which one is a view of the other, one of them among the first `fresh` rows; those that hang together
    anyway are not looked at."""
    altered = Altered(rows)
    for first, last, among in ((0, fresh, len(rows)), (fresh, len(rows), fresh)):
        step = max(1, _VIEWED // among)
        for start in range(first, last, step):
            for one, maybe in enumerate(altered.candidates(start, min(start + step, last), among), start):
                maybe[one : one + 1] = False
                others = links.untold(one, np.flatnonzero(maybe))
                if others.size:
                    likeness = altered.likeness(one, others)
                    found = likeness > max(alike, _VIEW)
                    yield from _told(links, one, others[found], likeness[found])


def _told(links: Links, one: int, others: IntArray, likeness: Signature) -> Iterator[tuple[int, int, float]]:
    """The most alike first."""
    order = np.argsort(-likeness, kind="stable")
    known = dict(zip(others.tolist(), likeness.tolist(), strict=True)) if others.size else {}
    for other in links.join(one, others[order]):
        yield one, other, known[other]
