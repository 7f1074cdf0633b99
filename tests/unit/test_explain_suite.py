"""`cityvision explain --suite`: a miss of a suite explained by the command that its report names."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from algorithm_repo.evaluation.explained import asked_about, command_for, drawn_job
from algorithm_repo.evaluation.job import Setup
from algorithm_repo.evaluation.outcome import Finding, Raised
from cityvision.cli import cli
from contracts.errors import ConfigError
from simulator.rtsp.clips import Encoding, render_pattern

CAMERA = {"id": "depot", "zones": [{"id": "kerb", "kind": "no_parking", "polygon": [[0, 0], [1, 0], [1, 1]]}]}
MISSED = Finding("missed", 2, "a.mp4", "illegal_parking", "kerb", (3.0, 9.0), None)
ALARM = Raised("e", "litter", "", 20.0, 50.0, None, None, {}, "left", None)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "my clips"
    folder.mkdir()
    render_pattern(folder / "a.mp4", 12, Encoding((192, 96), 5, 5))
    clip = {"file": "a.mp4", "camera": CAMERA, "algorithms": {"illegal_parking": {"dwell": "5s"}}, "model": "street"}
    truth = [{"type": "illegal_parking", "start": 3, "end": 9}]
    (folder / "suite.yaml").write_text(yaml.safe_dump({"clips": [clip | {"truth": truth}, clip | {"slices": ["x"]}]}))
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_the_report_names_the_command_at_a_miss_and_it_explains_it(suite: Path, tmp_path: Path) -> None:
    done = run("evaluate", "events", "--suite", str(suite), "--jobs", "1", "--json", str(tmp_path / "out.json"))
    assert done.exit_code == 0, done.output
    (command,) = re.findall("<code>(.*?)</code>", (tmp_path / "out.html").read_text())
    words = shlex.split(unescape(command))
    assert words[:6] == ["cityvision", "explain", "--suite", str(suite), "--clip", "1"]
    done = run(*words[1:])
    assert done.exit_code == 0, done.output
    assert "missed       kerb           true from 3.0 s to 9.0 s" in done.output
    assert done.output.rstrip().splitlines()[-1].startswith("No event:")


def test_without_a_moment_the_first_miss_is_meant_and_with_one_that_moment(suite: Path) -> None:
    arguments = ("explain", "--suite", str(suite), "--clip", "1", "--type", "illegal_parking", "--json")
    first, other = (json.loads(run(*arguments, *more).stdout) for more in ((), ("--at", "0:02", "--window", "4s")))
    assert (first["camera"], first["at"], first["since"]) == ("depot", 6.0, 0.0)
    assert (other["at"], other["until"]) == (2.0, 4.0)
    assert other["looks"] > 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--clip", "b.mp4"), "it has a.mp4"),
        (("--clip", "a.mp4"), "numbers: 1, 2"),
        (("--clip", "2", "--zone", "lawn"), "it has kerb"),
        (("--clip", "2", "--camera", "depot"), "--clip"),
        ((), "name the clip"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_can(suite: Path, more: tuple[str, ...], said: str) -> None:
    done = run("explain", "--suite", str(suite), "--type", "illegal_parking", *more)
    assert isinstance(done.exception, (ConfigError, SystemExit))
    assert said in f"{done.output}{done.exception}"


def test_each_kind_of_finding_has_its_stretch_and_its_command() -> None:
    alarm = Finding("false_alarm", 1, "0001-litter_leaves-7.mp4", "litter", "", None, ALARM)
    assert asked_about(MISSED, 60.0) == asked_about(MISSED, 1e6)
    assert (asked_about(MISSED, 60.0).at, asked_about(MISSED, 60.0).window) == (6.0, 26.0)
    assert (asked_about(alarm, 60.0).at, asked_about(alarm, 60.0).window) == (35.0, 50.0)
    assert asked_about(None, 60.0).at == 30.0
    assert command_for(MISSED, "clips", ["a.mp4"], "yolox_nano") == (
        "cityvision explain --suite clips --clip a.mp4 --type illegal_parking --zone kerb"
        " --model yolox_nano --at 6.0 --window 26s"
    )
    assert "--suite simulated --clip 0001-litter_leaves-7.mp4" in str(command_for(alarm, "simulated", [alarm.file]))
    assert command_for(MISSED, "simulated", ["a.mp4"]) is None
    assert command_for(MISSED, "clips", []) is None, "an hour of the quiet street is no clip of the suite"


def test_a_simulated_clip_is_had_again_by_its_name() -> None:
    job = drawn_job("0012-litter_leaves-77.mp4", Setup("street"))
    assert (job.name, job.plan.kind, job.plan.seed) == ("0012-litter_leaves-77.mp4", "litter_leaves", 77)
    with pytest.raises(ConfigError, match="0001-parking_kerb-7"):
        drawn_job("leaves.mp4", Setup("street"))
