"""Boxes and masks on labelled pictures: COCO's figures by its library, intervals by draws, and what the gate says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithm_repo.datasets.types import Box, Item, Manifest, Mask, Source
from algorithm_repo.judging.coco import Sight, average_precision, mean_precision, measured
from algorithm_repo.judging.masks import Overlap, shared
from algorithm_repo.judging.networks import Network, of_zoo
from algorithm_repo.judging.picture_gate import (
    PictureLimits,
    box_rows,
    box_worth,
    judged_pictures,
    mask_rows,
)
from algorithm_repo.judging.picture_looks import looked, pictures_of, vocabulary
from algorithm_repo.training.figures import Boxes
from algorithm_repo.training.figures import average_precision as ours
from contracts.errors import ConfigError, RunnerError
from contracts.vision import ObjectClass
from models.zoo import Zoo

PERSON, CAR, VEHICLE = int(ObjectClass.PERSON), int(ObjectClass.CAR), int(ObjectClass.VEHICLE)
NAMES = {int(one): one.name.lower() for one in ObjectClass}
Row = tuple[tuple[float, float, float, float], float, int]


def boxes(rows: Sequence[Row]) -> Boxes:
    return Boxes(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([label for _, _, label in rows], np.int64),
    )


def sight(number: int, truth: Sequence[Row], found: Sequence[Row], *slices: str, side: int = 1000) -> Sight:
    return Sight(f"{number:064x}", side, side, slices, boxes(truth), boxes(found))


def square(x: float, y: float, side: float = 0.2) -> tuple[float, float, float, float]:
    return x, y, x + side, y + side


corner = st.integers(0, 30).map(lambda n: n / 40)
rows = st.lists(
    st.tuples(st.tuples(corner, corner), st.integers(2, 8), st.integers(1, 99), st.sampled_from([PERSON, CAR])),
    max_size=7,
    unique_by=lambda row: row[2],  # of a picture that is drawn twice, what is equally sure stands in another order
).map(lambda many: [(square(x, y, wide / 40), score / 100, label) for (x, y), wide, score, label in many])
sights = st.lists(st.tuples(rows, rows), min_size=1, max_size=6).map(
    lambda pairs: [sight(number, truth, found) for number, (truth, found) in enumerate(pairs)]
)


def test_the_figures_are_those_that_were_counted_by_hand() -> None:
    """Right, wrong, right: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1; the last at an IoU of 0.72."""
    truth = [(square(0.1, 0.1), 1.0, CAR), (square(0.6, 0.6), 1.0, CAR)]
    off = (0.6, 0.6, 0.8, 0.744)  # 0.72 of the thing, and nothing beside it
    found = [(square(0.1, 0.1), 0.9, CAR), (square(0.1, 0.7), 0.8, CAR), (off, 0.7, CAR)]
    whole = measured([sight(1, truth, found)]).whole
    easy, hard = (51 + 50 * 2 / 3) / 101, 51 / 101
    assert whole.ap50 == pytest.approx(easy, abs=1e-5)
    assert whole.ap75 == pytest.approx(hard, abs=1e-5)
    assert whole.ap == pytest.approx((easy + hard) / 2, abs=1e-5)
    assert whole.ar == pytest.approx(0.75)
    assert (whole.small, whole.medium, whole.large) == (None, None, whole.ap)


def test_a_thing_is_as_large_as_it_is_in_pixels() -> None:
    truth = [(square(0.1, 0.1), 1.0, CAR)]
    sizes = [(100, "small"), (300, "medium"), (1000, "large")]
    for side, name in sizes:
        told = measured([sight(1, truth, truth, side=side)]).whole
        assert {size: getattr(told, size) for _, size in sizes} == {
            size: 1.0 if size == name else None for _, size in sizes
        }


@given(rows.filter(bool))
def test_who_finds_everything_and_nothing_else_has_all_of_it(truth: list[Row]) -> None:
    once = list({box: (box, 1.0, label) for box, _, label in truth}.values())
    whole = measured([sight(1, once, once)]).whole
    assert (whole.ap, whole.ap50, whole.ar) == (1.0, 1.0, 1.0)


def test_who_finds_nothing_has_nothing_and_without_truth_nothing_is_told() -> None:
    truth: list[Row] = [(square(0.1, 0.1), 1.0, CAR)]
    assert measured([sight(1, truth, [])]).whole.ap == 0.0
    assert measured([sight(1, [], truth)]).whole.ap is None


@settings(max_examples=60)
@given(sights)
def test_the_library_and_our_own_figure_agree_at_one_half(found: list[Sight]) -> None:
    """Ours is the area itself, the library's the mean at 101 recalls: they differ by a hundredth at most."""
    for number, figures in measured(found).classes.items():
        mine, _ = ours([one.found for one in found], [one.truth for one in found], number)
        assert figures.ap50 == pytest.approx(mine, abs=0.0101)


