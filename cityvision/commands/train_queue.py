"""`cityvision train submit|list|show|cancel|work`: trainings that wait in the database for a worker."""

from __future__ import annotations

import getpass
import json
import signal
import threading
from pathlib import Path
from typing import Any

import click

from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.training.asked import asked
from algorithm_repo.training.classes import check_classes
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.tracking import tracking_of
from algorithm_repo.training.ultra_settings import CLASSIFIERS, DETECTORS, SEGMENTERS, ClassifySettings, DetectSettings
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.settings import Settings, load_settings
from cityvision.training_desk import TrainingDesk
from cityvision.training_worker import work_on
from models.zoo import Zoo
from store.database import make_engine

_DATA = click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
_DETECTOR, _CLASSIFIER, _HEAD = DetectSettings(), ClassifySettings(), HeadSettings()
_OF_ULTRALYTICS = "Of a network of ultralytics."


def _reached(data: Path | None) -> Settings:
    return reach(load_settings(data=data))


@click.command(
    "submit",
    epilog="\b\nExample:\n  cityvision train submit cars DIGEST --epochs 50 --size 320\n"
    "  cityvision train submit weather DIGEST --network yolo11n-cls\n"
    "  cityvision train submit water DIGEST --steps 400",
)
@click.argument("name")
@click.argument("dataset")
@click.option(
    "--network",
    type=click.Choice([*DETECTORS, *CLASSIFIERS, *SEGMENTERS]),
    help=f"Of ultralytics. [default: {_DETECTOR.network}, of tags {_CLASSIFIER.network}, of a mask a decoder]",
)
@click.option(
    "--size", type=int, help=f"Of the square input, px. [default: {_DETECTOR.size}, classifiers {_CLASSIFIER.size}]"
)
@click.option("--epochs", type=int, help=f"{_OF_ULTRALYTICS} [default: {_DETECTOR.epochs}]")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help=f"{_OF_ULTRALYTICS} [default: {_DETECTOR.device}]")
@click.option("--steps", type=int, help=f"Of a decoder on frozen features. [default: {_HEAD.steps}]")
@click.option("--variations", type=int, help=f"Of each picture, of a decoder. [default: {_HEAD.variations}]")
@click.option("--batch", type=int, help=f"Pictures a step. [default: {_DETECTOR.batch}, decoders {_HEAD.batch}]")
@click.option("--rate", type=float, help=f"Highest learning rate. [default: {_DETECTOR.rate}, decoders {_HEAD.rate}]")
@click.option("--seed", type=int, help=f"[default: {_DETECTOR.seed}]")
@click.option("--threads", type=int, help=f"Of the processor. [default: {_DETECTOR.threads}]")
@_DATA
def submit_command(name: str, dataset: str, data: Path | None, **given: Any) -> None:
    """Put a training on the frozen version DATASET (its digest) at the end of the queue.

    A version of boxes trains a detector, one of tags a classifier, one of a mask a decoder on frozen features or,
    by --network or what else only such have, a whole network.
    """
    settings = asked({option: value for option, value in given.items() if value is not None})
    reached = _reached(data)
    with transaction(reached) as connection:
        job = service.submit(connection, name, dataset, settings, f"{getpass.getuser()} on the machine")
        check_classes(archive.load(connection, object_store(reached), dataset))
    click.echo(f"training {job.id} waits")


@click.command("list", epilog="\b\nExample:\n  cityvision train list")
@_JSON
@_DATA
def list_command(as_json: bool, data: Path | None) -> None:
    """The newest trainings: what they are doing, and how far they are."""
    with transaction(_reached(data)) as connection:
        found = service.listed(connection)
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    for one in found:
        asked = " (cancel asked for)" if one.cancel and one.state == "running" else ""
        click.echo(
            f"{one.id:<6}{one.state:<11}{f'{one.step}/{one.of}':<9}{one.name}{asked}{one.told and ': '}{one.told}"
        )


@click.command("show", epilog="\b\nExample:\n  cityvision train show 7 --json")
@click.argument("number", type=int)
@_JSON
@_DATA
def show_command(number: int, as_json: bool, data: Path | None) -> None:
    """One training with its settings, code and environment, its curve and what it made."""
    with transaction(_reached(data)) as connection:
        job, points = service.get(connection, number), service.curve(connection, number)
    if as_json:
        answer = job.model_dump(mode="json") | {"curve": [point.model_dump() for point in points]}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"training {job.id} {job.name}: {job.state} {job.told}".rstrip())
    click.echo(f"dataset {job.dataset}; {', '.join(f'{name} {value}' for name, value in sorted(job.settings.items()))}")
    if job.made_with is not None:
        told = ", ".join(f"{name} {version}" for name, version in sorted(job.made_with.environment.items()))
        click.echo(f"code {job.made_with.code}; {told}; started {job.made_with.starts} times")
    for point in points:
        figures = "  ".join(f"{name} {value:.4g}" for name, value in sorted(point.figures.items()))
        click.echo(f"{point.step:>5}/{point.of}  {figures}")
    for file, sha256 in sorted(job.result.items()):
        click.echo(f"{file}: {sha256}")


@click.command("cancel", epilog="\b\nExample:\n  cityvision train cancel 7")
@click.argument("number", type=int)
@_DATA
def cancel_command(number: int, data: Path | None) -> None:
    """End a training that waits or runs; its checkpoint stays. Where its worker is gone it ends at once."""
    with transaction(_reached(data)) as connection:
        job = service.cancel(connection, number)
    click.echo(f"training {job.id}: {'its worker will end it' if job.state == 'running' else job.state}")


@click.command("work", epilog="\b\nExample:\n  cityvision train work")
@click.option("--once", is_flag=True, help="End when nothing waits.")
@_DATA
def work_command(once: bool, data: Path | None) -> None:
    """Run what waits, one after another, until it is stopped. Where it is killed, the next worker goes on.

    Where the database or the object store is away it waits for them.

    Needs torch, in .venv-train (`make train` makes it).
    """
    from cityvision.commands.train import training_python

    settings = _reached(data)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    address = None if settings.mlflow_url is None else settings.mlflow_url.get_secret_value()
    engine = make_engine(settings.database, pool_size=2)
    desk = TrainingDesk(
        engine,
        object_store(settings),
        settings.data / "training" / "jobs",
        Path(training_python()),
        Zoo(cache=settings.cache, mirror=settings.mirror),
        tracking_of(settings.data, address),
    )
    try:
        work_on(desk, stop, once, click.echo)
    finally:
        engine.dispose()
