"""`cityvision evaluate events` on a small suite of real clips: figures, findings, the page, a clip that is broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.media

DRIVE = {"id": "drive", "kind": "no_parking", "polygon": [[0.9, 0.4], [1.0, 0.4], [1.0, 0.58], [0.9, 0.58]]}
LAWN = {"id": "lawn", "kind": "no_parking", "polygon": [[0.0, 0.4], [0.1, 0.4], [0.1, 0.7], [0.0, 0.7]]}
CAMERA = {"mounting": "low", "zones": [DRIVE, LAWN]}
PARKING = {"illegal_parking": {"dwell": "8s"}}
ON_DRIVE = {"type": "illegal_parking", "zone": "drive", "start": 0}
ON_LAWN = {"type": "illegal_parking", "zone": "lawn", "start": 5, "end": 25}  # a label that is wrong on purpose


def _evaluate(suite: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("cityvision")), "evaluate", "events", "--suite", str(suite)]
    command += ["--json", str(out), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150, env=dict(os.environ))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    clip = mirror / "footage" / "residential_street.mp4"
    shutil.copy(clip, folder / "street.mp4")
    (folder / "broken.mp4").write_bytes(clip.read_bytes()[:4000])
    common: dict[str, Any] = {"camera": CAMERA, "algorithms": PARKING}
    clips = [
        common | {"file": "street.mp4", "slices": ["day"], "truth": [ON_DRIVE, ON_LAWN]},
        common | {"file": "broken.mp4", "slices": ["day"], "truth": [ON_DRIVE]},
        common | {"file": "street.mp4", "slices": ["unlabelled"]},
    ]
    (folder / "suite.yaml").write_text(yaml.safe_dump({"clips": clips}))
    return folder


@pytest.fixture(scope="module")
def run(suite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, str]:
    out = tmp_path_factory.mktemp("out") / "figures.json"
    done = _evaluate(suite, out, "--jobs", "1", "--resume", str(suite / "kept.jsonl"))
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text()), out.with_suffix(".html").read_text(), done.stderr


def test_figures_by_type_and_slice(run: tuple[dict[str, Any], str, str]) -> None:
    figures = run[0]
    assert list(figures["types"]) == ["illegal_parking"]
    parking = figures["types"]["illegal_parking"]
    keys = ["precision", "recall", "f1", "false_alarms", "false_alarms_per_camera_day", "false_alarms_upper95"]
    assert {*keys, "time_to_detect_p50", "time_to_detect_p95", "slices"} <= set(parking)
    assert (parking["precision"], parking["recall"], parking["false_alarms"]) == (0.5, 0.5, 1)
    assert parking["time_to_detect_p50"] == pytest.approx(8, abs=2.5)
    assert parking["slices"]["day"]["precision"] == 1
    assert parking["slices"]["unlabelled"]["false_alarms"] == 1
    assert parking["slices"]["unlabelled"]["recall"] is None
    assert parking["hours"] == pytest.approx(2 * 37.6 / 3600, abs=0.002)


def test_a_broken_clip_is_told_and_the_rest_goes_on(run: tuple[dict[str, Any], str, str]) -> None:
    figures, _, stderr = run
    assert (figures["clips"], figures["failed"]) == (3, 1)
    assert figures["failures"][0]["file"] == "broken.mp4"
    assert "broken.mp4 was not evaluated" in stderr


def test_every_finding_is_listed_with_its_numbers(run: tuple[dict[str, Any], str, str]) -> None:
    findings = run[0]["findings"]
    assert [(one["clip"], one["verdict"], one["zone"]) for one in findings] == [
        (1, "found", "drive"),
        (1, "missed", "lawn"),
        (3, "false_alarm", "drive"),
    ]
    assert findings[2]["event"]["numbers"]["still_s"] >= 8
    assert findings[1]["truth"] == {"start": 5, "end": 25}


def test_the_page_shows_each_miss_and_false_alarm(run: tuple[dict[str, Any], str, str]) -> None:
    page = run[1]
    assert page.count("data:image/jpeg;base64,") == 2
    assert "http" not in page, "nothing is fetched from elsewhere"
    assert "still_s" in page
    assert "broken.mp4" in page


def test_faults_of_the_suite_are_all_told(suite: Path, tmp_path: Path) -> None:
    clips = [{"file": "../a.mp4", "algorithms": PARKING, "camera": CAMERA}, {"file": "b.mp4", "truth": [{"type": "x"}]}]
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump({"clips": clips}))
    done = _evaluate(tmp_path, tmp_path / "out.json")
    assert done.returncode == 2
    assert "clip 1 (../a.mp4): file: " in done.stderr
    assert "clip 2 (b.mp4): truth[0].type: " in done.stderr
    assert not (tmp_path / "out.json").exists()


@pytest.mark.thorough
def test_simulated_clips_that_were_kept_are_a_suite_that_judges_the_same(tmp_path: Path, mirror: Path) -> None:
    first, again, kept = tmp_path / "first.json", tmp_path / "again.json", tmp_path / "kept"
    model = ("--model", "yolox_nano")
    done = [
        _evaluate(Path("simulated"), first, "--seed", "4", "--clips", "1", "--keep", str(kept), *model),
        _evaluate(kept, again, *model),
    ]
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    figures, judged_again = (json.loads(path.read_text()) for path in (first, again))
    assert (figures["suite"], figures["seed"], figures["clips"]) == ("simulated", 4, 1)
    assert figures["types"] == judged_again["types"]
    assert figures["findings"] == judged_again["findings"]
    assert figures["types"]["illegal_parking"]["truths"] == 1


@pytest.mark.usefixtures("run")
def test_targets_that_are_not_met_fail_a_run_whose_clips_were_judged_before(suite: Path, tmp_path: Path) -> None:
    done = _evaluate(suite, tmp_path / "out.json", "--at-least", "0.95", "--resume", str(suite / "kept.jsonl"))
    assert done.returncode == 3
    assert "illegal_parking: precision is 0.500, below 0.95" in done.stderr


def test_nothing_is_raised_in_vain_on_real_footage(tmp_path: Path) -> None:
    """Labels that were drawn before the first run. (The crowd lasts for five looks only: see the rule's own tests.)"""
    footage = Path(__file__).resolve().parents[2] / "algorithm_repo" / "suites" / "footage"
    done = _evaluate(footage, tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    types = json.loads((tmp_path / "out.json").read_text())["types"]
    assert {name: one["false_alarms"] for name, one in types.items()} == dict.fromkeys(types, 0)
    assert types["illegal_parking"]["recall"] == 1.0
