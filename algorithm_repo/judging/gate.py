"""Whether a candidate may go on: one pure function of two measurements, whose refusals are kept."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from algorithm_repo.judging.masks import Overlap, gain, iou
from algorithm_repo.judging.slices import by_slice
from contracts.records import Contract


class Limits(Contract):
    """What is asked of a candidate.

    Attributes:
        least: IoU over all photos.
        least_gain: the lower end of the 95 % interval of its gain must be above this.
        slice_fall: no slice may fall by more, once its fall is sure: the upper end of its interval below 0.
        slice_photos: slices of fewer photos are told, not judged.
    """

    least: float = Field(0.60, ge=0, le=1)
    least_gain: float = Field(0.0, ge=-1, le=1)
    slice_fall: float = Field(0.02, ge=0, le=1)
    slice_photos: int = Field(8, ge=1)


class SliceFigure(Contract):
    """One slice: its photos, IoU before and after, and the 95 % interval of the gain."""

    name: str
    photos: int
    before: float
    after: float
    low: float
    high: float

    def fell(self, limits: Limits) -> bool:
        """Whether the candidate may not go on for this slice alone."""
        return self.photos >= limits.slice_photos and self.before - self.after > limits.slice_fall and self.high < 0


class Verdict(Contract):
    """Whether it passed; `reasons` says why not, in words, and is empty when it did."""

    passed: bool
    reasons: tuple[str, ...]
    before: float
    after: float
    gain_ci95: tuple[float, float]
    slices: tuple[SliceFigure, ...]


def judged(before: Sequence[Overlap], after: Sequence[Overlap], limits: Limits, seed: int = 1) -> Verdict:
    """The candidate (`after`) against the version in production (`before`), on the same photos.

    Raises:
        ValueError: they are not the same photos, or there are none.
    """
    whole = gain(before, after, seed)
    slices = tuple(_slice(name, *pair, seed) for name, pair in by_slice(before, after).items())
    reasons = []
    if iou(after) < limits.least:
        reasons.append(f"IoU {iou(after):.3f} is below {limits.least:.2f}")
    if whole.low <= limits.least_gain:
        told = f"{whole.gain:+.3f} (95 %: {whole.low:+.3f} to {whole.high:+.3f})"
        reasons.append(f"the gain of {told} is not surely above {limits.least_gain:.2f}")
    reasons.extend(
        f"slice {one.name} fell from {one.before:.3f} to {one.after:.3f} on {one.photos} photos"
        for one in slices
        if one.fell(limits)
    )
    return Verdict(
        passed=not reasons,
        reasons=tuple(reasons),
        before=round(iou(before), 4),
        after=round(iou(after), 4),
        gain_ci95=(round(whole.low, 4), round(whole.high, 4)),
        slices=slices,
    )


def _slice(name: str, before: list[Overlap], after: list[Overlap], seed: int) -> SliceFigure:
    grown = gain(before, after, seed)
    return SliceFigure(
        name=name,
        photos=len(before),
        before=round(iou(before), 4),
        after=round(iou(after), 4),
        low=round(grown.low, 4),
        high=round(grown.high, 4),
    )
