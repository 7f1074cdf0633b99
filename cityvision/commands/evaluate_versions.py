"""`cityvision evaluate versions`: a candidate beside production, by events on labelled clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cityvision.commands.account import AS, acting
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError

if TYPE_CHECKING:
    from algorithm_repo.judging.comparison import Comparison
    from algorithm_repo.judging.networks import Network
    from algorithm_repo.judging.replays import Source

SIMULATED = "simulated"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "versions",
    epilog="\b\nExample:\n  cityvision evaluate versions --suite clips/ --candidate wetter.onnx --card wetter.html\n"
    "  cityvision evaluate versions --suite clips/ --candidate waterlogging@1.1.0 --json out.json",
)
@click.option("--suite", required=True, help="A folder with suite.yaml, or `simulated`: rendered for this run.")
@click.option(
    "--candidate", required=True, help="A network: of the zoo, FILE.onnx with its card, or ALGORITHM@VERSION[/ROLE]."
)
@click.option("--production", help="What it is compared with. [default: whose place it would take]")
@click.option("--candidate-card", type=_FILE, help="YAML of the candidate's file. [default: FILE.yaml]")
@click.option("--production-card", type=_FILE, help="YAML of production's file. [default: FILE.yaml]")
@click.option("--json", "json_file", type=_OUT, help="Figures, verdict and what changed.")
@click.option("--card", "card_file", type=_OUT, help="The model card: one HTML file with pictures.")
@click.option("--record", is_flag=True, help="Write it into the ledger of a candidate that the registry has.")
@AS
@click.option("--seed", default=1, show_default=True, help="Of simulated clips.")
@click.option("--clips", default=40, show_default=True, type=click.IntRange(min=1), help="How many to simulate.")
@click.option("--model", help="Detector, where another network is compared. [default: as `evaluate events`]")
@click.option("--fall", type=click.FloatRange(0, 1), help="F1 or recall may fall so much. [default: 0.02]")
@click.option("--least-gain", type=click.FloatRange(-1, 1), help="The whole F1 has to gain surely more than this.")
@click.option("--least-clips", type=click.IntRange(min=1), help="On fewer, slices are only told. [default: 4]")
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
    jobs: int | None,
    data: Path | None,
) -> None:
    """Replay labelled clips with the network in production and with a candidate, and say whether it may go on.

    Exit status 0: the gate lets it go on; 1: no clip could be run with both; 2: the suite, a network or a setting is
    wrong; 3: the gate refuses it, with the reasons.
    """
    from algorithm_repo.evaluation.run import default_jobs
    from algorithm_repo.judging.comparison import compared
    from algorithm_repo.judging.events import EventLimits
    from algorithm_repo.judging.replays import replay_pairs
    from cityvision.named_networks import in_production, named

    given = {"fall": fall, "least_gain": least_gain, "clips": least_clips}
    limits = EventLimits.model_validate({name: value for name, value in given.items() if value is not None})
    settings = load_settings(model=model, data=data)
    ledger = _ledger(candidate, account, settings) if record else None
    sources = _sources(suite, seed, clips, model, settings)
    after = named(candidate, candidate_card, settings)
    if production is None:
        before = in_production(candidate, after.role, settings)
    else:
        before = named(production, production_card, settings)
    _require_comparable(before, after)
    pairs = replay_pairs(sources, before, after, jobs or default_jobs())
    try:
        found = compared(suite, seed if suite == SIMULATED else None, (before, after), pairs, limits)
    except ValueError as error:
        for why in sorted({side.outcome.failed for pair in pairs for side in pair.sides if side.outcome.failed}):
            click.echo(f"cityvision: {why}", err=True)
        click.echo(f"cityvision: {error}", err=True)
        raise SystemExit(1) from None
    card = _tell(found, json_file, card_file)
    if ledger is not None:
        ledger(found, card)
    if not found.report.verdict.passed:
        raise SystemExit(3)


def _require_comparable(before: Network, after: Network) -> None:
    if before.role != after.role:
        what = f"{after.name} plays {after.role}, {before.name} plays {before.role}"
        raise ConfigError(f"{what}; they cannot be compared", "name two networks of one role")
    if before.sha256 == after.sha256:
        raise ConfigError(f"{before.name} and {after.name} are the same network", "name another candidate")


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


def _ledger(candidate: str, account: str | None, settings: Settings) -> Callable[[Comparison, str], None]:
    """Writes an evaluation down; who may, and of which version, is asked before hours are spent on it.

    Raises:
        ConfigError: the candidate is not the registry's, or is past its evaluation; there is no such account.
        Forbidden: the account lacks the right.
    """
    from algorithm_repo.entering import service as versions
    from algorithm_repo.registry.types import Office, Stage
    from algorithm_repo.rollout import service
    from cityvision.database import transaction
    from cityvision.installation import reach
    from cityvision.object_store import object_store
    from governance.roles import Right

    algorithm, _, rest = candidate.partition("@")
    number = rest.partition("/")[0]
    if not number or candidate.endswith(".onnx"):
        what = f"--record: {candidate} is no version of the registry"
        raise ConfigError(what, "enter it (`cityvision algo enter`), and write ALGORITHM@VERSION")
    reached = reach(settings)
    early = (Stage.TRAINED, Stage.EVALUATED)
    with transaction(reached) as connection:
        who = acting(connection, account, Right.LABEL)
        version = service.find(connection, algorithm, number, set(early))
    if version.stage not in early:
        raise ConfigError(
            f"--record: {algorithm} {number} is {version.stage}", "leave --record out to look at it again"
        )

    def write(found: Comparison, card: str) -> None:
        verdict = found.report.verdict
        report = found.report.model_dump_json().encode()
        told = (verdict.passed, "; ".join(verdict.reasons) or None)
        with transaction(reached) as connection:
            moved = versions.evaluated(
                connection, object_store(reached), version, report, card.encode(), told, who, Office.ENGINEER
            )
        click.echo(f"{moved.algorithm} {moved.version} is {moved.stage}; the ledger names report and card")

    return write


def _tell(found: Comparison, json_file: Path | None, card_file: Path | None) -> str:
    """On standard output and in the files; the card."""
    from algorithm_repo.judging.event_card import event_card, text

    verdict = found.report.verdict
    click.echo(text(found.report))
    click.echo("the gate lets it go on" if verdict.passed else "the gate refuses it:")
    for reason in verdict.reasons:
        click.echo(f"  {reason}")
    for problem in verdict.failed:
        click.echo(f"cityvision: not compared: {problem}", err=True)
    card = event_card(found)
    for file, content in ((json_file, found.report.model_dump_json(indent=1) + "\n"), (card_file, card)):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    return card
