"""`cityvision simulate`: a clip that plays, and a pool file that fits it."""

from __future__ import annotations

import json
from pathlib import Path

import av
from click.testing import CliRunner

from cityvision.cli import cli
from pool.load import load_pool


def test_simulate_writes_a_clip_its_truth_and_a_pool_file(tmp_path: Path) -> None:
    clip, streams = tmp_path / "clip.mp4", tmp_path / "streams.yaml"
    arguments = ["simulate", "litter_bag", "--seed", "3", "--size", "320x180", "--fps", "2", "--duration", "6"]
    result = CliRunner().invoke(cli, [*arguments, "--out", str(clip), "--streams", str(streams)])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["file"] == "clip.mp4"
    assert set(told) == {"file", "camera", "algorithms", "slices", "truth"}
    with av.open(str(clip)) as container:
        pictures = list(container.decode(video=0))
    assert len(pictures) == 12
    assert (pictures[0].width, pictures[0].height) == (320, 180)
    (camera,) = load_pool(streams).cameras
    assert camera.id == told["camera"]["id"]
    assert "litter" in camera.algorithms


def test_simulate_says_what_is_wrong(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["simulate", "parking_on_mars", "--out", str(tmp_path / "x.mp4")])
    assert result.exit_code == 2
    assert "no kind" in result.output
    assert "water_rain" in CliRunner().invoke(cli, ["simulate", "--list"]).output
