"""`cityvision evaluate`: what the rules are worth, measured on labelled clips."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cityvision.settings import load_settings

if TYPE_CHECKING:
    from algorithm_repo.evaluation.job import Setup
    from algorithm_repo.evaluation.outcome import Outcome
    from algorithm_repo.evaluation.report import Run


@click.group(epilog="\b\nExample:\n  cityvision evaluate events --suite clips --json out.json")
def command() -> None:
    """Measure the rules on labelled clips."""


@command.command(epilog="\b\nExample:\n  cityvision evaluate events --suite clips/ --json out.json")
@click.option("--suite", required=True, type=click.Path(path_type=Path), help="A folder with suite.yaml.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Figures; a page beside it.")
@click.option("--model", help="Detector. [default: CITYVISION_MODEL, yolox_nano]")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes, a core each. [default: as many as cores]")
@click.option(
    "--gate/--no-gate", default=True, show_default=True, help="Let the gate skip looks at pictures that do not change."
)
def events(suite: Path, json_file: Path | None, model: str | None, jobs: int | None, gate: bool) -> None:
    """Replay labelled clips through the whole chain and count what was found, missed and raised in vain.

    Exit status 0: the clips were judged, whatever the figures (clips that could not be read are listed); 1: no clip
    could be run; 2: the suite or a setting is wrong.
    """
    from algorithm_repo.evaluation.job import Setup
    from algorithm_repo.evaluation.report import Run
    from algorithm_repo.evaluation.run import default_jobs
    from algorithm_repo.evaluation.suite import SuiteFaults

    begun = time.monotonic()
    settings = load_settings(model=model)
    try:
        setup = Setup(settings.model, settings.mirror, gate)
        outcomes, warnings = _folder(suite, setup, jobs or default_jobs())
    except SuiteFaults as error:
        for fault in error.faults:
            click.echo(f"cityvision: {fault}", err=True)
        raise SystemExit(2) from None
    run = Run(str(suite), None, outcomes, (), time.monotonic() - begun, warnings)
    _tell(run, json_file)
    if len(run.failed) == len(outcomes):
        raise SystemExit(1)


def _folder(folder: Path, setup: Setup, processes: int) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    from algorithm_repo.evaluation.job import FileJob
    from algorithm_repo.evaluation.run import run_jobs
    from algorithm_repo.evaluation.suite import read_suite

    suite = read_suite(folder)
    for warning in suite.warnings:
        click.echo(f"cityvision: {warning}", err=True)
    return tuple(run_jobs([FileJob(clip, folder, setup) for clip in suite.clips], processes)), suite.warnings


def _tell(run: Run, json_file: Path | None) -> None:
    """The figures as a table on stdout, and what went wrong; the files where they were asked for."""
    from algorithm_repo.evaluation.report import figures_of, write_report
    from algorithm_repo.evaluation.table import text_table

    for outcome in run.failed:
        click.echo(f"cityvision: {outcome.file} was not evaluated: {outcome.failed}", err=True)
    click.echo(text_table(figures_of(run)))
    if json_file is not None:
        page = write_report(run, json_file)
        click.echo(f"{json_file} and {page}", err=True)