@settings(max_examples=60)
@given(sights, st.data())
def test_a_draw_is_what_the_library_says_of_the_pictures_drawn(found: list[Sight], data: st.DataObject) -> None:
    times = data.draw(st.lists(st.integers(0, 2), min_size=len(found), max_size=len(found)))
    drawn = [one for one, often in zip(found, times, strict=True) for _ in range(often)]
    told, draw = measured(found), np.array([times], float)
    if not drawn:
        return
    there = measured(drawn)
    for number, hits in told.hits.items():
        (mine,) = average_precision(hits, draw)
        if number in there.classes:
            assert mine == pytest.approx(there.classes[number].ap, abs=2e-6)
        else:
            assert np.isnan(mine)
    if there.whole.ap is not None:
        assert mean_precision(told.hits, draw)[0] == pytest.approx(there.whole.ap, abs=2e-6)


def street(seed: int, blind: float, *slices: str, label: int = CAR, count: int = 24) -> list[Sight]:
    """Pictures of two things each, of which a network overlooks a share."""
    dice = np.random.default_rng(seed)
    truth: list[Row] = [(square(0.1, 0.1), 1.0, label), (square(0.6, 0.6), 1.0, label)]
    return [sight(number, truth, [one for one in truth if dice.random() >= blind], *slices) for number in range(count)]


def test_a_class_and_a_slice_that_surely_fell_refuse_though_all_gained() -> None:
    before = street(1, 0.5, "day", label=CAR, count=60) + street(2, 0.0, "night", label=PERSON, count=12)
    after = street(1, 0.0, "day", label=CAR, count=60) + street(2, 0.4, "night", label=PERSON, count=12)
    rows = box_rows(before, after, NAMES)
    verdict = judged_pictures(rows, PictureLimits())
    assert [row.title for row in rows] == ["all pictures", "class person", "class car", "slice day", "slice night"]
    assert not verdict.passed
    assert [reason.partition(" by ")[0] for reason in verdict.reasons] == [
        "class person: AP fell",
        "slice night: AP fell",
    ]
    assert "on 12 pictures" in verdict.reasons[0]
    assert judged_pictures(rows, PictureLimits(pictures=13)).passed


def test_nothing_is_gained_over_oneself_and_equal_is_good_enough() -> None:
    same = street(3, 0.3, "day")
    rows = box_rows(same, same, NAMES)
    assert all(row.gained is not None and (row.gained.by, row.gained.low, row.gained.high) == (0, 0, 0) for row in rows)
    assert judged_pictures(rows, PictureLimits()).passed
    (reason,) = judged_pictures(rows, PictureLimits(least_gain=0)).reasons
    assert reason == "the gain of AP of +0.000 (+0.000 to +0.000) is not surely above 0"


def test_too_few_pictures_none_with_truth_and_one_that_breaks_it_refuse() -> None:
    three, enough = street(4, 0.0, count=3), street(4, 0.0)
    few = judged_pictures(box_rows(three, three, NAMES), PictureLimits())
    assert few.reasons == ("3 pictures are too few to judge by: 8 are asked for",)
    empty = [sight(number, [], []) for number in range(8)]
    assert judged_pictures(box_rows(empty, empty, NAMES), PictureLimits()).reasons == (
        "no picture shows anything that is asked for",
    )
    broken = judged_pictures(box_rows(enough, enough, NAMES), PictureLimits(), ["a: b"], ["a: b"])
    assert (broken.reasons, broken.failed) == (("it cannot be run on a: b",), ("a: b",))


def test_one_picture_is_told_by_its_sure_boxes() -> None:
    here, there = (square(0.1, 0.1), 0.9, CAR), (square(0.6, 0.6), 0.9, CAR)
    unsure = (square(0.6, 0.6), 0.3, CAR)
    pictures = [
        sight(1, [here, there], [here, there]),
        sight(2, [here, there], [here, unsure]),
        sight(3, [here], [here, there]),
        sight(4, [here], []),
        sight(5, [], []),
    ]
    assert box_worth(pictures) == pytest.approx([1, 2 / 3, 2 / 3, 0, 1])


