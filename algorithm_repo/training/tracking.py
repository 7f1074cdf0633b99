"""Telling MLflow of a job: a local store, or any MLflow server. Its client runs in the environment of training."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from algorithm_repo.training.folderjob import ROOT
from contracts.errors import CityVisionError, ConfigError

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
_TIMEOUT_S = 300
_SCHEMES = ("http", "https", "sqlite", "postgresql")


class TrackingFailed(CityVisionError):
    """MLflow was not told; the job's folder has everything, so it can be told later."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where runs are told.

    Attributes:
        address: of an MLflow server (http, https) or a database that it can open (sqlite, postgresql).
        artefacts: folder for files beside a database; None: the server has its own place.
        experiment: name under which MLflow lists the runs.
    """

    address: str
    artefacts: Path | None = None
    experiment: str = "cityvision"

    def __post_init__(self) -> None:
        scheme = urlsplit(self.address).scheme
        if scheme not in _SCHEMES:
            raise ConfigError(f"mlflow_url: {scheme or 'no'} scheme", f"begin it with {'://, '.join(_SCHEMES)}://")


def tracking_of(data: Path, address: str | None) -> Tracking:
    """The server of the setting, or else a store of our own below `data`: `mlflow.db`, with files in `mlflow/`."""
    if address is not None:
        return Tracking(address)
    folder = data.resolve()
    return Tracking(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlflow")


def tell(folder: Path, tracking: Tracking, status: Status, python: Path) -> str:
    """Brings the run of a job up to date; may be done again at any time.

    Args:
        folder: of a job that was laid down.
        tracking: where.
        status: of the run, as MLflow names it.
        python: of the environment with the client.

    Returns:
        The run's id.

    Raises:
        TrackingFailed: the store or server did not take it.
    """
    if tracking.artefacts is not None:
        tracking.artefacts.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-m", "algorithm_repo.training.track", str(folder), tracking.experiment, status]
    # An address may hold a password, so it is no argument.
    own = {"MLFLOW_TRACKING_URI": tracking.address, "MLFLOW_DISABLE_TELEMETRY": "true"}
    own["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "2"
    try:
        done = subprocess.run(
            command + ([tracking.artefacts.as_uri()] if tracking.artefacts else []),
            cwd=ROOT,
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TrackingFailed(f"{folder.name}: MLflow did not answer within {_TIMEOUT_S} s", "tell it later") from error
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise TrackingFailed(f"{folder.name}: MLflow was not told: {last[:300]}", "look at the address of mlflow_url")
    return lines[-1]
