"""What `cityvision evaluate versions` and `evaluate pictures` share: their options, which networks, and `--record`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from cityvision.commands.account import AS, acting
from cityvision.settings import Settings
from contracts.errors import ConfigError
from contracts.records import Contract

if TYPE_CHECKING:
    from algorithm_repo.judging.networks import Network


class Verdict(Protocol):
    """Of a gate."""

    @property
    def passed(self) -> bool: ...

    @property
    def reasons(self) -> tuple[str, ...]: ...

    @property
    def failed(self) -> tuple[str, ...]: ...


Command = Callable[..., None]
Ledger = Callable[[Contract, Verdict, str], None]
"""Writes down a report, what the gate said, and the card."""


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_NAMED = "A network: of the zoo, FILE.onnx with its card, or ALGORITHM@VERSION[/ROLE]."
_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option("--candidate", required=True, help=_NAMED),
    click.option("--production", help="What it is compared with. [default: whose place it would take]"),
    click.option("--candidate-card", type=_FILE, help="YAML of the candidate's file. [default: FILE.yaml]"),
    click.option("--production-card", type=_FILE, help="YAML of production's file. [default: FILE.yaml]"),
    click.option("--json", "json_file", type=_OUT, help="Figures, verdict and what changed."),
    click.option("--card", "card_file", type=_OUT, help="The model card: one HTML file with pictures."),
    click.option("--record", is_flag=True, help="Write it into the ledger of a candidate that the registry has."),
    AS,
)


def comparing(command: Command) -> Command:
    """The options of a command that compares a candidate with production, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def both(
    candidate: str,
    card: Path | None,
    production: str | None,
    production_card: Path | None,
    settings: Settings,
    *,
    alike: bool = False,
) -> tuple[Network, Network]:
    """Production and candidate, as they were named; production left out is whose place the candidate would take.

    Args:
        alike: they may be the same network: something else tells them apart.

    Raises:
        ConfigError: they cannot be compared; and see `cityvision.named_networks.named`.
    """
    from cityvision.named_networks import in_production, named

    after = named(candidate, card, settings)
    if production is None:
        before = in_production(candidate, after.role, settings)
    else:
        before = named(production, production_card, settings)
    if before.role != after.role:
        what = f"{after.name} plays {after.role}, {before.name} plays {before.role}"
        raise ConfigError(f"{what}; they cannot be compared", "name two networks of one role")
    if before.sha256 == after.sha256 and not alike:
        raise ConfigError(f"{before.name} and {after.name} are the same network", "name another candidate")
    return before, after


def ledger(candidate: str, account: str | None, settings: Settings) -> Ledger:
    """Writes an evaluation down; who may, and of which version, is asked before hours are spent on it.

    Raises:
        ConfigError: the candidate is not the registry's, or is past its evaluation; there is no such account.
        Forbidden: the account lacks the right.
    """
    from algorithm_repo.entering import service as entering
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

    def write(report: Contract, verdict: Verdict, card: str) -> None:
        data = report.model_dump_json().encode()
        told = (verdict.passed, "; ".join(verdict.reasons) or None)
        with transaction(reached) as connection:
            moved = entering.evaluated(
                connection, object_store(reached), version, data, card.encode(), told, who, Office.ENGINEER
            )
        click.echo(f"{moved.algorithm} {moved.version} is {moved.stage}; the ledger names report and card")

    return write


def tell(
    text: str, report: Contract, verdict: Verdict, card: str, json_file: Path | None, card_file: Path | None
) -> None:
    """On standard output and in the files that were asked for."""
    click.echo(text)
    click.echo("the gate lets it go on" if verdict.passed else "the gate refuses it:")
    for reason in verdict.reasons:
        click.echo(f"  {reason}")
    for problem in verdict.failed:
        click.echo(f"cityvision: not compared: {problem}", err=True)
    for file, content in ((json_file, report.model_dump_json(indent=1) + "\n"), (card_file, card)):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
