"""Runs in MLflow's own store, read back by MLflow's own client: told twice they are there once, and equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from algorithm_repo.training.folderjob import call
from algorithm_repo.training.tracking import Follower, Tracking, TrackingFailed, tell, tracking_of
from contracts.errors import ConfigError
from tests.contract.detect_scene import ROOT, training_python

pytestmark = pytest.mark.timeout(900)
LINES = [{"step": step, "of": 3, "box_loss": 1.0 / step, "map50": 0.1 * step} for step in (1, 2, 3)]
# MLflow's client alone: none of our code reads.
_READ = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient()
found = client.search_experiments(filter_string="name = 'cityvision'")
runs = []
for run in client.search_runs([found[0].experiment_id]):
    keys = sorted(run.data.metrics)
    curve = {key: [[one.step, one.value] for one in client.get_metric_history(run.info.run_id, key)] for key in keys}
    files = {one.path: open(client.download_artifacts(run.info.run_id, one.path), "rb").read().hex()
             for one in client.list_artifacts(run.info.run_id)}
    told = {"id": run.info.run_id, "status": run.info.status, "params": run.data.params, "tags": run.data.tags}
    runs.append(told | {"curve": curve, "files": files})
print(json.dumps(runs))
"""


def read(tracking: Tracking) -> Any:
    environment = os.environ | {"MLFLOW_TRACKING_URI": tracking.address, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [str(training_python()), "-c", _READ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def job(folder: Path, lines: int) -> Path:
    """A job as `detectjob` and `ultra` leave it after so many epochs."""
    folder.mkdir(exist_ok=True)
    of = {"dataset": "d" * 64, "start": None, "settings": {"network": "yolo11n", "seed": 3, "rate": 0.001}}
    (folder / "of.json").write_text(json.dumps(of))
    start = {"after": 0, "code": "c" * 64, "environment": {"torch": "2.13.0"}, "job": {}}
    (folder / "starts.jsonl").write_text(json.dumps(start) + "\n")
    (folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES[:lines]))
    (folder / "checkpoint.npz").write_bytes(b"not for others")
    return folder


def test_told_twice_a_run_is_there_once_and_reads_back_equal(tmp_path: Path) -> None:
    tracking = tracking_of(tmp_path / "data", None)
    (tmp_path / "data").mkdir()
    folder = job(tmp_path / "one", 2)
    call(folder, "路口 cars", "lin")
    first = tell(folder, tracking, "KILLED", training_python())
    job(folder, 3)
    (folder / "detector.onnx").write_bytes(b"\x00\x01weights")
    assert tell(folder, tracking, "FINISHED", training_python()) == first
    (run,) = read(tracking)
    assert (run["id"], run["status"]) == (first, "FINISHED")
    assert run["params"] == {"dataset": "d" * 64, "start": "", "network": "yolo11n", "seed": "3", "rate": "0.001"}
    assert run["curve"] == {name: [[line["step"], line[name]] for line in LINES] for name in ("box_loss", "map50")}
    assert run["tags"]["cityvision.code"] == "c" * 64
    assert run["tags"]["cityvision.torch"] == "2.13.0"
    assert (run["tags"]["mlflow.runName"], run["tags"]["mlflow.user"]) == ("one 路口 cars", "lin")
    kept = ("called.json", "of.json", "starts.jsonl", "curve.jsonl", "detector.onnx")
    assert run["files"] == {name: (folder / name).read_bytes().hex() for name in kept}


@pytest.mark.thorough
def test_workers_that_tell_at_once_make_one_store(tmp_path: Path) -> None:
    tracking = tracking_of(tmp_path, None)
    folders = [job(tmp_path / f"{number}", 1) for number in range(3)]
    with ThreadPoolExecutor(3) as workers:
        told = [*workers.map(lambda folder: tell(folder, tracking, "FINISHED", training_python()), folders)]
    assert {run["id"] for run in read(tracking)} == set(told)


@pytest.mark.thorough
def test_a_run_is_told_while_it_runs_and_its_files_at_the_end(tmp_path: Path) -> None:
    tracking = tracking_of(tmp_path / "data", None)
    (tmp_path / "data").mkdir()
    folder = job(tmp_path / "one", 0)
    follower = Follower(folder, tracking, training_python(), 0.3)
    try:
        assert until(tracking, 0)["status"] == "RUNNING"
        job(folder, 2)
        running = until(tracking, 2)
        assert (running["status"], running["files"]) == ("RUNNING", {})
    finally:
        follower.leave()
    job(folder, 3)
    assert tell(folder, tracking, "FINISHED", training_python()) == running["id"]
    (run,) = read(tracking)
    assert (run["status"], len(run["curve"]["map50"])) == ("FINISHED", 3)
    assert set(run["files"]) == {"of.json", "starts.jsonl", "curve.jsonl"}


@pytest.mark.thorough
def test_a_follower_ends_with_whoever_started_it(tmp_path: Path, free_port: int) -> None:
    folder = job(tmp_path / "one", 1)
    start = f"""
from pathlib import Path
from algorithm_repo.training.folderjob import call
from algorithm_repo.training.tracking import Follower, Tracking
one = Follower(Path({str(folder)!r}), Tracking("http://127.0.0.1:{free_port}"), Path({str(training_python())!r}), 0.2)
print(one._process.pid, flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", start], cwd=ROOT, capture_output=True, text=True, check=False)
    number, end = int(done.stdout), time.monotonic() + 120
    while Path(f"/proc/{number}/stat").is_file() and Path(f"/proc/{number}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < end, "it tells for ever"
        time.sleep(0.1)


def until(tracking: Tracking, points: int) -> Any:
    """The one run, once it has so many points."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        time.sleep(1)
        with suppress(subprocess.CalledProcessError):  # the store is still being made
            runs = read(tracking)
            if runs and len(runs[0]["curve"].get("map50", ())) >= points:
                return runs[0]
    raise AssertionError("nobody told")


def test_a_server_that_is_not_there_is_named_and_the_job_stays(tmp_path: Path, free_port: int) -> None:
    folder = job(tmp_path / "one", 1)
    with pytest.raises(TrackingFailed, match="MLflow was not told"):
        tell(folder, tracking_of(tmp_path, f"http://127.0.0.1:{free_port}"), "FINISHED", training_python())
    assert (folder / "curve.jsonl").is_file()


def test_one_setting_names_the_server_or_else_the_store_is_ours(tmp_path: Path) -> None:
    assert tracking_of(tmp_path, "https://runs.example.org") == Tracking("https://runs.example.org")
    ours = tracking_of(tmp_path, None)
    assert ours.address == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert ours.artefacts == tmp_path / "mlflow"
    with pytest.raises(ConfigError, match="ftp scheme"):
        tracking_of(tmp_path, "ftp://elsewhere")
