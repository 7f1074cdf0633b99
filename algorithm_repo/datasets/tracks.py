"""Where one thing is in a clip: key frames that somebody set, and the straight line between them. Pure.

Times are s from the clip's first picture, geometry shares of the picture, as in `datasets.types`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from algorithm_repo.datasets.types import Name, Seconds, Share
from contracts.records import Contract

MOST_KEYS = 10_000

Corners = tuple[Share, Share, Share, Share]


class KeyFrame(Contract):
    """Where the thing is at a moment.

    Attributes:
        box: x1 y1 x2 y2.
        outside: from here to the next key frame it is not to be seen; `box` is where it went.
    """

    at: Seconds
    box: Corners
    outside: bool = False

    @model_validator(mode="after")
    def _upright(self) -> Self:
        x1, y1, x2, y2 = self.box
        if not (x1 < x2 and y1 < y2):
            raise ValueError("box: it goes from its left upper to its right lower corner and has an area")
        return self


class Track(Contract):
    """One thing through a clip. It is to be seen from its first key frame to its last, but for where it is outside."""

    kind: Literal["track"] = "track"
    label: Name
    keys: Annotated[tuple[KeyFrame, ...], Field(min_length=1, max_length=MOST_KEYS)]

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.keys[0].outside:
            raise ValueError("keys[0].outside: a track begins where the thing is to be seen")
        for number in range(1, len(self.keys)):
            before, one = self.keys[number - 1], self.keys[number]
            if one.at == before.at:
                raise ValueError(f"keys[{number}].at: two key frames at {one.at:g} s; keep one of them")
            if one.at < before.at:
                raise ValueError(f"keys[{number}].at: {one.at:g} s comes after {before.at:g} s; give them in order")
        return self

    def at(self, seconds: float) -> Corners | None:
        """Where it is, in a straight line between two key frames; None: it is not to be seen then."""
        place = bisect_right(self.keys, seconds, key=lambda one: one.at) - 1
        if place < 0:
            return None
        one = self.keys[place]
        if one.outside:
            return None
        if one.at == seconds:
            return one.box
        if place + 1 == len(self.keys):
            return None
        after = self.keys[place + 1]
        part = (seconds - one.at) / (after.at - one.at)
        x1, y1, x2, y2 = (_between(a, b, part) for a, b in zip(one.box, after.box, strict=True))
        return x1, y1, x2, y2


def _between(a: float, b: float, part: float) -> float:
    # Rounding must not carry it past either end.
    return min(max(a, b), max(min(a, b), a + (b - a) * part))
