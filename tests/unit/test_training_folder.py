"""A training's folder after a kill or a loss of power at any moment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from algorithm_repo.training import folderjob
from algorithm_repo.training.alone import alone
from algorithm_repo.training.folderjob import TrainingFailed
from algorithm_repo.training.head_settings import HeadSettings, check_room
from algorithm_repo.training.provenance import last_start, say_start
from contracts.errors import ConfigError

TOLD = json.dumps({"dataset": "d" * 64, "settings": {"seed": 1}})


def test_a_mark_that_was_half_written_is_a_job_half_laid_down(tmp_path: Path) -> None:
    for torn in ("", TOLD[:20]):
        (tmp_path / "of.json").write_text(torn)
        assert folderjob.claim(tmp_path, TOLD) is True
    folderjob.laid(tmp_path, TOLD)
    assert folderjob.claim(tmp_path, TOLD) is False
    assert [path.name for path in tmp_path.iterdir()] == ["of.json"]
    with pytest.raises(ConfigError, match="another training lies here"):
        folderjob.claim(tmp_path, TOLD.replace("1", "2"))


def test_the_newest_start_is_told_though_a_line_was_torn(tmp_path: Path) -> None:
    assert last_start(tmp_path) is None
    say_start(tmp_path, {"seed": 1})
    first = last_start(tmp_path)
    assert first is not None
    assert (first.code, first.starts, first.environment["python"]) == (first.code, 1, sys.version.split()[0])
    assert len(first.code) == 64
    with (tmp_path / "starts.jsonl").open("a") as starts:
        starts.write('{"after": 3, "co')
    assert last_start(tmp_path) == first
    (tmp_path / "curve.jsonl").write_text('{"step": 1, "of": 2}\n{"st')
    say_start(tmp_path, {"seed": 1})
    second = last_start(tmp_path)
    assert second is not None
    assert second.starts == 2
    assert json.loads((tmp_path / "starts.jsonl").read_text().splitlines()[-1])["after"] == 1


def test_only_one_process_at_a_time_trains_in_a_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(BlockingIOError), alone(tmp_path, wait=False):
        pass
    with alone(tmp_path, wait=False):
        assert (tmp_path / "lock").is_file()


def test_who_was_killed_is_said_to_have_wanted_memory(tmp_path: Path) -> None:
    """No training is needed for that: any process that ends in this way."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho step 3\nkill -9 $$\n")
    python.chmod(0o755)
    with pytest.raises(TrainingFailed, match=r"ended with -9 \(killed, most likely for want of memory\): step 3"):
        folderjob.run(tmp_path, "head", "water.onnx", python, lambda _line: None, lambda: False)


def test_variations_that_have_no_room_on_the_disk_are_refused_with_how_many_have() -> None:
    one = 2 * (32 * 48 * 80 + 64 * 24 * 40 + 128 * 12 * 20)
    check_room(100, HeadSettings(variations=4), free=2 * 4 * 100 * one)
    with pytest.raises(ConfigError, match=r"variations: 64 of 100 pictures take 2\.8 GB.*; write 4 at most"):
        check_room(100, HeadSettings(variations=64), free=2 * 4 * 100 * one)
    with pytest.raises(ConfigError, match="make room, or take fewer pictures"):
        check_room(100, HeadSettings(variations=1), free=100 * one)
