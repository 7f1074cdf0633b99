"""Where water stands in a zone: what single water maps leave behind in a coarse grid of cells.

Two memories a cell. *Now*: the share of the cell under water, smoothed over a few seconds, so that one odd picture
changes little. *Standing*: how much of the last `hold` seconds there was water at all; a puddle keeps its place, a
headlight's reflection, a shadow or a splash does not. A cell hidden by a vehicle or a person keeps both as they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.rules.cells import CELLS, Floats, Grid, Mask, Reading
from pipeline.rules.packed import pack, unpack

_WATER = 0.25  # share of a cell from which there is water in it
_STANDING = 0.65  # share of the last `hold` from which water stands in a cell
_ONE_LOOK = 0.6  # no single look counts for more than this of what is now
_SPECK = 0.1  # of `min_share`: pieces smaller than this are none
_SMOOTH_SHARE, _SMOOTH_S = 0.1, (0.5, 6.0)  # of `hold`, within these bounds
_MARK = 0.5  # share of a depth mark that must be under water


@dataclass(frozen=True, slots=True)
class Puddle:
    """What is remembered of a zone's ground.

    Attributes:
        now: share of each cell under water, smoothed (`pack`).
        standing: share of the recent past in which there was water in each cell (`pack`).
        marks: share of each depth mark under water, smoothed; below 0: not seen yet.
    """

    now: str = ""
    standing: str = ""
    marks: tuple[float, ...] = ()

    def check(self) -> None:
        """Raises ValueError when packed values cannot be read."""
        unpack(self.now, CELLS)
        unpack(self.standing, CELLS)


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """How much water there is.

    Attributes:
        share: of the zone under water now, in pieces larger than specks.
        standing_share: of the zone under water that has been there for most of the last `hold`.
        reliability: how steadily that water was there, 0..1; 0 without any.
        visible: share of the zone seen in this look.
        cells: the cells that count for `share`.
    """

    share: float
    standing_share: float
    reliability: float
    visible: float
    cells: Mask


def seep(puddle: Puddle, reading: Reading, dry: Floats, elapsed: float | None, watched: float, hold: float) -> Puddle:
    """The memory after one more look.

    Args:
        dry: share of each cell that looks wet when dry, subtracted.
        elapsed: s since the look before; None for the first, which is believed as it is.
        watched: as much of that as was watched.
        hold: how far *standing* reaches back, s.
    """
    wet = np.maximum(reading.wet - dry, 0)
    smooth = min(max(_SMOOTH_SHARE * hold, _SMOOTH_S[0]), _SMOOTH_S[1])
    quick = np.float32(1.0 if elapsed is None else min(_ONE_LOOK, 1 - math.exp(-elapsed / smooth)))
    # An exponential memory of half of `hold`: after `hold` of water without a break it reads 0.86.
    slow = np.float32(1 - math.exp(-2 * watched / hold))
    now, standing = unpack(puddle.now, CELLS), unpack(puddle.standing, CELLS)
    now = np.where(reading.seen, now + quick * (wet - now), now)
    standing = np.where(reading.seen, standing + slow * ((wet >= _WATER) - standing), standing)
    return Puddle(_flushed(now), _flushed(standing), _marks(puddle.marks, reading.marks, float(quick)))


def extent(puddle: Puddle, grid: Grid, reading: Reading, min_share: float) -> Extent:
    """How much water there is, specks left out."""
    now, standing = unpack(puddle.now, CELLS), unpack(puddle.standing, CELLS)
    here = grid.joined(now >= _WATER, _SPECK * min_share)
    stays = grid.joined((now >= _WATER) & (standing >= _STANDING), _SPECK * min_share)
    amounts = grid.weights * now
    share, standing_share = float(amounts[here].sum()), float(amounts[stays].sum())
    steady = float((amounts * standing)[here].sum()) / share if share > 0 else 0.0
    return Extent(share, standing_share, steady, float(grid.weights[reading.seen].sum()), here)


def depth_cm(puddle: Puddle, heights: tuple[float, ...]) -> float | None:
    """How deep the water is at least, by the marks under it; None where no mark has been seen.

    A mark counts only when every lower one is under water too: one that seems covered above a dry one is misread.
    """
    seen = sorted((height, level) for height, level in zip(heights, puddle.marks, strict=False) if level >= 0)
    if not seen:
        return None
    depth = 0.0
    for height in sorted({height for height, _ in seen}):
        if max(level for h, level in seen if h == height) < _MARK:
            break
        depth = height
    return depth


def _marks(before: tuple[float, ...], seen: tuple[float | None, ...], quick: float) -> tuple[float, ...]:
    known = before if len(before) == len(seen) else (-1.0,) * len(seen)
    return tuple(
        old if new is None else new if old < 0 else old + quick * (new - old)
        for old, new in zip(known, seen, strict=True)
    )


def _flushed(values: Floats) -> str:
    """Packed; what has all but dried up is dry, so that a dry zone takes no room."""
    return pack(np.where(values < 1e-3, np.float32(0), values).astype(np.float32))
