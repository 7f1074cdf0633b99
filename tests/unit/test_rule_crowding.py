"""What crowding must and must not fire on, as scenes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.algorithms import Crowding
from contracts.errors import ConfigError
from contracts.vision import ObjectClass
from pipeline.rules.base import Rule, Step
from pipeline.rules.crowding import CrowdingRule
from pipeline.rules.registry import build_rules
from tests.effort import forms
from tests.unit.scenes import Actor, camera, check_protocol, look, looks, of, rectangle, run

SQUARE = {"id": "square", "kind": "square", "polygon": rectangle(0.1, 0.4, 0.9, 0.95), "capacity": 5}


def crowding(zone: dict[str, Any] | None = None, **more: Any) -> Rule[Any]:
    return build_rules(camera(zone or SQUARE, crowding={"hold": 20, "look_every": 1, **more}))[0]


def person(track: int, x: float, y: float, start: float, end: float, **more: Any) -> Actor:
    """Somebody who walks on the spot: sways by a tenth of a body every few seconds."""
    noise = Random(track)
    path, time = [], start
    while time < end:
        path.append((time, x + noise.uniform(-0.01, 0.01), y + noise.uniform(-0.01, 0.01)))
        time += 4.0
    path.append((end, x, y))
    return Actor(track, tuple(path), (0.04, 0.15), ObjectClass.PERSON, **more)


def group(count: int, start: float, end: float, **more: Any) -> list[Actor]:
    return [person(i, 0.15 + 0.07 * (i % 10), 0.6 + 0.17 * (i // 10), start, end, **more) for i in range(count)]


def steps(said: list[Any]) -> list[str]:
    return [output.step.value for output in said]


# --- must fire ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", forms([0.5, 5.0], [2.0, 25.0]))
def test_more_people_than_the_zone_takes(rate: float) -> None:
    _, said = run(crowding(), looks(group(8, 10, 80), 0, 120, rate))
    check_protocol(said)
    assert steps(said) == ["candidate", "opened", "updated", "closed"]
    _, opened, updated, closed = said
    assert 12 <= opened.started <= 12 + 1 / rate
    assert 20 <= opened.time - opened.started <= 20 + 1 / rate + 1e-6
    assert opened.numbers["people"] == 8
    assert opened.numbers["limit"] == 5
    assert opened.numbers["peak"] == 8
    assert updated.numbers["lasting_s"] >= 40
    assert 80 <= closed.time <= 80 + 1 / rate + 0.5
    assert "8 人" in opened.reason["zh"]


@pytest.mark.parametrize("rate", forms([0.5, 5.0], [2.0, 25.0]))
def test_people_who_come_one_by_one_are_too_many_from_the_one_that_is(rate: float) -> None:
    """They walk in from outside; the sixth is inside 18 s after the first look, and counts after `linger`."""

    def comes(number: int) -> Actor:
        inside, place = 13.0 + number, 0.2 + 0.07 * number
        path = ((inside - 2, place, 0.3), (inside + 4, place, 0.6), (90.0, place, 0.6))
        return Actor(number, path, (0.04, 0.15), ObjectClass.PERSON)

    _, said = run(crowding(), looks([comes(i) for i in range(9)], 0, 60, rate))
    check_protocol(said)
    opened = of(said, Step.OPENED)[0]
    assert opened.started == pytest.approx(20, abs=1 / rate + 0.2)
    assert 20 - 1e-6 <= opened.time - opened.started <= 20 + 1 / rate


def walking_off(number: int, since: float, there: float) -> Actor:
    """Stands from 5 s on, and walks out of the zone's right edge from `since` on, for `there` seconds or longer."""
    x, y = 0.5 + 0.04 * number, 0.6
    return Actor(number, ((5.0, x, y), (since, x, y), (since + there, 1.0, y)), (0.04, 0.15), ObjectClass.PERSON)


