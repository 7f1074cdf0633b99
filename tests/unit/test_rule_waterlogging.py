"""What waterlogging must and must not fire on, as scenes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.senses import Senses
from contracts.vision import Look, ObjectClass
from pipeline.rules.base import Rule, Step
from pipeline.rules.registry import build_rules
from tests.effort import examples, forms
from tests.unit.scenes import Actor, camera, check_protocol, look, of, parked, rectangle, standing
from tests.unit.wet import Spot, every, moving, puddle, watch, water

ROAD = {"id": "road", "kind": "road", "polygon": rectangle(0.1, 0.3, 0.9, 0.9)}
NOON = 1_700_000_000 // 86_400 * 86_400 + 12 * 3600


def waterlogging(zone: dict[str, Any] | None = None, **more: Any) -> Rule[Any]:
    parameters = {"hold": 20, "clear_hold": 20, "look_every": 1} | more
    return build_rules(camera(zone or ROAD, waterlogging=parameters))[0]


def steps(said: list[Any]) -> list[str]:
    return [output.step.value for output in said]


# --- must fire ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every_s", forms([0.2, 2.0], [0.04, 0.5, 1.0]))
def test_a_puddle_that_grows_and_drains(every_s: float) -> None:
    """Ellipses of half width a cover π a² of the zone's 0.48: above 8 % from a = 0.111 on."""
    rule = waterlogging(look_every=every_s)
    spot = puddle(0.5, 0.6, 0.2, start=10, full=40, end=90)
    _, said = watch(rule, [spot], every(every_s, 0, 190))
    check_protocol(said)
    assert [s for s in steps(said) if s != "updated"] == ["candidate", "opened", "closed"]
    opened, closed = of(said, Step.OPENED)[0], of(said, Step.CLOSED)[0]
    crossing = 10 + 30 * (0.08 * 0.48 / math.pi) / 0.04
    assert crossing - 1 <= opened.started <= crossing + 3 + every_s
    assert 20 - 1e-6 <= opened.time - opened.started <= 20 + every_s + 1e-6
    assert closed.time == pytest.approx(90 + 30 * (1 - (0.04 * 0.48 / math.pi) / 0.04), abs=3 + every_s)
    assert closed.numbers["peak_share"] == pytest.approx(math.pi * 0.04 / 0.48, rel=0.05)
    assert opened.numbers["growth_per_min"] > 0.1
    assert opened.numbers["certainty"] > 0.6
    assert "上限 8 %" in opened.reason["zh"]
    assert "limit 8 %" in opened.reason["en"]


def test_in_square_metres_where_calibrated() -> None:
    """Perspective: the far half of the picture is four times as much ground as the near one."""
    image = rectangle(0.1, 0.3, 0.9, 0.9)
    ground = [[0, 30], [10, 30], [10, 0], [0, 0]]
    far = [[0.4, 0.3], [0.6, 0.3], [0.9, 0.9], [0.1, 0.9]]
    zone = {"id": "road", "kind": "road", "polygon": far, "calibration": {"image": far, "ground_m": ground}}
    spot = puddle(0.5, 0.42, 0.06, start=0, full=0)
    _, calibrated = watch(waterlogging(zone), [spot], every(1, 0, 40))
    _, flat = watch(waterlogging({**zone, "calibration": None}), [spot], every(1, 0, 40))
    assert steps(flat) == []  # 5 % of the polygon's picture
    numbers = of(calibrated, Step.OPENED)[0].numbers
    assert numbers["area_m2"] == pytest.approx(300 * numbers["share"], rel=0.01)
    assert numbers["share"] > 0.08
    assert "平方米" in of(calibrated, Step.OPENED)[0].reason["zh"]
    level = {**ROAD, "calibration": {"image": image, "ground_m": ground}}
    _, same = watch(waterlogging(level), [puddle(0.5, 0.6, 0.2, start=0, full=0)], every(1, 0, 40))
    assert of(same, Step.OPENED)[0].numbers["area_m2"] == pytest.approx(300 * math.pi * 0.04 / 0.48, rel=0.03)


