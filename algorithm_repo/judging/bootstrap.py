"""Paired bootstrap: the same draws, with replacement, for both of two things that were measured on the same samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000


def often(count: int, seed: int, draws: int = DRAWS) -> NDArray[np.float64]:
    """How often each draw takes each of `count` samples: [draws, count], rows sum to `count`.

    With it, `often(…) @ values` is what each draw sums up to.
    """
    rows = np.random.default_rng(seed).integers(0, count, (draws, count))
    cells = rows + count * np.arange(draws)[:, None]
    return np.bincount(cells.ravel(), minlength=draws * count).reshape(draws, count).astype(float)


def interval95(grown: NDArray[np.float64]) -> tuple[float, float]:
    """What holds 95 % of the draws' differences: percentile bootstrap (Efron and Tibshirani 1993, chapter 13)."""
    low, high = (float(one) for one in np.quantile(grown, (0.025, 0.975)))
    return low, high
