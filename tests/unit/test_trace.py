"""A camera's trace: what changed is written, what did not is not, and it goes across the bus unharmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.pool import Zone
from contracts.senses import BinReading, Leftover, Senses
from contracts.trace import TracedCondition, TracedStep, TraceLine, ZoneCount
from contracts.vision import Look, Tracks
from pipeline.spool_evidence import EvidenceSpool
from pipeline.trace import EVERY_S, Tracer, senses_in_numbers
from store import keys
from store.bus import Bus
from store.objects import DiskObjects
from tests.unit.chain_scene import CAR, Scene
from tests.unit.scenes import parked

pytest_plugins = ["tests.embedded"]

ZONE = Zone.model_validate({"id": "z", "kind": "area", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]})


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[EvidenceSpool]:
    spool = EvidenceSpool(tmp_path / "waiting", DiskObjects(tmp_path / "objects"), min_free_bytes=0)
    yield spool
    spool.close()


def _look(time: float) -> Look:
    return Look("a", time, 1000.0 + time, Tracks.empty(), 1.5)


def _see(tracer: Tracer, time: float, *values: float) -> list[TraceLine]:
    conditions = [TracedCondition("t", "z", f"m{i}", "n", value, 100.0) for i, value in enumerate(values)]
    tracer.looked(_look(time), [ZONE], 1.0, conditions, (), {})
    return tracer.take()


def test_only_changes_are_written_and_what_happened_between_is_counted() -> None:
    tracer = Tracer()
    assert len(_see(tracer, 0.0, 50.0)) == 1
    assert _see(tracer, 1.0, 53.0) == []
    tracer.gated()
    (line,) = _see(tracer, 3.0, 56.0)
    assert (line.looks, line.gated, line.conditions[0].value) == (2, 1, 56.0)
    (line,) = _see(tracer, 4.0, 56.0, 1.0)  # another matter
    assert len(line.conditions) == 2
    assert _see(tracer, 5.0, 56.0, 1.0) == []
    (line,) = _see(tracer, 4.0 + EVERY_S, 56.0, 1.0)
    assert line.looks == 2


@given(st.lists(st.floats(0, 200), min_size=1, max_size=60))
def test_what_is_known_between_two_lines_is_never_far_off(values: list[float]) -> None:
    tracer, known = Tracer(), None
    for time, value in enumerate(values):
        for line in _see(tracer, float(time), value):
            known = line.conditions[0]
        assert known is not None
        assert abs(known.value - value) <= 0.05 * max(100.0, known.value)
        assert known.holds == (value >= 100.0 - 1e-9)


def test_steps_gaps_and_pauses_are_always_written() -> None:
    tracer = Tracer()
    _see(tracer, 0.0)
    tracer.step(TracedStep("t", "z", "m", "candidate", "e"))
    (line,) = _see(tracer, 1.0)
    assert line.steps == (TracedStep("t", "z", "m", "candidate", "e"),)
    tracer.looked(Look("a", 2.0, 1002.0, Tracks.empty(), 1.5, gap=30.0), [ZONE], 1.0, [], (), {})
    assert tracer.take()[0].gap == 30.0
    tracer.looked(_look(3.0), [ZONE], 1.0, [], (), {"t": "black"})
    assert tracer.take()[0].paused == {"t": "black"}


def test_lines_wait_but_not_for_ever() -> None:
    tracer = Tracer(kept=3)
    for time in range(6):
        tracer.looked(_look(time * EVERY_S), [ZONE], 1.0, [], (), {})
    assert [line.time for line in tracer.take()] == [30.0, 40.0, 50.0]


def test_senses_are_told_in_numbers() -> None:
    senses = Senses(leftovers=(Leftover(1, (0, 0, 1, 1), 2.0, 0.75),), bins=(BinReading("b", 0.25),))
    assert senses_in_numbers(senses) == {"leftovers": 1.0, "litter": 0.75, "bin:b": 0.25}
    assert senses_in_numbers(Senses()) == {}


def test_a_line_is_short_and_survives_json() -> None:
    condition = TracedCondition("illegal_parking", "lane", "track:17", "still_s", 12.5, 180.0)
    line = TraceLine(
        time=1.5, utc=2.5, why="rule", every=2.0, conditions=(condition,), zones=(ZoneCount("lane", 0, 2, 0),)
    )
    raw = line.to_json()
    assert TraceLine.model_validate_json(raw) == line
    assert len(raw) < 200
    assert isinstance(json.loads(raw)["conditions"][0], list)


def test_a_parking_is_traced_from_its_first_second_to_its_end(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene = Scene(tmp_path / "shelf", blobs)
    events = scene.until(36.0)
    lines = scene.chain.tracer.take()
    steps = [(step.step, line.time) for line in lines for step in line.steps]
    assert [name for name, _ in steps if name != "updated"] == ["candidate", "opened", "closed"]
    opened_at = dict(steps)["opened"]
    assert {step.event for line in lines for step in line.steps} == {events[0].id}
    before = [line for line in lines if line.time < opened_at and line.conditions]
    still = [one for line in before for one in line.conditions if one.name == "still_s"]
    assert still
    assert not any(one.holds for one in still)
    at = next(line for line in lines if line.time == opened_at)
    assert all(one.holds for one in at.conditions)
    assert at.open == (("illegal_parking", "left", at.steps[0].subject),)
    assert lines[-1].open == ()
    assert max(line.zones[0].vehicles for line in lines) == 1
    assert len(lines) < 60, "one look every half second, 72 in all"


def test_two_cars_are_told_apart(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene = Scene(tmp_path / "shelf", blobs, actors=(CAR, parked(2, 0.42, 0.55, 8.0, 30.0)))
    scene.until(14.0)
    assert len({one.subject for line in scene.chain.tracer.take() for one in line.conditions}) == 2


def test_the_bus_keeps_the_newest_lines(bus: Bus) -> None:
    lines = [TraceLine(time=float(i), utc=float(i), why="rule", every=2.0) for i in range(keys.TRACE_KEPT + 500)]
    bus.add_traces({"a": lines[:10], "b": lines[:1]})
    bus.add_traces({"a": lines[10:]})
    kept = bus.trace("a")
    assert kept[-1] == lines[-1]
    assert keys.TRACE_KEPT <= len(kept) < keys.TRACE_KEPT + 200
    assert bus.trace("b") == lines[:1]
    assert bus.trace("nobody") == []