def test_traffic_through_the_water_neither_hides_nor_ends_it() -> None:
    lane = [parked(i, 0.5, 0.75, 20 + 12 * i, 25 + 12 * i, speed=0.3, size=(0.3, 0.3)) for i in range(8)]
    spot = puddle(0.5, 0.6, 0.15, start=10, full=10)
    _, said = watch(waterlogging(), [spot], every(1, 0, 110), actors=lane)
    check_protocol(said)
    (opened,) = of(said, Step.OPENED)
    assert opened.time <= 35
    assert not of(said, Step.CLOSED)


def test_a_net_that_misses_a_tenth_and_lost_looks_do_not_matter() -> None:
    spot = puddle(0.5, 0.6, 0.2, start=10, full=20)
    _, said = watch(waterlogging(), [spot], every(1, 0, 80), noise=0.1, missed=0.3)
    (opened,) = of(said, Step.OPENED)
    assert opened.time <= 45


def test_several_puddles_count_together() -> None:
    spots = [puddle(0.25 + 0.25 * i, 0.6, 0.07, start=5, full=5) for i in range(3)]
    _, said = watch(waterlogging(), spots, every(1, 0, 60))
    assert len(of(said, Step.OPENED)) == 1


def test_water_that_was_there_when_watching_began_has_to_stay_twice_as_long() -> None:
    for start, found in ((0, True), (4, True), (6, False)):
        _, said = watch(waterlogging(), [puddle(0.5, 0.6, 0.2, start=start, full=start)], every(1, 0, 70))
        opened = of(said, Step.OPENED)[0]
        assert opened.numbers["seen_since_start"] == found
        assert opened.time - opened.started == pytest.approx(40 if found else 20, abs=1)


def test_updates_tell_milestones_and_new_heights() -> None:
    spot = puddle(0.5, 0.6, 0.29, start=0, full=200)
    _, said = watch(waterlogging(), [spot], every(1, 0, 260))
    check_protocol(said)
    told = [output.time for output in said if output.step in {Step.OPENED, Step.UPDATED}]
    assert len(told) >= 4
    assert all(b > a for a, b in pairwise(told))


# --- must not fire on -----------------------------------------------------------------------------------------


def test_reflections_that_move_from_look_to_look() -> None:
    spots = [moving(0.6, 0.15, speed=0.11), moving(0.7, 0.12, speed=0.17)]
    _, said = watch(waterlogging(), spots, every(1, 0, 200))
    check_protocol(said)
    assert "opened" not in steps(said)


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_specks(noise: float) -> None:
    _, said = watch(waterlogging(), [], every(1, 0, 120), noise=noise, specks=60)
    assert "opened" not in steps(said)


def test_a_puddle_below_the_limit_and_one_that_does_not_last() -> None:
    _, small = watch(waterlogging(), [puddle(0.5, 0.6, 0.1, start=5, full=5)], every(1, 0, 200))
    assert steps(small) == []
    brief = lambda t: puddle(0.5, 0.6, 0.25, start=20, full=20)(t) if t < 35 else None  # noqa: E731
    _, said = watch(waterlogging(), [brief], every(1, 0, 200))
    check_protocol(said)
    assert steps(said) == ["candidate", "dissolved"]


def test_water_outside_of_the_zone() -> None:
    _, said = watch(waterlogging(), [puddle(0.5, 0.12, 0.15, start=0, full=0)], every(1, 0, 60))
    assert said == []


def test_what_hides_behind_a_vehicle_is_neither_wet_nor_dry() -> None:
    """A wet-looking bonnet: the net takes the car itself for water."""
    shiny = [standing(1, 0.5, 0.75, 0, 200, size=(0.3, 0.3))]
    spot = puddle(0.5, 0.6, 0.12, start=0, full=0)
    assert watch(waterlogging(), [spot], every(1, 0, 60), actors=shiny)[1] == []
    assert of(watch(waterlogging(), [spot], every(1, 0, 60))[1], Step.OPENED)


def _now_and_then(on: float, off: float) -> Spot:
    """A dark patch of 14 % of the zone that the network takes for water now and then."""
    return lambda time: (0.5, 0.6, 0.145, 0.145) if time % (on + off) < on else None


