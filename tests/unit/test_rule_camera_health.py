"""The rule of camera health on measured pictures, and what the chain does with the other rules meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.algorithms import ALGORITHMS, BLINDING, running
from contracts.pool import Camera
from contracts.senses import PictureHealth, Senses
from contracts.vision import Frame, Look
from pipeline.chain import CameraChain
from pipeline.evidence import NoEvidence
from pipeline.pauses import blinded
from pipeline.rules.base import Output, Step
from pipeline.rules.camera_health import CameraHealthRule, CameraHealthState
from pipeline.rules.registry import build_rules
from tests.effort import examples
from tests.unit.chain_scene import CLOCK, MODEL, said
from tests.unit.scenes import Actor, camera, check_protocol, look, of, parked, rectangle

WELL = PictureHealth(
    100.0,
    150.0,
    40.0,
    usual_detail=41.0,
    changed=1.5,
    grainy=True,
    likeness=0.95,
    highlight=220.0,
    texture=12.0,
    usual_texture=11.0,
)
BLACK = replace(WELL, brightness=1.0, contrast=2.0, detail=30.0, likeness=None, highlight=4.0)
NIGHT = replace(WELL, brightness=14.0, contrast=25.0, likeness=None, highlight=210.0)
HEADLIGHTS = replace(WELL, brightness=120.0, contrast=230.0, detail=24.0, likeness=0.7)
OVEREXPOSED = replace(WELL, brightness=240.0, contrast=60.0, highlight=255.0)
BLURRED = replace(WELL, detail=14.0)
FOG = replace(WELL, brightness=155.0, contrast=60.0, detail=36.0, likeness=0.85, texture=3.5)
COVERED = replace(WELL, brightness=75.0, contrast=14.0, detail=20.0, likeness=None, texture=0.8)
MOVED = replace(WELL, likeness=0.4, shift=(0.05, 0.01))
TURNED = replace(WELL, likeness=0.12)
SAME = replace(WELL, changed=0.0)
AILING = {
    "black": BLACK,
    "overexposed": OVEREXPOSED,
    "blurred": BLURRED,
    "covered": COVERED,
    "moved": MOVED,
    "frozen": SAME,
}
KERB = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.2, 0.3, 0.5, 0.7)}
ROAD = {"id": "road", "kind": "road", "polygon": rectangle(0.2, 0.3, 0.5, 0.7)}


def watched(kind: str = "fixed", **parameters: Any) -> Camera:
    zone = {**KERB, "preset": "home"} if kind == "ptz" else KERB
    return camera(zone, kind=kind, illegal_parking={"dwell": 10}, camera_health=parameters)


def rule_of(cam: Camera) -> CameraHealthRule:
    rule = build_rules(cam)[0]
    assert isinstance(rule, CameraHealthRule)
    return rule


def seen(time: float, health: PictureHealth | None, actors: tuple[Actor, ...] = (), **more: Any) -> Look:
    return replace(look(actors, time, **more), senses=Senses(health=health))


def play(
    shown: Callable[[float], PictureHealth], end: float, rate: float, cam: Camera | None = None
) -> tuple[CameraHealthState, list[Output]]:
    """Looks at `rate` a second; the health is measured when the rule asks for it."""
    rule = rule_of(cam or watched())
    state, told = rule.initial(), []
    for i in range(int(end * rate) + 1):
        asked = rule.asks(state, i / rate).health
        state, outputs = rule.step(state, seen(i / rate, shown(i / rate) if asked else None))
        told += outputs
    check_protocol(told)
    return state, told


def between(start: float, end: float, ill: PictureHealth) -> Callable[[float], PictureHealth]:
    return lambda time: ill if start <= time < end else WELL


@pytest.mark.parametrize("rate", [0.5, 2.0, 5.0, 25.0])
@pytest.mark.parametrize("ailment", AILING)
def test_each_ailment_is_one_event_with_its_times_at_every_rate(ailment: str, rate: float) -> None:
    _, told = play(between(30.0, 70.0, AILING[ailment]), 100.0, rate)
    assert [(o.step, o.key, o.zone) for o in told if o.step is not Step.CANDIDATE] == [
        (Step.OPENED, ailment, ""),
        (Step.CLOSED, ailment, ""),
    ]
    opened, closed = of(told, Step.OPENED)[0], of(told, Step.CLOSED)[0]
    assert abs(opened.started - 30.0) <= 2.0
    assert abs(opened.time - 40.0) <= 2.0
    assert abs(closed.time - 70.0) <= 2.0
    assert opened.subject.object_class == ailment


@pytest.mark.parametrize("well", [WELL, NIGHT, FOG, HEADLIGHTS])
def test_night_fog_and_headlights_are_no_ailment(well: PictureHealth) -> None:
    assert play(between(10.0, 200.0, well), 200.0, 0.5)[1] == []


def test_another_view_has_moved_and_a_small_shift_has_not() -> None:
    assert [o.key for o in of(play(between(10, 60, TURNED), 40.0, 1.0)[1], Step.OPENED)] == ["moved"]
    swaying = replace(WELL, likeness=0.6, shift=(0.012, 0.0))
    assert play(between(10, 60, swaying), 60.0, 1.0)[1] == []


def test_a_plainer_view_that_is_sharp_has_moved_and_is_not_covered() -> None:
    """A camera turned to a wall and a pavement: half of the structure, but all the detail."""
    plainer = replace(TURNED, texture=5.0, detail=38.0)
    assert [o.key for o in of(play(between(10, 60, plainer), 40.0, 1.0)[1], Step.OPENED)] == ["moved"]
    hand = replace(TURNED, texture=5.0, detail=22.0)
    assert [o.key for o in of(play(between(10, 60, hand), 40.0, 1.0)[1], Step.OPENED)] == ["covered"]


def test_a_ptz_camera_that_shows_something_else_is_off_its_preset() -> None:
    assert [o.key for o in of(play(between(10, 60, TURNED), 40.0, 1.0, watched("ptz"))[1], Step.OPENED)] == [
        "off_preset"
    ]


def test_off_every_preset_needs_no_measurement() -> None:
    rule = rule_of(watched("ptz"))
    state, told = rule.initial(), []
    for time in range(0, 40, 2):
        state, outputs = rule.step(state, seen(float(time), None, preset="home" if time < 10 else None))
        told += outputs
    assert [o.key for o in of(told, Step.OPENED)] == ["off_preset"]


def test_a_still_test_chart_is_not_frozen_and_a_camera_that_was_alive_is() -> None:
    assert play(lambda _: SAME, 300.0, 0.5)[1] == []
    assert [o.key for o in of(play(between(12.0, 60.0, SAME), 60.0, 0.5)[1], Step.OPENED)] == ["frozen"]


def test_a_camera_nobody_knows_yet_is_looked_at_as_often_as_promised() -> None:
    rule = rule_of(watched())
    state = rule.initial()
    wished = []
    for i in range(12):
        wished.append(rule.wants(state))
        state, _ = rule.step(state, seen(2.0 * i, WELL))
    assert wished == [2.0] * 8 + [None] * 4


def test_pictures_that_are_the_same_but_for_their_coding_take_twice_as_long() -> None:
    recoded = replace(WELL, changed=0.2, recoded=True)
    _, told = play(between(60.0, 90.0, recoded), 110.0, 0.1)
    assert [o.key for o in of(told, Step.OPENED)] == ["frozen"]
    _, told = play(between(30.0, 60.0, recoded), 80.0, 1.0)
    (opened,) = of(told, Step.OPENED)
    assert 47.0 <= opened.time <= 51.0
    assert of(play(between(30.0, 45.0, recoded), 80.0, 1.0)[1], Step.OPENED) == []


def test_pictures_that_often_repeat_for_a_while_raise_what_it_takes() -> None:
    """A calm night behind strong noise reduction: 8 s without a bit of change, again and again."""
    _, told = play(lambda time: WELL if time % 10 == 0 else SAME, 300.0, 0.5)
    assert of(told, Step.OPENED) == []
    _, told = play(lambda time: WELL if time % 10 == 0 and time < 200 else SAME, 900.0, 0.5)
    (opened,) = of(told, Step.OPENED)
    assert opened.key == "frozen"
    assert abs(opened.time - 790.0) <= 4.0


CALM = replace(WELL, changed=0.2, grainy=False)


def test_a_calm_scene_without_grain_is_not_frozen_for_ten_minutes_and_blinds_no_rule() -> None:
    """A fixed camera on an empty square behind noise reduction; somebody walked by, then nothing moves."""
    rule, state = rule_of(watched()), CameraHealthState()
    for time in range(0, 600, 2):
        state, told = rule.step(state, seen(float(time), CALM if time < 60 else replace(CALM, changed=0.0)))
        assert of(told, Step.OPENED) == []
        assert rule.blind(state) == {}
    _, told = play(between(60.0, 900.0, replace(CALM, changed=0.0)), 900.0, 0.5)
    assert [o.key for o in of(told, Step.OPENED)] == ["frozen"]


def test_grain_that_comes_and_goes_proves_nothing() -> None:
    """A low bit rate codes a calm scene's noise with its keyframes alone, every 20 s."""
    _, told = play(lambda time: WELL if time % 20 == 0 else replace(WELL, changed=0.0), 500.0, 0.5)
    assert of(told, Step.OPENED) == []


