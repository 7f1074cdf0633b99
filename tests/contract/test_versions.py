"""`cityvision evaluate versions`: two real networks on the same clips, through the whole chain, to gate and card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from algorithm_repo.evaluation.simulated import clip_of_scenario
from algorithm_repo.evaluation.suite import write_suite
from models.zoo import Zoo
from simulator.street import scenario, write_clip

CARD = """
name: water-dry
version: 1.0.0
licence: AGPL-3.0-or-later
source: https://models.city.example/water
family: segmenter
width: 320
height: 192
labels: [water]
"""
_BLIND = 40.0  # taken off the logit, so that no place is water


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flood and a dry street, a picture for each look of the rule."""
    folder = tmp_path_factory.mktemp("suite")
    clips = []
    for number, kind in enumerate(("water_grow", "water_shadow"), 1):
        street = scenario(7001, kind, size=(640, 360))
        write_clip(street, folder / f"{kind}.mp4", fps=0.2, gop_s=5)
        clips.append(clip_of_scenario(number, street, f"{kind}.mp4"))
    write_suite(folder, clips)
    return folder


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The water network as shipped, but for its last bias: it sees no water anywhere. Its card lies beside it."""
    file = tmp_path_factory.mktemp("dry") / "dry.onnx"
    model = onnx.load_from_string(Zoo().fetch("water")[0].read_bytes())
    (bias,) = [one for one in model.graph.initializer if one.name == "out.bias"]
    bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) - _BLIND).astype(np.float32), bias.name))
    file.write_bytes(model.SerializeToString())
    file.with_suffix(".yaml").write_text(CARD)
    return file


def run(suite: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("cityvision")), "evaluate", "versions", "--suite", str(suite), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150, env=dict(os.environ))


def test_a_network_that_sees_no_water_is_refused_with_what_it_missed(suite: Path, dry: Path, tmp_path: Path) -> None:
    out, card = tmp_path / "out.json", tmp_path / "card.html"
    files = ("--json", str(out), "--card", str(card))
    done = run(suite, "--candidate", str(dry), "--least-clips", "1", "--jobs", "1", *files)
    assert done.returncode == 3, done.stderr
    assert "waterlogging: recall fell by 1.000 (1.000 to 1.000), on 2 clips" in done.stdout
    report: dict[str, Any] = json.loads(out.read_text())
    assert (report["role"], report["clips"], report["verdict"]["failed"]) == ("water", 2, [])
    assert report["production"]["name"].startswith("water-")
    assert report["candidate"]["name"].startswith("water-dry-")
    (missed,) = report["changes"]
    assert (missed["kind"], missed["file"], missed["type"]) == ("missed", "water_grow.mp4", "waterlogging")
    for pace in (report["speed_before"], report["speed_after"]):
        assert pace["inferences"] > 10
        assert pace["cpu_ms_p50"] > 0
        assert 0 < pace["ms_p50"] < pace["look_ms"]
    page = card.read_text()
    assert "The gate refuses it" in page
    assert page.count("data:image/jpeg;base64,") == 1
    assert "missed, which production finds" in page
