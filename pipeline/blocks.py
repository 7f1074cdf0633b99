"""Did a small luma picture change? Block by block, against the noise each block is known for.

A block's difference has two parts, in grey levels: how far its pattern changed, after its own brightness and
contrast were taken out (a cloud, a lamp or the exposure changes those, not the pattern), and how far its brightness
moved against that of the whole picture (a flat roof on a flat road has no pattern).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.geometry import share_in_polygon
from contracts.vision import ByteArray

BLOCK = 10  # pixels
_SHARE_OF_SHIFT = 0.5  # local shade counts half
_FLAT = 2.0  # grey levels of contrast that noise alone makes
_FIRST_LEVEL, _FIRST_SPREAD = 1.0, 0.5
_SPREADS = 4.0
_MARGIN = 1.0  # grey levels above what noise explains
_RATE = 0.05  # of learning, from a calm block
_RESTLESS = 0.8  # a block above its threshold this often is restless (leaves, water): its level may rise
_RESTLESS_RATE = 0.05
_EMPTY_RATE = 0.25  # a block that changed though the detector found nothing there: that was noise
_HIGHEST_LEVEL = 8.0  # but never so far that a vehicle could hide in it; above that, we look

Blocks = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class BlockNoise:
    """What the blocks of one camera show while nothing happens; float32 [9, 16] each.

    Attributes:
        level: usual difference, grey levels.
        spread: its usual deviation.
        above: share of recent pictures in which the block was above its threshold.
    """

    level: Blocks
    spread: Blocks
    above: Blocks

    @staticmethod
    def fresh(rows: int = 9, columns: int = 16) -> BlockNoise:
        """Before anything was learnt."""
        shape = (rows, columns)
        return BlockNoise(
            np.full(shape, _FIRST_LEVEL, np.float32),
            np.full(shape, _FIRST_SPREAD, np.float32),
            np.zeros(shape, np.float32),
        )

    @property
    def threshold(self) -> Blocks:
        return self.level + _SPREADS * self.spread + np.float32(_MARGIN)

    def changed(self, difference: Blocks, watched: NDArray[np.bool_] | None = None) -> bool:
        """Whether any block (of those watched, bool [9, 16]) shows more than its noise."""
        above = difference > self.threshold
        return bool(np.any(above if watched is None else above & watched))


def blocks_of(polygons: Iterable[Sequence[tuple[float, float]]], rows: int = 9, columns: int = 16) -> NDArray[np.bool_]:
    """The blocks that any of the polygons (normalised) touches, and those next to them: bool [rows, columns]."""
    touched = np.zeros((rows + 2, columns + 2), np.bool_)
    for polygon in polygons:
        for row, column in np.ndindex(rows, columns):
            box = (column / columns, row / rows, (column + 1) / columns, (row + 1) / rows)
            if share_in_polygon(box, polygon) > 0:
                touched[row : row + 3, column : column + 3] = True
    return touched[1:-1, 1:-1]


def _blocks(luma: ByteArray) -> Blocks:
    """[rows, columns, BLOCK * BLOCK]."""
    rows, columns = luma.shape[0] // BLOCK, luma.shape[1] // BLOCK
    cut = luma[: rows * BLOCK, : columns * BLOCK].astype(np.float32)
    return cut.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(rows, columns, BLOCK * BLOCK)


def compare(before: ByteArray, after: ByteArray) -> Blocks:
    """Difference of two luma pictures of one size by block, grey levels, float32 [rows, columns]."""
    a, b = _blocks(before), _blocks(after)
    mean_a, mean_b = a.mean(axis=2), b.mean(axis=2)
    a -= mean_a[..., None]
    b -= mean_b[..., None]
    contrast_a = np.sqrt(np.mean(a * a, axis=2)) + np.float32(_FLAT)
    contrast_b = np.sqrt(np.mean(b * b, axis=2)) + np.float32(_FLAT)
    gain = np.clip(contrast_b / contrast_a, 0.5, 2.0)
    pattern = np.mean(np.abs(a * gain[..., None] - b), axis=2)
    shift = mean_b - mean_a * _exposure(mean_a, mean_b)
    shift -= np.median(shift)
    result: Blocks = (pattern + _SHARE_OF_SHIFT * np.abs(shift)).astype(np.float32)
    return result


def _exposure(before: Blocks, after: Blocks) -> float:
    """The factor by which the whole picture became brighter, by the median block."""
    return float(np.clip(np.median((after + 1.0) / (before + 1.0)), 0.25, 4.0))


def covered_by(boxes: NDArray[np.floating], rows: int = 9, columns: int = 16) -> NDArray[np.bool_]:
    """The blocks that any of the boxes [N, 4] (normalised x1 y1 x2 y2) touches, and those next to them."""
    covered = np.zeros((rows, columns), np.bool_)
    for x1, y1, x2, y2 in boxes.tolist():
        top, bottom = int(y1 * rows) - 1, int(y2 * rows) + 2
        left, right = int(x1 * columns) - 1, int(x2 * columns) + 2
        covered[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return covered


def learn(noise: BlockNoise, difference: Blocks, empty: NDArray[np.bool_] | None = None) -> BlockNoise:
    """The noise after one more picture.

    Blocks that changed teach nothing, unless they always do, or the detector has just looked and found nothing in
    them (`empty`, bool [9, 16]): what it cannot see there, leaves or a flag, is no reason to ask it again.
    """
    over = difference > noise.threshold
    rate = np.where(over, np.float32(0), np.float32(_RATE))
    above = noise.above + np.float32(_RESTLESS_RATE) * (over - noise.above)
    rate = np.where(over & (above > _RESTLESS), np.float32(_RESTLESS_RATE), rate)
    if empty is not None:
        rate = np.where(over & empty, np.float32(_EMPTY_RATE), rate)
    level = noise.level + rate * (np.minimum(difference, _HIGHEST_LEVEL) - noise.level)
    deviation = np.minimum(np.abs(difference - noise.level), _HIGHEST_LEVEL / _SPREADS)
    spread = noise.spread + rate * (deviation - noise.spread)
    return BlockNoise(level.astype(np.float32), np.maximum(spread, 0.1).astype(np.float32), above.astype(np.float32))
