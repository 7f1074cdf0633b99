"""`cityvision evaluate versions`: a candidate beside production, by events on labelled clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cityvision.commands.evaluate_ledger import both, comparing, ledger, tell
from cityvision.settings import Settings, load_settings

if TYPE_CHECKING:
    from algorithm_repo.judging.replays import Source

SIMULATED = "simulated"


@click.command(
    "versions",
    epilog="\b\nExample:\n  cityvision evaluate versions --suite clips/ --candidate wetter.onnx --card wetter.html\n"
    "  cityvision evaluate versions --suite clips/ --candidate waterlogging@1.1.0 --json out.json",
)
@click.option("--suite", required=True, help="A folder with suite.yaml, or `simulated`: rendered for this run.")
@comparing
@click.option("--seed", default=1, show_default=True, help="Of simulated clips.")
@click.option("--clips", default=40, show_default=True, type=click.IntRange(min=1), help="How many to simulate.")
@click.option("--model", help="Detector, where another network is compared. [default: as `evaluate events`]")
@click.option("--fall", type=click.FloatRange(0, 1), help="F1 or recall may fall so much. [default: 0.02]")
@click.option("--least-gain", type=click.FloatRange(-1, 1), help="The whole F1 has to gain surely more than this.")
@click.option("--least-clips", type=click.IntRange(min=1), help="On fewer, slices are only told. [default: 4]")
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that keeps finished clips: what the same code has done before with the same two is not run again.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes, a core each. [default: as many as cores]")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
def versions(
    suite: str,
    candidate: str,
    production: str | None,
    candidate_card: Path | None,
    production_card: Path | None,
    json_file: Path | None,
    card_file: Path | None,
    record: bool,
    account: str | None,
    seed: int,
    clips: int,
    model: str | None,
    fall: float | None,
    least_gain: float | None,
    least_clips: int | None,
    resume: Path | None,
    jobs: int | None,
    data: Path | None,
) -> None:
    """Replay labelled clips with the network in production and with a candidate, and say whether it may go on.

    Exit status 0: the gate lets it go on; 1: no clip could be run with both; 2: the suite, a network or a setting is
    wrong; 3: the gate refuses it, with the reasons.
    """
    from algorithm_repo.evaluation.run import default_jobs
    from algorithm_repo.judging.comparison import compared
    from algorithm_repo.judging.event_card import event_card, text
    from algorithm_repo.judging.events import EventLimits
    from algorithm_repo.judging.kept_pairs import KeptPairs
    from algorithm_repo.judging.replays import replay_pairs
    from cityvision.named_networks import tuned_by

    given = {"fall": fall, "least_gain": least_gain, "clips": least_clips}
    limits = EventLimits.model_validate({name: value for name, value in given.items() if value is not None})
    settings = load_settings(model=model, data=data)
    write = ledger(candidate, account, settings) if record else None
    sources = _sources(suite, seed, clips, model, settings)
    tuned = tuned_by(candidate, production, settings)
    before, after = both(candidate, candidate_card, production, production_card, settings, alike=tuned is not None)
    kept = None if resume is None else KeptPairs(resume)
    pairs = replay_pairs(sources, before, after, jobs or default_jobs(), tuned=tuned, kept=kept)
    try:
        found = compared(suite, seed if suite == SIMULATED else None, (before, after), pairs, limits, tuned)
    except ValueError as error:
        for why in sorted({side.outcome.failed for pair in pairs for side in pair.sides if side.outcome.failed}):
            click.echo(f"cityvision: {why}", err=True)
        click.echo(f"cityvision: {error}", err=True)
        raise SystemExit(1) from None
    card, report = event_card(found), found.report
    tell(text(report), report, report.verdict, card, json_file, card_file)
    if write is not None:
        write(report, report.verdict, card)
    if not report.verdict.passed:
        raise SystemExit(3)


def _sources(suite: str, seed: int, clips: int, model: str | None, settings: Settings) -> Sequence[Source]:
    """The clips, as `evaluate events` takes them."""
    from algorithm_repo.evaluation.job import FileJob, Setup
    from algorithm_repo.evaluation.simulated import StreetJob, mixture, street_model
    from algorithm_repo.evaluation.suite import SuiteFaults, read_suite

    drawn = model or street_model()
    if suite == SIMULATED:
        setup = Setup(drawn, settings.mirror)
        return [StreetJob(plan, setup) for plan in mixture(seed, clips)]
    try:
        read = read_suite(Path(suite))
    except SuiteFaults as error:
        for fault in error.faults:
            click.echo(f"cityvision: {fault}", err=True)
        raise SystemExit(2) from None
    for warning in read.warnings:
        click.echo(f"cityvision: {warning}", err=True)
    setup = Setup(settings.model, settings.mirror, drawn=drawn)
    return [FileJob(clip, read.folder, setup) for clip in read.clips]
