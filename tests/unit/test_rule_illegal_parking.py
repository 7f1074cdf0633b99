"""What illegal parking must and must not fire on, as scenes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from contracts.vision import ObjectClass
from pipeline.rules.base import Rule, Step
from pipeline.rules.registry import build_rules
from tests.effort import forms
from tests.unit.scenes import (
    Actor,
    camera,
    check_protocol,
    look,
    looks,
    of,
    parked,
    passing,
    rectangle,
    run,
    standing,
)

ZONE = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.0, 0.5, 1.0, 0.9)}
Y = 0.7  # foot line inside the zone


def parking(zone: dict[str, Any] | None = None, mounting: str = "high", kind: str = "fixed", **more: Any) -> Rule[Any]:
    parameters = {"dwell": 60, **more}
    return build_rules(camera(zone or ZONE, mounting=mounting, kind=kind, illegal_parking=parameters))[0]


def steps(said: list[Any]) -> list[str]:
    return [output.step.value for output in said]


# --- must fire ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", forms([0.5, 2.0], [25.0]))
def test_a_car_that_stays_is_a_candidate_an_event_and_over(rate: float) -> None:
    car = parked(1, 0.5, Y, 20.0, 160.0)
    _, said = run(parking(), looks([car], 0, 200, rate))
    check_protocol(said)
    assert steps(said) == ["candidate", "opened", "updated", "closed"]
    candidate, opened, updated, closed = said
    late = 1 / rate
    assert candidate.time <= 20 + 1.5 + 2 * late
    assert 19 <= opened.started <= 20 + late
    assert 60 <= opened.time - opened.started <= 60 + late + 1e-6
    assert 120 <= updated.numbers["still_s"] <= 120 + late
    assert 160 - late <= closed.time <= 161 + late
    assert opened.numbers["looks_share"] == 1.0
    assert opened.numbers["moved_body_lengths"] < 0.1
    assert opened.numbers["seen_since_start"] == 0.0
    assert opened.subject.track == 1
    assert opened.subject.object_class == "car"
    assert "静止 6" in opened.reason["zh"]
    assert "seen driving off" in closed.reason["en"]


def test_a_car_that_stood_before_watching_began_counts_from_then() -> None:
    _, said = run(parking(), looks([standing(1, 0.5, Y, -1000, 500)], 0, 100, 1))
    (opened,) = of(said, Step.OPENED)
    assert opened.started == 0
    assert opened.numbers["seen_since_start"] == 1.0


def test_a_lone_parked_car_beside_moving_traffic() -> None:
    traffic = [passing(10 + i, 0.75, 3.0 * i) for i in range(60)]
    _, said = run(parking(), looks([parked(1, 0.5, 0.65, 20, 120), *traffic], 0, 100, 2))
    (opened,) = of(said, Step.OPENED)
    assert opened.subject.track == 1
    assert opened.time <= 81


def test_parked_cars_while_the_traffic_flows_past() -> None:
    row = [standing(i, 0.2 + 0.12 * i, 0.65, -500, 500) for i in range(5)]
    traffic = [passing(10 + i, 0.75, 5.0 * i) for i in range(60)]
    _, said = run(parking(), looks([*row, *traffic], 0, 120, 2))
    opened = of(said, Step.OPENED)
    assert {o.subject.track for o in opened} == {0, 1, 2, 3, 4}
    assert len({o.key for o in opened}) == 5
    assert all(o.time <= 61 for o in opened)


def test_a_car_that_nobody_saw_arriving_faces_as_the_one_it_stands_behind() -> None:
    front = parked(1, 0.5, Y, 20, 400)
    behind = standing(2, 0.38, Y, 41, 400)
    next_lane = [passing(10 + i, Y - 0.21, 50.0 + 6 * i) for i in range(20)]
    _, said = run(parking(), looks([front, behind, *next_lane], 0, 130, 2))
    assert {o.subject.track for o in of(said, Step.OPENED)} == {1, 2}
    oncoming = [Actor(a.track, tuple((t, 1.0 - x, y) for t, x, y in a.path)) for a in next_lane]
    _, said = run(parking(), looks([front, behind, *oncoming], 0, 130, 2))
    assert not of(said, Step.OPENED)


def test_a_car_parked_before_the_queue_formed() -> None:
    early = parked(1, 0.5, Y, 20, 300)
    queue = [parked(2 + i, 0.5 - 0.12 * (i + 1), Y, 60 + 3 * i, 400, colour=2) for i in range(3)]
    _, said = run(parking(), looks([early, *queue], 0, 100, 2))
    (opened,) = of(said, Step.OPENED)
    assert opened.subject.track == 1
    assert opened.time <= 81


def test_a_car_that_lets_the_queue_go_without_it() -> None:
    stays = parked(1, 0.5, Y, 20, 400)
    queue = [parked(2 + i, 0.5 + 0.12 * (i + 1), Y, 18 + i, 110) for i in range(3)]
    _, said = run(parking(), looks([stays, *queue], 0, 180, 2))
    (opened,) = of(said, Step.OPENED)
    assert opened.subject.track == 1
    assert 125 <= opened.time <= 145


def test_several_vehicles_are_several_events() -> None:
    cars = [standing(1, 0.2, Y, 0, 300), standing(2, 0.8, Y, 0, 300)]
    _, said = run(parking(), looks(cars, 0, 90, 1))
    assert len({o.key for o in of(said, Step.OPENED)}) == 2


def test_a_tall_bus_is_judged_by_its_wheels() -> None:
    below = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.0, 0.62, 1.0, 0.9)}
    bus = standing(1, 0.5, Y, 0, 200, size=(0.2, 0.4), object_class=ObjectClass.BUS, jitter=0.003)
    for mounting, fires in (("low", True), ("high", True)):
        _, said = run(parking(below, mounting), looks([bus], 0, 90, 1))
        assert bool(of(said, Step.OPENED)) is fires


# --- one car, one clock ---------------------------------------------------------------------------------------


def test_id_switch_keeps_the_clock() -> None:
    car = parked(1, 0.5, Y, 20, 300, ids=((40, 7), (62, 9)))
    _, said = run(parking(), looks([car], 0, 100, 1))
    check_protocol(said)
    assert steps(said) == ["candidate", "opened"]
    assert said[1].subject.track == 9
    assert said[1].time <= 82


def test_ids_that_break_at_every_look_keep_the_clock() -> None:
    car = parked(1, 0.5, Y, 20, 300, ids=tuple((float(t), 100 + t) for t in range(0, 300, 2)))
    _, said = run(parking(), looks([car], 0, 100, 0.5))
    assert len(of(said, Step.OPENED)) == 1


def test_a_passing_bus_hides_the_car() -> None:
    hidden = lambda t: 40 <= t <= 62  # noqa: E731
    car = parked(1, 0.5, 0.65, 20, 300, missed=hidden)
    bus = Actor(5, ((36, 0.0, Y), (40, 0.5, Y), (62, 0.52, Y), (66, 1.0, Y)), (0.35, 0.3), ObjectClass.BUS, colour=3)
    _, said = run(parking(), looks([car, bus], 0, 100, 2))
    check_protocol(said)
    opened = [o for o in of(said, Step.OPENED) if o.subject.track == 1]
    assert len(opened) == 1
    assert opened[0].started <= 21
    assert opened[0].numbers["hidden_s"] > 15


def test_a_gap_keeps_the_clock_and_is_not_counted_as_seen() -> None:
    car = standing(1, 0.5, Y, 0, 500, ids=((200, 44),))
    rule = parking()
    state, _ = run(rule, looks([car], 0, 30, 1))
    _, said = run(rule, [look([car], 200.0, gap=169.0), *looks([car], 201, 230, 1)], state)
    (opened,) = of(said, Step.OPENED)
    assert opened.started == 0
    assert opened.numbers["unwatched_s"] == 169.0
    assert opened.time == 201.0


def test_a_gap_without_being_told_is_noticed() -> None:
    car = standing(1, 0.5, Y, 0, 500)
    rule = parking()
    state, _ = run(rule, looks([car], 0, 30, 1))
    _, said = run(rule, looks([car], 200, 230, 1), state)
    assert of(said, Step.OPENED)[0].numbers["unwatched_s"] == 170.0


def test_a_gap_of_more_than_ten_minutes_ends_the_clock() -> None:
    car = standing(1, 0.5, Y, 0, 5000)
    rule = parking()
    state, before = run(rule, looks([car], 0, 90, 1))
    _, said = run(rule, [look([car], 800.0, gap=709.0), *looks([car], 801, 900, 1)], state)
    check_protocol(before + said)
    assert said[0].step is Step.CLOSED
    assert said[0].time == 90
    assert of(said, Step.OPENED)[0].started == 800


def test_another_car_in_the_gap_is_another_clock() -> None:
    first, second = standing(1, 0.5, Y, 0, 50), standing(2, 0.5, Y, 100, 500, colour=4)
    rule = parking()
    state, _ = run(rule, looks([first], 0, 30, 1))
    _, said = run(rule, [look([second], 130.0, gap=99.0), *looks([second], 131, 200, 1)], state)
    assert of(said, Step.OPENED)[0].started == 130


@pytest.mark.parametrize("signatures", [True, False])
def test_another_car_in_the_same_place_is_another_clock(signatures: bool) -> None:
    first = parked(1, 0.5, Y, 10, 50)
    second = parked(2, 0.5, Y, 56, 300)
    _, said = run(parking(), looks([first, second], 0, 140, 2, signatures=signatures))
    check_protocol(said)
    (opened,) = of(said, Step.OPENED)
    assert opened.subject.track == 2
    assert 55 <= opened.started <= 57


def test_two_ids_that_swap_keep_both_clocks() -> None:
    a = standing(1, 0.3, Y, 0, 300, ids=((30, 2),))
    b = standing(2, 0.7, Y, 0, 300, ids=((30, 1),), colour=1)
    _, said = run(parking(), looks([a, b], 0, 90, 1))
    assert [o.started for o in of(said, Step.OPENED)] == [0.0, 0.0]


def test_a_dancing_box_keeps_the_clock_and_still_sees_the_drive_off() -> None:
    car = parked(1, 0.5, Y, 20, 160, jitter=0.12)
    for seed in range(5):
        _, said = run(parking(), looks([car], 0, 200, 2, seed=seed))
        check_protocol(said)
        (opened,) = of(said, Step.OPENED)
        assert opened.started <= 26
        (closed,) = of(said, Step.CLOSED)
        assert 158 <= closed.time <= 163


def test_a_flickering_detection_keeps_the_clock() -> None:
    car = standing(1, 0.5, Y, 0, 300, missed=lambda t: Random(f"flicker {t:.2f}").random() < 0.4)
    _, said = run(parking(), looks([car], 0, 120, 1))
    (opened,) = of(said, Step.OPENED)
    assert opened.numbers["looks_share"] < 0.75
    assert opened.time <= 70


# --- must not fire --------------------------------------------------------------------------------------------


def test_a_brief_stop_dissolves() -> None:
    _, said = run(parking(), looks([parked(1, 0.5, Y, 20, 60)], 0, 100, 2))
    assert steps(said) == ["candidate", "dissolved"]


@pytest.mark.parametrize("rate", forms([0.5, 2.0], [25.0]))
def test_a_moving_car_says_nothing(rate: float) -> None:
    _, said = run(parking(), looks([passing(1, Y, 5)], 0, 30, rate))
    assert said == []


@pytest.mark.parametrize("rate", forms([0.5, 2.0], [25.0]))
def test_a_queue_at_lights(rate: float) -> None:
    queue = [parked(i, 0.8 - 0.12 * i, Y, 20 + 4 * i, 110 + 2 * i) for i in range(5)]
    _, said = run(parking(), looks(queue, 0, 150, rate))
    check_protocol(said)
    assert of(said, Step.CANDIDATE)
    assert not of(said, Step.OPENED)
    assert len(of(said, Step.DISSOLVED)) == len(of(said, Step.CANDIDATE))


def test_a_jam_that_was_there_when_watching_began() -> None:
    jam = [standing(i, 0.1 + 0.12 * i, Y, -500, 500) for i in range(7)]
    _, said = run(parking(dwell=30), looks(jam, 0, 240, 1))
    assert not of(said, Step.OPENED)


def test_a_jam_held_without_end_is_said_at_last() -> None:
    row = [standing(i, 0.1 + 0.12 * i, Y, -500, 5000) for i in range(2)]
    _, said = run(parking(), looks(row, 0, 700, 0.5))
    assert len(of(said, Step.OPENED)) == 2
    assert of(said, Step.OPENED)[0].numbers["queue_share"] == 1.0


def test_queues_count_when_told_so() -> None:
    jam = [standing(i, 0.1 + 0.12 * i, Y, -500, 500) for i in range(7)]
    _, said = run(parking(ignore_queues=False), looks(jam, 0, 90, 1))
    assert len(of(said, Step.OPENED)) == 7


def test_creeping_is_not_standing() -> None:
    _, said = run(parking(), looks([Actor(1, ((0, 0.1, Y), (200, 0.9, Y)))], 0, 200, 2))
    assert not of(said, Step.OPENED)


def test_outside_the_zone_or_behind_it() -> None:
    behind = standing(1, 0.5, 0.45, 0, 200)
    tall = standing(2, 0.8, 0.98, 0, 200, size=(0.1, 0.4), object_class=ObjectClass.TRUCK)
    _, said = run(parking(), looks([behind, tall], 0, 100, 1))
    assert said == []


def test_people_and_weak_detections_do_not_park() -> None:
    person = standing(1, 0.5, Y, 0, 200, object_class=ObjectClass.PERSON)
    weak = standing(2, 0.8, Y, 0, 200, score=0.2)
    _, said = run(parking(), looks([person, weak], 0, 100, 1))
    assert said == []


def test_rarely_seen_is_not_enough() -> None:
    car = standing(1, 0.5, Y, 0, 500, missed=lambda t: t % 4 != 0)
    _, said = run(parking(min_seen=0.6), looks([car], 0, 200, 1))
    assert not of(said, Step.OPENED)


def test_off_preset_the_rule_pauses() -> None:
    zone = {**ZONE, "preset": "gate"}
    car = standing(1, 0.5, Y, 0, 900)
    rule = parking(zone, kind="ptz")
    state, said = run(rule, looks([car], 0, 30, 1, preset="gate"))
    assert steps(said) == ["candidate"]
    state, said = run(rule, looks([car], 31, 80, 1, preset="home"), state)
    assert said == []
    state, said = run(rule, looks([], 81, 90, 1, preset=None), state)
    assert said == []
    state, said = run(rule, looks([car], 91, 100, 1, preset="gate"), state)
    (opened,) = of(said, Step.OPENED)
    assert opened.started == 0
    assert opened.numbers["unwatched_s"] == 61.0


def test_a_car_that_vanishes_closes_after_leave_after() -> None:
    rule = parking()
    state, said = run(rule, looks([standing(1, 0.5, Y, 0, 100)], 0, 109, 1))
    assert not of(said, Step.CLOSED)
    _, said = run(rule, looks([], 110, 115, 1), state)
    (closed,) = of(said, Step.CLOSED)
    assert closed.time == 100.0
    assert "no longer" in closed.reason["en"]


# --- zones edited ---------------------------------------------------------------------------------------------


def test_editing_zones_ends_only_what_no_zone_holds() -> None:
    left = {"id": "left", "kind": "no_parking", "polygon": rectangle(0.0, 0.5, 0.5, 0.9)}
    right = {"id": "right", "kind": "no_parking", "polygon": rectangle(0.5, 0.5, 1.0, 0.9)}
    cars = [standing(1, 0.25, Y, 0, 900), standing(2, 0.75, Y, 0, 900)]
    rule = build_rules(camera(left, right, illegal_parking={"dwell": 60}))[0]
    state, before = run(rule, looks(cars, 0, 90, 1))
    assert len(of(before, Step.OPENED)) == 2
    moved = {**right, "polygon": rectangle(0.5, 0.1, 1.0, 0.3)}
    edited = build_rules(camera(left, moved, illegal_parking={"dwell": 60}))[0]
    state = edited.rezone(state, camera(left, moved).zones)
    state, said = run(edited, looks(cars, 91, 95, 1), state)
    assert [(o.step, o.zone) for o in said] == [(Step.CLOSED, "right")]
    check_protocol(before + said)
    state = rule.rezone(state, camera(left, right).zones)
    _, again = run(rule, looks(cars, 96, 99, 1), state)
    (opened,) = of(again, Step.OPENED)
    assert opened.zone == "right"
    assert opened.key not in {o.key for o in before}