def test_one_bad_picture_now_and_then_is_nothing() -> None:
    _, told = play(lambda time: COVERED if time % 12 == 0 else WELL, 300.0, 0.5)
    assert of(told, Step.OPENED) == []


def test_offline_opens_after_its_time_and_closes_with_the_next_look() -> None:
    rule = rule_of(watched())
    state, _ = rule.step(rule.initial(), seen(100.0, WELL))
    state, told = rule.unseen(state, 100.0, 129.0)
    assert told == []
    state, told = rule.unseen(state, 100.0, 131.0)
    assert [(o.step, o.key, o.started) for o in told][1] == (Step.OPENED, "offline", 100.0)
    assert rule.unseen(state, 100.0, 140.0)[1] == []
    state, more = rule.step(state, seen(200.0, WELL))
    assert [(o.step, o.time) for o in more] == [(Step.CLOSED, 200.0)]
    check_protocol([*told, *more])
    assert state.ailing == ()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=examples(30), deadline=None, derandomize=True)
def test_protocol_and_restart_hold_in_chaos(seed: int) -> None:
    noise = Random(seed)
    rule, time = rule_of(watched()), 0.0
    state = other = rule.initial()
    told: list[Output] = []
    picture = WELL
    for _ in range(120):
        time += noise.choice([0.04, 1.0, 2.0, 5.0, 40.0])
        picture = noise.choice([picture, picture, picture, WELL, *AILING.values()])
        one = seen(time, picture if noise.random() < 0.8 else None, gap=noise.choice([0.0, 0.0, 0.0, 30.0]))
        if noise.random() < 0.1:
            state, outputs = rule.unseen(state, state.time or 0.0, time)
            other, again = rule.unseen(other, other.time or 0.0, time)
            assert outputs == again
            told += outputs
        state, outputs = rule.step(state, one)
        other, again = rule.step(rule.load(json.loads(json.dumps(rule.dump(other)))), one)
        assert (outputs, state) == (again, other)
        told += outputs
        rule.conditions(state)
        assert rule.sure(state).keys() <= rule.blind(state).keys() | {"offline"}
        assert rule.step(state, one) == (state, [])
    check_protocol(told)


