"""Versions of training data: identity, splits that cannot leak, likeness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from algorithm_repo.datasets.alike import Pair, pairs, signature
from algorithm_repo.datasets.diff import diff
from algorithm_repo.datasets.photos import masked_photos
from algorithm_repo.datasets.pictures import decode, encode
from algorithm_repo.datasets.split import BLOCK_S, across, hours_across, split
from algorithm_repo.datasets.statistics import statistics
from algorithm_repo.datasets.types import Box, Interval, Item, Manifest, Source, Tag
from contracts.errors import ConfigError
from tests.effort import examples
from tests.unit.datasets_scene import alike_pair, content, item, manifest

# --- identity -------------------------------------------------------------------------------------------------


def test_what_it_holds_is_what_it_is() -> None:
    one = manifest(item(1), item(2))
    assert manifest(item(2), item(1), name="other", note="n").digest == one.digest
    labelled = item(1, labels=(Box(label="car", box=(0.1, 0.1, 0.2, 0.2)),))
    others = [
        manifest(labelled, item(2)),
        manifest(item(1)),
        manifest(item(1), item(2), classes=("bus", "car")),
        manifest(item(1), item(2), parent=one.digest),
        manifest(item(1, slices=("night",)), item(2)),
        manifest(item(1, side="train"), item(2)),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 1 + len(others)
    assert Manifest.model_validate_json(one.model_dump_json()).digest == one.digest


def test_frozen_is_a_side_for_each() -> None:
    assert not manifest().frozen
    assert not manifest(item(1, side="train"), item(2)).frozen
    assert manifest(item(1, side="train"), item(2, side="test")).frozen


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: manifest(item(1), item(1)), "each once"),
        (lambda: manifest(item(1, source="web")), r"items\[0\]\.source: 'web'"),
        (lambda: manifest(item(1, labels=(Tag(label="lorry"),))), r"items\[0\]\.labels: \['lorry'\]"),
        (lambda: manifest(classes=("car", "car")), "classes: each once"),
        (lambda: Box(label="car", box=(0.2, 0.1, 0.2, 0.3)), "has an area"),
        (lambda: Box(label="car", box=(0.2, 0.1, 1.2, 0.3)), "less than or equal to 1"),
        (lambda: Interval(label="litter", start=3, end=3), "ends after"),
        (lambda: item(1, content="abc"), "pattern"),
    ],
)
def test_what_is_wrong_is_named(make: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        make()


# --- likeness -------------------------------------------------------------------------------------------------


def picture(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 16), np.uint8)
    return np.asarray(cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_copies_are_found_and_others_are_not() -> None:
    first = picture(1)
    coded = cv2.imdecode(cv2.imencode(".jpg", first, [cv2.IMWRITE_JPEG_QUALITY, 25])[1], cv2.IMREAD_GRAYSCALE)
    copies = [coded, first[:, ::-1], cv2.resize(first, (320, 200)), first[6:-6, 10:-10], first // 2 + np.uint8(40)]
    known = {content(0): signature(first)} | {
        content(i): signature(np.asarray(one, np.uint8)) for i, one in enumerate(copies, 1)
    }
    others = {content(100 + i): signature(picture(100 + i)) for i in range(30)}
    found = pairs(known | others)
    assert {name for pair in found for name in (pair.first, pair.second)} == set(known)
    assert all(pair.first < pair.second and 0.85 < pair.likeness <= 1.0001 for pair in found)
    assert pairs({}) == pairs({"a" * 64: signature(first)}) == []


# --- splits ---------------------------------------------------------------------------------------------------


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Item], list[Pair]]:
    count = draw(st.integers(1, 40))
    cameras = draw(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=count, max_size=count))
    hours = draw(st.lists(st.integers(0, 6), min_size=count, max_size=count))
    items = [item(n, camera=c, utc=h * BLOCK_S + n) for n, (c, h) in enumerate(zip(cameras, hours, strict=True))]
    some = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda two: two[0] != two[1])
    alike = [] if count == 1 else draw(st.lists(some, max_size=12))
    return items, [alike_pair(a, b) for a, b in alike]


@given(worlds(), st.integers(0, 2**31), st.integers(0, 40))
@settings(max_examples=examples(150), deadline=None)
def test_no_side_shares_a_moment_or_a_picture_and_children_keep_sides(
    world: tuple[list[Item], list[Pair]], seed: int, born: int
) -> None:
    items, alike = world
    parent = split(manifest(*items[:born]), alike, seed=seed)
    assert parent.left_out == ()
    assert parent.manifest == split(manifest(*reversed(items[:born])), alike, seed=seed).manifest
    child = split(manifest(*parent.manifest.items, *items[born:]), alike, seed=seed)
    assert across(child.manifest, alike) == []
    sides: dict[tuple[str, int], set[str | None]] = {}
    for one in child.manifest.items:
        if one.camera and one.utc is not None:
            sides.setdefault((one.camera, int(one.utc // BLOCK_S)), set()).add(one.side)
    assert all(len(found) == 1 for found in sides.values())
    assert None not in {one.side for one in child.manifest.items}
    assert set(parent.manifest.items) <= set(child.manifest.items)
    left = {one.item.content for one in child.left_out}
    assert left | {one.content for one in child.manifest.items} == {one.content for one in items}
    assert left <= {one.content for one in items[born:]}


def test_shares_are_met_where_groups_are_small() -> None:
    found = split(manifest(*(item(n) for n in range(200))), [], seed=4).manifest.items
    counts = {side: sum(one.side == side for one in found) for side in ("train", "val", "test")}
    assert counts == {"train": 140, "val": 20, "test": 40}


def test_what_was_taken_moments_apart_is_on_one_side_across_the_hour() -> None:
    moments = [h * BLOCK_S + s for h in range(2, 80, 2) for s in (-2, 1)]
    items = [item(n, camera="a", utc=utc) for n, utc in enumerate(moments)]
    found = split(manifest(*items), [], seed=2).manifest
    sides = {one.utc: one.side for one in found.items}
    assert {sides[h * BLOCK_S - 2] == sides[h * BLOCK_S + 1] for h in range(2, 80, 2)} == {True}
    assert len(set(sides.values())) == 3
    assert hours_across(found) == 0
    apart = manifest(item(1, side="train", camera="a", utc=7198.0), item(2, side="test", camera="a", utc=7201.0))
    assert hours_across(apart) == 1
    # A parent of an earlier release may have such neighbours on two sides: what is new still goes with its hour.
    grown = split(manifest(*apart.items, item(3, camera="a", utc=4000.0), item(4, camera="a", utc=7100.0)), [], seed=1)
    told = {one.utc: one.side for one in grown.manifest.items}
    assert (told[4000.0], told[7100.0], grown.left_out) == ("train", "train", ())


def test_sides_that_nothing_is_on_are_told() -> None:
    one_scene = [alike_pair(1, n) for n in range(2, 6)]
    assert split(manifest(*(item(n) for n in range(1, 6))), one_scene, seed=1).empty == ("val", "test")
    assert split(manifest(*(item(n) for n in range(1, 21))), one_scene, seed=1).empty == ()


def test_what_would_join_two_sides_is_left_out_and_a_parent_that_leaks_is_refused() -> None:
    parent = manifest(item(1, side="train"), item(2, side="test"))
    new = [alike_pair(1, 3), alike_pair(2, 3)]
    found = split(manifest(*parent.items, item(3)), new, seed=1)
    assert [one.item.content for one in found.left_out] == [content(3)]
    assert "test and train" in found.left_out[0].why
    with pytest.raises(ValueError, match="1 pairs of the parent"):
        split(parent, [alike_pair(1, 2)], seed=1)
    with pytest.raises(ValueError, match="shares"):
        split(parent, [], seed=1, shares={"test": 0.6, "val": 0.4})


# --- what changed, what it holds ------------------------------------------------------------------------------


def test_lines_are_read_back() -> None:
    one = manifest(item(1, side="train", labels=(Tag(label="car"),)), item(2, side="test", camera="a", utc=5.25))
    assert Manifest.of_lines(b"".join(one.lines()), "v") == one
    for data in (b"", b"{}", b"[]\n", b"nothing", one.lines()[0].replace(b'"task":"detect"', b'"task":"guess"')):
        with pytest.raises(ValueError, match=r".+"):
            Manifest.of_lines(data, "v")


def test_hours_of_one_camera_on_two_sides_are_counted() -> None:
    there = {"camera": "a", "utc": 7200.0}
    one = manifest(
        item(1, side="train", **there),
        item(2, side="val", camera="a", utc=10_000.0),
        item(3, side="test", camera="b", utc=7200.0),
        item(4, side="test"),
    )
    assert hours_across(one) == 1
    assert hours_across(manifest(item(1, side="train", **there), item(2, side="val", camera="a", utc=10_800.0))) == 0


def test_a_difference_in_words() -> None:
    car, bus = (Box(label=label, box=(0.1, 0.1, 0.5, 0.5)) for label in ("car", "bus"))
    moved = Box(label="bus", box=(0.2, 0.1, 0.5, 0.5))
    before = manifest(item(1, labels=(car,)), item(2, labels=(bus,)), item(3), item(4), classes=("car", "bus"))
    after = manifest(
        item(1, labels=(bus, bus)),
        item(2, labels=(moved,)),
        item(3, slices=("night",)),
        item(5),
        classes=("car", "bus", "van"),
    )
    assert diff(before, before).words() == []
    assert diff(before, after).words() == [
        "added 1 items: 1 of city",
        "removed 1 items: 1 of city",
        "relabelled 2 items: bus +2, car -1, 1 with the same labels elsewhere",
        "changed 1 items otherwise: slices of 1",
        "added classes: van",
    ]


def test_a_difference_of_the_whole_and_labels_in_another_order() -> None:
    one, other = (Box(label="car", box=(x, 0.1, 0.9, 0.5)) for x in (0.1, 0.2))
    before = manifest(item(1, labels=(one, other)), classes=("car", "bus"))
    terms = {"city": Source(name="city cameras", licence="proprietary")}
    after = manifest(item(1, labels=(one, other)), classes=("bus", "car"), sources=terms, task="segment")
    assert diff(before, after).words() == [
        "changed the task: detect → segment",
        "changed the order of classes: car, bus → bus, car",
        "changed the terms: city: licence",
    ]
    turned = diff(before, manifest(item(1, labels=(other, one)), classes=("car", "bus")))
    assert turned.words() == ["changed 1 items otherwise: order of labels of 1"]
    assert turned.relabelled == ()


def test_counts() -> None:
    car, dot = Box(label="car", box=(0.1, 0.1, 0.5, 0.5)), Box(label="car", box=(0.1, 0.1, 0.11, 0.5))
    found = statistics(
        manifest(
            item(1, side="train", labels=(car, dot), slices=("night", "rain"), camera="a"),
            item(2, side="test", labels=(car,), slices=("night",)),
            item(3, side="val"),
        )
    )
    assert [(row.name, row.items, row.labels) for row in found.classes] == [
        ("car", (1, 0, 1), 3),
        ("bus", (0, 0, 0), 0),
    ]
    assert [(row.name, row.items) for row in found.slices] == [("night", (1, 0, 1)), ("rain", (1, 0, 0))]
    assert [(row.name, row.items, row.labels) for row in found.cameras] == [("", (0, 1, 1), 1), ("a", (1, 0, 0), 2)]
    assert (found.background, found.small, found.sides) == (1, 1, (1, 1, 1))
    assert [(row.name, row.items, row.labels) for row in found.licences] == [("internal", (1, 1, 1), 3)]


# --- photos ---------------------------------------------------------------------------------------------------


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    for data in (b"", b"no picture"):
        with pytest.raises(ValueError, match="not a picture"):
            decode(data)
    (tmp_path / "1.jpg").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"1\.jpg: it has no mask; put 1\.png"):
        masked_photos(tmp_path, tmp_path, "water", "ours")
    (tmp_path / "1.png").write_bytes(encode(np.zeros((4, 6), np.uint8), ".png"))
    with pytest.raises(ConfigError, match=r"1\.jpg: not a picture"):
        masked_photos(tmp_path, tmp_path, "water", "ours")
    (tmp_path / "1.jpg").write_bytes(encode(np.full((4, 6, 3), 200, np.uint8)))
    (one,), places = masked_photos(tmp_path, tmp_path, "water", "ours")
    assert (one.width, one.height, one.labels, one.slices) == (6, 4, (), ("light", "little water"))
    assert places[one.content] == tmp_path / "1.jpg"
