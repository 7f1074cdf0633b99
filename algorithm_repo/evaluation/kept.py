"""Finished quiet hours in a file, so that hundreds of them can be run in several sittings.

A line of JSON each, written when the hour is done: a run that is killed loses no more than what it was at. Hours
count only together with those of the same code, rules, networks and settings: what has changed since is run again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from algorithm_repo.evaluation.metrics import Score
from algorithm_repo.evaluation.outcome import Finding, Outcome, Raised
from algorithm_repo.evaluation.quiet import QuietJob
from contracts.errors import ConfigError

_ROOT = Path(__file__).resolve().parent.parent.parent
# Packages whose files decide what is raised, and the kinds of files that do.
_DECIDING = ("algorithm_repo/evaluation", "contracts", "models", "pipeline", "simulator")
_KINDS = (".py", ".json", ".yaml", ".onnx", ".npz")
# As the algorithms ship, confidence is told with an event and holds none back.
_LEFT_OUT = ("pipeline/calibration", "simulator/rtsp")


class _Alarm(BaseModel):
    """A false alarm, without its picture."""

    type: str
    zone: str
    raised: Raised


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    seed: int
    name: str
    seconds: float
    looks: int
    wall_s: float
    model: str
    scores: tuple[Score, ...]
    false_alarms: tuple[_Alarm, ...]


class Kept:
    """The file; made where there is none.

    Raises:
        ConfigError: a line of it is not one that was written here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, _Line] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if path.exists() else ""
        whole, _, torn = text.rpartition("\n")
        if torn:  # by a kill
            path.write_text(whole + "\n" if whole else "")
        for number, line in enumerate(filter(None, whole.split("\n")), 1):
            try:
                found = _Line.model_validate_json(line)
            except ValidationError as error:
                raise ConfigError(f"{path}, line {number}: {error.errors()[0]['msg']}", "take the line out") from None
            self._lines[found.key] = found

    def find(self, job: QuietJob) -> Outcome | None:
        """What came of a job before, without pictures; None where it was not run by this code."""
        line = self._lines.get(key_of(job))
        return None if line is None else _outcome(line, job.number)

    def add(self, job: QuietJob, outcome: Outcome) -> None:
        """Writes a finished job down; a failed one is left out, to be tried again."""
        if outcome.failed:
            return
        alarms = [_Alarm(type=f.type, zone=f.zone, raised=f.raised) for f in outcome.findings if f.raised is not None]
        line = _Line(
            key=key_of(job),
            seed=job.seed,
            name=outcome.file,
            seconds=outcome.seconds,
            looks=outcome.looks,
            wall_s=round(outcome.wall_s, 1),
            model=outcome.model,
            scores=outcome.scores,
            false_alarms=tuple(alarms),
        )
        self._lines[line.key] = line
        with self._path.open("a") as file:
            file.write(line.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())


def key_of(job: QuietJob) -> str:
    """The same for the same street under the same code and settings, on any machine."""
    setup = replace(job.setup, mirror=None)
    return hashlib.sha256(f"{code()} {job.seed} {job.seconds:g} {setup}".encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def code() -> str:
    """SHA-256 over everything in this project that decides which events are raised."""
    return digest_of(_ROOT, _DECIDING)


def digest_of(root: Path, packages: Sequence[str]) -> str:
    """SHA-256 over names and contents of the deciding files below `packages`."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((root / package).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in _KINDS and not name.startswith(_LEFT_OUT):
                digest.update(f"{name}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _outcome(line: _Line, number: int) -> Outcome:
    name = line.name
    alarms = [Finding("false_alarm", number, name, one.type, one.zone, None, one.raised) for one in line.false_alarms]
    return Outcome(
        number,
        name,
        line.seconds,
        line.looks,
        line.wall_s,
        scores=line.scores,
        findings=tuple(alarms),
        model=line.model,
    )
