"""A job's folder as a run of MLflow: what was asked, the curve, the files. The folder stays the truth.

    MLFLOW_TRACKING_URI=… python -m algorithm_repo.training.track FOLDER EXPERIMENT STATUS [ARTEFACTS]

May be done again at any time, for a job that went on, or after a kill: the run is found by its tag, and only what it
lacks is added. STATUS is one of MLflow's: RUNNING, FINISHED, FAILED, KILLED. ARTEFACTS is the address of the folder
that a local store keeps files in; a server knows its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from algorithm_repo.training.folderjob import curve
from algorithm_repo.training.provenance import last_start

_TAG = "cityvision.job"
_KEPT = ("*.json", "*.jsonl", "*.onnx", "*.xml", "*.bin", "*.npz")
_SQLITE = "sqlite:///"
_NOT_KEPT = {"checkpoint.npz", "samples.npz", "start.npz"}


def track(folder: Path, experiment: str, status: str, artefacts: str | None) -> str:
    """Brings the run of a job up to date; returns its id."""
    with _store_alone(os.environ.get("MLFLOW_TRACKING_URI", "")):
        return _tracked(folder, experiment, status, artefacts)


@contextmanager
def _store_alone(address: str) -> Iterator[None]:
    """One at a time at a store of our own: two that make its tables at once leave half of them."""
    if not address.startswith(_SQLITE):
        yield
        return
    with Path(f"{address.removeprefix(_SQLITE)}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _tracked(folder: Path, experiment: str, status: str, artefacts: str | None) -> str:
    client = MlflowClient()
    known = client.get_experiment_by_name(experiment)
    number = client.create_experiment(experiment, artefacts) if known is None else known.experiment_id
    of = (folder / "of.json").read_text()
    key = hashlib.sha256(f"{folder.resolve()}\0{of}".encode()).hexdigest()
    found = client.search_runs([number], f"tags.`{_TAG}` = '{key}'")
    name, tags = _called(folder)
    made = None if found else client.create_run(number, run_name=name, tags={_TAG: key} | tags)
    run = (made or found[0]).info.run_id
    client.log_batch(run, params=_params(json.loads(of)), tags=_tags(folder))
    _add_curve(client, run, folder)
    if status == "RUNNING":  # its files come at the end: most are still written
        client.update_run(run, status)
        return str(run)
    for pattern in _KEPT:
        for path in sorted(folder.glob(pattern)):
            if path.name not in _NOT_KEPT:
                client.log_artifact(run, str(path))
    client.set_terminated(run, status)
    return str(run)


def _called(folder: Path) -> tuple[str, dict[str, str]]:
    """Name of a job's run, and as tags who asked for it, where the folder tells (`folderjob.call`)."""
    path = folder / "called.json"
    if not path.is_file():
        return folder.name, {}
    called = json.loads(path.read_text())
    return f"{folder.name} {called['name']}", {"mlflow.user": called["author"]}


def _params(of: dict[str, Any]) -> list[Param]:
    told = {name: value for name, value in of.items() if name != "settings"} | of["settings"]
    return [Param(name, "" if value is None else str(value)) for name, value in sorted(told.items())]


def _tags(folder: Path) -> list[RunTag]:
    """Code and environment of the newest start, where the job tells them."""
    last = last_start(folder)
    if last is None:
        return []
    tags = [RunTag("cityvision.code", last.code), RunTag("cityvision.starts", str(last.starts))]
    return tags + [RunTag(f"cityvision.{name}", version) for name, version in sorted(last.environment.items())]


def _add_curve(client: MlflowClient, run: str, folder: Path) -> None:
    """Each line in one request: a line is there or it is not."""
    lines = curve(folder)
    if not lines:
        return
    first = min(lines[0].figures)
    there = {point.step for point in client.get_metric_history(run, first)}
    now = int(time.time() * 1000)
    for line in lines:
        if line.step not in there:
            figures = [Metric(name, value, now, line.step) for name, value in sorted(line.figures.items())]
            client.log_batch(run, metrics=figures)


if __name__ == "__main__":
    _folder, _experiment, _status, *_artefacts = sys.argv[1:]
    sys.stdout.write(track(Path(_folder), _experiment, _status, _artefacts[0] if _artefacts else None) + "\n")
