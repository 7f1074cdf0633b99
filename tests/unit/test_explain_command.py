"""`cityvision explain`: what moments it understands, and a real clip explained end to end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cityvision.cli import cli
from cityvision.commands.explain import moment_of, seconds_of
from contracts.errors import ConfigError


def test_moments_are_read_as_people_write_them() -> None:
    assert moment_of("1970-01-01T00:01:40Z", of_file=False) == 100.0
    assert moment_of("2026-11-26T12:00:00+08:00", of_file=False) == moment_of("2026-11-26T04:00:00Z", of_file=False)
    today = time.localtime(moment_of("12:03:20", of_file=False))
    assert (today.tm_yday, today.tm_hour, today.tm_sec) == (time.localtime().tm_yday, 12, 20)
    assert moment_of("20.5", of_file=True) == 20.5
    assert moment_of("2:05", of_file=True) == 125.0
    assert (seconds_of("90"), seconds_of("3min")) == (90.0, 180.0)


@pytest.mark.parametrize(("text", "of_file"), [("yesterday", False), ("12:99:00", False), ("a:b", True)])
def test_moments_that_nobody_understands_are_refused_with_an_example(text: str, of_file: bool) -> None:
    with pytest.raises(ConfigError, match="write"):
        moment_of(text, of_file=of_file)
    with pytest.raises(ConfigError, match="--window"):
        seconds_of("soon")


@pytest.mark.media
def test_a_parked_car_and_a_queue_that_is_none_are_explained_from_the_clip(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVISION_MIRROR", str(mirror))
    clip = str(mirror / "footage" / "residential_street.mp4")
    arguments = ["explain", "--camera", "residential-junction", "--type", "illegal_parking", "--file", clip]

    def run(*more: str) -> str:
        done = CliRunner().invoke(cli, [*arguments, *more], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    text = run("--at", "16", "--zone", "driveway", "--window", "20s")
    assert text.rstrip().splitlines()[-1].startswith("Event opened at 0:16")
    assert "✗" in text
    assert "✓" in text
    why_not = json.loads(run("--at", "25", "--zone", "approach", "--json"))
    assert why_not["verdict"]["outcome"] in {"failed", "nothing"}
    assert why_not["verdict"]["text"]["en"].startswith("No event:")
    assert why_not["looks"] > 10


def test_an_algorithm_that_is_not_run_there_is_said_to_be(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    arguments = ["--camera", "car-park", "--at", "3", "--type", "crowding", "--file", str(clip)]
    done = CliRunner().invoke(cli, ["explain", *arguments])
    assert done.exit_code == 2
    assert "does not run 'crowding'; it runs illegal_parking" in done.stderr
