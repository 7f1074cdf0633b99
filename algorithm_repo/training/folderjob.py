"""A training as a folder: started in the environment of training, followed by its curve, cancelled, gone on with.

What every kind of job shares. `curve.jsonl` holds a line of JSON for each checkpoint: `step`, `of`, and figures by
name. `log.txt` holds what its process printed. Only the standard library is needed here; torch is in the process.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from algorithm_repo.training.whole import whole_lines, write_whole
from contracts.errors import CityVisionError, ConfigError
from store.offspring import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
_POLL_S = 0.2
_OF_MEMORY = " (killed, most likely for want of memory)"


class TrainingFailed(CityVisionError):
    """A training ended without a result; what it had reached lies in its folder."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One line of a curve.

    Attributes:
        step: how far; what a step is (an epoch, an update) is the job's affair.
        of: how many there will be.
        figures: by name, e.g. "loss"; each a finite number.
    """

    step: int
    of: int
    figures: Mapping[str, float]


def claim(folder: Path, told: str) -> bool:
    """Whether a job still has to be laid down in this folder: none of it lies there, or only half of one.

    Args:
        told: what makes it this job; written by `laid` once everything else is there.

    Raises:
        ConfigError: another job lies there.
    """
    mark = folder / "of.json"
    if not mark.is_file() or not _is_json(there := mark.read_text()):
        folder.mkdir(parents=True, exist_ok=True)
        return True
    if there != told:
        raise ConfigError(f"{folder}: another training lies here", "name an empty folder")
    return False


def laid(folder: Path, told: str) -> None:
    """Last: a job that was half laid down is laid down again."""
    os.sync()  # a loss of power must not keep the mark and lose what it stands for
    write_whole(folder / "of.json", told)


def call(folder: Path, name: str, author: str) -> None:
    """Says what a job is called and who asked for it: for whoever is told of it, not part of what it is."""
    write_whole(folder / "called.json", json.dumps({"name": name, "author": author}, ensure_ascii=False))


def _is_json(text: str) -> bool:
    """A release that wrote the mark in place may have left half of it."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def run(
    folder: Path,
    module: str,
    result: str,
    python: Path,
    told: Callable[[Reached], None],
    cancelled: Callable[[], bool],
) -> Path:
    """Runs a job that was laid down, from its checkpoint if it has one. A job that is done is not done again.

    Args:
        folder: of the job.
        module: of `algorithm_repo.training`; its only argument is the folder.
        result: name of the file that says that it is done.
        python: of the environment with torch.
        told: given each new line of the curve.
        cancelled: asked now and then; a training that is cancelled keeps its checkpoint.

    Raises:
        TrainingFailed: it ended without a result; names the last line that it printed.
    """
    done = folder / result
    if done.is_file():
        return done
    log = folder / "log.txt"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(python), "-m", f"algorithm_repo.training.{module}", str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 two calls, see there
        )
    seen = 0
    try:
        while process.poll() is None:
            if cancelled():
                raise TrainingFailed(f"{folder.name}: cancelled", "start it again to go on from its checkpoint")
            seen = _tell(folder, seen, told)
            time.sleep(_POLL_S)
    finally:
        process.kill()
        process.wait()
    _tell(folder, seen, told)
    if process.returncode != 0 or not done.is_file():
        last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        how = f"{process.returncode}{_OF_MEMORY if process.returncode == -signal.SIGKILL else ''}"
        raise TrainingFailed(f"{folder.name}: training ended with {how}: {last[:300]}", f"see {log}")
    return done


def curve(folder: Path) -> list[Reached]:
    """What a training has told so far; a line that is still being written is not there yet."""
    return [_reached(json.loads(line)) for line in whole_lines(folder / "curve.jsonl")]


def _reached(line: Mapping[str, float]) -> Reached:
    figures = {name: float(value) for name, value in line.items() if name not in ("step", "of")}
    return Reached(int(line["step"]), int(line["of"]), {k: v for k, v in figures.items() if math.isfinite(v)})


def _tell(folder: Path, seen: int, told: Callable[[Reached], None]) -> int:
    lines = [line for line in curve(folder) if line.step > seen]
    for line in lines:
        told(line)
    return lines[-1].step if lines else seen