def overlaps(shares: Sequence[float], truth: float, *slices: str) -> list[Overlap]:
    return [Overlap(f"{n:064x}", round(1000 * share), 1000, slices, truth) for n, share in enumerate(shares)]


def test_masks_are_told_by_slice_and_by_how_much_water_there_is() -> None:
    before = overlaps([0.6] * 10, 0.1, "dark") + overlaps([0.8] * 10, 0.7) + overlaps([1.0], 0.0)
    after = overlaps([0.5] * 10, 0.1, "dark") + overlaps([0.9] * 10, 0.7) + overlaps([1.0], 0.0)
    rows = mask_rows(before, after, "water")
    assert [(row.title, row.pictures) for row in rows] == [
        ("all pictures", 21),
        ("slice dark", 10),
        ("size no water", 1),
        ("size little water", 10),
        ("size much water", 10),
    ]
    assert rows[1].before == {"IoU": 0.6, "IoU of a picture": 0.6}
    assert [reason.partition(" by ")[0] for reason in judged_pictures(rows, PictureLimits()).reasons] == [
        "slice dark: IoU fell",
        "size little water: IoU fell",
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20))
def test_the_pixels_that_two_masks_share_are_those_that_numpy_counts(seed: int, height: int, width: int) -> None:
    said, true = np.random.default_rng(seed).random((2, height, width)) > 0.5
    assert shared(said, true) == (int((said & true).sum()), int((said | true).sum()))


# --- which pictures, which classes ------------------------------------------------------------------------------


def item(number: int, *labels: Box | Mask, side: str = "val") -> Item:
    return Item.model_validate(
        {
            "content": f"{number:064x}",
            "name": f"{number}.jpg",
            "width": 10,
            "height": 10,
            "source": "here",
            "labels": labels,
            "side": side,
        }
    )


def version(task: str, classes: tuple[str, ...], *items: Item) -> Manifest:
    source = Source(name="here", licence="CC0-1.0")
    return Manifest.model_validate(
        {"name": "set", "task": task, "classes": classes, "sources": {"here": source}, "items": items}
    )


def network(name: str) -> Network:
    return of_zoo(name, Zoo())


def test_cars_buses_and_trucks_are_one_class_where_anybody_does_not_tell_them_apart() -> None:
    street = network("street")
    apart = vocabulary(version("detect", ("car", "bus")), street, street)
    assert apart.told[CAR] == CAR
    assert VEHICLE not in apart.told
    together = vocabulary(version("detect", ("vehicle", "person")), street, street)
    assert {together.told[int(one)] for one in (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)} == {VEHICLE}
    other = (square(0.1, 0.1), 0.5, int(ObjectClass.OTHER))
    kept = together.of(boxes([(square(0.1, 0.1), 0.5, CAR), other]))
    assert (kept.labels.tolist(), len(kept.boxes)) == ([VEHICLE], 1)


def test_a_version_that_the_network_cannot_be_judged_by_is_refused_with_the_fix() -> None:
    box, mask = Box(label="car", box=(0, 0, 1, 1)), Mask(label="water", sha256="a" * 64)
    cars, wet = version("detect", ("car",), item(1, box)), version("segment", ("water",), item(1, mask))
    cats = version("detect", ("cat",), item(1))
    for manifest, name, said in (
        (wet, "street", "name a version of detect"),
        (cars, "water", "name a version of segment"),
        (cars, "litter", "cityvision evaluate versions"),
        (cats, "street", "no detector tells cat"),
        (version("segment", ("mud",), item(1)), "water", "shows water"),
        (version("detect", ("car",), item(1, box, side="train")), "street", "no picture on val"),
    ):
        with pytest.raises(ConfigError) as refused:
            pictures_of(manifest, "val", network(name))
        assert said in str(refused.value)
    assert pictures_of(cars, "val", network("street")) == list(cars.items)
    both = version("segment", ("water", "mud"), item(1, mask, Mask(label="mud", sha256="b" * 64)))
    assert [one.labels for one in pictures_of(both, "val", network("water"))] == [(mask,)]


def test_a_picture_that_one_of_them_fails_on_is_in_no_figure() -> None:
    def fails_on(name: str) -> Callable[[Item], str]:
        def ask(one: Item) -> str:
            if one.name == name:
                raise RunnerError("it broke")
            return one.name

        return ask

    both = looked([item(1), item(2), item(3)], fails_on("1.jpg"), fails_on("2.jpg"))
    assert (both.before, both.after) == (("3.jpg",), ("3.jpg",))
    assert len(both.failed) == 2
    assert both.broken == both.failed[1:]
