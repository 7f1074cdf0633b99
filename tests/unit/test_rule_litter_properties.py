"""What holds for the litter rule whatever lies, stands and passes in front of the camera."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vision import Look, ObjectClass
from pipeline.rules.base import Output, Rule, Step
from pipeline.rules.registry import build_rules
from tests.effort import examples
from tests.unit.litter_scene import Bin, Drop, at_rate, bringer, sensed, walker, watch
from tests.unit.scenes import Actor, camera, check_protocol, of, passing, rectangle

PAVEMENT = {"id": "pavement", "kind": "sidewalk", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)}
PLACE = {"id": "place", "kind": "square", "polygon": rectangle(0.3, 0.4, 0.8, 0.8)}
BIN = {"id": "bin", "kind": "bin", "polygon": rectangle(0.1, 0.5, 0.15, 0.6)}


def litter(**more: Any) -> Rule[Any]:
    return build_rules(camera(PAVEMENT, PLACE, BIN, litter={"dwell": 20, **more}))[0]


def _wavering(seed: int) -> Callable[[float], float]:
    return lambda time: Random(f"{seed} {time // 15}").uniform(0.2, 1.0)


def _missed_in_stretches(seed: int, stretch: float, share: float) -> Callable[[float], bool]:
    return lambda time: Random(f"{seed} {time // stretch}").random() < share


def chaos(seed: int) -> tuple[list[Actor], list[Drop], list[Bin]]:
    """Things that come, flicker, change number and kind; people who stay, leave, break; a bin read wrongly at times."""
    noise = Random(seed)
    drops, actors = [], []
    for i in range(noise.randint(1, 7)):
        x, y, start = noise.uniform(0.05, 0.95), noise.uniform(0.35, 0.95), noise.uniform(0, 60)
        gaps, least = noise.uniform(2, 30), noise.uniform(0, 0.7)
        numbers = ((noise.uniform(0, 130), 20 + i), (noise.uniform(0, 130), i + 1))
        drop = Drop(i + 1, x, y, start, start + noise.uniform(5, 120), _wavering(i + seed), numbers=numbers)
        drops.append(replace(drop, missed=_missed_in_stretches(i, gaps, least)))
        actors.append(bringer(i, x, y, start, stays=noise.uniform(0, 40)))
    cars = noise.randint(0, 4)
    actors += [passing(50 + i, noise.uniform(0.4, 0.9), noise.uniform(0, 100), size=(0.2, 0.15)) for i in range(cars)]
    swings = noise.uniform(3, 40)
    bins = [Bin("bin", noise.uniform(0, 60), noise.uniform(60, 130), lambda t: Random(f"{t // swings}").random() < 0.3)]
    return actors, drops, bins


def unevenly(seed: int, rate: float) -> list[Look]:
    """Looks at a rate of which some are left out, with gaps now and then."""
    noise = Random(seed)
    actors, _, _ = chaos(seed)
    seen = [one for one in at_rate(actors, 0, 140, rate) if noise.random() > 0.15]
    return [one for one in seen if not 70 < one.time < 70 + (seed % 3) * 20]


@given(seed=st.integers(0, 10_000), rate=st.sampled_from([0.5, 1.0, 4.0]))
@settings(max_examples=examples(20), deadline=None, derandomize=True)
def test_protocol_and_times_hold_in_chaos(seed: int, rate: float) -> None:
    _, drops, bins = chaos(seed)
    _, said = watch(litter(), unevenly(seed, rate), drops, bins)
    check_protocol(said)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=examples(6), deadline=None, derandomize=True)
def test_a_restart_at_any_look_changes_nothing(seed: int) -> None:
    _, drops, bins = chaos(seed)
    seen = unevenly(seed, 1.0)
    rule = litter()
    state_a, said_a = watch(rule, seen, drops, bins)
    state_b, said_b = rule.initial(), []
    for one in seen:
        state_b, outputs = rule.step(state_b, sensed(rule, state_b, one, drops, bins))
        said_b += outputs
        text = json.dumps(rule.dump(state_b))
        state_b = litter().load(json.loads(text))
        assert json.dumps(rule.dump(state_b)) == text
    assert said_a == said_b
    assert rule.dump(state_a) == rule.dump(state_b)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=examples(6), deadline=None, derandomize=True)
def test_a_step_leaves_its_state_untouched_and_old_looks_change_nothing(seed: int) -> None:
    actors, drops, bins = chaos(seed)
    rule = litter()
    state, _ = watch(rule, at_rate(actors, 0, 60, 1), drops, bins)
    before = json.dumps(rule.dump(state))
    rule.step(state, sensed(rule, state, at_rate(actors, 61, 61, 1)[0], drops, bins))
    assert json.dumps(rule.dump(state)) == before
    for time in (60, 10):
        again, said = rule.step(state, sensed(rule, state, at_rate(actors, time, time, 1)[0], drops, bins))
        assert said == []
        assert json.dumps(rule.dump(again)) == before


@given(x=st.floats(0.2, 0.85), start=st.integers(10, 40), stays=st.floats(0.5, 20), lies=st.floats(8, 100))
@settings(max_examples=examples(6), deadline=None, derandomize=True)
def test_the_same_at_every_rate(x: float, start: int, stays: float, lies: float) -> None:
    """What lies unattended for T is told once at every rate, within a look of the slowest at either end."""
    alone = lies - stays - 2.5
    if abs(alone - 20) < 6:
        return  # whether it lay for T depends on the looks that happen to see it
    drop = Drop(1, x, 0.7, start, start + lies)
    answers: list[list[Output]] = []
    for rate in (0.5, 2.0, 5.0, 25.0):
        actors = [bringer(1, x, 0.7, float(start), stays=stays), walker(2, ((50, 0, 0.8), (62, 1, 0.8)))]
        answers.append(watch(litter(), at_rate(actors, 0, start + int(lies) + 20, rate), [drop])[1])
    for zone in ("pavement", "place") if 0.32 < x < 0.78 else ("pavement",):
        for step in (Step.OPENED, Step.CLOSED):
            found = [[o for o in of(said, step) if o.zone == zone] for said in answers]
            assert {len(f) for f in found} == {1 if alone > 20 else 0}
            for times in ([f[0].time for f in found if f], [f[0].started for f in found if f]):
                assert not times or max(times) - min(times) <= 2 * 2.0 + 1e-6


@pytest.mark.parametrize("broken", [{}, {"scenes": 1}, {"scenes": [], "heaps": [{}], "next_heap": 0, "bins": []}])
def test_a_state_of_another_shape_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rule state"):
        litter().load(broken)


def test_vehicles_are_no_people() -> None:
    """A car that stops beside a bag does not attend to it."""
    car = Actor(1, ((0, 0.0, 0.72), (30, 0.25, 0.72), (200, 0.25, 0.72)), (0.15, 0.1), ObjectClass.CAR)
    _, said = watch(litter(), at_rate([car], 0, 90, 1), [Drop(1, 0.4, 0.72, 20, 200)])
    assert of(said, Step.OPENED)
