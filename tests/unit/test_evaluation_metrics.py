"""Figures from scores, and judging: known answers, and what must hold for any input."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithm_repo.evaluation.metrics import Score, by_type, figures, poisson_upper
from algorithm_repo.evaluation.outcome import Raised, judge, raised_events, scored
from algorithm_repo.evaluation.suite import Clip, TruthEvent
from contracts.pool import Camera
from contracts.records import Event
from tests.unit.chain_scene import Scene


def _score(
    truths: int = 0, waits: tuple[float, ...] = (), false_alarms: int = 0, slices: tuple[str, ...] = ()
) -> Score:
    return Score("litter", slices, 3600.0, truths, waits, tuple(wait - 20 for wait in waits), false_alarms)


@given(st.integers(0, 60), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_upper_bound_is_where_so_few_become_unlikely(count: int, confidence: float) -> None:
    bound = poisson_upper(count, confidence)
    so_few = sum(math.exp(-bound + k * math.log(bound) - math.lgamma(k + 1)) for k in range(count + 1))
    assert so_few == pytest.approx(1 - confidence, rel=1e-6)


def test_no_false_alarm_in_fifteen_days_is_just_below_a_fifth_a_day() -> None:
    assert poisson_upper(0) / 15 == pytest.approx(0.19971, abs=1e-5)


def test_known_figures() -> None:
    scores = [_score(2, (25.0, 35.0)), _score(2, (31.0,), 1), _score(false_alarms=1)]
    table = figures(scores)
    assert table["precision"] == pytest.approx(3 / 5)
    assert table["recall"] == pytest.approx(3 / 4)
    assert table["f1"] == pytest.approx(2 / 3, abs=1e-6)
    assert table["false_alarms"] == 2
    assert table["false_alarms_per_camera_day"] == pytest.approx(16)
    assert table["false_alarms_upper95"] == pytest.approx(6.2958 * 8, abs=1e-3)
    assert table["time_to_detect_p50"] == 31.0
    assert table["delay_p50"] == 11.0
    assert (table["clips"], table["positive_clips"], table["negative_clips"], table["hours"]) == (3, 2, 1, 3.0)


def test_what_is_not_defined_is_none() -> None:
    quiet = figures([_score()])
    assert quiet["precision"] is quiet["recall"] is quiet["f1"] is quiet["time_to_detect_p50"] is None
    assert quiet["false_alarms_per_camera_day"] == 0
    assert figures([_score(1)])["precision"] is None
    assert figures([_score(1)])["recall"] == 0
    assert figures([])["false_alarms_per_camera_day"] is figures([])["false_alarms_upper95"] is None


def test_slices_hold_the_clips_that_name_them() -> None:
    table = by_type([_score(1, (30.0,), slices=("night", "rain")), _score(1, slices=("rain",))], ["litter"])["litter"]
    slices = table["slices"]
    assert isinstance(slices, dict)
    assert (slices["night"]["recall"], slices["rain"]["recall"], table["recall"]) == (1, 0.5, 0.5)


# --- from events to findings ---------------------------------------------------------------------------------------


def _clip(*truth: TruthEvent) -> Clip:
    zones = [
        {"id": "left", "kind": "no_parking", "polygon": [[0.2, 0.3], [0.5, 0.3], [0.5, 0.7]]},
        {"id": "right", "kind": "no_parking", "polygon": [[0.6, 0.3], [0.9, 0.3], [0.9, 0.7]]},
    ]
    camera = Camera.model_validate(
        {
            "id": "c",
            "name": "c",
            "department": "d",
            "main": {"url": "file:///c.mp4"},
            "zones": zones,
            "algorithms": {"illegal_parking": {"dwell": 10}},
        }
    )
    return Clip(number=1, file="c.mp4", camera=camera, slices=("night",), truth=truth)


def _raised(zone: str, started: float, opened: float, ended: float | None = None) -> Raised:
    return Raised(f"{zone}{started}", "illegal_parking", zone, started, opened, ended, None, {}, "", None)


def _parked(zone: str, start: float, end: float | None = None) -> TruthEvent:
    return TruthEvent(type="illegal_parking", zone=zone, start=start, end=end)


def test_found_missed_and_raised_in_vain() -> None:
    clip = _clip(_parked("left", 5, 40), _parked("right", 50))
    raised = [_raised("left", 6, 16, 39), _raised("left", 45, 55, 60), _raised("right", 0, 10, 30)]
    findings = judge(clip, raised, end=70)
    assert [(f.verdict, f.zone) for f in findings] == [
        ("found", "left"),
        ("false_alarm", "right"),
        ("missed", "right"),
        ("false_alarm", "left"),
    ]
    (score,) = scored(clip, findings, 70)
    assert (score.truths, score.waits, score.delays, score.false_alarms) == (2, (11.0,), (1.0,), 2)
    assert (score.seconds, score.slices) == (70, ("night",))


def test_what_is_open_at_the_end_lasts_to_the_end() -> None:
    clip = _clip(_parked("left", 40))
    assert [f.verdict for f in judge(clip, [_raised("left", 5, 15)], end=60)] == ["found"]
    assert judge(clip, [], end=60)[0].truth == (40, 60)


def test_transitions_of_a_real_chain_become_one_event(tmp_path: object) -> None:
    from pathlib import Path

    from pipeline.spool_evidence import EvidenceSpool
    from store.objects import DiskObjects

    folder = Path(str(tmp_path))
    scene = Scene(folder / "shelf", EvidenceSpool(folder / "waiting", DiskObjects(folder / "objects")))
    events: list[Event] = scene.until(40)
    (one,) = raised_events(events, start_utc=1_700_000_000.0)
    assert (one.type, one.zone) == ("illegal_parking", "left")
    assert one.started == pytest.approx(5.5, abs=0.6)
    assert one.opened == 15.5
    assert one.ended == pytest.approx(30, abs=1)
    assert "still" in one.reason
    (unfinished,) = raised_events([event for event in events if event.transition != "closed"], 1_700_000_000.0)
    assert unfinished.ended is None
