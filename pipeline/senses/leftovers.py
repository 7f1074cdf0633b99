"""Things that came to rest and do not belong to the scene, each with the probability that it is litter.

Found by two backgrounds (`backgrounds`), told apart by a classifier of crops. What is litter stays told until it goes;
what is not becomes part of the scene after a while.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.pool import Zone, ZoneKind
from contracts.senses import Box, Leftover
from contracts.vision import Frame, Tracks
from pipeline.senses.backgrounds import WIDTH, Backgrounds, Comparison, Mask, small_height, small_planes

_MARGIN = 0.08  # of a track's box: its shadow, and what the detector cut off
_MARGIN_PIXELS = 2
_LEAST_AREA = 10  # pixels of the small picture
_LEAST_SIDE = 3
_TOGETHER = np.ones((7, 9), np.uint8)  # scattered leaves, the folds of a bag: places this close are one thing
_MOST_SIDE = 0.3  # of the picture's width or height: larger is light, or a vehicle nobody tracks
_MOST_AREA = 0.03
_MOST_THINGS = 24
_SAME = 0.2  # IoU with where a thing lay: that thing
_VISIBLE = 0.5  # of its places: less, and nothing can be said of it
_OWN_PLACE = 0.6  # of a thing's box: foreign, so it is still there
_KNOWN_SHARE = 0.5  # of the zones learnt: before that nothing can be said at all
_SHRINK_S = 9.0  # time constant with which a thing's box becomes smaller
_SEEN_S = 4.0  # not foreign for longer while visible: not told, for it may have gone
_GONE_S = 6.0  # no longer foreign for so long while visible: gone
_SOON_S, _EARLY_LOOKS = 1.5, 8  # a new thing is classified in its first looks
_LATER_S = 15.0  # and now and then afterwards
SCALES = (1.0, 1.25, 0.8)  # times its box, in turn: a net that is sure of one crop only is not sure of the thing
_BY_SIGHT_S = 4.0
_GROWN = 1.4  # times the area it had when it was classified
_KEPT = 8  # classifications that are averaged: leaves look like litter in one light or crop, litter in all
_NOT_LITTER = 0.35
_SURE_LOOKS = 3
_NOTHING = 0.15  # or less, twice in a row: whatever was there before has been taken away
_AFTER_LOOKS = 2  # after something was in front of it, a thing is classified anew at once
_ABSORB_S = 20.0  # what is not litter belongs to the scene after this time
_DOUBT_S = 150.0  # and what stays doubtful after this
_DOUBTFUL = 0.5
_EMPTY_EDGES = (
    0.6  # contour of a thing that is there, against that of the ground it hides; less: something was taken away
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing.

    Attributes:
        number: see `Leftover.number`.
        box: x1 y1 x2 y2, normalised, of the background's picture (not shifted by a swaying mast).
        since: stream time at which it came, s.
        found_at: when it was last found foreign, s.
        chances: its newest probabilities.
        looked: how often it was classified.
        looked_at: when last, s.
        looked_area: of the box then.
        by_sight: the scene was learnt anew with the thing in it: only the classifier can tell that it is there.
    """

    number: int
    box: Box
    since: float
    found_at: float
    chances: tuple[float, ...] = ()
    looked: int = 0
    looked_at: float = -1e9
    looked_area: float = 0.0
    by_sight: bool = False

    @property
    def litter(self) -> float:
        """Probability that it is litter, 0..1; 0 before the first classification."""
        return sum(self.chances) / len(self.chances) if self.chances else 0.0

    def judged(self, chance: float, time: float) -> Item:
        """After one more classification."""
        chances = (*self.chances, chance)[-_KEPT:]
        if max(chances[-2:]) <= _NOTHING:
            chances = chances[-2:]
        return replace(self, chances=chances, looked=self.looked + 1, looked_at=time, looked_area=_area(self.box))

    def again(self, box: Box, time: float) -> Item:
        """Found again, in `box`. What was only partly seen when it was classified is classified anew."""
        if self.looked and _area(box) > _GROWN * self.looked_area:
            return replace(self, box=box, found_at=time, chances=self.chances[-1:], looked=0, looked_at=-1e9)
        return replace(self, box=box, found_at=time)


