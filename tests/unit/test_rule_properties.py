"""What holds for the rules whatever happens in front of the camera."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.senses import Senses
from contracts.vision import Look, ObjectClass
from pipeline.rules.base import Output, Rule, Step
from pipeline.rules.registry import build_rules
from tests.effort import examples
from tests.unit.scenes import Actor, camera, check_protocol, look, looks, of, parked, passing, rectangle, run
from tests.unit.wet import Spot, moving, puddle, water

ZONE = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)}
ROAD = {"id": "road", "kind": "road", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)}
SQUARE = {"id": "square", "kind": "square", "polygon": rectangle(0.05, 0.3, 0.95, 0.95), "capacity": 4}
RATES = (0.5, 2.0, 5.0, 25.0)


def parking() -> Rule[Any]:
    return build_rules(camera(ZONE, illegal_parking={"dwell": 30}))[0]


def crowding() -> Rule[Any]:
    return build_rules(camera(SQUARE, crowding={"hold": 15, "look_every": 2, "linger": 2}))[0]


def waterlogging() -> Rule[Any]:
    return build_rules(camera(ROAD, waterlogging={"hold": 15, "look_every": 1, "clear_hold": 10}))[0]


def with_water(one: Look, seed: int) -> Look:
    """Puddles that come and go, and a net that is often wrong."""
    noise = Random(seed)
    begins = [noise.uniform(0, 80) for _ in range(3)]
    spots: list[Spot] = [
        puddle(
            noise.uniform(0.1, 0.9), noise.uniform(0.3, 0.9), noise.uniform(0.05, 0.3), start=b, full=b + 9, end=b + 30
        )
        for b in begins
    ]
    seen = Senses(water=water([*spots, moving(0.6, 0.1, speed=0.07)], one.time, seed=seed, noise=0.03))
    return replace(one, senses=seen)


KINDS = [parking, crowding, waterlogging]


def chaos(seed: int) -> list[Actor]:
    """Cars that stop, go, vanish, swap ids, are missed and dance; people that come and go."""
    noise = Random(seed)
    actors: list[Actor] = []
    for i in range(noise.randint(1, 6)):
        x, y, start = noise.uniform(0.15, 0.9), noise.uniform(0.4, 0.9), noise.uniform(5, 60)
        missed_from = noise.uniform(0, 120)
        actors.append(
            parked(
                i,
                x,
                y,
                start,
                start + noise.uniform(2, 90),
                jitter=noise.choice([0.005, 0.03, 0.1]),
                colour=noise.randint(0, 2),
                ids=((noise.uniform(0, 120), 100 + i), (noise.uniform(0, 120), 100 + noise.randint(0, 6))),
                missed=lambda t, m=missed_from: m <= t <= m + 12,
            )
        )
    for i in range(noise.randint(0, 9)):
        x, y, start = noise.uniform(0.1, 0.9), noise.uniform(0.4, 0.9), noise.uniform(0, 60)
        path = [(start + 3.0 * k, x + noise.uniform(-0.02, 0.02), y) for k in range(noise.randint(2, 25))]
        actors.append(Actor(50 + i, tuple(path), (0.03, 0.12), ObjectClass.PERSON))
    return actors


def chaotic(seed: int, end: float, rate: float) -> list[Look]:
    """Looks at all of it."""
    return [with_water(unique_ids(one), seed) for one in looks(chaos(seed), 0, end, rate, seed=seed)]


def unique_ids(one: Look) -> Look:
    """A tracker never gives one id twice in a look; the chaos above might."""
    seen: set[int] = set()
    for i in range(len(one.tracks)):
        while int(one.tracks.ids[i]) in seen:
            one.tracks.ids[i] += 1000
        seen.add(int(one.tracks.ids[i]))
    return one


@given(seed=st.integers(0, 10_000), rate=st.sampled_from([0.5, 1.0, 4.0]), kind=st.sampled_from(KINDS))
@settings(max_examples=examples(30), deadline=None, derandomize=True)
def test_protocol_and_times_hold_in_chaos(seed: int, rate: float, kind: Any) -> None:
    noise = Random(seed)
    seen = [one for one in chaotic(seed, 130, rate) if noise.random() > 0.1]
    _, said = run(kind(), seen)
    check_protocol(said)
    assert [o.time for o in said if o.step is not Step.CLOSED] == sorted(
        o.time for o in said if o.step is not Step.CLOSED
    )


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS))
@settings(max_examples=examples(8), deadline=None, derandomize=True)
def test_a_restart_at_any_look_changes_nothing(seed: int, kind: Any) -> None:
    seen = chaotic(seed, 130, 1)
    rule = kind()
    state_a, said_a = run(rule, seen)
    state_b, said_b = rule.initial(), []
    for one in seen:
        state_b, outputs = rule.step(state_b, one)
        said_b += outputs
        text = json.dumps(rule.dump(state_b))
        state_b = kind().load(json.loads(text))
        assert json.dumps(rule.dump(state_b)) == text
    assert said_a == said_b
    assert rule.dump(state_a) == rule.dump(state_b)


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS))
@settings(max_examples=examples(6), deadline=None, derandomize=True)
def test_a_step_leaves_its_state_untouched(seed: int, kind: Any) -> None:
    rule = kind()
    state, _ = run(rule, chaotic(seed, 60, 1))
    before = json.dumps(rule.dump(state))
    rule.step(state, with_water(look(chaos(seed + 1), 61.0), seed))
    assert json.dumps(rule.dump(state)) == before


@given(x=st.floats(0.2, 0.85), start=st.floats(10, 20), stay=st.floats(5, 80), seed=st.integers(0, 100))
@settings(max_examples=examples(6), deadline=None, derandomize=True)
def test_parking_answers_the_same_at_every_rate(x: float, start: float, stay: float, seed: int) -> None:
    actors = [parked(1, x, 0.7, start, start + stay), passing(2, 0.9, 12.0, colour=1)]
    answers: list[list[Output]] = []
    for rate in RATES:
        _, said = run(parking(), looks(actors, 0, start + stay + 30, rate, seed=seed))
        answers.append([o for o in said if o.subject.track == 1])
    if abs(stay - 30) < 4:
        return  # whether it stood for T depends on the look that happens to see it
    for step in (Step.OPENED, Step.CLOSED):
        times = [[o.time for o in of(said, step)] for said in answers]
        starts = [[o.started for o in of(said, step)] for said in answers]
        assert {len(t) for t in times} == {1 if stay > 30 else 0}
        for all_of in (times, starts):
            flat = [t[0] for t in all_of if t]
            assert not flat or max(flat) - min(flat) <= 2.0 + 1.0 + 1e-6  # a look of the slowest, and braking


@given(count=st.integers(5, 9), start=st.floats(5, 15), stay=st.floats(30, 60), seed=st.integers(0, 100))
@settings(max_examples=examples(4), deadline=None, derandomize=True)
def test_crowding_answers_the_same_at_every_rate(count: int, start: float, stay: float, seed: int) -> None:
    people = [
        Actor(
            i,
            tuple((start + 4 * k, 0.1 + 0.09 * i + 0.01 * (k % 2), 0.6) for k in range(int(stay / 4) + 1)),
            (0.03, 0.12),
            ObjectClass.PERSON,
        )
        for i in range(count)
    ]
    opened = [of(run(crowding(), looks(people, 0, start + stay + 30, r, seed=seed))[1], Step.OPENED) for r in RATES]
    assert [len(o) for o in opened] == [1] * len(RATES)
    for rate, (one,) in zip(RATES, opened, strict=True):
        assert start + 2 - 1e-6 <= one.started <= start + 2 + 1 / rate + 1e-6
        assert start + 2 + 15 - 1e-6 <= one.time <= start + 2 + 15 + 2 / rate + 1e-6  # T, and the look that follows it
    assert {o[0].numbers["people"] for o in opened} == {float(count)}


@given(dx=st.floats(-0.1, 0.1), dy=st.floats(-0.1, 0.1), seed=st.integers(0, 1000))
@settings(max_examples=examples(8), deadline=None, derandomize=True)
def test_moving_the_picture_and_the_zone_changes_nothing(dx: float, dy: float, seed: int) -> None:
    here = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.2, 0.3, 0.8, 0.8)}
    there = {**here, "polygon": rectangle(0.2 + dx, 0.3 + dy, 0.8 + dx, 0.8 + dy)}
    actors = chaos(seed)
    answers = []
    for zone, shift in ((here, (0.0, 0.0)), (there, (dx, dy))):
        rule = build_rules(camera(zone, illegal_parking={"dwell": 30}))[0]
        seen = [unique_ids(one) for one in looks(actors, 0, 130, 1, seed=seed, shift=shift)]
        answers.append([(o.step, o.key, o.time, o.started) for o in run(rule, seen)[1]])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_look_changes_nothing(kind: Any) -> None:
    rule = kind()
    state, _ = run(rule, chaotic(3, 60, 1))
    for time in (60.0, 10.0):
        again, said = rule.step(state, with_water(look(chaos(3), time), 3))
        assert said == []
        assert rule.dump(again) == rule.dump(state)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("broken", [{}, {"scenes": 1}, {"zones": [{}]}, {"scenes": [], "cases": [], "next_case": "1"}])
def test_a_state_of_another_shape_is_refused(kind: Any, broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rule state"):
        kind().load(broken)
