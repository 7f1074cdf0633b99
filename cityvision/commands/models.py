"""`cityvision models`: the zoo of weights and clips."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from contracts.errors import ModelError
from models.zoo import ArtefactKind, FileState, OnBytes, Zoo

_MIRROR = click.option(
    "--mirror",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with models/ and footage/, asked before the internet. [default: CITYVISION_MIRROR]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@contextmanager
def download_progress() -> Iterator[OnBytes]:
    """A progress bar on standard error for `Zoo.fetch(on_bytes=…)`; silent where that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        tasks = {}

        def on_bytes(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield on_bytes


@click.group(epilog="\b\nExample:\n  cityvision models fetch yolox_nano\n  cityvision models verify --json")
def command() -> None:
    """Weights and clips: what there is, where it comes from, and whether it is intact."""


@command.command("list", epilog="\b\nExample:\n  cityvision models list --kind model")
@click.option("--kind", type=click.Choice([kind.value for kind in ArtefactKind]), help="Only this kind.")
@_JSON
def list_command(kind: str | None, as_json: bool) -> None:
    """List every artefact with its source, licence and state in the cache."""
    zoo = Zoo()
    rows = [_row(zoo, name) for name in zoo.names(ArtefactKind(kind) if kind else None)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['name']:<48}{row['kind']:<7}{row['state']:<8}{row['licence']:<18}{row['source']}")


@command.command("fetch", epilog="\b\nExample:\n  cityvision models fetch yolox_nano residential_street")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every artefact of the zoo.")
@_MIRROR
@_JSON
def fetch_command(names: tuple[str, ...], everything: bool, mirror: Path | None, as_json: bool) -> None:
    """Fetch NAMES into the cache: from the mirror folder, else from their official addresses; verified."""
    zoo = Zoo(mirror=mirror)
    if not names and not everything:
        raise click.UsageError("name an artefact, or write --all; `cityvision models list` shows what there is")
    with download_progress() as on_bytes:
        done = _each(
            zoo.names() if everything else names,
            lambda name: {str(path): FileState.READY.value for path in zoo.fetch(name, on_bytes)},
            as_json,
        )
    sys.exit(0 if done else 1)


@command.command("verify", epilog="\b\nExample:\n  cityvision models verify --json")
@click.argument("names", nargs=-1)
@_JSON
def verify_command(names: tuple[str, ...], as_json: bool) -> None:
    """Check cached files against the zoo's SHA-256; exit 1 if one is wrong. Absent files are no fault."""
    zoo = Zoo()
    wrong = False

    def check(name: str) -> dict[str, str]:
        nonlocal wrong
        states = zoo.states(name)
        wrong = wrong or FileState.WRONG in states.values()
        return {path: state.value for path, state in states.items()}

    done = _each(names or zoo.names(), check, as_json)
    sys.exit(1 if wrong or not done else 0)


def _row(zoo: Zoo, name: str) -> dict[str, str]:
    artefact = zoo.artefact(name)
    states = set(zoo.states(name).values())
    worst = next(state for state in (FileState.WRONG, FileState.ABSENT, FileState.READY) if state in states)
    return {
        "name": name,
        "kind": artefact.kind.value,
        "state": worst.value,
        "licence": artefact.licence,
        "source": artefact.source,
        "digest": artefact.digest,
        "note": artefact.note,
    }


def _each(names: tuple[str, ...], do: Callable[[str], dict[str, str]], as_json: bool) -> bool:
    """Does it for every name, going on after a failure, and prints what `do` says of each file (path to detail).

    Returns:
        True when every name went well.
    """
    results: list[dict[str, object]] = []
    for name in names:
        try:
            files = do(name)
        except ModelError as error:
            results.append({"name": name, "error": str(error)})
            click.echo(f"{name}: {error}", err=True)
            continue
        results.append({"name": name, "files": files})
        if not as_json:
            for path, detail in files.items():
                click.echo(f"{path}  {detail}")
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False))
    return not any("error" in result for result in results)
