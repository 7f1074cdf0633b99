"""`cityvision train`: the built-in networks again, from their data; and the queue of trainings."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from cityvision.commands.train_queue import (
    cancel_command,
    list_command,
    show_command,
    submit_command,
    work_command,
)
from cityvision.settings import load_settings
from contracts.errors import ConfigError, ServiceError

_ROOT = Path(__file__).resolve().parents[2]
_KINDS = ("street", "water", "litter")
_OWN = _ROOT / ".venv-train" / "bin" / "python"


@click.group(epilog="\b\nExample:\n  cityvision train all --out data/trained --minutes 90\n  cityvision train list")
def command() -> None:
    """Train the built-in networks again, or a detector on a version of data: by a queue."""


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/training"),
    show_default=True,
    help="Packed data; made from the mirror where it is missing.",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: the GPU, where torch sees one]")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=8.0, show_default=True, help="For everything.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Rendering processes. [default: cores less two, at least 1]"
)
@click.option("--pictures", type=click.IntRange(min=200), default=24_000, show_default=True, help="Rendered at most.")
@click.option(
    "--capacity", type=click.IntRange(min=200), help="Samples kept in memory for each network. [default: 24000]"
)
@click.option(
    "--streets",
    type=click.IntRange(min=0),
    default=1800,
    show_default=True,
    help="For litter: streets in which its sense looks for crops beforehand, a second each; kept in --data.",
)
@click.option("--measure/--no-measure", default=True, show_default=True, help="Figures of what was exported.")
@click.option("--install", is_flag=True, help="Put the results into models/weights, zoo.yaml and docs/training.md.")
def _builtin(
    what: str,
    out: Path,
    data: Path,
    device: str | None,
    minutes: float,
    workers: int | None,
    pictures: int,
    capacity: int | None,
    streets: int,
    measure: bool,
    install: bool,
) -> None:
    """Train for a given time on simulated streets and real photos, export to ONNX and measure.

    Needs torch, in this environment or in .venv-train (`make train` makes it).
    """
    python = training_python()
    mirror = load_settings().mirror
    if mirror is None:
        raise ConfigError(
            "training needs the real photos and start weights",
            "set CITYVISION_MIRROR to a folder with truth/ and models/",
        )
    if not (data / "real.npz").is_file() or not (data / "start.npz").is_file():
        _run(python, "pack", [str(mirror), str(data)])
    arguments = [] if what == "all" else [what]
    arguments += ["--data", str(data), "--out", str(out), "--minutes", str(minutes), "--pictures", str(pictures)]
    arguments += ["--workers", str(workers or max(1, (os.cpu_count() or 1) - 2))]
    arguments += ["--device", device] if device else []
    arguments += ["--capacity", str(capacity)] if capacity else []
    if what in ("all", "litter") and streets:
        arguments += ["--lying", str(_lying(data / "lying", streets))]
    _run(python, "all", arguments)
    if measure or install:
        _run(sys.executable, "measure", [str(out), "--mirror", str(mirror), "--data", str(data)])
    if install:
        _run(sys.executable, "install", [str(out)])


for _what in (*_KINDS, "all"):
    assert _builtin.callback is not None
    command.add_command(
        click.Command(
            _what,
            params=_builtin.params,
            callback=partial(_builtin.callback, what=_what),
            help=_builtin.help,
            short_help=f"The built-in network {_what}." if _what != "all" else "All built-in networks.",
            epilog=f"\b\nExample:\n  cityvision train {_what} --out data/trained --minutes 60",
        )
    )
for _queue in (submit_command, list_command, show_command, cancel_command, work_command):
    command.add_command(_queue)


def _lying(folder: Path, streets: int) -> Path:
    """Renders what the litter sense puts forward, a process a core; what is there already stays."""
    count = os.cpu_count() or 1
    command = [
        sys.executable,
        "-m",
        "algorithm_repo.training.lying",
        "--folder",
        str(folder),
        "--streets",
        str(streets),
    ]
    workers = [
        subprocess.Popen([*command, "--of", str(count), "--worker", str(number)], env=_environment())
        for number in range(count)
    ]
    if sum(worker.wait() != 0 for worker in workers):
        raise ServiceError("rendering for the litter network ended with a fault", "see its output above")
    return folder


def training_python() -> str:
    """The Python that has torch: this one, or that of .venv-train.

    Raises:
        ServiceError: neither has it.
    """
    if importlib.util.find_spec("torch") is not None:
        return sys.executable
    if _OWN.is_file():
        return str(_OWN)
    raise ServiceError("torch is not installed", "run: make train (it makes .venv-train, 2 GB)")


def _run(python: str, module: str, arguments: Sequence[str]) -> None:
    command = [python, "-m", f"algorithm_repo.training.{module}", *arguments]
    done = subprocess.run(command, env=_environment(), check=False)
    if done.returncode != 0:
        raise ServiceError(
            f"algorithm_repo.training.{module} ended with status {done.returncode}", "see its output above"
        )


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}