def test_a_patch_that_looks_wet_now_and_then_is_no_water() -> None:
    _, said = watch(waterlogging(look_every=5, hold=60), [_now_and_then(20, 10)], every(5, 0, 3600))
    check_protocol(said)
    assert steps(said)[:1] == ["candidate"]
    assert "opened" not in steps(said)


# --- the dry reference ----------------------------------------------------------------------------------------


def test_what_always_looks_wet_is_learnt_by_the_hour() -> None:
    """Dark asphalt over 5 % of the zone, taken for water at noon; then water over as much again."""
    rule = waterlogging(look_every=10, hold=60)
    dark = puddle(0.3, 0.6, 0.085, start=0, full=0)
    state, said = watch(rule, [dark], every(10, 0, 3000), utc=NOON)
    assert said == []
    reference = rule.dump(state)
    more = [dark, puddle(0.7, 0.6, 0.085, start=0, full=0)]
    _, known = watch(rule, more, every(10, 3010, 3500), state=state, utc=NOON)
    assert steps(known) == []
    _, unknown = watch(rule, more, every(10, 3010, 3500), state=rule.load(reference), utc=NOON + 3 * 3600)
    assert "opened" in steps(unknown)


def test_a_flood_that_rises_slowly_cannot_teach_itself_to_be_dry() -> None:
    """Twelve hours from nothing to a third of the zone: told before it is twice the limit."""
    rule = waterlogging(look_every=30, hold=60)
    spot = puddle(0.5, 0.6, 0.23, start=0, full=12 * 3600)
    _, said = watch(rule, [spot], every(30, 0, 12 * 3600), utc=NOON)
    first = of(said, Step.OPENED)[0]
    true_share = math.pi * 0.23**2 * (first.time / (12 * 3600)) / 0.48
    assert true_share < 0.14
    assert first.numbers["reference"] <= 0.04 + 1e-3
    assert not of(said, Step.CLOSED)


def test_what_came_to_nothing_is_learnt() -> None:
    """Candidates that dissolve, one after the other: that is how this ground looks when it is dry."""
    state, said = watch(waterlogging(look_every=5, hold=60), [_now_and_then(30, 90)], every(5, 0, 3500), utc=NOON)
    assert steps(said).count("dissolved") > 20
    (hour,) = state.zones[0].reference.hours
    assert hour.learnt_s >= 3000
    assert state.zones[0].measure.reference > 0.02


def test_nothing_is_learnt_from_an_event() -> None:
    rule = waterlogging(look_every=10, hold=60)
    spot = puddle(0.5, 0.6, 0.2, start=0, full=0)
    state, said = watch(rule, [spot], every(10, 0, 2 * 3600), utc=NOON)
    assert state.zones[0].reference.hours == ()
    assert state.zones[0].reference.gathered is None
    assert not of(said, Step.CLOSED)


# --- depth ----------------------------------------------------------------------------------------------------


def _marks(*heights: float) -> list[dict[str, Any]]:
    """Bands above each other at the zone's upper edge."""
    return [
        {"name": f"{h:g}", "polygon": rectangle(0.45, 0.45 - 0.05 * i, 0.55, 0.5 - 0.05 * i), "height_cm": h}
        for i, h in enumerate(heights)
    ]


def _lake(top: float) -> Spot:
    return lambda _: (0.5, top + 0.2, 0.6, 0.2)


def test_depth_by_the_marks_under_water() -> None:
    rule = waterlogging({**ROAD, "depth_marks": _marks(10, 20, 45)})
    depths = {}
    for top in (0.52, 0.449, 0.399, 0.349):
        opened = of(watch(rule, [_lake(top)], every(1, 0, 40))[1], Step.OPENED)[0]
        depths[top] = (opened.numbers["depth_cm"], opened.numbers["depth_class"])
    assert depths == {0.52: (0, 0), 0.449: (10, 1), 0.399: (20, 2), 0.349: (45, 3)}
    assert "knee-deep" in opened.reason["en"]
    assert "及膝" in opened.reason["zh"]


