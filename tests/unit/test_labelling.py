"""Labelling: how far people agree, what a project takes, and the geometry behind it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from algorithm_repo.datasets.types import Box, Polygon, Tag
from algorithm_repo.labelling.agreement import NOTHING, compare, iou, kappa, together
from algorithm_repo.labelling.types import NewProject, NewReview, Shape
from contracts.errors import ConfigError

CLASSES = ("car", "bus")
SHARES = st.integers(0, 1000).map(lambda n: n / 1000)
WORDS = st.sampled_from(CLASSES)


def box(x1: float, y1: float, x2: float, y2: float, label: str = "car") -> Box:
    return Box(label=label, box=(x1, y1, x2, y2))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, x2 = sorted(draw(st.lists(SHARES, min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(draw(st.lists(SHARES, min_size=2, max_size=2, unique=True)))
    return box(x1, y1, x2, y2, draw(WORDS))


POLYGONS = st.builds(
    Polygon, label=WORDS, points=st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=8).map(tuple)
)
LABELS: st.SearchStrategy[list[Shape]] = st.lists(st.one_of(boxes(), POLYGONS, st.builds(Tag, label=WORDS)), max_size=6)


@settings(deadline=None)
@given(boxes() | POLYGONS, boxes() | POLYGONS)
def test_iou_is_a_share_the_same_from_both_sides_and_one_with_itself(a: Box | Polygon, b: Box | Polygon) -> None:
    assert 0 <= iou(a, b) <= 1
    assert iou(a, b) == pytest.approx(iou(b, a), abs=1e-9)
    if isinstance(a, Box):
        assert iou(a, a) == pytest.approx(1)


@settings(deadline=None)
@given(boxes(), boxes())
def test_the_iou_of_boxes_is_what_their_sides_say(a: Box, b: Box) -> None:
    ax1, ay1, ax2, ay2 = a.box
    bx1, by1, bx2, by2 = b.box
    inside = max(0.0, min(ax2, bx2) - max(ax1, bx1)) * max(0.0, min(ay2, by2) - max(ay1, by1))
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - inside
    assert iou(a, b) == pytest.approx(inside / union, abs=1e-9)


@settings(deadline=None)
@given(boxes())
def test_a_box_drawn_as_an_outline_is_the_same_area(a: Box) -> None:
    x1, y1, x2, y2 = a.box
    assert iou(a, Polygon(label=a.label, points=((x1, y1), (x2, y1), (x2, y2), (x1, y2)))) == pytest.approx(1)


@settings(deadline=None)
@given(LABELS, LABELS)
def test_who_is_compared_with_whom_makes_no_difference(a: list[Shape], b: list[Shape]) -> None:
    ours, theirs = (compare(one, other, CLASSES, True) for one, other in ((a, b), (b, a)))
    assert sum(ours.ious) == pytest.approx(sum(theirs.ious))
    assert together([ours]).tag_kappa == pytest.approx(together([theirs]).tag_kappa)


@settings(deadline=None)
@given(st.lists(boxes(), max_size=6), st.randoms())
def test_labels_agree_with_themselves_in_any_order(labels: list[Box], random: Any) -> None:
    shuffled = list(labels)
    random.shuffle(shuffled)
    found = together([compare(labels, shuffled, CLASSES, False)])
    assert found.iou == (pytest.approx(1) if labels else None)
    assert found.tag_kappa is None


def test_shapes_are_paired_so_that_all_of_them_find_their_own() -> None:
    ours = [box(0.1, 0.1, 0.5, 0.5), box(0.12, 0.1, 0.52, 0.5, "bus")]
    theirs = [ours[1], ours[0], box(0.8, 0.8, 0.9, 0.9)]
    found = compare(ours, theirs, CLASSES, False)
    assert found.ious == (1.0, 1.0)
    assert sorted(found.pairs) == [(NOTHING, "car"), ("bus", "bus"), ("car", "car")]
    assert together([found]).f1 == pytest.approx(2 * 2 / 5)


def test_another_class_of_the_same_thing_is_a_disagreement_about_the_class_alone() -> None:
    found = together([compare([box(0, 0, 1, 1)], [box(0, 0, 1, 1, "bus")], CLASSES, False)])
    assert (found.iou, found.f1, found.kappa) == (1.0, 0.0, 0.0)


def test_kappa_of_a_table_that_is_known() -> None:
    # Cohen's kappa of the 2x2 table 20, 5 / 10, 15: (0.7 - 0.5) / (1 - 0.5)
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([]) is None
    assert kappa([("y", "y")] * 3) == 1.0
    assert kappa([("y", "n"), ("n", "y")]) == pytest.approx(-1)


def test_tags_agree_also_by_what_neither_gives() -> None:
    found = together([compare([Tag(label="car")], [Tag(label="car")], CLASSES, True)])
    assert (found.tag_kappa, found.f1, found.iou) == (1.0, None, None)


def test_a_project_says_which_label_does_not_fit() -> None:
    project = NewProject(name="cars", classes=CLASSES)
    project.check([box(0, 0, 1, 1)])
    with pytest.raises(ConfigError, match=r"labels\[1\]\.label: 'tram' is no class of cars"):
        project.check([box(0, 0, 1, 1), box(0, 0, 1, 1, "tram")])
    with pytest.raises(ConfigError, match=r"labels\[0\]\.kind: cars takes no tag"):
        project.check([Tag(label="car")])
    with pytest.raises(ValidationError, match="classes: each once"):
        NewProject(name="cars", classes=("car", "car"))
    with pytest.raises(ValidationError, match="who rejects says why"):
        NewReview(answer=1, accepted=False, key="key-0001")
