"""`cityvision demo` for real: cameras, events, one line of JSON; with media, and with nothing but this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from cityvision.demo import RTSP_PORT
from cityvision.ports import listen_on
from contracts.errors import PortTaken
from contracts.live import BUILT_IN_DETECTOR

KEYS = {"cameras", "events", "types", "seconds_to_first_event", "seconds_to_type", "detector"}
FOUR = {"illegal_parking", "crowding", "waterlogging", "litter"}


def demo(tmp_path: Path, mirror: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CITYVISION_")}
    command = [sys.executable, "-m", "cityvision", "demo", *arguments, "--data", str(tmp_path / "demo"), "--port", "0"]
    return subprocess.run(
        command,
        env=clean | {"CITYVISION_MIRROR": str(mirror)} | environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def _until_one_event(tmp_path: Path, mirror: Path) -> subprocess.CompletedProcess[str]:
    elsewhere = "postgresql://u:Secr3t-word@127.0.0.1:1/city"
    return demo(tmp_path, mirror, "--until-events", "1", "--timeout", "120", CITYVISION_DATABASE_URL=elsewhere)


@pytest.mark.media
@pytest.mark.thorough
def test_six_cameras_and_an_event_though_the_cameras_port_is_taken(tmp_path: Path, mirror: Path) -> None:
    with ExitStack() as stack:
        with suppress(PortTaken):  # by somebody else on this machine, which is as good
            stack.enter_context(listen_on("127.0.0.1", RTSP_PORT))
        done = _until_one_event(tmp_path, mirror)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert set(result) == KEYS
    assert result["detector"] == "yolox_nano"
    assert result["cameras"] >= 6
    assert result["events"] >= 1
    assert set(result["types"]) <= FOUR
    assert set(result["seconds_to_type"]) == set(result["types"])
    assert result["seconds_to_first_event"] == min(result["seconds_to_type"].values())
    assert f"port {RTSP_PORT} is taken" in done.stderr
    assert "CITYVISION_DATABASE_URL is not used" in done.stderr
    assert "Secr3t-word" not in done.stderr


@pytest.mark.media
@pytest.mark.thorough
def test_the_time_limit_counts_while_it_starts(tmp_path: Path, mirror: Path) -> None:
    done = demo(tmp_path, mirror, "--until-events", "1", "--timeout", "1")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["events"] == 0
    assert not (tmp_path / "demo" / "run" / "up.json").exists()


def test_all_four_events_where_nothing_can_be_downloaded(tmp_path: Path) -> None:
    closed = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    cache = {"CITYVISION_CACHE": str(tmp_path / "cache")}
    goal = ("--until-types", "4", "--timeout", "240")
    done = demo(tmp_path, Path("/nonexistent"), *goal, **closed, **cache)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert set(result) == KEYS
    assert set(result["types"]) == FOUR
    assert set(result["seconds_to_type"]) == FOUR
    assert (result["cameras"], result["detector"]) == (6, BUILT_IN_DETECTOR)
    assert "for simulated streets only" in done.stderr