def test_a_high_mark_above_a_dry_one_is_misread_and_a_hidden_one_is_remembered() -> None:
    rule = waterlogging({**ROAD, "depth_marks": _marks(10, 20, 45)})
    only_high = lambda _: (0.5, 0.375, 0.2, 0.026)  # noqa: E731
    flooded = puddle(0.5, 0.7, 0.15, start=0, full=0)
    opened = of(watch(rule, [only_high, flooded], every(1, 0, 40))[1], Step.OPENED)[0]
    assert opened.numbers["depth_cm"] == 0
    assert "cm deep" not in opened.reason["en"]
    deep = lambda _: (0.5, 0.6, 0.6, 0.2)  # noqa: E731
    van = [standing(1, 0.5, 0.52, 15, 60, size=(0.2, 0.2))]
    opened = of(watch(rule, [deep], every(1, 0, 40), actors=van)[1], Step.OPENED)[0]
    assert opened.numbers["depth_cm"] == 20


# --- time not watched, presets, zones, state ------------------------------------------------------------------


def _after(gap: float, at: float) -> Callable[[Look], Look]:
    return lambda one: replace(one, gap=gap) if one.time == at else one


def _seen_from(preset: str | None) -> Callable[[Look], Look]:
    return lambda one: replace(one, preset=preset)


def test_gaps() -> None:
    spot = puddle(0.5, 0.6, 0.2, start=0, full=0)
    for gap, ends in ((30, False), (700, True)):
        rule = waterlogging()
        state, said = watch(rule, [spot], every(1, 0, 100))
        _, after = watch(rule, [spot], every(1, 100 + gap, 140 + gap), state=state, change=_after(gap, 100 + gap))
        assert len(of(said, Step.OPENED)) == 1
        assert bool(of(after, Step.CLOSED)) is ends
        check_protocol([*said, *after])
        if ends:
            assert of(after, Step.CLOSED)[0].time == 100
            assert "not watched" in of(after, Step.CLOSED)[0].reason["en"]


def test_a_candidate_does_not_ripen_unwatched() -> None:
    rule = waterlogging()
    spot = puddle(0.5, 0.6, 0.2, start=0, full=0)
    state, _ = watch(rule, [spot], every(1, 0, 3))
    _, said = watch(rule, [spot], every(1, 21, 26), state=state, change=_after(18.0, 21))
    assert said == []


def test_off_its_preset_a_zone_is_not_judged() -> None:
    zone = {**ROAD, "preset": "home"}
    rule = build_rules(camera(zone, kind="ptz", waterlogging={"hold": 20, "look_every": 1}))[0]
    spot = puddle(0.5, 0.6, 0.2, start=0, full=0)
    for preset, fires in (("home", True), ("gate", False), (None, False)):
        _, said = watch(rule, [spot], every(1, 0, 40), change=_seen_from(preset))
        assert bool(of(said, Step.OPENED)) is fires


def test_an_edited_zone_ends_its_event() -> None:
    spot = puddle(0.5, 0.6, 0.2, start=0, full=0)
    state, _ = watch(waterlogging(), [spot], every(1, 0, 40))
    moved = waterlogging({**ROAD, "polygon": rectangle(0.1, 0.3, 0.9, 0.8)})
    state = moved.rezone(state, ())
    _, said = watch(moved, [spot], every(1, 41, 45), state=state)
    assert steps(said) == ["closed", "candidate"]
    assert "edited" in said[0].reason["en"]


@given(seed=st.integers(0, 1000), grown=st.floats(0.05, 0.28), start=st.floats(0, 60), every_s=st.floats(0.5, 5))
@settings(max_examples=examples(10), deadline=None, derandomize=True)
def test_protocol_and_restarts_hold_in_chaos(seed: int, grown: float, start: float, every_s: float) -> None:
    zone = {**ROAD, "depth_marks": _marks(10, 20)}
    spots = [puddle(0.5, 0.6, grown, start=start, full=start + 20, end=start + 60), moving(0.7, 0.1, speed=0.1)]
    cars = [parked(i, 0.3 + 0.2 * i, 0.7, 10 + 9 * i, 30 + 9 * i, size=(0.2, 0.2)) for i in range(3)]
    times = every(every_s, 0, 160)
    more: dict[str, Any] = {"actors": cars, "noise": 0.04, "missed": 0.2, "seed": seed}
    whole_state, whole = watch(waterlogging(zone, look_every=every_s), spots, times, **more)
    check_protocol(whole)
    state, said = waterlogging(zone).initial(), []
    rule, other = waterlogging(zone, look_every=every_s), waterlogging(zone, look_every=every_s)
    for time in times:
        rule, other = other, rule
        state, outputs = watch(rule, spots, [time], state=state, **more)
        said += outputs
        text = json.dumps(rule.dump(state))
        state = rule.load(json.loads(text))
        assert json.dumps(rule.dump(state)) == text
    assert said == whole
    assert state == whole_state