def test_it_says_what_it_waits_for() -> None:
    state, _ = play(between(10.0, 60.0, BLACK), 14.0, 0.5)
    waiting = {one.name: one for one in rule_of(watched()).conditions(state)}
    assert waiting["lasting_s"].value == 4.0
    assert waiting["lasting_s"].needed == 10.0
    assert not waiting["lasting_s"].holds
    assert waiting["looks"].holds


def test_every_camera_that_is_watched_has_it_unless_it_says_no() -> None:
    given = camera(KERB, illegal_parking={"dwell": 10}).algorithms
    assert set(running(given)) == {"camera_health", "illegal_parking"}
    assert set(running(camera(KERB, illegal_parking={}, camera_health={"enabled": False}).algorithms)) == {
        "illegal_parking"
    }
    assert running({}) == {}
    assert set(running(camera(camera_health={}).algorithms)) == {"camera_health"}


def test_which_rule_needs_which_picture_is_data() -> None:
    assert ALGORITHMS["waterlogging"].blinded_by == BLINDING
    for name in ("illegal_parking", "crowding", "litter"):
        assert ALGORITHMS[name].blinded_by == BLINDING | {"blurred"}
    assert ALGORITHMS["camera_health"].blinded_by == frozenset()


CAR = parked(1, 0.35, 0.55, 5.0, 200.0)


