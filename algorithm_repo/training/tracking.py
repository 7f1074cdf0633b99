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
    try:
        done = subprocess.run(
            _command(python, "track", folder, tracking, status),
            cwd=ROOT,
            env=_environment(tracking),
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


class Follower:
    """Tells MLflow of a job that runs, every so often, until it is left; see `training.follow`.

    A server that is down costs a line in `follow.txt` of the job's folder.

    Args:
        folder: of a job that was laid down.
        every_s: between two tellings, s.
    """

    def __init__(self, folder: Path, tracking: Tracking, python: Path, every_s: float) -> None:
        with (folder / "follow.txt").open("ab") as out:
            self._process = subprocess.Popen(
                _command(python, "follow", folder, tracking, str(every_s)),
                cwd=ROOT,
                env=_environment(tracking),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def leave(self) -> None:
        """Ends it, after the telling that it is in; may be called again."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _command(python: Path, module: str, folder: Path, tracking: Tracking, last: str) -> list[str]:
    command = [str(python), "-m", f"algorithm_repo.training.{module}", str(folder), tracking.experiment, last]
    if tracking.artefacts is None:
        return command
    tracking.artefacts.mkdir(parents=True, exist_ok=True)
    return [*command, tracking.artefacts.as_uri()]


def _environment(tracking: Tracking) -> dict[str, str]:
    """An address may hold a password, so it is no argument."""
    own = {"MLFLOW_TRACKING_URI": tracking.address, "MLFLOW_DISABLE_TELEMETRY": "true"}
    own |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
    return {**os.environ, **own}
