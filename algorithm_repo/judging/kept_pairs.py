"""Clips that were replayed with both versions, in a file, so that hundreds of them can be run in several sittings.

A line of JSON each, pictures included, written when it is done: a run that is killed loses no more than what it was at.
A line counts only for the same clip, code, networks, parameters and settings.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from algorithm_repo.evaluation.kept import code, digest_of
from algorithm_repo.judging.networks import Network
from algorithm_repo.judging.replays import Pair, PairJob, Replayed
from contracts.errors import ConfigError

_ROOT = Path(__file__).resolve().parent.parent.parent


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    key: str
    pair: Pair


class KeptPairs:
    """The file; made where there is none.

    Raises:
        ConfigError: a line of it is not one that was written here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pairs: dict[str, Pair] = {}
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
            self._pairs[found.key] = found.pair

    def find(self, job: PairJob) -> Pair | None:
        """What came of a job before, under the number that its clip has now; None where it was not run."""
        found = self._pairs.get(key_of(job))
        if found is None:
            return None
        before, after = (_numbered(side, job.number) for side in found.sides)
        return replace(found, number=job.number, before=before, after=after)

    def add(self, job: PairJob, pair: Pair) -> None:
        """Writes a finished job down; one that failed with either is left out, to be tried again."""
        if pair.failed or any(side.outcome.failed for side in pair.sides):
            return
        line = _Line(key=key_of(job), pair=pair)
        self._pairs[line.key] = pair
        with self._path.open("a") as file:
            file.write(line.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())


def _numbered(side: Replayed, number: int) -> Replayed:
    findings = tuple(replace(one, clip=number) for one in side.outcome.findings)
    return replace(side, outcome=replace(side.outcome, number=number, findings=findings))


def key_of(job: PairJob) -> str:
    """The same for the same clip under the same code, networks, parameters and settings, on any machine."""
    setup = replace(job.source.setup, mirror=None)
    networks = f"{_told(job.before)} {_told(job.after)}"
    text = f"{_code()} {job.source.kept_as} {job.source.model} {networks} {job.tuned} {setup}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _told(network: Network) -> str:
    return f"{network.role} {network.sha256} {network.entry.model_dump_json(exclude={'files', 'source', 'note'})}"


@lru_cache(maxsize=1)
def _code() -> str:
    return code() + digest_of(_ROOT, ("algorithm_repo/judging",))
