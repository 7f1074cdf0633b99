"""An algorithm of one file: known to the pool, judged by the same harness as those that ship."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vision import ObjectClass
from pipeline.rules.base import Rule, Step
from pipeline.rules.registry import build_rules
from tests.unit.scenes import Actor, camera, check_protocol, looks, of, rectangle, run

LANE = {"id": "lane", "kind": "road", "polygon": rectangle(0.1, 0.3, 0.9, 0.8)}
PARAMETERS = {"direction": [1, 0], "look_every": 0.5}


def rule() -> Rule[Any]:
    return build_rules(camera(LANE, wrong_way=PARAMETERS))[0]


def rider(
    track: int, start: float, speed: float, *, object_class: ObjectClass = ObjectClass.BICYCLE, y: float = 0.6
) -> Actor:
    """Rides from edge to edge at `speed` picture widths a second; negative: from right to left."""
    path = ((start, 0.0, y), (start + 1 / abs(speed), 1.0, y))
    if speed < 0:
        path = ((start, 1.0, y), (start + 1 / abs(speed), 0.0, y))
    return Actor(track, path, size=(0.04, 0.1), object_class=object_class)


@pytest.mark.parametrize("rate", [2.0, 5.0, 25.0])
def test_a_rider_against_the_lane_is_one_event(rate: float) -> None:
    _, said = run(rule(), looks([rider(1, 5.0, -0.1)], 0.0, 30.0, rate))
    check_protocol(said)
    (opened,) = of(said, Step.OPENED)
    (closed,) = of(said, Step.CLOSED)
    assert opened.started == pytest.approx(6.0, abs=0.5)  # in the zone 1 s after the edge
    assert 7.5 <= opened.time <= 11.0
    assert closed.time == pytest.approx(14.0, abs=0.6)
    assert opened.subject.object_class == "bicycle"
    assert "against" in opened.reason["en"]


@pytest.mark.parametrize(
    "other",
    [
        rider(1, 5.0, 0.1),
        rider(1, 5.0, -0.1, object_class=ObjectClass.CAR),
        rider(1, 5.0, -0.1, y=0.95),
        Actor(1, ((5.0, 0.5, 0.31), (9.0, 0.45, 0.79)), size=(0.04, 0.1), object_class=ObjectClass.BICYCLE),
        Actor(1, ((5.0, 0.85, 0.1), (9.0, 0.3, 0.95)), size=(0.04, 0.1), object_class=ObjectClass.BICYCLE),
    ],
    ids=["with the lane", "a car", "beside the lane", "across it", "across it as a low camera sees it"],
)
def test_nobody_else_is(other: Actor) -> None:
    _, said = run(rule(), looks([other], 0.0, 30.0, 5.0))
    check_protocol(said)
    assert of(said, Step.OPENED) == []


def test_a_rider_whose_number_changes_on_the_way_is_still_one() -> None:
    whole = looks([rider(1, 5.0, -0.1)], 0.0, 30.0, 2.0)
    renumbered = looks([rider(9, 5.0, -0.1)], 0.0, 30.0, 2.0)
    seen = [a if a.time < 8.5 else b for a, b in zip(whole, renumbered, strict=True) if not 8.5 <= a.time < 9.5]
    _, said = run(rule(), seen)
    check_protocol(said)
    (opened,) = of(said, Step.OPENED)
    assert opened.key == "track:1"
    assert opened.started == pytest.approx(6.0, abs=0.5)


def test_riders_with_the_lane_are_not_taken_for_one_that_goes_back() -> None:
    """One leaves at the far end when the next comes in at the near one."""
    _, said = run(rule(), looks([rider(1, 5.0, 0.2), rider(2, 8.5, 0.2), rider(3, 12.0, 0.2)], 0.0, 30.0, 5.0))
    assert said == []


@settings(deadline=None)
@given(st.floats(1, 29))
def test_a_restart_changes_nothing(cut: float) -> None:
    judge = rule()
    seen = looks([rider(1, 5.0, -0.1), rider(2, 9.0, -0.15)], 0.0, 30.0, 4.0)
    _, whole = run(judge, seen)
    state, first = run(judge, [one for one in seen if one.time <= cut])
    loaded = judge.load(judge.dump(state))
    _, rest = run(judge, [one for one in seen if one.time > cut], loaded)
    assert first + rest == whole


@pytest.mark.parametrize(
    "first", ["extensions.wrong_way", "pipeline.rules.registry", "contracts.algorithms", "pool.schema"]
)
def test_it_is_known_whatever_is_imported_first(first: str) -> None:
    code = (
        f"import {first}; from contracts.algorithms import ALGORITHMS; from pipeline.rules.registry import known_types"
    )
    code += "; assert 'wrong_way' in ALGORITHMS and 'wrong_way' in known_types()"
    subprocess.run([sys.executable, "-c", code], check=True)
