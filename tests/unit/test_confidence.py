"""Confidence: a probability from the explanation's numbers, and the operating point by a rate of false alarms."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.records import Event, Transition
from pipeline import sureness as sureness_module
from pipeline.confidence import Calibration, Feature, OperatingPoint, calibration_of
from pipeline.rules.registry import known_types
from pipeline.spool_evidence import EvidenceSpool
from store.objects import DiskObjects
from tests.unit.chain_scene import Scene, said, watched

CURVE = (
    OperatingPoint(confidence=0.0, false_alarms_per_camera_day=4.0, recall=1.0),
    OperatingPoint(confidence=0.5, false_alarms_per_camera_day=0.5, recall=0.97),
    OperatingPoint(confidence=0.9, false_alarms_per_camera_day=0.1, recall=0.9),
)


def calibration(weight: float = 1.0, bias: float = 0.0, curve: tuple[OperatingPoint, ...] = CURVE) -> Calibration:
    return Calibration(
        type="illegal_parking",
        features=(Feature(name="still_s", mean=14.0, scale=2.0, weight=weight),),
        bias=bias,
        curve=curve,
        events=10,
        real=5,
        expected_error=0.0,
        fitted_on="by hand",
    )


@given(st.floats(-1e9, 1e9), st.floats(-50, 50), st.floats(-1e3, 1e3))
def test_a_confidence_is_a_probability(value: float, weight: float, bias: float) -> None:
    assert 0.0 <= calibration(weight, bias).confidence({"still_s": value}) <= 1.0


@given(st.floats(0, 100), st.floats(0, 100))
def test_more_of_what_speaks_for_it_never_makes_it_less_likely(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = calibration()
    assert found.confidence({"still_s": low}) <= found.confidence({"still_s": high})


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_fewer_false_alarms_never_need_less_confidence(one: float, other: float) -> None:
    strict, loose = sorted((one, other))
    assert calibration().least(strict) >= calibration().least(loose)


def test_a_target_that_nothing_keeps_takes_what_comes_closest() -> None:
    assert calibration().least(0.01) == 0.9
    assert calibration().least(0.5) == 0.5
    assert calibration().least(5) == 0.0


def test_a_missing_number_counts_as_the_usual_one() -> None:
    assert calibration(bias=0.0).confidence({}) == 0.5


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, found: Calibration | None, target: float) -> list[Event]:
    monkeypatch.setattr(sureness_module, "calibration_of", lambda _type: found)
    parking = {"dwell": 10, "leave_after": 3, "look_every": 0.5, "ignore_queues": False, "max_false_alarms": target}
    blobs = EvidenceSpool(folder / "waiting", DiskObjects(folder / "objects"), min_free_bytes=0)
    try:
        return Scene(folder / "shelf", blobs, camera=watched(illegal_parking=parking)).until(40.0)
    finally:
        blobs.close()


def test_events_carry_their_confidence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = run(monkeypatch, tmp_path, calibration(weight=0.0, bias=2.0), 10.0)
    assert {event.confidence for event in events} == {0.881}
    assert events[-1].transition is Transition.CLOSED


def test_without_a_calibration_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = run(monkeypatch, tmp_path, None, 0.001)
    assert said(events)[0] == (0, "opened")
    assert {event.confidence for event in events} == {None}


def test_an_event_that_is_not_sure_enough_is_not_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, calibration(weight=0.0, bias=-5.0), 0.1) == []


def test_it_is_told_once_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Opened by the rule after 10 s standing, told at its first update (20 s), when the same numbers say more.
    events = run(monkeypatch, tmp_path, calibration(weight=2.0), 0.1)
    assert next(transition for _, transition in said(events)) == "opened"
    assert [seq for seq, _ in said(events)] == list(range(len(events)))
    assert events[0].numbers["still_s"] >= 20
    assert events[0].confidence is not None
    assert events[0].confidence >= 0.9
    assert events[0].evidence
    assert events[0].started_utc == pytest.approx(1_700_000_005, abs=1.0)


def test_what_ships_is_of_this_shape() -> None:
    for event_type in known_types():
        found = calibration_of(event_type)
        if found is None:
            continue
        assert found.type == event_type
        points = found.curve
        assert all(a.confidence < b.confidence for a, b in itertools.pairwise(points))
        rates = [point.false_alarms_per_camera_day for point in points]
        assert rates == sorted(rates, reverse=True)