@pytest.mark.parametrize("rate", forms([0.5, 5.0], [2.0, 25.0]))
def test_a_crowd_that_walks_off_ends_when_it_is_gone_at_any_rate(rate: float) -> None:
    """How soon a pace is known depends on the look rate; the zone's edge is crossed when it is crossed."""
    people = [walking_off(number, 60.0, 10.0) for number in range(8)]
    _, said = run(crowding(clear_hold=3), looks(people, 0, 100, rate))
    check_protocol(said)
    (closed,) = of(said, Step.CLOSED)
    # The fifth to cross x = 0.9 leaves three; the limit is 5, and fewer than 4 are clear.
    gone = sorted(60 + 10 * (0.9 - x) / (1.0 - x) for x in (0.5 + 0.04 * number for number in range(8)))[4]
    assert closed.time == pytest.approx(gone, abs=1 / rate + 0.5)


def test_walkers_who_keep_coming_do_not_keep_a_crowd_open() -> None:
    """The crowd leaves at 60 s, and a stream of others passes through all the time."""
    crowd = [person(200 + i, 0.3 + 0.06 * i, 0.85, 2, 60) for i in range(6)]
    _, said = run(crowding(LONG), looks([*stream(80, 0.1, 1.5), *crowd], 0, 110, 2.0))
    (closed,) = of(said, Step.CLOSED)
    assert 60 <= closed.time <= 63


@pytest.mark.parametrize("rate", [0.5, 5.0])
def test_who_walks_past_does_not_make_a_crowd_older(rate: float) -> None:
    """Three stand there for long, three join them at 60 s, and others keep walking through."""
    walkers = stream(40, 0.1, 3.0)
    long_there = [person(100 + i, 0.3 + 0.1 * i, 0.85, 2, 200) for i in range(3)]
    joining = [person(110 + i, 0.3 + 0.1 * i, 0.92, 60, 200) for i in range(3)]
    _, said = run(crowding(LONG), looks([*walkers, *long_there, *joining], 0, 110, rate))
    assert 60 - 5 <= of(said, Step.OPENED)[0].started <= 62 + 1 / rate


def test_a_crowd_that_has_just_left_is_no_event_however_late_the_median_says_so() -> None:
    """It lasted for two seconds less than it takes."""
    for rate in (0.5, 2.0, 25.0):
        _, said = run(crowding(), looks(group(8, 10, 30), 0, 60, rate))
        assert steps(said) == ["candidate", "dissolved"], rate


def test_one_who_has_just_gone_or_is_not_found_does_not_keep_a_crowd_from_being_told() -> None:
    gone = person(70, 0.5, 0.9, 10, 31)
    _, said = run(crowding(), looks([*group(5, 10, 34), gone], 0, 50, 0.5))
    assert steps(said)[:2] == ["candidate", "opened"]


def test_a_crowd_after_a_crowd_begins_after_it() -> None:
    some = [person(40 + i, 0.5 + 0.1 * (i % 2), 0.9, 0 if i < 2 else 68, 60 if i < 2 else 160) for i in range(4)]
    everybody = [*group(4, 0, 300), *some]
    _, said = run(crowding(clear_hold=1, clear=0.9), looks(everybody, 0, 160, 2))
    check_protocol(said)
    assert len(of(said, Step.OPENED)) == 2


def test_by_density_where_calibrated() -> None:
    calibration = {"image": rectangle(0.1, 0.4, 0.9, 0.95), "ground_m": rectangle(0, 0, 2, 2)}
    zone = {"id": "square", "kind": "square", "polygon": rectangle(0.1, 0.4, 0.9, 0.95), "calibration": calibration}
    for density, fires in ((1.9, True), (2.1, False)):
        _, said = run(crowding(zone, max_density=density), looks(group(8, 0, 60), 0, 50, 1))
        assert bool(of(said, Step.OPENED)) is fires
        if fires:
            assert of(said, Step.OPENED)[0].numbers["density"] == 2.0
            assert of(said, Step.OPENED)[0].numbers["area_m2"] == 4.0


