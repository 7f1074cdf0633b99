"""`cityvision evaluate`: what the rules are worth, measured on labelled clips."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cityvision.commands.evaluate_pictures import pictures
from cityvision.commands.evaluate_versions import versions
from cityvision.scratch import scratch
from cityvision.settings import load_settings
from contracts.errors import ConfigError

if TYPE_CHECKING:
    from algorithm_repo.evaluation.job import Setup
    from algorithm_repo.evaluation.kept import KeptJob
    from algorithm_repo.evaluation.outcome import Outcome
    from algorithm_repo.evaluation.report import Run

SIMULATED = "simulated"


@click.group(epilog="\b\nExample:\n  cityvision evaluate events --suite clips --json out.json")
@click.pass_context
def command(context: click.Context) -> None:
    """Measure the rules on labelled clips."""
    context.with_resource(scratch("evaluate"))


command.add_command(versions)
command.add_command(pictures)


@command.command(
    epilog="\b\nExample:\n  cityvision evaluate events --suite clips/ --json out.json\n"
    "  cityvision evaluate events --suite simulated --seed 7 --clips 40 --quiet-hours 24 --json out.json"
)
@click.option("--suite", help="A folder with suite.yaml, or `simulated`: rendered for this run.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Figures; a page beside it.")
@click.option("--seed", default=1, show_default=True, help="Of simulated clips and streets.")
@click.option("--clips", default=40, show_default=True, type=click.IntRange(min=1), help="How many to simulate.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep simulated clips here, as a suite.")
@click.option(
    "--quiet-hours", default=0.0, type=click.FloatRange(min=0), help="Also so much of an ordinary simulated street."
)
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that keeps finished clips and quiet hours: what the same code has done before with the same detector"
    " is not run again.",
)
@click.option("--at-least", type=click.FloatRange(0, 1), help="Fail where a type's precision or recall is below this.")
@click.option(
    "--quiet-at-most", type=click.FloatRange(min=0), help="Fail where the bound of false alarms a quiet day is above."
)
@click.option("--model", help="Detector. [default: CITYVISION_MODEL; for simulated clips the built-in one]")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes, a core each. [default: as many as cores]")
@click.option(
    "--gate/--no-gate", default=True, show_default=True, help="Let the gate skip looks at pictures that do not change."
)
def events(
    suite: str | None,
    json_file: Path | None,
    seed: int,
    clips: int,
    keep: Path | None,
    quiet_hours: float,
    resume: Path | None,
    at_least: float | None,
    quiet_at_most: float | None,
    model: str | None,
    jobs: int | None,
    gate: bool,
) -> None:
    """Replay labelled clips through the whole chain and count what was found, missed and raised in vain.

    Exit status 0: the clips were judged, whatever the figures (clips that could not be read are listed); 1: no clip
    could be run; 2: the suite or a setting is wrong; 3: --at-least or --quiet-at-most is not met.
    """
    from algorithm_repo.evaluation.job import Setup
    from algorithm_repo.evaluation.report import Run
    from algorithm_repo.evaluation.run import default_jobs
    from algorithm_repo.evaluation.simulated import street_model
    from algorithm_repo.evaluation.suite import SuiteFaults

    if suite is None and not quiet_hours:
        raise ConfigError("nothing to evaluate", "name --suite DIR or --suite simulated, or --quiet-hours H")
    begun = time.monotonic()
    settings = load_settings(model=model)
    simulated = Setup(model or street_model(), settings.mirror, gate)
    processes = jobs or default_jobs()
    outcomes: tuple[Outcome, ...] = ()
    quiet: tuple[Outcome, ...] = ()
    warnings: tuple[str, ...] = ()
    if suite == SIMULATED:
        outcomes = _simulated(seed, clips, keep, simulated, processes, resume)
    elif suite is not None:
        try:
            outcomes, warnings = _folder(
                Path(suite), replace(simulated, model=settings.model, drawn=simulated.model), processes, resume
            )
        except SuiteFaults as error:
            for fault in error.faults:
                click.echo(f"cityvision: {fault}", err=True)
            raise SystemExit(2) from None
    if quiet_hours:
        quiet = _quiet(seed, quiet_hours, simulated, processes, resume)
    run = Run(
        suite or "quiet street",
        seed if suite == SIMULATED or quiet_hours else None,
        outcomes,
        quiet,
        time.monotonic() - begun,
        warnings,
        model,
    )
    figures = _tell(run, json_file)
    if len(run.failed) == len(outcomes) + len(quiet):
        raise SystemExit(1)
    short = shortfalls(figures, at_least, quiet_at_most)
    for line in short:
        click.echo(f"cityvision: {line}", err=True)
    if short:
        raise SystemExit(3)


@command.command(epilog="\b\nExample:\n  cityvision evaluate confidence --seed 31 --clips 400")
@click.option("--seed", type=int, default=31, show_default=True, help="Of the simulated clips; not one that is judged.")
@click.option("--clips", type=click.IntRange(min=8), default=400, show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("pipeline/calibration"),
    show_default=True,
    help="Folder for TYPE.json.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes, a core each. [default: as many as cores]")
@click.option(
    "--measured-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Report of `evaluate events` on another seed, for the operating points; may be given several times.",
)
def confidence(seed: int, clips: int, out: Path, jobs: int | None, measured_on: tuple[Path, ...]) -> None:
    """Fit to simulated clips how likely events are real; with --measured-on also the operating points."""
    from algorithm_repo.calibrating import fit as fitting
    from algorithm_repo.calibrating.collect import collect, reported
    from algorithm_repo.evaluation.job import Setup
    from algorithm_repo.evaluation.run import default_jobs
    from algorithm_repo.evaluation.simulated import street_model

    setup = Setup(street_model(), load_settings().mirror)
    found = collect(seed, clips, setup, jobs or default_jobs())
    for kind, labelled in found.items():
        if not labelled.samples:
            click.echo(f"{kind}: no event was raised, nothing is fitted", err=True)
            continue
        made = fitting.fit(kind, labelled, f"simulated suite, seed {seed}, {clips} clips")
        if measured_on:
            made = fitting.measured_on(made, reported(kind, measured_on))
        (out / f"{kind}.json").write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
        click.echo(
            f"{kind}: {made.events} events, {made.real} real; stated odds are off by {made.expected_error:.3f};"
            f" {len(made.curve)} operating points"
        )


def shortfalls(figures: Mapping[str, Any], at_least: float | None, quiet_at_most: float | None) -> list[str]:
    """What misses its target, a line each; a figure that is not defined misses none."""
    lines = [
        f"{kind}: {key} is {one[key]:.3f}, below {at_least:g}"
        for kind, one in figures["types"].items()
        for key in ("precision", "recall")
        if at_least is not None and one[key] is not None and one[key] < at_least
    ]
    lines += [
        f"{kind}: up to {one['false_alarms_upper95']:.3f} false alarms a quiet day, above {quiet_at_most:g}"
        for kind, one in figures["quiet"].items()
        if quiet_at_most is not None and isinstance(one, Mapping) and one["false_alarms_upper95"] > quiet_at_most
    ]
    return lines


def _folder(
    folder: Path, setup: Setup, processes: int, resume: Path | None
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    from algorithm_repo.evaluation.job import FileJob
    from algorithm_repo.evaluation.suite import read_suite

    suite = read_suite(folder)
    for warning in suite.warnings:
        click.echo(f"cityvision: {warning}", err=True)
    jobs = [FileJob(clip, folder, setup) for clip in suite.clips]
    return _resumed(jobs, processes, resume, "clips"), suite.warnings


def _simulated(
    seed: int, clips: int, keep: Path | None, setup: Setup, processes: int, resume: Path | None
) -> tuple[Outcome, ...]:
    from algorithm_repo.evaluation.simulated import StreetJob, mixture
    from algorithm_repo.evaluation.suite import write_suite

    if keep is not None:
        if resume is not None:
            raise ConfigError("--keep needs every clip rendered, --resume leaves some out", "leave one of them out")
        keep.mkdir(parents=True, exist_ok=True)
    outcomes = _resumed([StreetJob(plan, setup, keep) for plan in mixture(seed, clips)], processes, resume, "clips")
    if keep is not None:
        write_suite(keep, [outcome.entry for outcome in outcomes if outcome.entry is not None])
    return outcomes


def _quiet(seed: int, hours: float, setup: Setup, processes: int, resume: Path | None) -> tuple[Outcome, ...]:
    from algorithm_repo.evaluation.quiet import blocks

    return _resumed(blocks(seed, hours, setup), processes, resume, "quiet hours")


def _resumed(jobs: Sequence[KeptJob], processes: int, resume: Path | None, title: str) -> tuple[Outcome, ...]:
    """What came of every job; those that stand in the file are not run again, the others are added to it."""
    from algorithm_repo.evaluation.kept import Kept
    from algorithm_repo.evaluation.run import run_jobs

    if resume is None:
        return tuple(run_jobs(jobs, processes, title=title))
    kept = Kept(resume)
    before = {job.number: outcome for job in jobs if (outcome := kept.find(job)) is not None}
    if before:
        click.echo(f"{len(before)} of {len(jobs)} {title} stand in {resume}", err=True)
    rest = [job for job in jobs if job.number not in before]
    found = before | {one.number: one for one in run_jobs(rest, processes, title=title, done=kept.add)}
    return tuple(found[number] for number in sorted(found))


def _tell(run: Run, json_file: Path | None) -> dict[str, Any]:
    """The figures as a table on stdout, and what went wrong; the files where they were asked for."""
    from algorithm_repo.evaluation.report import figures_of, write_report
    from algorithm_repo.evaluation.table import text_table

    for outcome in run.failed:
        click.echo(f"cityvision: {outcome.file} was not evaluated: {outcome.failed}", err=True)
    figures = figures_of(run)
    click.echo(text_table(figures))
    if json_file is not None:
        page = write_report(run, json_file)
        click.echo(f"{json_file} and {page}", err=True)
    return figures
