"""Which pictures are nearly the same: copies that were changed, on patterns and on real photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from algorithm_repo.datasets.alike import Pair, Signature, likeness, pairs, signature
from algorithm_repo.datasets.types import Side
from tests.unit.datasets_scene import content

Grey = np.ndarray[Any, np.dtype[np.uint8]]


def picture(seed: int, height: int = 360, width: int = 640) -> Grey:
    """A soft pattern, another one for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 7), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def groups(found: list[Pair]) -> list[set[str]]:
    """What the pairs say belongs together, the largest first."""
    told: list[set[str]] = []
    for pair in found:
        touched = [one for one in told if pair.first in one or pair.second in one]
        told = [one for one in told if one not in touched] + [{pair.first, pair.second}.union(*touched)]
    return sorted(told, key=len, reverse=True)


def with_others(*copies: Grey) -> dict[str, Signature]:
    """Looks of `copies`, numbered from 0, and of pictures that have nothing to do with them."""
    looks = {content(n): signature(np.asarray(one, np.uint8)) for n, one in enumerate(copies)}
    return looks | {content(100 + n): signature(picture(100 + n)) for n in range(30)}


def test_a_picture_is_found_in_each_turning_and_mirrored() -> None:
    first = picture(1)
    turned = [np.rot90(one, quarter) for one in (first, first[:, ::-1]) for quarter in range(4)]
    assert groups(pairs(with_others(*turned))) == [{content(n) for n in range(8)}]


@pytest.mark.parametrize("mirrored", [False, True])
def test_parts_of_a_picture_are_found_and_the_moved_view(mirrored: bool) -> None:
    first = picture(2)
    changed = [first[36:-36, 64:-64], first[54:, 96:], first[:288, :512], first[:, 48:], first[18:, :-32]]
    copies = [one[:, ::-1] for one in changed] if mirrored else changed
    assert groups(pairs(with_others(first, *copies))) == [{content(n) for n in range(6)}]


def test_pictures_of_nothing_are_one_picture() -> None:
    rng = np.random.default_rng(0)
    dark = [np.zeros((90, 160), np.uint8), np.full((90, 160), 255, np.uint8)]
    dark += [np.asarray(rng.normal(12, 2, (720, 1280)).clip(0, 255), np.uint8) for _ in range(3)]
    looks = with_others(*dark)
    looks[content(5)] = np.zeros_like(looks[content(0)])  # as flat pictures were kept in earlier releases
    assert groups(pairs(looks)) == [{content(n) for n in range(6)}]
    assert likeness(signature(dark[0]), [looks[content(5)]]) == pytest.approx(1)
    assert likeness(signature(picture(3)), [signature(dark[0])]) < 0.1


def test_one_camera_gives_a_chain_of_pairs_and_not_each_with_each() -> None:
    rng, first = np.random.default_rng(4), picture(4, 24, 24).astype(np.float32)
    looks = {
        content(n): signature(np.asarray((first + rng.normal(0, 8, first.shape)).clip(0, 255), np.uint8))
        for n in range(400)
    }
    found = pairs(looks)
    assert len(found) == 399
    assert groups(found) == [set(looks)]


def test_whoever_has_a_copy_on_another_side_is_named() -> None:
    looks = {content(n): signature(picture(5)) for n in range(60)}
    sides: dict[str, Side] = {content(n): "train" if n % 2 else "test" for n in range(40)}
    crossing = [one for one in pairs(looks, sides=sides) if sides.get(one.first) != sides.get(one.second)]
    named = {name for one in crossing for name in (one.first, one.second) if {one.first, one.second} <= sides.keys()}
    assert named == set(sides)
    assert len(pairs(looks, sides=sides)) < 2 * len(looks)


@pytest.mark.parametrize("fresh", [0, 1, 7, 20, 40])
def test_what_was_checked_is_not_compared_again_and_whoever_is_new_finds_all_that_is_like_it(fresh: int) -> None:
    """Of forty pictures in eight kinds: copies, mirrored ones, turned ones, and crops both ways."""
    looks, kinds = {}, {}
    for n in range(40):
        first = picture(n % 8)
        views = (first, first[:, ::-1], np.rot90(first), first[36:-36, 64:-64], first[:, 48:])
        looks[content(n)], kinds[content(n)] = signature(np.asarray(views[n // 8], np.uint8)), n % 8
    new = {content((n * 7) % 40) for n in range(fresh)}
    checked = looks.keys() - new
    sides: dict[str, Side] = {name: ("train", "val", "test")[kinds[name] % 3] for name in checked}
    found = pairs(looks, sides=sides, checked=checked)
    assert all({pair.first, pair.second} & new for pair in found)
    together = groups(found)
    for name in new:
        (mine,) = [one for one in together if name in one]
        assert {kinds[one] for one in mine} == {kinds[name]}
        assert mine >= {one for one in new if kinds[one] == kinds[name]}
        if any(kinds[one] == kinds[name] for one in checked):
            assert mine & checked, "and what is known of its kind"


# --- real photos ------------------------------------------------------------------------------------------------

CHANGES: dict[str, tuple[Callable[[Grey], Grey], float]] = {
    "cropped to the middle 90 %": (lambda one: _cut(one, 0.9, 0.5), 0.8),
    "cropped to the middle 80 %": (lambda one: _cut(one, 0.8, 0.5), 0.8),
    "cropped to a corner, 85 %": (lambda one: _cut(one, 0.85, 1.0), 0.8),
    "moved by 5 %": (lambda one: one[:, one.shape[1] // 20 :], 0.8),
    "turned by a quarter": (np.rot90, 1.0),
    "on its head": (lambda one: one[::-1, ::-1], 1.0),
    "flipped": (lambda one: one[::-1], 1.0),
    "half as bright": (lambda one: one // 2, 1.0),
}


def _cut(one: Grey, share: float, place: float) -> Grey:
    height, width = (int(share * side) for side in one.shape)
    top, left = (int(place * (whole - part)) for whole, part in zip(one.shape, (height, width), strict=True))
    return one[top : top + height, left : left + width]


@pytest.mark.media
def test_changed_copies_of_real_photos_are_found_and_hardly_anything_else(mirror: Path) -> None:
    """The figures of docs/datasets.md are of more photos; these are the floor."""
    paths = [path for room in ("flood/images", "coco128/images/train2017") for path in _some(mirror, room)]
    photos = [cv2.imread(str(path), cv2.IMREAD_REDUCED_GRAYSCALE_2) for path in paths]
    looks = {content(n): signature(np.asarray(one, np.uint8)) for n, one in enumerate(photos)}
    assert len(pairs(looks)) <= 2, "these are different photos"
    for what, (change, least) in CHANGES.items():
        changed = [_coded(np.ascontiguousarray(change(np.asarray(one, np.uint8)))) for one in photos]
        copies = {content(1000 + n): signature(one) for n, one in enumerate(changed)}
        found = sum(
            len(pairs({a: looks[a], b: copies[b]})) == 1
            for a, b in ((content(n), content(1000 + n)) for n in range(len(photos)))
        )
        assert found >= least * len(photos), what


def _some(mirror: Path, room: str) -> list[Path]:
    return sorted((mirror / "truth" / room).glob("*.jpg"))[::6][:20]


def _coded(one: Grey) -> Grey:
    smaller = cv2.resize(one, (one.shape[1] * 2 // 3, one.shape[0] * 2 // 3), interpolation=cv2.INTER_AREA)
    told = cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    return np.asarray(cv2.imdecode(told, cv2.IMREAD_GRAYSCALE), np.uint8)