def test_short_drop_outs_do_not_reset_the_clock() -> None:
    flicker = lambda t: Random(f"drop {t:.2f}").random() < 0.15  # noqa: E731
    _, said = run(crowding(), looks(group(8, 10, 200, missed=flicker), 0, 80, 2))
    (opened,) = of(said, Step.OPENED)
    assert opened.time <= 40


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_people_of_a_line_who_hide_each_other_now_and_then_are_counted(rate: float) -> None:
    def hidden(number: int) -> Callable[[float], bool]:
        return lambda t: number < 7 and Random(f"{number} {t // 2}").random() < 0.4

    line = [person(i, 0.5 + 0.02 * (i % 2), 0.55 + 0.05 * i, 10, 100, missed=hidden(i)) for i in range(8)]
    _, said = run(crowding(), looks(line, 0, 160, rate))
    (opened,) = of(said, Step.OPENED)
    assert opened.time <= 45


def test_people_are_counted_when_every_track_breaks() -> None:
    everybody = group(8, 10, 200)
    broken = [
        Actor(
            a.track,
            a.path,
            a.size,
            a.object_class,
            ids=tuple((float(t), 1000 * t + a.track) for t in range(0, 200, 2)),
        )
        for a in everybody
    ]
    _, said = run(crowding(linger=6), looks(broken, 0, 80, 0.5))
    (opened,) = of(said, Step.OPENED)
    assert opened.numbers["people"] == 8


def test_a_short_gap_keeps_the_event() -> None:
    people = group(8, 0, 500)
    rule = crowding()
    state, said = run(rule, looks(people, 0, 60, 1))
    assert of(said, Step.OPENED)
    _, said = run(rule, [look(people, 160.0, gap=99.0), *looks(people, 161, 200, 1)], state)
    assert not of(said, Step.CLOSED)


# --- must not fire --------------------------------------------------------------------------------------------


def test_the_limit_itself_is_allowed() -> None:
    _, said = run(crowding(), looks(group(5, 0, 100), 0, 60, 1))
    assert said == []


def test_people_passing_through() -> None:
    walkers = [
        Actor(i, ((0.5 * i, 0.0, 0.7), (0.5 * i + 8, 1.0, 0.7)), (0.04, 0.15), ObjectClass.PERSON) for i in range(200)
    ]
    _, said = run(crowding(linger=10), looks(walkers, 0, 100, 2))
    assert said == []


def test_two_boxes_of_one_person_are_one() -> None:
    people = group(4, 0, 100)
    doubles = [Actor(50 + a.track, a.path, (0.038, 0.145), a.object_class, score=0.5) for a in people]
    _, said = run(crowding(), looks([*people, *doubles], 0, 60, 1))
    assert said == []


def test_a_child_in_front_of_a_grown_up_counts() -> None:
    people = group(4, 0, 100)
    children = [Actor(50 + a.track, a.path, (0.03, 0.08), a.object_class, score=0.5) for a in people]
    _, said = run(crowding(), looks([*people, *children], 0, 60, 1))
    assert of(said, Step.OPENED)[0].numbers["people"] == 8


def test_posters_are_found_out() -> None:
    posters = [
        Actor(50 + i, ((0, 0.2 + 0.1 * i, 0.8), (2000, 0.2 + 0.1 * i, 0.8)), (0.04, 0.15), ObjectClass.PERSON, 0.002)
        for i in range(4)
    ]
    rule = crowding()
    state, said = run(rule, looks(posters, 0, 200, 1))
    assert said == []
    _, said = run(rule, looks([*posters, *group(4, 210, 400)], 201, 300, 1), state)
    assert said == []


def test_too_short_a_crowd_dissolves() -> None:
    _, said = run(crowding(), looks(group(8, 10, 25), 0, 60, 1))
    assert steps(said) == ["candidate", "dissolved"]


def test_people_outside_do_not_count() -> None:
    outside = [person(i, 0.15 + 0.07 * i, 0.2, 0, 100) for i in range(10)]
    _, said = run(crowding(), looks(outside, 0, 60, 1))
    assert said == []


