"""Truth and pixels agree: what differs from the empty street lies in the boxes, water in its mask."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.geometry import foot_points, points_in_polygon, polygon_area, share_in_polygon
from contracts.vision import VEHICLES, ObjectClass
from simulator.street import Scenario, scenario
from simulator.street.render import Renderer
from simulator.street.world import World, always

SIZE = (640, 360)


def calm(made: Scenario) -> World:
    """The scenario's world through a perfect camera."""
    quiet = replace(made.world.effects, noise=0.0, drift=0.0, shake=0.0, jpeg=0, drops=0, rain=0.0, wind=0.0)
    return replace(made.world, effects=quiet)


def changed(one: NDArray[np.uint8], other: NDArray[np.uint8], by: int) -> NDArray[np.bool_]:
    return np.asarray(cv2.absdiff(one, other).max(axis=2) > by)


@pytest.mark.parametrize(("kind", "seed"), [("parking_row", 2), ("parking_jam", 4), ("crowd_gather", 5)])
def test_boxes_hold_what_differs_from_the_empty_street(kind: str, seed: int) -> None:
    made = scenario(seed, kind, size=SIZE, slices=["overcast"])
    world = calm(made)
    full, empty = Renderer(world), Renderer(replace(world, cast=always([])))
    for time in (25.0, 45.0):
        picture = full.picture(time)
        vacant = empty.picture(time).bgr
        different, any_change = changed(picture.bgr, vacant, 60), changed(picture.bgr, vacant, 10)
        inside = np.zeros_like(different)
        for box in picture.boxes:
            x1, y1, x2, y2 = (v * s for v, s in zip(box.box, SIZE * 2, strict=True))
            inside[max(0, int(y1) - 3) : int(y2) + 4, max(0, int(x1) - 3) : int(x2) + 4] = True
            if box.visible > 0.8 and x2 - x1 > 20:
                part = any_change[int(y1) : int(y2) + 1, int(x1) : int(x2) + 1]
                assert part.mean() > 0.3
                assert part.any(axis=0).mean() > 0.8, "the box is wider than what is drawn"
                assert part.any(axis=1).mean() > 0.8, "the box is higher than what is drawn"
        assert different.sum() > 200
        assert different[~inside].sum() < 0.03 * different.sum()


def test_water_mask_is_where_the_picture_changed() -> None:
    made = scenario(3, "water_grow", size=SIZE, slices=["overcast"])
    world = replace(calm(made), cast=always([]))
    truth = made.truth[0]
    time = min(truth.start + 20, truth.end - 1)
    wet, dry = Renderer(world).picture(time), Renderer(replace(world, puddles=())).picture(time)
    assert wet.water is not None
    assert dry.water is None
    assert wet.water.shape == (90, 160)
    different = changed(wet.bgr, dry.bgr, 8)[2::4, 2::4]
    both = (different & wet.water).sum()
    assert both > 0.9 * wet.water.sum()
    assert both > 0.9 * different.sum()


def test_water_grows_past_the_alarm_area_when_truth_says_so() -> None:
    made = scenario(6, "water_grow", size=SIZE)
    polygon = np.array(made.camera["zones"][0]["polygon"]) * (160, 90)
    zone: NDArray[np.uint8] = np.zeros((90, 160), np.uint8)
    cv2.fillPoly(zone, [polygon.astype(np.int32)], 1)

    def share(time: float) -> float:
        water = Renderer(replace(calm(made), cast=always([]))).picture(time).water
        assert water is not None
        return float((water & (zone > 0)).sum() / zone.sum())

    start = made.truth[0].start
    assert share(start - 3) < 0.08
    assert share(start + 3) > 0.08


