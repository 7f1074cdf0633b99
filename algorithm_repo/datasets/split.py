"""Which items are trained on, which choose between trainings, and which tell what a network is worth.

Drawn by camera and time, never by neighbouring frame: what one camera took within an hour, or less than a minute apart,
and whatever is nearly the same picture, is one group and stays on one side. A version keeps the sides of its parent, so
that both are measured on the same pictures; what would join two sides is left out and named.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from algorithm_repo.datasets.alike import Pair
from algorithm_repo.datasets.types import SIDES, Item, Manifest, Side

BLOCK_S = 3600.0
NEAR_S = 60.0
SHARES: Mapping[Side, float] = {"test": 0.2, "val": 0.1}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that cannot be on either side."""

    item: Item
    why: str


@dataclass(frozen=True, slots=True)
class Split:
    """Attributes:
    manifest: with a side for each item.
    left_out: what it does not hold, though it was given.
    """

    manifest: Manifest
    left_out: tuple[LeftOut, ...]

    @property
    def empty(self) -> tuple[Side, ...]:
        """Sides that nothing is on: as where one camera took pictures that are all alike."""
        held = {item.side for item in self.manifest.items}
        return tuple(side for side in SIDES if side not in held)


def split(manifest: Manifest, alike: Sequence[Pair], *, seed: int, shares: Mapping[Side, float] = SHARES) -> Split:
    """Gives each item a side. Items that have one keep it.

    Args:
        manifest: items with a side (the parent's) and without (the new ones).
        alike: pairs that are nearly the same (`alike.pairs`).
        seed: of the drawing: the same items and seed give the same split.
        shares: of the items, for test and val; the rest is for training.

    Raises:
        ValueError: the parent's own sides share nearly the same picture, or shares are not below 1 together.
    """
    if sum(shares.values()) >= 1 or min(shares.values(), default=0) < 0:
        raise ValueError("shares: test and val together leave something to train on")
    crossing = across(manifest, alike)
    if crossing:
        raise ValueError(f"{len(crossing)} pairs of the parent are on two sides, {crossing[0]} first")
    kept, left_out = _without_bridges(manifest.items, alike)
    groups = _groups(kept, alike)
    sides = _drawn(groups, seed, {side: share * len(kept) for side, share in shares.items()})
    items = tuple(item.model_copy(update={"side": sides[item.content]}) for item in kept)
    return Split(manifest.model_copy(update={"items": items}), left_out)


def across(manifest: Manifest, alike: Iterable[Pair]) -> list[Pair]:
    """The pairs that are on two sides: the leakage check. A frozen version has none."""
    sides = {item.content: item.side for item in manifest.items if item.side is not None}
    return [
        pair
        for pair in alike
        if pair.first in sides and pair.second in sides and sides[pair.first] != sides[pair.second]
    ]


def hours_across(manifest: Manifest) -> int:
    """How many hours of a camera are on two sides, or on another one than what was taken moments before them."""
    sides: dict[tuple[str, int], set[Side]] = {}
    for item in manifest.items:
        block = _block(item)
        if block is not None and item.side is not None:
            sides.setdefault(block, set()).add(item.side)
    found = {block for block, held in sides.items() if len(held) > 1}
    for one, other in _neighbours(manifest.items):
        block = _block(other)
        if block is not None and _parted(one, other):
            found.add(block)
    return len(found)


def _neighbours(items: Iterable[Item]) -> Iterator[tuple[Item, Item]]:
    """What one camera took less than a minute apart, in two hours; the earlier one first."""
    timed = sorted(
        (item.camera, item.utc, item.content, item) for item in items if item.camera and item.utc is not None
    )
    for (camera, utc, _, one), (next_camera, next_utc, _, other) in pairwise(timed):
        if camera == next_camera and next_utc - utc < NEAR_S and _block(one) != _block(other):
            yield one, other


def _parted(one: Item, other: Item) -> bool:
    return None not in (one.side, other.side) and one.side != other.side


def _block(item: Item) -> tuple[str, int] | None:
    """The camera and the hour; None where either is not known."""
    return (item.camera, int(item.utc // BLOCK_S)) if item.camera and item.utc is not None else None


def _without_bridges(items: Sequence[Item], alike: Sequence[Pair]) -> tuple[list[Item], tuple[LeftOut, ...]]:
    """New items whose group would hold two sides are left out, one by one, until no group does."""
    kept, left_out = list(items), list[LeftOut]()
    while True:
        for group in _groups(kept, alike):
            sides = {item.side for item in group if item.side is not None}
            fresh = [item for item in group if item.side is None]
            if len(sides) > 1 and fresh:
                break
        else:
            return kept, tuple(left_out)
        why = f"nearly the same as pictures of {' and '.join(sorted(str(side) for side in sides))}, or taken with them"
        left_out.extend(LeftOut(item, why) for item in fresh)
        gone = {item.content for item in fresh}
        kept = [item for item in kept if item.content not in gone]


def _groups(items: Sequence[Item], alike: Sequence[Pair]) -> list[list[Item]]:
    """Items that have to stay together, in the order of their first content."""
    root = {item.content: item.content for item in items}

    def found(one: str) -> str:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    def join(one: str, other: str) -> None:
        first, second = sorted((found(one), found(other)))
        root[second] = first

    moments: dict[tuple[str, int], str] = {}
    for item in items:
        block = _block(item)
        if block is not None:
            join(item.content, moments.setdefault(block, item.content))
    for one, other in _neighbours(items):
        if not _parted(one, other):  # as versions of earlier releases may have them: these keep their sides
            join(one.content, other.content)
    for pair in alike:
        if pair.first in root and pair.second in root:
            join(pair.first, pair.second)
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(found(item.content), []).append(item)
    return [groups[one] for one in sorted(groups)]


def _drawn(groups: list[list[Item]], seed: int, wanted: Mapping[Side, float]) -> dict[str, Side]:
    """Whole groups until each side has its share; a group with a side keeps it."""
    sides: dict[str, Side] = {}
    counts: dict[Side, int] = dict.fromkeys(SIDES, 0)
    fresh = []
    for group in groups:
        known = next((item.side for item in group if item.side is not None), None)
        if known is None:
            fresh.append(group)
            continue
        sides |= {item.content: known for item in group}
        counts[known] += len(group)
    random.Random(seed).shuffle(fresh)
    for group in fresh:
        lacking: Iterable[Side] = (side for side, share in wanted.items() if counts[side] + len(group) / 2 <= share)
        side: Side = next(iter(lacking), "train")
        sides |= {item.content: side for item in group}
        counts[side] += len(group)
    return sides
