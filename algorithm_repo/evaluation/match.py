"""Which raised event is which true one: same type and zone, a moment in common, one to one, as many as can be.

Pure. The rule is told to people in docs/evaluation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True, slots=True)
class Span:
    """An event as a stretch of stream time.

    Attributes:
        type, zone: of the event.
        start, end: s, both included, start <= end; what is still open at the clip's end lasts to that end.
    """

    type: str
    zone: str
    start: float
    end: float


def overlap(a: Span, b: Span) -> float | None:
    """Seconds two spans have in common; None where they share no moment, or are of another type or zone."""
    if (a.type, a.zone) != (b.type, b.zone):
        return None
    common = min(a.end, b.end) - max(a.start, b.start)
    return common if common >= 0 else None


def match(truth: Sequence[Span], raised: Sequence[Span]) -> list[tuple[int, int]]:
    """Pairs (index of truth, index of raised), each index once at most, in the order of truth.

    As many pairs as can be made; among those, the ones with the longest time in common.

    Raises:
        ValueError: a span is not finite, or ends before it starts.
    """
    for span in (*truth, *raised):
        if not (math.isfinite(span.start) and math.isfinite(span.end) and span.start <= span.end):
            raise ValueError(f"{span} is no stretch of time")
    if not truth or not raised:
        return []
    common = np.full((len(truth), len(raised)), -1.0)
    for row, true in enumerate(truth):
        for column, event in enumerate(raised):
            shared = overlap(true, event)
            if shared is not None:
                common[row, column] = shared
    fits = common >= 0
    # One more pair outweighs any amount of time.
    pair = 1.0 + 2.0 * float(common.max(axis=1, initial=0.0).clip(min=0).sum())
    rows, columns = linear_sum_assignment(np.where(fits, pair + common, 0.0), maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if fits[row, column]]
