"""A decoder on frozen features, in the environment with torch: killed and gone on with, cancelled, refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from algorithm_repo.datasets.types import Manifest
from algorithm_repo.training import headjob
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.headjob import Point, TrainingFailed
from algorithm_repo.training.provenance import last_start
from algorithm_repo.training.trunk import trunk
from contracts.errors import ConfigError
from models.zoo import Zoo
from tests.contract.lakes_scene import lakes

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = HeadSettings(seed=3, steps=15, batch=2, variations=1, every=5, threads=1)


@pytest.fixture(scope="session")
def python() -> Path:
    found = ROOT / ".venv-train" / "bin" / "python"
    assert found.is_file(), "no environment for training: `make test` and `make train` make it"
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Callable[[str], bytes], Path]:
    """Drawn lakes, and weights of a trunk that knows nothing."""
    folder = tmp_path_factory.mktemp("lakes")
    manifest, places = lakes(folder)
    np.savez(folder / "start.npz")
    return manifest, lambda sha: places[sha].read_bytes(), folder / "start.npz"


def laid(folder: Path, data: tuple[Manifest, Callable[[str], bytes], Path], settings: HeadSettings = SETTINGS) -> Path:
    manifest, read, start = data
    headjob.lay(folder, manifest, read, start, settings)
    return folder


def trainers() -> list[psutil.Process]:
    """Our children that train. A child of another test that has just ended has no command line any more."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "algorithm_repo.training.head" in child.cmdline():
                found.append(child)
    return found


def never() -> bool:
    return False


@pytest.mark.thorough
def test_killed_and_gone_on_with_it_is_the_unbroken_one(
    tmp_path: Path, data: tuple[Manifest, Callable[[str], bytes], Path], python: Path
) -> None:
    whole, broken = laid(tmp_path / "whole", data), laid(tmp_path / "broken", data)
    points: list[Point] = []
    network = headjob.train(whole, python, points.append, never)
    assert [point.step for point in points] == [5, 10, 15]
    assert points[-1].loss < points[0].loss

    def kill(_point: Point) -> None:
        for child in trainers():
            child.kill()

    with pytest.raises(TrainingFailed, match="training ended with -9"):
        headjob.train(broken, python, kill, never)
    reached = headjob.curve(broken)
    assert reached
    assert reached[-1].step < 15
    assert not (broken / "water.onnx").exists()
    headjob.lay(broken, *data, SETTINGS)  # again, as whoever goes on would
    again: list[Point] = []
    headjob.train(broken, python, again.append, never)
    assert headjob.curve(broken) == points
    assert again[-1] == points[-1]
    start = last_start(broken)
    assert start is not None
    assert (start.starts, start.environment["torch"] != "") == (2, True)
    digests = {hashlib.sha256((folder / "water.onnx").read_bytes()).hexdigest() for folder in (whole, broken)}
    assert len(digests) == 1
    assert headjob.train(whole, python, points.append, never) == network  # done: not done again


@pytest.mark.thorough
def test_cancelled_it_keeps_its_checkpoint(
    tmp_path: Path, data: tuple[Manifest, Callable[[str], bytes], Path], python: Path
) -> None:
    folder = laid(tmp_path / "job", data)
    points: list[Point] = []
    with pytest.raises(TrainingFailed, match="cancelled"):
        headjob.train(folder, python, points.append, lambda: bool(points))
    assert (folder / "checkpoint.npz").is_file()
    assert trainers() == []


def test_what_is_refused(tmp_path: Path, data: tuple[Manifest, Callable[[str], bytes], Path], python: Path) -> None:
    manifest, read, start = data
    loose = manifest.model_copy(
        update={"items": tuple(item.model_copy(update={"side": None}) for item in manifest.items)}
    )
    with pytest.raises(ConfigError, match="not a frozen version"):
        headjob.lay(tmp_path / "a", loose, read, start, SETTINGS)
    folder = laid(tmp_path / "job", data)
    with pytest.raises(ConfigError, match="another training lies here"):
        headjob.lay(folder, manifest, read, start, replace(SETTINGS, seed=4))
    (folder / "job.json").write_text(json.dumps({"seed": 1}))
    with pytest.raises(TrainingFailed, match="missing 6 required"):
        headjob.train(folder, python, lambda _point: None, never)


_EXPORT = """
import sys
from pathlib import Path
from algorithm_repo.training import export
from algorithm_repo.training.nets import KINDS
folder = Path(sys.argv[1])
export._CLOSE = -1.0  # no file is as close to its network as that
export.save_weights(KINDS["water"].make(), folder / "water.npz")
export.export("water", folder / "water.npz", folder / "water.onnx")
"""


def test_what_was_exported_wrongly_or_half_is_no_result(tmp_path: Path, python: Path) -> None:
    done = subprocess.run(
        [str(python), "-c", _EXPORT, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "water.onnx differs from the network it was made from" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["water.npz"]


def test_a_device_that_is_not_there_is_refused_by_its_setting(tmp_path: Path, python: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"device": "cuda"}))
    done = subprocess.run(
        [str(python), "-m", "algorithm_repo.training.ultra", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip().splitlines()[-1].startswith("device: cuda is not on this machine; write cpu")


def test_workers_that_begin_at_once_make_one_trunk(tmp_path: Path, mirror: Path) -> None:
    zoo = Zoo(cache=tmp_path / "cache", mirror=mirror)
    zoo.fetch("yolox_nano")
    begin = threading.Barrier(4)

    def make(_number: int) -> Path:
        begin.wait()
        return trunk(tmp_path / "jobs", zoo)

    with ThreadPoolExecutor(4) as workers:
        assert set(workers.map(make, range(4))) == {tmp_path / "jobs" / "start.npz"}
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["start.npz"]
