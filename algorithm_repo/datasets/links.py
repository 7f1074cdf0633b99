"""Which of many pictures belong together, told by as few pairs as say it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
NO_SIDE = -1


class Links:
    """What was found to be alike. Of n pictures that are all alike n - 1 pairs are kept, not n² / 2, and of those on
    two sides as many as name each picture that has an alike one on another side.

    Args:
        sides: int [N], the side of each; `NO_SIDE`: it has none yet.
    """

    def __init__(self, sides: IntArray) -> None:
        self._sides = sides
        self._groups = np.arange(len(sides))
        self._crossing = np.arange(len(sides))

    def untold(self, one: int, others: IntArray) -> IntArray:
        """Those of `others` of which it would be news that they are like `one`."""
        news = self._groups[others] != self._groups[one]
        if self._sides[one] != NO_SIDE:
            across = (self._sides[others] != self._sides[one]) & (self._sides[others] != NO_SIDE)
            news |= across & (self._crossing[others] != self._crossing[one])
        found: IntArray = others[news]
        return found

    def join(self, one: int, others: IntArray) -> Iterator[int]:
        """Yields those of `others`, all like `one`, that had to be told; the first of them first."""
        left = self.untold(one, others)
        while left.size:
            other = int(left[0])
            _merge(self._groups, one, other)
            if NO_SIDE not in (self._sides[one], self._sides[other]) and self._sides[one] != self._sides[other]:
                _merge(self._crossing, one, other)
            yield other
            left = self.untold(one, left)


def _merge(groups: IntArray, one: int, other: int) -> None:
    groups[groups == groups[other]] = groups[one]