@pytest.mark.parametrize("seed", range(6))
def test_parked_vehicle_stands_in_its_zone_from_the_start_of_its_event(seed: int) -> None:
    made = scenario(seed, "parking_kerb", size=SIZE)
    polygon = [(float(x), float(y)) for x, y in made.camera["zones"][0]["polygon"]]
    start = made.truth[0].start
    (before,) = [box for box in made.picture(start + 1).boxes if box.id == 1]
    (later,) = [box for box in made.picture(start + 29).boxes if box.id == 1]
    assert before.object_class in VEHICLES
    assert np.allclose(before.box, later.box, atol=0.02), "it moved"
    x1, y1, x2, y2 = before.box
    assert share_in_polygon((x1, y2 - 0.5 * (y2 - y1), x2, y2), polygon) > 0.5
    assert (x2 - x1) * 416 >= 24


def test_bus_hides_the_parked_car_for_a_while() -> None:
    made = scenario(31, "parking_occluded", size=(320, 180))
    start = made.truth[0].start
    seen = [b.visible for t in range(4, 50) for b in made.picture(start + t).boxes if b.id == 1]
    assert min(seen) < 0.2
    assert max(seen) > 0.9
    assert sum(v < 0.35 for v in seen) >= 6


def test_crowd_is_counted_by_its_boxes() -> None:
    made = scenario(5, "crowd_gather", size=SIZE)
    people = [
        len([b for b in made.picture(t).boxes if b.object_class is ObjectClass.PERSON])
        for t in (2.0, made.truth[0].start + 12)
    ]
    assert people[1] > people[0] + 4


@pytest.mark.parametrize("seed", [1028253474, 1312329863, 5062])
def test_a_line_of_people_that_is_too_long_can_be_seen_to_be(seed: int) -> None:
    made = scenario(seed, "crowd_queue", size=SIZE, slices=["overcast"])
    (zone,) = made.camera["zones"]
    limit = zone.get("capacity") or made.algorithms["crowding"]["max_density"] * polygon_area(
        zone["calibration"]["ground_m"]
    )
    start, end = made.truth[0].start, made.truth[0].end
    for time in np.linspace(start + 8, end - 8, 4).tolist():
        people = [b for b in made.picture(time).boxes if b.object_class is ObjectClass.PERSON and b.visible > 0.2]
        inside = points_in_polygon(foot_points(np.array([b.box for b in people])), np.array(zone["polygon"]))
        assert inside.sum() > limit


def test_litter_lies_from_its_drop_to_its_end() -> None:
    made = scenario(31, "litter_bag", size=SIZE)
    start, end = made.truth[0].start, made.truth[0].end
    assert not made.picture(start - 0.5).litter
    (item,) = made.picture(start + 0.5).litter
    assert item.attended
    (item,) = made.picture(start + 12).litter
    assert not item.attended
    x1, y1, x2, y2 = item.box
    assert (x2 - x1) * 416 >= 8
    assert (y2 - y1) * 234 >= 8
    if end < made.duration:
        assert not made.picture(end + 0.5).litter


def test_frozen_camera_repeats_itself_and_black_is_black() -> None:
    made = scenario(2, "health_frozen", size=(320, 180))
    start = made.truth[0].start
    assert np.array_equal(made.picture(start + 1).bgr, made.picture(start + 9).bgr)
    assert not np.array_equal(made.picture(start - 5).bgr, made.picture(start - 1).bgr)
    black = scenario(2, "health_black", size=(320, 180))
    assert black.picture(black.truth[0].start + 1).bgr.mean() < 12


def test_backdrop_is_drawn_upon() -> None:
    backdrop = np.full((180, 320, 3), 90, np.uint8)
    made = scenario(3, "parking_kerb", size=(320, 180), backdrop=backdrop, slices=["overcast"])
    picture = Renderer(calm(made)).picture(made.truth[0].start + 5)
    (parked,) = [b for b in picture.boxes if b.id == 1]
    inside = np.zeros((180, 320), bool)
    x1, y1, x2, y2 = parked.box
    inside[int(y1 * 180) : int(y2 * 180), int(x1 * 320) : int(x2 * 320)] = True
    different = changed(picture.bgr, backdrop, 20)
    assert different[inside].mean() > 0.4
    assert not different[:10].any()
