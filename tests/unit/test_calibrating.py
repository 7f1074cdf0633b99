"""Fitting confidences: on events whose odds are known, what is stated is what happens."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithm_repo.calibrating.collect import reported
from algorithm_repo.calibrating.fit import Labelled, Sample, expected_error, fit, measured_on, operating_curve
from contracts.errors import ConfigError


def events(count: int, slope: float = 3.0) -> Labelled:
    """Events of which those in a queue are mostly false: odds exp(slope * (0.5 - queue_share))."""
    rng = np.random.default_rng(1)
    samples = []
    for i in range(count):
        share = float(rng.random())
        odds = math.exp(2 * slope * (0.5 - share))
        samples.append(
            Sample(f"clip{i}", {"queue_share": share, "looks_share": 1.0}, bool(rng.random() < odds / (1 + odds)))
        )
    return Labelled(tuple(samples), truths=sum(s.real for s in samples), hard=count // 2)


def test_what_is_stated_is_what_happens() -> None:
    found = fit("illegal_parking", events(3000), "by hand")
    assert found.expected_error < 0.04
    for share in (0.1, 0.5, 0.9):
        true = 1 / (1 + math.exp(-6 * (0.5 - share)))
        assert found.confidence({"queue_share": share, "looks_share": 1.0}) == pytest.approx(true, abs=0.06)


def test_a_lower_rate_of_false_alarms_is_kept_on_other_clips() -> None:
    found = fit("illegal_parking", events(2000), "by hand")
    rates = [point.false_alarms_per_camera_day for point in found.curve]
    assert rates == sorted(rates, reverse=True)
    target = rates[0] / 4
    least = found.least(target)
    other = events(2000, slope=3.0)
    false = [s for s in other.samples if not s.real and found.confidence(s.numbers) >= least]
    assert 20 * len(false) / other.hard <= target * 1.2


def test_events_that_were_all_real_make_no_certainty() -> None:
    samples = tuple(Sample(f"c{i}", {"queue_share": 0.1}, True) for i in range(30))
    found = fit("illegal_parking", Labelled(samples, truths=30, hard=10), "by hand")
    assert 0.9 < found.confidence({"queue_share": 0.9}) < 1.0
    assert found.least(0.2) == 0.0


def test_nothing_to_fit_to_is_told() -> None:
    with pytest.raises(ValueError, match="no event"):
        fit("illegal_parking", Labelled((), 0, 0), "by hand")
    with pytest.raises(ValueError, match="no features"):
        fit("unheard_of", Labelled((Sample("c", {}, True),), 1, 0), "by hand")


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(0, 80), st.integers(0, 50)
)
def test_the_curve_never_rises_and_ends_without_mistakes(
    rows: list[tuple[float, bool]], truths: int, hard: int
) -> None:
    stated = np.array([min(p, 0.99) for p, _ in rows])
    real = np.array([r for _, r in rows])
    curve = operating_curve(stated, real, truths, hard)
    assert curve[0].confidence == 0.0
    assert all(a.confidence < b.confidence for a, b in itertools.pairwise(curve))
    assert all(a.false_alarms_per_camera_day >= b.false_alarms_per_camera_day for a, b in itertools.pairwise(curve))
    assert curve[-1].false_alarms_per_camera_day == 0.0
    assert 0.0 <= expected_error(stated, real) <= 1.0


def test_operating_points_come_from_reports_of_other_suites(tmp_path: Path) -> None:
    def finding(verdict: str, share: float) -> dict[str, object]:
        event = None if verdict == "missed" else {"numbers": {"queue_share": share, "looks_share": 1.0}}
        return {"type": "illegal_parking", "verdict": verdict, "file": "a.mp4", "event": event}

    findings = [finding("found", 0.1), finding("found", 0.2), finding("false_alarm", 0.9), finding("missed", 0.0)]
    report = {"types": {"illegal_parking": {"truths": 3, "negative_clips": 10}}, "findings": findings}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    measured = measured_on(fit("illegal_parking", events(2000), "by hand"), reported("illegal_parking", [path]))
    first, last = measured.curve[0], measured.curve[-1]
    assert (first.false_alarms_per_camera_day, round(first.recall, 2)) == (2.0, 0.67)
    assert (last.false_alarms_per_camera_day, round(last.recall, 2)) == (0.0, 0.67)
    assert measured.least(1.0) > measured.confidence({"queue_share": 0.9, "looks_share": 1.0})
    with pytest.raises(ConfigError, match="no report"):
        reported("illegal_parking", [tmp_path / "nothing.json"])
