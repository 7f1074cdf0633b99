"""Plane geometry, against a second opinion (shapely) and against itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box

from contracts.geometry import (
    foot_points,
    homography,
    iou,
    points_in_polygon,
    polygon_area,
    project,
    share_in_polygon,
)
from tests.effort import examples

unit = st.floats(0, 1, width=32)
corner = st.tuples(unit, unit)
polygons = st.lists(corner, min_size=3, max_size=8)
boxes = st.tuples(unit, unit, unit, unit).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)


def simple(points: list[tuple[float, float]]) -> Polygon:
    shape = Polygon(points)
    assume(shape.is_valid and shape.area > 1e-3)
    return shape


@given(polygons, boxes)
@settings(max_examples=examples(200), deadline=None)
def test_share_in_polygon_is_the_clipped_area(points: list[tuple[float, float]], b: tuple[float, ...]) -> None:
    shape = simple(points)
    area = (b[2] - b[0]) * (b[3] - b[1])
    assume(area > 1e-4)
    expected = shape.intersection(box(*b)).area / area
    assert share_in_polygon((b[0], b[1], b[2], b[3]), points) == pytest.approx(expected, abs=1e-6)


@given(polygons)
@settings(max_examples=examples(100), deadline=None)
def test_polygon_area(points: list[tuple[float, float]]) -> None:
    shape = simple(points)
    assert polygon_area(points) == pytest.approx(shape.area, abs=1e-9)
    assert polygon_area(points[::-1]) == pytest.approx(shape.area, abs=1e-9)


@given(polygons, corner)
@settings(max_examples=examples(200), deadline=None)
def test_points_in_polygon(points: list[tuple[float, float]], p: tuple[float, float]) -> None:
    shape = simple(points)
    assume(shape.exterior.distance(Point(p)) > 1e-6)
    assert bool(points_in_polygon(np.array([p]), np.array(points))[0]) is shape.contains(Point(p))


@given(boxes, boxes)
@settings(max_examples=examples(100), deadline=None)
def test_iou_is_symmetric_and_one_with_itself(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    one, other = np.array([a]), np.array([b])
    assert iou(one, other)[0, 0] == pytest.approx(iou(other, one)[0, 0])
    assert 0 <= iou(one, other)[0, 0] <= 1
    if (a[2] - a[0]) * (a[3] - a[1]) > 0:
        assert iou(one, one)[0, 0] == pytest.approx(1)


def test_an_empty_box_has_no_share_and_no_overlap() -> None:
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    assert share_in_polygon((0.5, 0.5, 0.5, 0.9), square) == 0
    assert share_in_polygon((1.5, 0.5, 1.8, 0.9), square) == 0
    assert iou(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0] == 0
    assert len(points_in_polygon(np.zeros((0, 2)), np.array(square))) == 0


def test_feet_are_the_middle_of_the_lower_edge() -> None:
    assert foot_points(np.array([[0.2, 0.1, 0.4, 0.9]])).tolist() == [[pytest.approx(0.3), 0.9]]


@given(st.lists(st.floats(-0.1, 0.1), min_size=8, max_size=8), st.floats(0.5, 50), st.floats(-100, 100))
@settings(max_examples=examples(100), deadline=None)
def test_a_homography_takes_its_points_where_they_belong(wobble: list[float], size: float, origin: float) -> None:
    square = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]
    image = [(x + wobble[2 * i], y + wobble[2 * i + 1]) for i, (x, y) in enumerate(square)]
    ground = [(origin, origin), (origin + size, origin), (origin + size, origin + size), (origin, origin + size)]
    matrix = homography(image, ground)
    for got, wanted in zip(project(image, matrix), ground, strict=True):
        assert got == pytest.approx(wanted, abs=1e-5 * (size + abs(origin)))


def test_a_known_perspective() -> None:
    # A road that is 4 m wide everywhere: 0.8 of the picture near the camera, 0.4 further off.
    image = [(0.1, 0.9), (0.9, 0.9), (0.7, 0.5), (0.3, 0.5)]
    matrix = homography(image, [(0, 0), (4, 0), (4, 10), (0, 10)])
    assert polygon_area(project(image, matrix)) == pytest.approx(40)
    (x, _), (x2, _) = project([(0.2, 0.7), (0.8, 0.7)], matrix)
    assert x2 - x == pytest.approx(4)


def test_points_that_determine_nothing_are_refused() -> None:
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    with pytest.raises(ValueError, match="on a line"):
        homography([(0, 0), (0.5, 0.5), (1, 1), (1, 0)], square)
    matrix = homography([(0.4, 0.6), (0.6, 0.6), (0.7, 0.7), (0.3, 0.7)], square)
    with pytest.raises(ValueError, match="horizon"):
        project([(0.5, 0.1), (0.5, 0.9)], matrix)
