"""Finished clips and quiet hours in a file, so that hundreds of them can be run in several sittings.

A line of JSON each, written when it is done: a run that is killed loses no more than what it was at. They count only
together with those of the same code, rules, detector, networks and settings: what has changed since is run again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from algorithm_repo.evaluation.job import Setup, version_of
from algorithm_repo.evaluation.metrics import Score
from algorithm_repo.evaluation.outcome import Finding, Outcome, Raised, Verdict
from algorithm_repo.evaluation.quiet import QuietJob
from algorithm_repo.evaluation.run import Job
from contracts.errors import CityVisionError, ConfigError

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


class _Found(BaseModel):
    """A true or raised event of a clip, without its picture."""

    verdict: Verdict
    type: str
    zone: str
    truth: tuple[float, float] | None = None
    raised: Raised | None = None


class _Line(BaseModel):
    """`model` is the detector's version by the replay's own word; quiet hours have `false_alarms`, clips `findings`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    seed: int | None = None
    name: str
    seconds: float
    looks: int
    wall_s: float
    model: str
    scores: tuple[Score, ...]
    false_alarms: tuple[_Alarm, ...] = ()
    findings: tuple[_Found, ...] = ()


class KeptJob(Job, Protocol):
    """A job whose outcome can be kept."""

    @property
    def setup(self) -> Setup: ...

    @property
    def model(self) -> str:
        """Name of the detector it runs with."""
        ...

    @property
    def kept_as(self) -> str:
        """What it is, besides code, detector and setup."""
        ...


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

    def find(self, job: KeptJob) -> Outcome | None:
        """What came of a job before, without pictures; None where it was not run by this code with this detector."""
        version = _version(job)
        line = self._lines.get(key_of(job))
        # The key names the detector too; the line says which one really looked.
        return _outcome(line, job.number) if line is not None and line.model == version else None

    def add(self, job: KeptJob, outcome: Outcome) -> None:
        """Writes a finished job down; a failed one is left out, to be tried again."""
        if outcome.failed:
            return
        quiet = isinstance(job, QuietJob)
        found = outcome.findings
        alarms = [_Alarm(type=f.type, zone=f.zone, raised=f.raised) for f in found if quiet and f.raised is not None]
        findings = [
            _Found(verdict=f.verdict, type=f.type, zone=f.zone, truth=f.truth, raised=f.raised)
            for f in found
            if not quiet
        ]
        line = _Line(
            key=key_of(job),
            seed=getattr(job, "seed", None),
            name=outcome.file,
            seconds=outcome.seconds,
            looks=outcome.looks,
            wall_s=round(outcome.wall_s, 1),
            model=outcome.model,
            scores=outcome.scores,
            false_alarms=tuple(alarms),
            findings=tuple(findings),
        )
        self._lines[line.key] = line
        with self._path.open("a") as file:
            file.write(line.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())


def key_of(job: KeptJob) -> str:
    """The same for the same clip or street under the same code, detector and settings, on any machine."""
    setup = replace(job.setup, mirror=None)
    text = f"{code()} {type(job).__name__} {job.kept_as} {_version(job)} {setup}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _version(job: KeptJob) -> str:
    try:
        return version_of(job.model, job.setup.mirror)
    except CityVisionError:
        return ""  # there is none of that name: it fails, and what failed is not kept


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
    found = [Finding("false_alarm", number, name, one.type, one.zone, None, one.raised) for one in line.false_alarms]
    found += [Finding(one.verdict, number, name, one.type, one.zone, one.truth, one.raised) for one in line.findings]
    return Outcome(
        number,
        name,
        line.seconds,
        line.looks,
        line.wall_s,
        scores=line.scores,
        findings=tuple(found),
        model=line.model,
    )