def test_hysteresis_between_limit_and_clear() -> None:
    everybody = [*group(5, 0, 300), person(40, 0.5, 0.9, 0, 60), person(41, 0.7, 0.9, 100, 160)]
    _, said = run(crowding(), looks(everybody, 0, 200, 1))
    assert len(of(said, Step.OPENED)) == 1
    assert not of(said, Step.CLOSED)


# --- configuration --------------------------------------------------------------------------------------------


def test_a_zone_without_a_limit_is_refused() -> None:
    bare = camera({"id": "square", "kind": "square", "polygon": rectangle(0.1, 0.4, 0.9, 0.95)})
    with pytest.raises(ConfigError, match="no limit"):
        CrowdingRule(bare, Crowding(), bare.zones)


def test_a_zone_beyond_the_horizon_is_refused() -> None:
    # The long sides of the calibration meet at y = 0.4: what lies above that line is sky.
    calibration = {"image": [[0.4, 0.6], [0.6, 0.6], [0.7, 0.7], [0.3, 0.7]], "ground_m": rectangle(0, 0, 10, 10)}
    sky = {"id": "square", "kind": "square", "polygon": rectangle(0.1, 0.1, 0.9, 0.95), "calibration": calibration}
    with pytest.raises(ConfigError, match="horizon"):
        crowding(sky)


def test_editing_the_polygon_ends_the_event() -> None:
    people = group(8, 0, 500)
    rule = crowding()
    state, before = run(rule, looks(people, 0, 60, 1))
    edited = crowding({**SQUARE, "polygon": rectangle(0.1, 0.4, 0.9, 0.9)})
    state = edited.rezone(state, ())
    _, said = run(edited, looks(people, 61, 62, 1), state)
    assert steps(said)[0] == "closed"
    check_protocol(before + said)


# --- who passes through, and where it is densest ------------------------------------------------------------------

LONG = {"id": "square", "kind": "square", "polygon": rectangle(0.0, 0.4, 1.0, 0.95), "capacity": 5}


