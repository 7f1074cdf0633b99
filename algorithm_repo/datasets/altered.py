"""Copies that were turned or cropped, found in what pictures look like from afar (`alike`).

Each picture is looked at in views: turned by quarters, and windows of it. Where one view is another picture, that one
is a copy. A first look at few coarse views leaves one or two in a hundred pairs, which are looked at closely.

A horizon or a road ahead makes many photos alike, so a copy has to be alike also without what is the same along each
row and each column.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 24
_COARSE, _FINE = 6, 12
_MAYBE = 0.66  # 98 of 100 copies that the close look finds are at least so alike at the first one
_STEP = 2
# Larger products are spread over threads by OpenBLAS: for so little to do, these mostly wait for each other.
_AT_ONCE = 20

FloatArray = NDArray[np.float32]
Window = tuple[int, int, int]
"""Left, top and length of a square, in px of 24."""


def _windows(lengths: Sequence[int], step: int) -> tuple[Window, ...]:
    return tuple(
        (x, y, length)
        for length in lengths
        for y in range(0, SIDE - length + 1, step)
        for x in range(0, SIDE - length + 1, step)
    )


_FEW = _windows((SIDE, 20), _STEP)
_MANY = _windows((22, 20, 18), 1)


class Altered:
    """Pictures to be compared.

    Args:
        rows: float32 [N, 576], signatures.
    """

    def __init__(self, rows: FloatArray) -> None:
        self._whole = rows.reshape(-1, SIDE, SIDE)
        coarse, fine = (_shrunk(self._whole, side) for side in (_COARSE, _FINE))
        self._coarse = _Told.of(np.concatenate([coarse, coarse[:, :, ::-1]]))
        self._fine = _Told.of(np.concatenate([fine, fine[:, :, ::-1]]))

    def candidates(self, first: int, last: int, among: int) -> NDArray[np.bool_]:
        """bool [last - first, among]: of which of the first `among` pictures some view of each picture may be."""
        count = len(self._whole)
        others = self._coarse.of_these(np.concatenate([np.arange(among), np.arange(count, count + among)]))
        best = np.full((last - first, 2 * among), -1, np.float32)
        views = np.stack([_views(one, _FEW, _COARSE) for one in self._whole[first:last]], axis=1)
        for view in views:
            np.maximum(best, _Told.of(view).against(others), out=best)
        return (best[:, :among] > _MAYBE) | (best[:, among:] > _MAYBE)

    def likeness(self, one: int, others: NDArray[np.int64]) -> FloatArray:
        """float32 [K], -1..1: how alike the best view of a picture is to each of others, mirrored or not."""
        views = _Told.of(_views(self._whole[one], _MANY, _FINE))
        both = np.concatenate([others, others + len(self._whole)])
        best = np.concatenate(
            [
                self._fine.of_these(both[start : start + _AT_ONCE]).against(views).max(axis=1)
                for start in range(0, len(both), _AT_ONCE)
            ]
        )
        found: FloatArray = best.reshape(2, -1).max(axis=0)
        return found


class _Told:
    """Pictures as vectors of unit length: as they are, and without the means of rows and columns."""

    def __init__(self, plain: FloatArray, bare: FloatArray) -> None:
        self._plain, self._bare = plain, bare

    @staticmethod
    def of(pictures: FloatArray) -> _Told:
        bare = pictures - pictures.mean(axis=2, keepdims=True)
        return _Told(_unit(pictures), _unit(bare - bare.mean(axis=1, keepdims=True)))

    def of_these(self, which: NDArray[np.int64]) -> _Told:
        return _Told(self._plain[which], self._bare[which])

    def against(self, others: _Told) -> FloatArray:
        """The smaller of both likenesses of each with each."""
        found: FloatArray = np.minimum(self._plain @ others._plain.T, self._bare @ others._bare.T)
        return found


def _unit(pictures: FloatArray) -> FloatArray:
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    found: FloatArray = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return found


def _views(whole: FloatArray, windows: Sequence[Window], side: int) -> FloatArray:
    """float32 [V, side, side]: windows of a picture, and the whole of it turned."""
    seen = [_resized(whole[y : y + length, x : x + length], side) for x, y, length in windows]
    upright = _resized(whole, side)
    return np.stack([*seen, *(np.rot90(upright, quarter) for quarter in (1, 2, 3))])


def _shrunk(pictures: FloatArray, side: int) -> FloatArray:
    return np.stack([_resized(one, side) for one in pictures])


def _resized(one: FloatArray, side: int) -> FloatArray:
    found: FloatArray = cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return found