class LeftoverMemory:
    """What one camera's scene looks like, and what lies in it. Mutable; see `pipeline.senses.memory`."""

    def __init__(self) -> None:
        self.backgrounds: Backgrounds | None = None
        self.items: tuple[Item, ...] = ()
        self.next_number = 0

    def dump(self) -> dict[str, Any]:
        """Inverse of `load`."""
        names = Item.__dataclass_fields__
        return {
            "backgrounds": None if self.backgrounds is None else self.backgrounds.dump(),
            "items": [{name: getattr(item, name) for name in names} for item in self.items],
            "next_number": self.next_number,
        }

    @staticmethod
    def load(data: dict[str, Any]) -> LeftoverMemory:
        """Inverse of `dump`. Raises ValueError, KeyError or TypeError when the data is of another shape."""
        one = LeftoverMemory()
        if data["backgrounds"] is not None:
            one.backgrounds = Backgrounds.load(data["backgrounds"])
        items = []
        for entry in data["items"]:
            x1, y1, x2, y2 = (float(value) for value in entry["box"])
            chances = tuple(float(value) for value in entry["chances"])
            items.append(Item(**{**entry, "box": (x1, y1, x2, y2), "chances": chances}))
        one.items, one.next_number = tuple(items), int(data["next_number"])
        return one


@dataclass(slots=True)
class Search:
    """One look at one camera's leftovers: what was found, and which of it wants to be classified.

    Attributes:
        memory: the camera's.
        time: stream time, s.
        learnt: enough of the zones is known to say anything.
        visible: whether each item can be seen in this look (nothing tracked in front, and as it was).
        wanted: indices of items to classify, and where they lie in this picture.
    """

    memory: LeftoverMemory
    time: float
    learnt: bool = False
    visible: list[bool] = field(default_factory=list)
    wanted: list[tuple[int, Box]] = field(default_factory=list)

    def answer(self, chances: Sequence[float]) -> tuple[Leftover, ...] | None:
        """What to tell, given the probabilities of what was wanted; None while the scene is not known."""
        items = list(self.memory.items)
        for (index, _), chance in zip(self.wanted, chances, strict=True):
            items[index] = items[index].judged(float(chance), self.time)
            if items[index].by_sight and chance >= _DOUBTFUL:
                items[index] = replace(items[index], found_at=self.time)
        self.memory.items = tuple(items)
        if not self.learnt and not any(item.by_sight for item in items):
            return None
        return tuple(
            Leftover(item.number, item.box, item.since, item.litter)
            for item, visible in zip(items, self.visible, strict=True)
            if visible and item.chances and (not item.by_sight or item.chances[-1] >= _DOUBTFUL)
        )


def search(memory: LeftoverMemory, frame: Frame, tracks: Tracks, zones: Sequence[Zone]) -> Search:
    """Learns from a look and finds what lies in the zones (those of bins apart)."""
    luma, chroma = small_planes(frame)
    height = small_height(frame.aspect)
    if memory.backgrounds is None or memory.backgrounds.size[1] != height:
        memory.backgrounds, memory.items = Backgrounds(height), ()
    backgrounds = memory.backgrounds
    found = Search(memory, frame.time)
    if backgrounds.time is not None and frame.time <= backgrounds.time:
        found.visible = [False] * len(memory.items)
        return found
    masked, watched = _masked(tracks, height), _zone_mask(zones, height)
    held = _held(memory.items, height)
    compared = backgrounds.look(luma, chroma, masked, held, frame.time)
    if compared.relearnt:
        memory.items = tuple(replace(item, by_sight=True) for item in memory.items if item.litter >= _DOUBTFUL)
    foreign: Mask = np.bitwise_and(compared.foreign, watched)
    _match(memory, backgrounds, foreign, masked, frame.time)
    _let_go(memory, backgrounds, masked, frame.time)
    inside = watched > 0
    area = np.count_nonzero(inside)
    found.learnt = bool(area > 0 and np.count_nonzero(backgrounds.known[inside]) >= _KNOWN_SHARE * area)
    _plan(found, compared, masked, frame)
    return found


