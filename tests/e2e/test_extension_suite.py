"""The example extension's suite: clips named by scene are rendered, replayed and judged like any others."""

from __future__ import annotations

from pathlib import Path

import pytest

from algorithm_repo.evaluation.job import FileJob, Setup
from algorithm_repo.evaluation.simulated import street_model
from algorithm_repo.evaluation.suite import Clip, read_suite

SUITE = Path(__file__).parents[2] / "extensions" / "suites" / "wrong_way"


def _first(kind: str) -> Clip:
    return next(clip for clip in read_suite(SUITE).clips if kind in clip.file)


@pytest.mark.thorough
@pytest.mark.media
@pytest.mark.timeout(180)
def test_a_rider_against_the_lane_is_found_and_nobody_else(mirror: Path) -> None:
    setup = Setup("yolox_nano", mirror, drawn=street_model())
    against, along = (FileJob(_first(kind), SUITE, setup).run() for kind in ("wrong_way_rider", "wrong_way_with"))
    assert (against.failed, along.failed) == ("", "")
    assert against.model.startswith("street")
    assert [(one.type, one.verdict) for one in against.findings] == [("wrong_way", "found")] * len(against.findings)
    assert len(against.findings) >= 1
    assert along.findings == ()


def test_both_sides_are_in_the_suite() -> None:
    suite = read_suite(SUITE)
    assert not suite.warnings
    assert sum(bool(clip.truth) for clip in suite.clips) == sum(not clip.truth for clip in suite.clips) == 6
    assert all("direction" in clip.camera.algorithms["wrong_way"].model_fields_set for clip in suite.clips)