@given(grown=st.floats(0.13, 0.28), start=st.floats(5, 20), stay=st.floats(30, 80))
@settings(max_examples=examples(3), deadline=None, derandomize=True)
def test_it_answers_the_same_at_every_rate(grown: float, start: float, stay: float) -> None:
    spot = puddle(0.5, 0.6, grown, start=start, full=start + 5, end=start + 5 + stay)
    said = [watch(waterlogging(look_every=e), [spot], every(e, 0, 160))[1] for e in (2.0, 0.5, 0.2)]
    for step in (Step.OPENED, Step.CLOSED):
        times = [output.time for one in said for output in of(one, step)]
        assert len(times) == 3
        assert max(times) - min(times) <= 2.0 + 1.0


def test_old_looks_and_states_of_another_shape() -> None:
    rule, spot = waterlogging(), puddle(0.5, 0.6, 0.2, start=0, full=0)
    state, _ = watch(rule, [spot], every(1, 0, 40))
    for time in (40.0, 10.0):
        old = replace(look((), time), senses=Senses(water=water([spot], time)))
        assert rule.step(state, old) == (state, [])
    good = rule.dump(state)
    shapes: list[dict[str, object]] = [{}, {"zones": [{}]}]
    for broken in shapes:
        with pytest.raises(ValueError, match="rule state"):
            rule.load(broken)
    for text in ("!", "AAAA", "eJwDAAAAAAE="):
        zones = json.loads(json.dumps(good))
        zones["zones"][0]["puddle"]["now"] = text
        with pytest.raises(ValueError, match="rule state"):
            rule.load(zones)


def test_conditions_and_wishes() -> None:
    rule, spot = waterlogging(), puddle(0.5, 0.6, 0.2, start=10, full=10)
    state, _ = watch(rule, [spot], every(1, 0, 5))
    (dry,) = rule.conditions(state)
    assert (dry.name, dry.holds) == ("share", False)
    assert rule.wants(state) is None
    state, _ = watch(rule, [spot], every(1, 6, 25), state=state)
    by_name = {one.name: one for one in rule.conditions(state)}
    assert set(by_name) == {"share", "lasting_s", "watched_s", "wet_s", "standing_share"}
    assert by_name["share"].holds
    assert not by_name["lasting_s"].holds
    assert rule.wants(state) == 1
    state, _ = watch(rule, [spot], every(1, 26, 60), state=state)
    assert all(one.holds for one in rule.conditions(state))
    assert rule.wants(state) == 5
    assert not rule.asks(state, 60.5).water
    assert rule.asks(state, 60.91).water


def test_what_cannot_be_watched_is_refused() -> None:
    sky = {"image": [[0.4, 0.4], [0.6, 0.4], [0.9, 0.9], [0.1, 0.9]], "ground_m": rectangle(0, 0, 10, 30)}
    zone = {"id": "road", "kind": "road", "polygon": rectangle(0.1, 0.0, 0.9, 0.9), "calibration": sky}
    with pytest.raises(ConfigError, match="horizon"):
        waterlogging(zone)


def test_people_hide_the_ground_too() -> None:
    crowd = [
        Actor(i, ((0, 0.15 + 0.05 * i, 0.85), (99, 0.15 + 0.05 * i, 0.85)), (0.06, 0.5), ObjectClass.PERSON)
        for i in range(15)
    ]
    spot = puddle(0.5, 0.6, 0.2, start=0, full=0)
    assert watch(waterlogging(), [spot], every(1, 0, 60), actors=crowd)[1] == []