def _masked(tracks: Tracks, height: int) -> Mask:
    """255 where something tracked is, with a margin."""
    mask = np.zeros((height, WIDTH), np.uint8)
    for x1, y1, x2, y2 in tracks.boxes.tolist():
        dx, dy = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
        left, top = int((x1 - dx) * WIDTH) - _MARGIN_PIXELS, int((y1 - dy) * height) - _MARGIN_PIXELS
        right, bottom = int((x2 + dx) * WIDTH) + _MARGIN_PIXELS + 1, int((y2 + dy) * height) + _MARGIN_PIXELS + 1
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 255
    return mask


def _zone_mask(zones: Sequence[Zone], height: int) -> Mask:
    mask = np.zeros((height, WIDTH), np.uint8)
    for zone in zones:
        if zone.kind is not ZoneKind.BIN:
            corners = np.rint(np.array(zone.polygon) * (WIDTH, height)).astype(np.int32)
            cv2.fillPoly(mask, [corners], 255)
    # A thing at the far edge of a zone stands out above it.
    return np.asarray(cv2.dilate(mask, np.ones((9, 5), np.uint8)), np.uint8)


def _pixels(box: Box, height: int, margin: int = 0) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box
    left, top = round(x1 * WIDTH) - margin, round(y1 * height) - margin
    right, bottom = max(round(x2 * WIDTH), left + 1) + margin, max(round(y2 * height), top + 1) + margin
    return slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))


def _held(items: tuple[Item, ...], height: int) -> Mask:
    mask = np.zeros((height, WIDTH), np.uint8)
    for item in items:
        if not item.by_sight:
            mask[_pixels(item.box, height, 2)] = 255
    return mask


def _match(memory: LeftoverMemory, backgrounds: Backgrounds, foreign: Mask, masked: Mask, time: float) -> None:
    """The foreign regions as things: known ones found again, new ones entered, holes in the scene filled."""
    height = foreign.shape[0]
    x, y, wide, high = cv2.boundingRect(foreign)
    if not (wide and high):
        return
    joined = cv2.morphologyEx(foreign[y : y + high, x : x + wide], cv2.MORPH_CLOSE, _TOGETHER)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    sides = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    large = np.flatnonzero((stats[:, cv2.CC_STAT_AREA] >= _LEAST_AREA) & (sides >= _LEAST_SIDE))
    order = sorted((int(label) for label in large if label > 0), key=lambda label: -int(stats[label, cv2.CC_STAT_AREA]))
    items = list(memory.items)
    for label in order[: 2 * _MOST_THINGS]:
        left, top, wide, high, area = (int(value) for value in stats[label])
        left, top = left + x, top + y
        box = (left / WIDTH, top / height, (left + wide) / WIDTH, (top + high) / height)
        known = _of_place(items, box)
        if known is not None:
            items[known] = items[known].again(_steadied(items[known], box, time), time)
            continue
        region = np.zeros(foreign.shape, np.bool_)
        region[y : y + labels.shape[0], x : x + labels.shape[1]] = labels == label
        if wide > _MOST_SIDE * WIDTH or high > _MOST_SIDE * height or area > _MOST_AREA * foreign.size:
            continue
        if np.count_nonzero(masked[region]) > (1 - _VISIBLE) * area:
            continue
        if _is_hole(backgrounds, region):
            backgrounds.absorb(_widened(region))
            continue
        if len(items) < _MOST_THINGS:
            memory.next_number = max(memory.next_number + 1, int(time))
            items.append(Item(memory.next_number, box, backgrounds.since(region, time), time))
    memory.items = tuple(replace(i, found_at=time) if _still_foreign(i, foreign, time) else i for i in items)


def _still_foreign(item: Item, foreign: Mask, time: float) -> bool:
    """Whether a thing's own place is foreign although no region of this look is it: a shadow came over both it and the
    ground beside it, or something larger was put around it."""
    if item.found_at >= time or item.by_sight:
        return False
    place = foreign[_pixels(item.box, foreign.shape[0])]
    return bool(place.size > 0 and np.count_nonzero(place) >= _OWN_PLACE * place.size)


def _widened(region: NDArray[np.bool_]) -> Mask:
    return np.asarray(cv2.dilate(region.astype(np.uint8) * 255, np.ones((5, 5), np.uint8)), np.uint8)


