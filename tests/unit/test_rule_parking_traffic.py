"""Illegal parking amid traffic: what arrives through the picture's edge, drives through in single looks, or passes."""

from __future__ import annotations

from contracts.vision import ObjectClass
from pipeline.rules.base import Step
from tests.unit.scenes import Actor, looks, of, parked, passing, run, standing
from tests.unit.test_rule_illegal_parking import Y, parking


def test_a_bus_that_rolls_in_over_the_border_stands_only_once_it_stopped() -> None:
    """Its near edge stays at the border while it comes: that edge says nothing of how it moves."""
    hidden = lambda t: 24 <= t <= 60  # noqa: E731
    car = parked(1, 0.5, 0.65, 10, 300, missed=hidden)
    arriving = ((22.0, 1.15, Y), (27.0, 0.60, Y), (60.0, 0.60, Y), (64.0, -0.3, Y))
    bus = Actor(5, arriving, (0.46, 0.45), ObjectClass.BUS, 0.002, colour=3, within=(0.0, 1.0))
    _, said = run(parking(), looks([car, bus], 0, 100, 1))
    mine = [o for o in said if o.subject.track == 1]
    assert [o.step for o in mine][:2] == [Step.CANDIDATE, Step.OPENED]
    assert mine[1].numbers["hidden_s"] > 30
    assert [o for o in said if o.subject.track == 5 and o.step is Step.CANDIDATE and o.started < 26] == []


def test_cars_that_drive_through_one_look_each_are_no_standing_car() -> None:
    """Every fourth look finds another car at the same place: three looks lie between, nobody stood there."""
    fast = [Actor(10 + i, ((20.0 + 4 * i, 0.5, Y), (20.4 + 4 * i, 0.5, Y)), colour=1, jitter=0.002) for i in range(20)]
    _, said = run(parking(), looks(fast, 0, 110, 1))
    assert said == []


def test_a_companion_that_is_not_seen_any_more_keeps_nobody_company() -> None:
    alone = parked(1, 0.5, Y, 20, 400)
    gone = [standing(2 + i, 0.62, Y, 22 + 15 * i, 24 + 15 * i, colour=2 + i % 4) for i in range(12)]
    _, said = run(parking(), looks([alone, *gone], 0, 130, 1))
    (opened,) = [o for o in of(said, Step.OPENED) if o.subject.track == 1]
    assert opened.time <= 85


def test_what_drives_past_one_of_a_row_tells_of_all_of_it() -> None:
    """The front car is seen to be passed, the rear one lies where what passes has left the picture already."""
    front, rear = parked(1, 0.5, Y, 20, 400), parked(2, 0.27, Y, 41, 400)
    next_lane = [Actor(10 + i, ((50.0 + 6 * i, 0.52, Y - 0.1), (54.0 + 6 * i, 1.0, Y - 0.1))) for i in range(20)]
    _, said = run(parking(), looks([front, rear, *next_lane], 0, 130, 2))
    assert {o.subject.track for o in of(said, Step.OPENED)} == {1, 2}


def test_a_queue_beside_an_oncoming_lane_is_still_a_queue() -> None:
    queue = [parked(1 + i, 0.6 - 0.12 * i, Y, 20 + 4 * i, 400) for i in range(3)]
    oncoming = [Actor(10 + i, ((50.0 + 6 * i, 1.0, Y - 0.1), (54.0 + 6 * i, 0.0, Y - 0.1))) for i in range(20)]
    _, said = run(parking(), looks([*queue, *oncoming, passing(99, Y - 0.21, 60)], 0, 130, 2))
    assert not of(said, Step.OPENED)


def test_a_box_that_shrinks_behind_a_lorry_does_not_turn_the_car_around() -> None:
    """A third of a body length backwards, and it would face the oncoming lane, whose cars then drove past it."""
    shrunk = ((15.0, 0.0, Y), (20.0, 0.5, Y), (24.0, 0.5, Y), (24.1, 0.468, Y), (400.0, 0.468, Y))
    queue = [Actor(1, shrunk), *(parked(2 + i, 0.38 - 0.12 * i, Y, 25 + 3 * i, 400) for i in range(2))]
    oncoming = [Actor(10 + i, ((40.0 + 6 * i, 1.0, Y - 0.1), (44.0 + 6 * i, 0.0, Y - 0.1))) for i in range(20)]
    _, said = run(parking(), looks([*queue, *oncoming], 0, 130, 2))
    assert not of(said, Step.OPENED)
