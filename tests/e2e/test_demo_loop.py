"""`cityvision demo loop` for real, on some of the photos with few steps: every move happens, every figure is measured.

What the whole of it is worth takes as long as three trainings: docs/training.md has the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from algorithm_repo.training.folderjob import ROOT

_STEPS = 40


@pytest.mark.timeout(1200)  # three trainings; minutes where nothing else runs
@pytest.mark.media
def test_from_verdicts_to_a_promotion_and_a_refusal(tmp_path: Path, mirror: Path) -> None:
    assert (ROOT / ".venv-train" / "bin" / "python").is_file(), "no environment for training: `make test` makes it"
    folder = tmp_path / "loop"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CITYVISION_")}
    command = [sys.executable, "-m", "cityvision", "demo", "loop", "--json", "--data", str(folder)]
    # With so little to learn from nothing is sure: the gate asks for next to nothing but that no slice falls, and more
    # is spoilt.
    command += ["--photos", "40", "--steps", str(_STEPS), "--least", "0.1", "--least-gain", "-1", "--wrong", "0.6"]
    done = subprocess.run(
        command,
        env=clean | {"CITYVISION_MIRROR": str(mirror)},
        capture_output=True,
        text=True,
        timeout=1150,
        check=False,
    )
    assert done.stdout, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    told = done.stderr
    assert result["promoted"], told
    assert result["spoilt_refused"], told
    assert result["spoilt_slices"], told
    assert result["spoilt_reasons"][-1].startswith(f"slice {result['spoilt_slices'][-1]} fell from"), told
    assert result["verdicts"] >= 1, told
    digests = [result["versions"][name] for name in ("parent", "candidate", "spoilt", "without_verdicts")]
    assert len(set(digests)) == 4
    assert 0 < result["before"] < 1
    low, high = result["gain_ci95"]
    assert low < high
    short = [line for line in told.splitlines() if line.startswith("falls short")]
    assert done.returncode == (1 if short else 0), told
    assert result["before"] >= 0.6 or any("below 0.60" in line for line in short)
    page = Path(result["card"]).read_text(encoding="utf-8")
    for way in ("trained → evaluated", "registered → shadow", "shadow → canary", "canary → production"):
        assert way in page
    assert "evaluated → retired" in page, "the spoilt one"
    for name in ("candidate", "spoilt"):
        card = (folder / f"{name}.html").read_text(encoding="utf-8")
        assert "data:image/jpeg" in card
        assert f"at step {_STEPS}" in card
