"""What trainings of networks of ultralytics share: laying down a folder for `ultra`, running it there.

Only what reads pictures and labels is needed here; torch and ultralytics are in the process that is started.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from algorithm_repo.datasets.types import Manifest, Task
from algorithm_repo.training import folderjob
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.ultra_settings import UltraSettings
from contracts.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Laid:
    """What a job holds beside its settings.

    Attributes:
        task: of the version.
        told: of `job.json`, what only this task needs.
        files: below `data/`, by relative path; read only where the job is not there yet.
        start: `.npz` of an earlier job of the same network; what fits of it is taken over.
    """

    task: Task
    told: Mapping[str, Any]
    files: Callable[[], Iterable[tuple[str, bytes]]]
    start: Path | None


def check(manifest: Manifest, task: Task, of: str, start: Path | None) -> None:
    """Args:
        of: what a version of this task is of, in words.

    Raises:
        ConfigError: the version is not frozen or of another task, or the start is a pickle.
    """
    if not manifest.frozen or manifest.task != task:
        raise ConfigError(f"{manifest.name}: not a frozen version of {of}", f"freeze one of task {task} first")
    if start is not None and start.suffix != ".npz":
        raise ConfigError(f"start: {start.name} is no .npz", "take the .npz of an earlier training")


def check_sides(manifest: Manifest, of: str) -> None:
    """Args:
        of: what is labelled, in words, with its article.

    Raises:
        ConfigError: there is nothing to train on, or to watch it by.
    """
    sides = {item.side for item in manifest.items if item.labels}
    for side in ("train", "val"):
        if side not in sides:
            raise ConfigError(f"{manifest.name}: nothing with {of} is on the {side} side", "split it anew")


def lay(folder: Path, manifest: Manifest, settings: UltraSettings, what: Laid, left_out: Sequence[str]) -> None:
    """Writes a job, unless the same one lies there already, begun or not.

    Args:
        folder: of the job; made when missing.
        left_out: what of the version cannot be trained on, in words; kept in `left_out.txt`.

    Raises:
        ConfigError: another job lies in the folder.
    """
    start = what.start
    of = {
        "dataset": manifest.digest,
        "start": None if start is None else hashlib.sha256(start.read_bytes()).hexdigest(),
        "settings": asdict(settings),
    }
    told = json.dumps(of, sort_keys=True)
    if not folderjob.claim(folder, told):
        return
    for path, content in what.files():
        place = folder / "data" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    if start is not None:
        shutil.copyfile(start, folder / "start.npz")
    (folder / "left_out.txt").write_text("".join(f"{line}\n" for line in left_out))
    job = {"task": what.task, "dataset": manifest.digest, "classes": list(manifest.classes)}
    (folder / "job.json").write_text(json.dumps(asdict(settings) | job | dict(what.told)))
    folderjob.laid(folder, told)


def train(
    folder: Path, result: str, python: Path, told: Callable[[Reached], None], cancelled: Callable[[], bool]
) -> Path:
    """Runs a job that was laid down; see `folderjob.run`. A line of its curve is an epoch.

    Returns:
        The exported network, `result`; its `.xml` and `-int8.xml` lie beside it.
    """
    return folderjob.run(folder, "ultra", result, python, told, cancelled)