def _of_place(items: list[Item], box: Box) -> int | None:
    """The known thing that lies where a region is: by overlap, or because the region is a part of it."""
    best: tuple[float, int] | None = None
    for index, item in enumerate(items):
        width = min(item.box[2], box[2]) - max(item.box[0], box[0])
        height = min(item.box[3], box[3]) - max(item.box[1], box[1])
        if width <= 0 or height <= 0:
            continue
        shared, mine, other = width * height, _area(item.box), _area(box)
        share = max(shared / (mine + other - shared), 0.9 * shared / other if shared >= 0.6 * other else 0.0)
        if share >= _SAME and (best is None or share > best[0]):
            best = (share, index)
    return None if best is None else best[1]


def _area(box: Box) -> float:
    return max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def _steadied(item: Item, new: Box, time: float) -> Box:
    """A thing's box grows with its region at once, shrinks slowly, and not to what is left in sight of it."""
    if _area(new) < 0.5 * _area(item.box):
        return item.box
    keep = math.exp(-(time - item.found_at) / _SHRINK_S)
    left, top, right, bottom = (keep * a + (1 - keep) * b for a, b in zip(item.box, new, strict=True))
    return min(left, new[0]), min(top, new[1]), max(right, new[2]), max(bottom, new[3])


def _is_hole(backgrounds: Backgrounds, region: NDArray[np.bool_]) -> bool:
    """Whether something was taken away there: the ground has no contour now, the scene as learnt had one."""
    inner = region.astype(np.uint8)
    ring = (cv2.dilate(inner, np.ones((3, 3), np.uint8)) - cv2.erode(inner, np.ones((3, 3), np.uint8))) > 0
    now = cv2.morphologyEx(backgrounds.luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    before = cv2.morphologyEx(backgrounds.long_luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return float(now[ring].mean()) < _EMPTY_EDGES * float(before[ring].mean())


def _let_go(memory: LeftoverMemory, backgrounds: Backgrounds, masked: Mask, time: float) -> None:
    """Things that went are forgotten, things that are not litter become part of the scene."""
    height = masked.shape[0]
    kept = []
    for item in memory.items:
        place = masked[_pixels(item.box, height)]
        hidden = place.size == 0 or np.count_nonzero(place) > (1 - _VISIBLE) * place.size
        age = time - item.since
        if hidden:
            # Nobody can tell: its time without being found begins anew, and who was in front may have taken it.
            looked = min(item.looked, _EARLY_LOOKS - _AFTER_LOOKS)
            kept.append(replace(item, found_at=time, looked=looked))
            continue
        if time - item.found_at > (_GONE_S if not item.by_sight else 3 * _BY_SIGHT_S):
            continue
        sure = item.looked >= _SURE_LOOKS
        if sure and ((item.litter < _NOT_LITTER and age > _ABSORB_S) or (item.litter < _DOUBTFUL and age > _DOUBT_S)):
            mask = np.zeros_like(masked)
            mask[_pixels(item.box, height, 2)] = 255
            backgrounds.absorb(mask)
            continue
        kept.append(item)
    memory.items = tuple(kept)


def _plan(found: Search, compared: Comparison, masked: Mask, frame: Frame) -> None:
    """Which things can be seen now, and which of them to classify."""
    height = masked.shape[0]
    dx, dy = compared.shift[0] / WIDTH, compared.shift[1] / height
    for index, item in enumerate(found.memory.items):
        place = _pixels(item.box, height)
        size = masked[place].size
        hidden = np.count_nonzero(masked[place])
        covered = size == 0 or hidden > (1 - _VISIBLE) * size
        other = np.count_nonzero(compared.unsteady[place]) > (1 - _VISIBLE) * (size - hidden)
        missed = frame.time - item.found_at > _SEEN_S
        found.visible.append(not covered and (item.by_sight or not (other or missed)))
        early = item.looked < _EARLY_LOOKS
        due = item.looked_at + (_BY_SIGHT_S if item.by_sight else _SOON_S if early else _LATER_S)
        if found.visible[-1] and frame.time >= due - 1e-6:
            x1, y1, x2, y2 = scaled(item.box, SCALES[item.looked % len(SCALES)])
            found.wanted.append((index, (x1 + dx, y1 + dy, x2 + dx, y2 + dy)))


def scaled(box: Box, scale: float) -> Box:
    """A box about the same middle."""
    wide, high = (scale - 1) / 2 * (box[2] - box[0]), (scale - 1) / 2 * (box[3] - box[1])
    return box[0] - wide, box[1] - high, box[2] + wide, box[3] + high
