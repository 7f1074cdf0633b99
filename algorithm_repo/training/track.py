"""A job's folder as a run of MLflow: what was asked, the curve, the files. The folder stays the truth.

    MLFLOW_TRACKING_URI=… python -m algorithm_repo.training.track FOLDER EXPERIMENT STATUS [ARTEFACTS]

May be done again at any time, for a job that went on, or after a kill: the run is found by its tag, and only what it
lacks is added. STATUS is one of MLflow's: RUNNING, FINISHED, FAILED, KILLED. ARTEFACTS is the address of the folder
that a local store keeps files in; a server knows its own.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from algorithm_repo.training.folderjob import curve

_TAG = "cityvision.job"
_KEPT = ("*.json", "*.jsonl", "*.onnx", "*.xml", "*.bin", "*.npz")
_NOT_KEPT = {"checkpoint.npz", "samples.npz", "start.npz"}


def track(folder: Path, experiment: str, status: str, artefacts: str | None) -> str:
    """Brings the run of a job up to date; returns its id."""
    client = MlflowClient()
    known = client.get_experiment_by_name(experiment)
    number = client.create_experiment(experiment, artefacts) if known is None else known.experiment_id
    of = (folder / "of.json").read_text()
    key = hashlib.sha256(f"{folder.resolve()}\0{of}".encode()).hexdigest()
    found = client.search_runs([number], f"tags.`{_TAG}` = '{key}'")
    run = (
        found[0].info.run_id if found else client.create_run(number, run_name=folder.name, tags={_TAG: key}).info.run_id
    )
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


def _params(of: dict[str, Any]) -> list[Param]:
    told = {name: value for name, value in of.items() if name != "settings"} | of["settings"]
    return [Param(name, "" if value is None else str(value)) for name, value in sorted(told.items())]


def _tags(folder: Path) -> list[RunTag]:
    """Code and environment of the newest start, where the job tells them."""
    starts = folder / "starts.jsonl"
    lines = starts.read_text().splitlines() if starts.is_file() else []
    if not lines:
        return []
    last = json.loads(lines[-1])
    tags = [RunTag("cityvision.code", last["code"]), RunTag("cityvision.starts", str(len(lines)))]
    return tags + [RunTag(f"cityvision.{name}", version) for name, version in sorted(last["environment"].items())]


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
