"""Two networks on the labelled pictures of a version of data, as one report: boxes by COCO's figures, masks by IoU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from algorithm_repo.datasets.photos import mask_of
from algorithm_repo.datasets.pictures import ByteArray, Read, decode, encode
from algorithm_repo.datasets.types import Item, Manifest, Side
from algorithm_repo.judging.coco import Sight
from algorithm_repo.judging.comparison import NetworkTold, told
from algorithm_repo.judging.drawing import with_boxes, with_masks
from algorithm_repo.judging.masks import iou, overlap
from algorithm_repo.judging.networks import Network, TimedRunner, watched
from algorithm_repo.judging.picture_gate import (
    SURE,
    PictureLimits,
    PictureRow,
    PictureVerdict,
    box_rows,
    box_worth,
    judged_pictures,
    mask_rows,
)
from algorithm_repo.judging.picture_looks import Looked, Vocabulary, looked, paced, pictures_of, sight, vocabulary
from algorithm_repo.judging.speed import Speed, machine
from algorithm_repo.training.figures import Boxes
from contracts.records import Contract
from contracts.rollout import DETECTOR
from contracts.vision import ObjectClass
from models.detector import build_detector
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter, build_segmenter

T = TypeVar("T")
Shown = Callable[[Sequence[Item]], Iterable[Item]]
_EACH = 12  # pictures better and worse that the card shows
_WIDE = 360  # px, of each of the two beside each other
_NAMES = {int(one): one.name.lower() for one in ObjectClass}


class PictureChange(Contract):
    """One picture that is told better or worse.

    Attributes:
        content: SHA-256 of its bytes.
        name, slices: of the item.
        before, after: how well it alone is told, 0..1: F1 of sure boxes, or IoU.
    """

    content: str
    name: str
    slices: tuple[str, ...]
    before: float
    after: float


class PictureReport(Contract):
    """The whole comparison, without its pictures: the JSON file.

    Attributes:
        dataset, name: digest and name of the version.
        side: of its split.
        pictures: on that side.
        role: what the networks play.
        production, candidate: the two.
        limits, verdict: of the gate.
        machine: where it was measured.
        speed_before, speed_after: by turns on the same pictures.
        better, worse: the pictures that changed most, those first.
    """

    dataset: str
    name: str
    side: Side
    pictures: int
    role: str
    production: NetworkTold
    candidate: NetworkTold
    limits: PictureLimits
    verdict: PictureVerdict
    machine: str
    speed_before: Speed
    speed_after: Speed
    better: tuple[PictureChange, ...]
    worse: tuple[PictureChange, ...]


@dataclass(frozen=True, slots=True)
class PictureComparison:
    """The report, and by `content` the pictures of what changed: production left, the candidate right; JPEG."""

    report: PictureReport
    pictures: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class _Found:
    """What was measured: rows for the gate; by picture its worth with both; and what draws one."""

    rows: list[PictureRow]
    items: tuple[Item, ...]
    worth: tuple[list[float], list[float]]
    draw: Callable[[int], bytes]
    failed: tuple[str, ...]
    broken: tuple[str, ...]


def compared_pictures(
    manifest: Manifest, side: Side, networks: tuple[Network, Network], read: Read, limits: PictureLimits, shown: Shown
) -> PictureComparison:
    """Runs both on every picture of a side.

    Args:
        manifest: a frozen version of the task that the networks are for.
        networks: production and candidate, of one role.
        read: bytes of a picture or mask by SHA-256.
        limits: of the gate.
        shown: passes the items on one by one, telling people how far it is.

    Raises:
        ConfigError: the version does not fit the networks, or a network cannot be read.
        HashMismatch, ModelMissing, RunnerError: a network cannot be loaded.
        ValueError: no picture could be run with both.
    """
    items = [pictures_of(manifest, side, one) for one in networks][1]  # it has to fit both
    before, after = (watched(one) for one in networks)
    try:
        if networks[0].role == DETECTOR:
            words = vocabulary(manifest, *networks)
            found = _boxes(words, shown(items), networks, (before, after), read)
        else:
            found = _masks(shown(items), networks, (before, after), read)
        verdict = judged_pictures(found.rows, limits, found.failed, found.broken)
        better, worse = _changes(found)
        old, new = paced(before, after)
        report = PictureReport(
            dataset=manifest.digest,
            name=manifest.name,
            side=side,
            pictures=len(items),
            role=networks[0].role,
            production=told(networks[0]),
            candidate=told(networks[1]),
            limits=limits,
            verdict=verdict,
            machine=machine(),
            speed_before=old,
            speed_after=new,
            better=tuple(one for _, one in better),
            worse=tuple(one for _, one in worse),
        )
        return PictureComparison(report, {one.content: found.draw(place) for place, one in (*better, *worse)})
    finally:
        before.close()
        after.close()


def _boxes(
    words: Vocabulary,
    items: Iterable[Item],
    networks: tuple[Network, Network],
    watches: tuple[TimedRunner, TimedRunner],
    read: Read,
) -> _Found:
    old, new = (build_detector(one.entry, watch) for one, watch in zip(networks, watches, strict=True))
    both = _demanded(
        looked(items, lambda item: sight(old, item, read, words), lambda item: sight(new, item, read, words))
    )

    def draw(place: int) -> bytes:
        photo = decode(read(both.items[place].content))
        return _beside([_with_boxes(photo, side[place]) for side in (both.before, both.after)])

    rows = box_rows(both.before, both.after, _NAMES)
    worth = box_worth(both.before), box_worth(both.after)
    return _Found(rows, both.items, worth, draw, both.failed, both.broken)


def _with_boxes(photo: ByteArray, one: Sight) -> ByteArray:
    sure = one.found.scores >= SURE
    said = Boxes(one.found.boxes[sure], one.found.scores[sure], one.found.labels[sure])
    return with_boxes(photo, one.truth, said, _NAMES, _WIDE)


def _masks(
    items: Iterable[Item],
    networks: tuple[Network, Network],
    watches: tuple[TimedRunner, TimedRunner],
    read: Read,
) -> _Found:
    readers = tuple(build_segmenter(one.entry, watch) for one, watch in zip(networks, watches, strict=True))
    both = _demanded(
        looked(items, lambda item: overlap(readers[0], item, read), lambda item: overlap(readers[1], item, read))
    )

    def draw(place: int) -> bytes:
        photo, mask = decode(read(both.items[place].content)), mask_of(both.items[place], read)
        return _beside([with_masks(photo, mask, _map(one, photo), _WIDE) for one in readers])

    rows = mask_rows(both.before, both.after, readers[1].label)
    before, after = ([iou([one]) for one in side] for side in (both.before, both.after))
    return _Found(rows, both.items, (before, after), draw, both.failed, both.broken)


def _map(segmenter: WaterSegmenter, photo: ByteArray) -> ByteArray:
    return segmenter.segment_frames([frame_from_bgr(photo)])[0]


def _demanded(both: Looked[T]) -> Looked[T]:
    if not both.items:
        raise ValueError(f"no picture could be run with both networks: {both.failed[0]}")
    return both


def _beside(pictures: Sequence[ByteArray]) -> bytes:
    return encode(np.asarray(np.hstack(pictures), np.uint8), quality=80)


def _changes(found: _Found) -> tuple[list[tuple[int, PictureChange]], list[tuple[int, PictureChange]]]:
    """The pictures that gained and lost most, those first, with their place among the items."""
    pairs = list(
        enumerate(
            PictureChange(
                content=item.content, name=item.name, slices=item.slices, before=round(old, 4), after=round(new, 4)
            )
            for item, old, new in zip(found.items, *found.worth, strict=True)
        )
    )
    pairs.sort(key=lambda pair: pair[1].before - pair[1].after)
    better = [pair for pair in pairs[:_EACH] if pair[1].after > pair[1].before]
    worse = [pair for pair in reversed(pairs[-_EACH:]) if pair[1].after < pair[1].before]
    return better, worse
