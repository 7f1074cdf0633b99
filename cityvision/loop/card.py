"""The card of a candidate: curves, figures, slices, and the photos on which it got better and worse. One HTML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from algorithm_repo.datasets.photos import mask_of
from algorithm_repo.datasets.pictures import Read, decode, encode
from algorithm_repo.datasets.types import Item
from algorithm_repo.judging import page
from algorithm_repo.judging.drawing import with_masks
from algorithm_repo.judging.gate import Verdict
from algorithm_repo.judging.masks import Overlap, iou
from algorithm_repo.judging.speed import Speed, by_turns, machine, speed, speeds
from algorithm_repo.training.headjob import Point
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter

_PHOTO = 300  # width, px
_PACED, _TURNS = 8, 24  # photos, and times, that both networks are timed on


@dataclass(frozen=True, slots=True)
class Change:
    """A photo on which the network says something else now. `before`, `after`: IoU of it alone."""

    item: Item
    before: float
    after: float


def card(
    title: str,
    facts: Mapping[str, str],
    verdict: Verdict,
    curves: Mapping[str, Sequence[Point]],
    paces: Mapping[str, Speed],
    pictures: Sequence[tuple[Change, bytes]],
) -> bytes:
    """The whole file.

    Args:
        facts: what is told of it in a line each.
        curves: losses by the network's name.
        paces: how fast they are here, by the network's name.
        pictures: of photos, as JPEG, each with its figures.
    """
    parts = [
        page.outcome(verdict.reasons, _told(verdict)),
        page.table([(name, value) for name, value in facts.items()]),
        "<h2>Training</h2>",
        page.curves(curves),
        "<h2>Speed</h2>",
        speeds(paces, machine()),
        "<h2>Slices</h2>",
        _slices(verdict),
        "<h2>Better and worse</h2><p>Left the version in production, right this one. Green: water by the label;"
        " blue: water by the network.</p>",
        *(_figure(change, data) for change, data in pictures),
    ]
    return page.document(title, parts).encode()


def changes(items: Sequence[Item], before: Sequence[Overlap], after: Sequence[Overlap], each: int) -> list[Change]:
    """The photos that gained most, then those that lost most; `each` of both at most, and none that did not."""
    found = [Change(item, iou([old]), iou([new])) for item, old, new in zip(items, before, after, strict=True)]
    ordered = sorted(found, key=lambda one: one.before - one.after)
    better = [one for one in ordered[:each] if one.after > one.before]
    worse = [one for one in reversed(ordered[-each:]) if one.after < one.before]
    return better + worse


def picture(item: Item, segmenters: Sequence[WaterSegmenter], read: Read) -> bytes:
    """A photo once for each network, side by side, with the label's outline and the network's; JPEG."""
    photo, mask = decode(read(item.content)), mask_of(item, read)
    maps = [segmenter.segment_frames([frame_from_bgr(photo)])[0] for segmenter in segmenters]
    shown = [with_masks(photo, mask, one, _PHOTO) for one in maps]
    return encode(np.hstack(shown), quality=80)


def paced(items: Sequence[Item], before: WaterSegmenter, after: WaterSegmenter, read: Read) -> tuple[Speed, Speed]:
    """How fast both networks are here: by turns on a few of the photos, preparing them included."""
    frames = [frame_from_bgr(decode(read(item.content))) for item in items[:_PACED]]
    if not frames:
        return speed(()), speed(())

    def looks(segmenter: WaterSegmenter) -> Callable[[int], object]:
        segmenter.segment_frames(frames[:1])  # the first is slower
        return lambda turn: segmenter.segment_frames([frames[turn % len(frames)]])

    old, new = by_turns(looks(before), looks(after), _TURNS)
    return speed(old), speed(new)


def _told(verdict: Verdict) -> str:
    low, high = verdict.gain_ci95
    return (
        f"IoU before {verdict.before:.3f}, after {verdict.after:.3f}; the gain lies between {low:+.3f} and"
        f" {high:+.3f} (95 %, paired bootstrap over the photos)."
    )


def _slices(verdict: Verdict) -> str:
    rows = [
        (one.name, str(one.photos), f"{one.before:.3f}", f"{one.after:.3f}", f"{one.low:+.3f} to {one.high:+.3f}")
        for one in verdict.slices
    ]
    return page.table(rows, heads=("slice", "photos", "before", "after", "gain, 95 %"))


def _figure(change: Change, data: bytes) -> str:
    return page.figure(change.item.name, f"{change.item.name}: {change.before:.2f} → {change.after:.2f}", data)
