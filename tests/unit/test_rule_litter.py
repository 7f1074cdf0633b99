"""What the litter rule must and must not fire on, as scenes."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from contracts.errors import ConfigError
from contracts.vision import ObjectClass
from pipeline.rules.base import Output, Rule, Step
from pipeline.rules.registry import build_rules
from tests.effort import forms
from tests.unit.litter_scene import Bin, Drop, at_rate, bringer, walker, watch
from tests.unit.scenes import Actor, camera, check_protocol, look, of, rectangle, standing

PAVEMENT = {"id": "pavement", "kind": "sidewalk", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)}
BIN = {"id": "bin", "kind": "bin", "polygon": rectangle(0.6, 0.5, 0.65, 0.6)}


def litter(*zones: dict[str, Any], **more: Any) -> Rule[Any]:
    return build_rules(camera(*(zones or (PAVEMENT,)), litter={"dwell": 20, **more}))[0]


def steps(said: list[Output]) -> list[str]:
    return [output.step.value for output in said]


# --- must fire ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", forms([0.5, 5.0], [2.0, 25.0]))
def test_a_bag_whose_bringer_has_gone(rate: float) -> None:
    actors = [bringer(1, 0.4, 0.7, 20.0)]
    _, said = watch(litter(), at_rate(actors, 0, 140, rate), [Drop(7, 0.4, 0.7, 20, 106)])
    check_protocol(said)
    assert steps(said) == ["candidate", "opened", "updated", "updated", "closed"]
    opened, closed = of(said, Step.OPENED)[0], of(said, Step.CLOSED)[0]
    assert opened.key == "item:0"
    assert opened.started == 20
    # The bringer is 1.5 body heights away after some two seconds.
    assert 41 <= opened.time <= 45 + 1 / rate
    assert opened.numbers["unattended_s"] >= 20
    assert opened.numbers["lying_s"] == pytest.approx(opened.time - 20, abs=0.1)
    assert opened.numbers["size_body_heights"] == pytest.approx(0.27, abs=0.05)
    assert 104 <= closed.time <= 106
    assert "no longer there" in closed.reason["en"]


def test_times_do_not_depend_on_the_rate() -> None:
    rates = (25.0, 5.0, 2.0, 0.5)
    answers = []
    for rate in rates:
        actors = [bringer(1, 0.4, 0.7, 20.0, stays=7), bringer(2, 0.5, 0.8, 50.0)]
        _, said = watch(litter(), at_rate(actors, 0, 140, rate), [Drop(7, 0.4, 0.7, 20, 106)])
        answers.append([(o.step, o.time, o.started) for o in said if o.step in {Step.OPENED, Step.CLOSED}])
    for step in range(2):
        assert len({answer[step][0] for answer in answers}) == 1
        times = [answer[step][1] for answer in answers]
        for rate, time in zip(rates, times, strict=True):
            assert time == pytest.approx(times[0], abs=1 / rate + 0.5)
    assert len({answer[0][2] for answer in answers}) == 1


def test_passers_by_do_not_attend_to_it() -> None:
    """A pavement on which somebody passes every three seconds, across and along the view."""
    across = [walker(10 + i, ((3 * i, 0.0, 0.72), (3 * i + 12, 1.0, 0.72))) for i in range(40)]
    along = [walker(100 + i, ((6 * i, 0.45, 0.4), (6 * i + 12, 0.38, 0.95)), missed=_flicker) for i in range(20)]
    _, said = watch(litter(), at_rate([*across, *along], 0, 110, 2), [Drop(7, 0.4, 0.7, 20, 200)])
    assert of(said, Step.OPENED)
    assert of(said, Step.OPENED)[0].time <= 75


def _flicker(time: float) -> bool:
    return Random(f"{time:.2f}").random() < 0.2


def test_pieces_that_lie_together_are_one_heap() -> None:
    drops = [Drop(i, 0.4 + 0.05 * i, 0.7 + 0.01 * i, 10 + 3 * i, 200) for i in range(3)]
    far = Drop(9, 0.8, 0.9, 10, 200)
    _, said = watch(litter(), at_rate([], 0, 60, 2), [*drops, far])
    check_protocol(said)
    assert len(of(said, Step.OPENED)) == 2
    assert max(o.numbers["pieces"] for o in said) == 3


def test_a_heap_lasts_until_its_last_piece_is_gone() -> None:
    drops = [Drop(1, 0.4, 0.7, 10, 60), Drop(2, 0.46, 0.7, 10, 100)]
    _, said = watch(litter(), at_rate([], 0, 130, 2), drops)
    check_protocol(said)
    assert len(of(said, Step.OPENED)) == 1
    (closed,) = of(said, Step.CLOSED)
    assert 97 <= closed.time <= 100


def test_a_bus_in_front_neither_ends_it_nor_counts() -> None:
    bus = standing(5, 0.4, 0.75, 60, 100, size=(0.5, 0.3), object_class=ObjectClass.BUS)
    _, said = watch(litter(), at_rate([bus], 0, 130, 2), [Drop(7, 0.4, 0.7, 20, 300)])
    assert len(of(said, Step.OPENED)) == 1
    assert not of(said, Step.CLOSED)


def test_another_number_at_the_same_place_is_the_same_thing() -> None:
    drop = Drop(7, 0.4, 0.7, 20, 300, numbers=((35.0, 8), (60.0, 9)))
    _, said = watch(litter(), at_rate([], 0, 90, 2), [drop])
    check_protocol(said)
    assert len(of(said, Step.OPENED)) == 1
    assert of(said, Step.OPENED)[0].time <= 42
    assert not of(said, Step.CLOSED)


def test_size_in_metres_where_calibrated() -> None:
    calibration = {"image": rectangle(0.05, 0.3, 0.95, 0.95), "ground_m": rectangle(0, 0, 9, 9)}
    _, said = watch(litter(PAVEMENT | {"calibration": calibration}), at_rate([], 0, 60, 2), [Drop(7, 0.4, 0.7, 20, 90)])
    assert of(said, Step.OPENED)[0].numbers["width_m"] == pytest.approx(0.3, abs=0.01)


# --- must not fire --------------------------------------------------------------------------------------------


def test_somebody_who_stays_beside_it() -> None:
    stays = walker(1, ((0, 0.0, 0.7), (10, 0.35, 0.7), (150, 0.35, 0.7)))
    _, said = watch(litter(), at_rate([stays], 0, 120, 2), [Drop(7, 0.4, 0.7, 12, 150)])
    assert not of(said, Step.OPENED)


def test_somebody_who_stays_while_their_track_breaks() -> None:
    ids = tuple((float(t), 1000 + t) for t in range(0, 150, 9))
    stays = walker(1, ((0, 0.0, 0.7), (10, 0.35, 0.7), (150, 0.35, 0.7)), ids=ids, missed=_flicker)
    for rate in (0.5, 2.0):
        _, said = watch(litter(), at_rate([stays], 0, 120, rate), [Drop(7, 0.4, 0.7, 12, 150)])
        assert not of(said, Step.OPENED)


def test_somebody_who_stays_beside_it_while_nothing_moves() -> None:
    """A gate that skips still pictures leaves 6 to 10 s between looks: whoever is in every look never left."""
    stays = walker(1, ((0, 0.0, 0.7), (10, 0.35, 0.7), (150, 0.35, 0.7)))
    for still in ((30, 36, 46, 52, 58, 60, 62), (22, 30, 36, 42, 48, 54, 60, 66), (24, 34, 44, 54, 64, 74)):
        seen = [*at_rate([stays], 0, 20, 0.5), *(look([stays], float(time)) for time in still)]
        _, said = watch(litter(), seen, [Drop(7, 0.4, 0.7, 16, 150)])
        assert not of(said, Step.OPENED)


def test_somebody_who_stays_and_is_not_detected_for_a_while() -> None:
    def overlooked(time: float) -> bool:
        return time % 17 > 7

    stays = walker(1, ((0, 0.0, 0.7), (10, 0.35, 0.7), (150, 0.35, 0.7)), missed=overlooked)
    for rate in (0.5, 2.0):
        _, said = watch(litter(), at_rate([stays], 0, 140, rate), [Drop(7, 0.4, 0.7, 18, 150)])
        assert not of(said, Step.OPENED)


def test_somebody_seen_to_walk_away_does_not_attend_when_they_pass_again() -> None:
    leaves = walker(
        1, ((0, 0.0, 0.7), (10, 0.35, 0.7), (20, 0.35, 0.7), (26, 0.85, 0.7), (31, 0.35, 0.7), (36, 0.0, 0.7))
    )
    _, said = watch(litter(), at_rate([leaves], 0, 100, 2), [Drop(7, 0.4, 0.7, 15, 150)])
    assert of(said, Step.OPENED)[0].time <= 45


def test_somebody_who_comes_back_to_stand_by() -> None:
    back = [
        bringer(1, 0.4, 0.7, 20.0),
        walker(2, ((33, 0.9, 0.7), (35, 0.35, 0.7), (60, 0.35, 0.7), (62, 0.9, 0.7))),
    ]
    _, said = watch(litter(), at_rate(back, 0, 120, 2), [Drop(7, 0.4, 0.7, 20, 150)])
    (opened,) = of(said, Step.OPENED)
    assert 79 <= opened.time <= 84


def test_picked_up_before_t() -> None:
    _, said = watch(litter(), at_rate([], 0, 100, 2), [Drop(7, 0.4, 0.7, 20, 38)])
    assert steps(said) == ["candidate", "dissolved"]


def test_what_is_not_litter() -> None:
    _, said = watch(litter(), at_rate([], 0, 200, 2), [Drop(7, 0.4, 0.7, 20, 150, litter=0.3)])
    assert said == []


def test_what_turns_out_not_to_be_litter() -> None:
    drop = Drop(7, 0.4, 0.7, 20, 250, litter=lambda t: 0.95 if t < 60 or t > 150 else 0.2)
    _, said = watch(litter(), at_rate([], 0, 200, 2), [drop])
    check_protocol(said)
    assert [o.step for o in said if o.step is not Step.UPDATED] == [
        Step.CANDIDATE,
        Step.OPENED,
        Step.CLOSED,
        Step.CANDIDATE,
        Step.OPENED,
    ]
    assert "not litter after all" in of(said, Step.CLOSED)[0].reason["en"]


@pytest.mark.parametrize(("side", "chance", "told"), [(0.15, 0.8, True), (0.4, 0.8, False), (0.4, 0.95, True)])
def test_what_is_larger_than_a_person_must_surely_be_litter(side: float, chance: float, told: bool) -> None:
    drop = Drop(7, 0.4, 0.7, 20, 200, litter=chance, size=(side * 9 / 16, 0.1))
    seen = at_rate([bringer(1, 0.4, 0.7, 20)], 0, 200, 2)  # 0.2 picture heights tall
    _, said = watch(litter(), seen, [drop])
    assert bool(of(said, Step.OPENED)) == told


@pytest.mark.parametrize(("side", "chance", "told"), [(0.06, 0.7, True), (0.04, 0.7, False), (0.04, 0.95, True)])
def test_what_shows_few_pixels_must_surely_be_litter(side: float, chance: float, told: bool) -> None:
    """What sticks out of a bin, a stain: 0.3 and 0.2 body heights long."""
    drop = Drop(7, 0.4, 0.7, 20, 200, litter=chance, size=(side * 9 / 16, side))
    _, said = watch(litter(), at_rate([bringer(1, 0.4, 0.7, 20)], 0, 200, 2), [drop])
    assert bool(of(said, Step.OPENED)) == told


@pytest.mark.parametrize(("brought", "chance", "told"), [(True, 0.8, True), (False, 0.89, False), (False, 0.95, True)])
def test_what_nobody_brought_must_surely_be_litter(brought: bool, chance: float, told: bool) -> None:
    """A leaf is blown there; so is a bag now and then."""
    people = [bringer(1, 0.4, 0.7, 20)] if brought else []
    _, said = watch(litter(), at_rate(people, 0, 200, 2), [Drop(7, 0.4, 0.7, 20, 200, litter=chance)])
    assert bool(of(said, Step.OPENED)) == told


def test_a_parked_cart_that_is_seen_now_and_then() -> None:
    cart = Actor(
        3,
        ((20, 0.4, 0.7), (300, 0.4, 0.7)),
        (0.05, 0.05),
        ObjectClass.BICYCLE,
        missed=lambda t: Random(f"{t:.2f}").random() < 0.4,
    )
    _, said = watch(litter(), at_rate([cart], 0, 200, 2), [Drop(7, 0.4, 0.7, 20, 300)])
    assert not of(said, Step.OPENED)


def test_something_that_flickers() -> None:
    drop = Drop(7, 0.4, 0.7, 20, 300, missed=lambda t: t % 10 >= 3)
    _, said = watch(litter(), at_rate([], 0, 200, 2), [drop])
    check_protocol(said)
    assert not of(said, Step.OPENED)


def test_outside_the_zone() -> None:
    _, said = watch(litter(), at_rate([], 0, 100, 2), [Drop(7, 0.4, 0.25, 20, 300)])
    assert said == []


def test_what_lies_beside_a_bin_is_the_bins() -> None:
    _, said = watch(litter(PAVEMENT, BIN), at_rate([], 0, 100, 2), [Drop(7, 0.66, 0.61, 20, 300)])
    assert said == []


# --- bins -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", forms([0.5, 2.0], [25.0]))
def test_a_bin_that_overflows_until_it_is_emptied(rate: float) -> None:
    _, said = watch(litter(BIN), at_rate([], 0, 200, rate), bins=[Bin("bin", 31, 121)])
    check_protocol(said)
    assert steps(said) == ["candidate", "opened", "updated", "updated", "closed"]
    assert 31 <= said[0].started <= 37
    assert 20 <= said[1].time - said[1].started <= 26
    assert 121 <= said[-1].time <= 127
    assert "emptied" in said[-1].reason["en"]


def test_single_wrong_readings_change_nothing() -> None:
    wrong = lambda t: t % 30 < 4  # noqa: E731
    rule = litter(BIN)
    _, said = watch(rule, at_rate([], 0, 200, 2), bins=[Bin("bin", 1000, 2000, wrong)])
    assert said == []
    _, said = watch(rule, at_rate([], 0, 200, 2), bins=[Bin("bin", 0, 1000, wrong)])
    assert len(of(said, Step.OPENED)) == 1
    assert not of(said, Step.CLOSED)


def test_a_bin_not_read_for_long_is_given_up() -> None:
    rule = litter(BIN)
    state, said = watch(rule, at_rate([], 0, 60, 2), bins=[Bin("bin", 0, 9999)])
    assert of(said, Step.OPENED)
    _, said = watch(rule, at_rate([], 61, 760, 0.5), state=state)
    assert "not watched" in of(said, Step.CLOSED)[0].reason["en"]


# --- gaps, presets, zones, state -------------------------------------------------------------------------------


def test_a_short_gap_keeps_thing_and_clock() -> None:
    rule, drops = litter(), [Drop(7, 0.4, 0.7, 20, 900)]
    state, said = watch(rule, at_rate([], 0, 32, 2), drops)
    later = at_rate([], 82, 120, 2)
    gap = [at_rate([], 82, 82, 1, gap=49.0)[0], *later[1:]]
    state, said = watch(rule, gap, drops, state=state)
    (opened,) = of(said, Step.OPENED)
    assert 89 <= opened.time <= 91
    assert opened.numbers["unwatched_s"] == 49
    assert "未观测" in opened.reason["zh"]


def test_a_long_gap_ends_it_and_it_may_begin_again() -> None:
    rule, drops = litter(), [Drop(7, 0.4, 0.7, 20, 9000)]
    state, said = watch(rule, at_rate([], 0, 60, 2), drops)
    seen = [at_rate([], 760, 760, 1, gap=699.0)[0], *at_rate([], 761, 800, 2)]
    _, more = watch(rule, seen, drops, state=state)
    check_protocol([*said, *more])
    assert [o.step for o in more if o.step is not Step.UPDATED] == [Step.CLOSED, Step.CANDIDATE, Step.OPENED]


def test_off_its_preset_a_zone_is_not_judged() -> None:
    zone = PAVEMENT | {"preset": "home"}
    rule = build_rules(camera(zone, kind="ptz", litter={"dwell": 20}))[0]
    drops = [Drop(7, 0.4, 0.7, 20, 900)]
    state, said = watch(rule, at_rate([], 0, 60, 2, preset="home"), drops)
    assert of(said, Step.OPENED)
    state, said = watch(rule, at_rate([], 61, 120, 2, preset="gate"), [], state=state)
    assert said == []
    _, said = watch(rule, at_rate([], 121, 140, 2, preset="home"), drops, state=state)
    assert not of(said, Step.CLOSED)


def test_a_zone_that_is_taken_away_ends_it_once() -> None:
    rule, drops = litter(), [Drop(7, 0.4, 0.7, 20, 900)]
    state, said = watch(rule, at_rate([], 0, 60, 2), drops)
    elsewhere = litter(PAVEMENT | {"polygon": rectangle(0.6, 0.3, 0.95, 0.95)})
    state, more = watch(elsewhere, at_rate([], 61, 70, 2), drops, state=elsewhere.rezone(state, ()))
    assert [o.step for o in more] == [Step.CLOSED]
    _, again = watch(rule, at_rate([], 71, 80, 2), drops, state=state)
    check_protocol([*said, *more, *again])
    assert of(again, Step.OPENED)


def test_a_calibration_beyond_the_horizon_is_refused() -> None:
    calibration = {"image": [[0.4, 0.6], [0.6, 0.6], [0.7, 0.7], [0.3, 0.7]], "ground_m": rectangle(0, 0, 10, 10)}
    with pytest.raises(ConfigError, match="horizon"):
        litter(PAVEMENT | {"polygon": rectangle(0.1, 0.1, 0.9, 0.95), "calibration": calibration})


def test_conditions_say_what_it_waits_for() -> None:
    rule = litter()
    state, _ = watch(rule, at_rate([], 0, 19, 2))
    assert [(c.name, c.holds) for c in rule.conditions(state)] == [("things", False)]
    drops = [Drop(7, 0.4, 0.7, 20, 900), Drop(8, 0.8, 0.7, 20, 900, litter=0.2)]
    state, said = watch(rule, at_rate([], 0, 35, 2), drops)
    failing = {(c.subject, c.name) for c in rule.conditions(state) if not c.holds}
    assert failing == {("item:0", "unattended_s"), ("thing:1", "litter"), ("thing:1", "unattended_s")}
    state, said = watch(rule, at_rate([], 35.5, 45, 2), drops, state=state)
    assert of(said, Step.OPENED)
    assert all(c.holds for c in rule.conditions(state) if c.subject == "item:0")
    assert [c for c in rule.conditions(state) if c.subject == "thing:1" and not c.holds]


def test_looks_are_wanted_while_something_is_decided() -> None:
    rule = litter()
    state, _ = watch(rule, at_rate([], 0, 19, 2))
    assert rule.wants(state) is None
    state, _ = watch(rule, at_rate([], 19.5, 28, 2), [Drop(7, 0.4, 0.7, 20, 900)], state=state)
    assert rule.wants(state) == 5
    state, _ = watch(rule, at_rate([], 28.5, 37, 2), [Drop(7, 0.4, 0.7, 20, 900)], state=state)
    assert rule.wants(state) == 2


def test_the_state_stays_small() -> None:
    crowd = [walker(i, ((0, 0.1 + 0.01 * i, 0.7), (300, 0.12 + 0.01 * i, 0.72)), 0.1) for i in range(60)]
    drops = [Drop(i, 0.1 + 0.1 * i, 0.7, 20, 900) for i in range(8)]
    rule = litter()
    state, _ = watch(rule, at_rate(crowd, 0, 100, 5), drops)
    assert len(json.dumps(rule.dump(state))) < 60_000
