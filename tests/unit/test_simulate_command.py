"""`cityvision simulate`: a clip that plays, and a pool file that fits it."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cityvision.cli import cli
from contracts.errors import SourceError
from pool.load import load_pool
from simulator.rtsp.clips import Encoding, encode_pictures
from simulator.street.backdrop import read_backdrop


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


def real_street() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Nothing the simulator would paint: magenta above green, 400x180."""
    street = np.full((180, 400, 3), (200, 40, 200), np.uint8)
    street[90:] = (40, 160, 40)
    return street


def test_a_scenario_is_drawn_upon_a_photo(tmp_path: Path) -> None:
    photo, clip = tmp_path / "street.png", tmp_path / "clip.mp4"
    assert cv2.imwrite(str(photo), real_street())
    arguments = ["simulate", "parking_kerb", "--seed", "7", "--size", "320x180", "--fps", "1", "--duration", "3"]
    arguments += ["--slices", "overcast"]
    result = CliRunner().invoke(cli, [*arguments, "--out", str(clip), "--backdrop", str(photo)])
    assert result.exit_code == 0, result.output
    with av.open(str(clip)) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="bgr24").astype(float)
    upper, lower = np.median(shown[:60], axis=(0, 1)), np.median(shown[120:], axis=(0, 1))
    assert upper[1] + 50 < min(upper[0], upper[2]), "magenta"
    assert lower[1] > max(lower[0], lower[2]) + 50, "green"


def test_of_a_clip_what_moves_is_no_backdrop(tmp_path: Path) -> None:
    def moment(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        picture = real_street()
        picture[60:120, number * 12 : number * 12 + 40] = 255
        return picture

    clip = encode_pictures(tmp_path / "a.mp4", [moment(number) for number in range(30)], Encoding((400, 180), 5, 5))
    found = read_backdrop(clip, (320, 180))
    assert found.shape == (180, 320, 3)
    expected = real_street()[:, 40:360].astype(int)
    away = np.abs(found.astype(int) - expected)
    assert np.median(away) < 8
    assert int(away[60:85].mean()) < 25, "no white block is left of what moved"


def test_a_backdrop_that_is_none_is_told(tmp_path: Path) -> None:
    text = tmp_path / "street.jpg"
    text.write_text("no picture")
    (tmp_path / "street.mp4").write_text("no clip")
    for name in ("street.jpg", "street.mp4", "nowhere.mp4"):
        with pytest.raises(SourceError, match=name):
            read_backdrop(tmp_path / name, (320, 180))
    with pytest.raises(ValueError, match="0x0"):
        read_backdrop(text, (0, 0))