def stream(count: int, speed: float, every: float) -> list[Actor]:
    """People one after another across the whole picture at `speed`, picture widths a second."""
    return [
        Actor(
            i,
            ((5 + every * i, 0.0, 0.6 + 0.02 * (i % 5)), (5 + every * i + 1 / speed, 1.0, 0.6 + 0.02 * (i % 5))),
            (0.04, 0.15),
            ObjectClass.PERSON,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("rate", forms([0.5, 2.0], [25.0]))
def test_a_stream_of_walkers_across_a_long_zone_is_no_crowd(rate: float) -> None:
    # 0.033 widths a second are 0.39 heights, 0.7 m; each is in the zone for 25 s, nine at a time.
    walkers = stream(40, 0.04, 2.7)
    _, said = run(crowding(LONG), looks(walkers, 0, 120, rate))
    assert not of(said, Step.OPENED)


def test_a_crowd_that_shuffles_along_is_one() -> None:
    slow = [
        Actor(i, ((5, 0.2 + 0.05 * i, 0.7), (95, 0.4 + 0.05 * i, 0.7)), (0.04, 0.15), ObjectClass.PERSON)
        for i in range(9)
    ]
    _, said = run(crowding(LONG), looks(slow, 0, 100, 2.0))
    assert len(of(said, Step.OPENED)) == 1


def test_walkers_are_told_by_metres_where_the_zone_is_calibrated() -> None:
    # 20 m of ground across the picture: 0.04 widths a second are 0.8 m/s, though the figures are drawn huge.
    calibration = {"image": rectangle(0.0, 0.4, 1.0, 0.95), "ground_m": rectangle(0, 0, 20, 10)}
    zone = {k: v for k, v in LONG.items() if k != "capacity"} | {"calibration": calibration}
    giants = [Actor(a.track, a.path, (0.2, 0.75), ObjectClass.PERSON) for a in stream(40, 0.04, 2.7)]
    _, said = run(crowding(zone, max_density=0.02), looks(giants, 0, 120, 2.0))
    assert not of(said, Step.OPENED)


def test_the_densest_place_is_told_and_where_people_stand() -> None:
    calibration = {"image": rectangle(0.0, 0.4, 1.0, 0.95), "ground_m": rectangle(0, 0, 20, 10)}
    zone = {k: v for k, v in LONG.items() if k != "capacity"} | {"calibration": calibration}
    close = [person(i, 0.2 + 0.06 * (i % 3), 0.6 + 0.06 * (i // 3), 5, 60) for i in range(6)]
    lone = [person(10, 0.9, 0.9, 5, 60)]
    _, said = run(crowding(zone, max_density=0.02), looks([*close, *lone], 0, 60, 1.0))
    opened = of(said, Step.OPENED)[0]
    assert opened.numbers["density"] == pytest.approx(7 / 200, abs=1e-3)
    assert 3 / 9 <= opened.numbers["density_peak"] <= 6 / 9 + 1e-3
    assert len(opened.spots) == 7


def test_density_is_estimated_from_sizes_where_nobody_calibrated() -> None:
    # The horizon is at row 0.1, and people are as tall as a quarter of the way below it; walkers show it first.
    def sized(track: int, x: float, y: float, start: float, end: float) -> Actor:
        tall = 0.25 * (y - 0.1)
        return Actor(track, ((start, x, y), (end, x + 0.02, y)), (0.2 * tall, tall), ObjectClass.PERSON)

    walkers = [sized(100 + i, 0.1 + 0.02 * i, 0.42 + 0.012 * i, 1.0 + 2 * i, 3.5 + 2 * i) for i in range(35)]
    crowd = [sized(i, 0.2 + 0.08 * i, 0.6 + 0.02 * i, 75, 130) for i in range(8)]
    _, said = run(crowding(), looks([*walkers, *crowd], 0, 130, 2.0))
    opened = of(said, Step.OPENED)[0]
    low, high = opened.numbers["density_low"], opened.numbers["density_high"]
    assert 0 < low < high < 4 * low


def test_density_is_estimated_from_cars_where_hardly_anybody_has_walked() -> None:
    # Cars that come along the road, under a horizon at row 0.1 and a camera 6 m high.
    def car(track: int, y: float, start: float) -> Actor:
        tall, wide = 0.42 * (y - 0.1), 1.8 / 6 * (y - 0.1) * 9 / 16
        return Actor(track, ((start, 0.4, y), (start + 2.5, 0.4, y)), (wide, tall), ObjectClass.CAR)

    cars = [car(100 + i, 0.42 + 0.014 * i, 1.0 + 2 * i) for i in range(35)]
    crowd = [person(i, 0.2 + 0.08 * i, 0.6 + 0.02 * i, 75, 130) for i in range(8)]
    rule = crowding()
    state, said = run(rule, looks([*cars, *crowd], 0, 130, 2.0))
    numbers = of(said, Step.OPENED)[0].numbers
    assert 0 < numbers["density_low"] < numbers["density_high"] < 4 * numbers["density_low"]
    old = rule.dump(state)
    for zone in old["zones"]:  # type: ignore[attr-defined]
        del zone["cars"]  # as written before cars were measured
    assert rule.load(old).zones[0].cars == ()


def test_left_to_itself_it_watches_the_zones_that_have_a_limit() -> None:
    road = {"id": "road", "kind": "road", "polygon": rectangle(0.0, 0.0, 0.4, 1.0)}
    square = {"id": "square", "kind": "square", "polygon": rectangle(0.5, 0.0, 1.0, 1.0), "capacity": 1}
    rule = build_rules(camera(road, square, crowding={"hold": 5, "linger": 0}))[0]
    people = [person(i, i / 8, 0.6, 0.0, 60.0) for i in range(1, 8)]
    _, said = run(rule, looks(people, 0.0, 20.0, 1.0))
    assert {output.zone for output in said} == {"square"}
    with pytest.raises(ValidationError, match="no limit for the zone 'road'"):
        camera(road, square, crowding={"zones": ["road", "square"]})