def frame(time: float) -> Frame:
    plane = np.zeros((2, 2), np.uint8)
    return Frame(plane, plane, plane, time, 1_700_000_000.0 + time)


def through(chain: CameraChain, start: float, end: float, health: PictureHealth, *actors: Actor) -> list[Any]:
    events = []
    for i in range(int(start), int(end)):
        asked = chain.asks(float(i)).health
        events += chain.look(seen(float(i), health if asked else None, actors), frame(float(i)), CLOCK)
    return events


def test_a_covered_lens_pauses_the_rules_and_their_clock_knows_it_as_a_gap() -> None:
    """A car is parked, the lens is covered for 60 s, the car is still there: one event with one clock."""
    chain = CameraChain(camera(KERB, illegal_parking={"dwell": 30}), MODEL, NoEvidence())
    events = through(chain, 0, 20, WELL, CAR)
    assert events == []
    assert chain.paused == {}
    events = through(chain, 20, 80, COVERED)
    assert [(event.type, event.zone, event.transition.value) for event in events] == [("camera_health", "", "opened")]
    assert chain.paused == {"illegal_parking": "covered"}
    assert chain.unwatched["illegal_parking"][0] == "covered"
    assert abs(chain.unwatched["illegal_parking"][1] - 20.0) <= 2.0
    kept = json.loads(json.dumps(chain.dump()))
    chain = CameraChain(camera(KERB, illegal_parking={"dwell": 30}), MODEL, NoEvidence())
    chain.load(kept)
    assert chain.paused == {"illegal_parking": "covered"}
    events = through(chain, 80, 120, WELL, CAR)
    assert said(event for event in events if event.type == "camera_health") == [(1, "closed")]
    parking = [event for event in events if event.type == "illegal_parking"]
    assert said(parking) == [(0, "opened")]
    assert abs(parking[0].stream_time - parking[0].numbers["still_s"] - 5.0) < 2.0
    assert parking[0].numbers["unwatched_s"] >= 60
    assert chain.paused == {}
    assert chain.unwatched == {}


def test_a_blurred_picture_still_serves_waterlogging() -> None:
    given = running(camera(KERB, ROAD, illegal_parking={}, waterlogging={}).algorithms)
    assert blinded({"blurred": 8.0}, given) == {"illegal_parking": ("blurred", 8.0)}
    assert blinded({"blurred": 8.0, "frozen": 5.0}, given) == {
        "illegal_parking": ("frozen", 5.0),
        "waterlogging": ("frozen", 5.0),
    }


def test_health_asks_for_no_more_looks_than_the_others_need() -> None:
    alone = camera(KERB, illegal_parking={"look_every": 10, "min_score": 0.6, "dwell": 300})
    chain = CameraChain(alone, MODEL, NoEvidence())
    assert chain.look_every == 10
    assert chain.min_score == 0.6
    assert chain.patience == 30.0
    assert CameraChain(camera(camera_health={}), MODEL, NoEvidence()).look_every == 2.0
    assert CameraChain(camera(camera_health={"enabled": False}), MODEL, NoEvidence()).look_every is None


def test_offline_through_the_chain_has_one_id() -> None:
    chain = CameraChain(camera(KERB, illegal_parking={}), MODEL, NoEvidence())
    through(chain, 0, 10, WELL)
    utc = 1_700_000_000.0
    assert chain.unseen(9.0, 30.0, utc + 30.0, CLOCK) == []
    opened = chain.unseen(9.0, 40.0, utc + 40.0, CLOCK)
    assert [(one.numbers["lasting_s"], one.started_utc) for one in opened] == [(31.0, utc + 9.0)]
    closed = through(chain, 60, 61, WELL)
    assert [(one.id, one.transition.value, one.ended_utc) for one in closed] == [(opened[0].id, "closed", utc + 60.0)]
