"""`cityvision algo enter`, `register`, `retire`: networks and parameters become versions, go on, or go no further."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from algorithm_repo.entering import service as entering
from algorithm_repo.intake.intake import read_files
from algorithm_repo.registry import judged, tuning
from algorithm_repo.registry.parameters import Parameters
from algorithm_repo.registry.types import Stage
from algorithm_repo.rollout import service
from cityvision.commands.account import AS, acting
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.settings import Settings
from contracts.errors import ConfigError
from governance.roles import Right

_VERSION = click.option("--version", help="Which; by default the only one that it can be.")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LEFT = frozenset({Stage.DRAFT, Stage.TRAINED, Stage.EVALUATED, Stage.REGISTERED})


@click.command(
    "enter",
    epilog="\b\nExample:\n  cityvision algo enter waterlogging 1.1.0 --training 12\n"
    "  cityvision algo enter waterlogging 1.2.0 --model wetter.onnx --card wetter.yaml\n"
    "  cityvision algo enter waterlogging 1.3.0 --set min_share=0.1 --set hold=90s",
)
@click.argument("algorithm")
@click.argument("version")
@click.option("--training", type=int, help="Number of the training that made its network (`cityvision train list`).")
@click.option("--model", type=_FILE, help="ONNX file of its network, from elsewhere: it is checked and tried first.")
@click.option("--card", type=_FILE, help="YAML that describes the file. [default: MODEL.yaml]")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of its rule; as in the pool.")
@click.option("--licence", help=f"Of what a training made. [default: {entering.LICENCE}]")
@click.option("--note", default="", help="For people.")
@AS
@click.pass_obj
def enter_command(
    settings: Settings,
    algorithm: str,
    version: str,
    training: int | None,
    model: Path | None,
    card: Path | None,
    given: tuple[str, ...],
    licence: str | None,
    note: str,
    account: str | None,
) -> None:
    """Enter VERSION of ALGORITHM: production's, but for a network (of a training, or from elsewhere) or for parameters.

    Nothing runs it yet: `cityvision evaluate versions --record` (or `evaluate pictures`) and `cityvision algo register`
    come next.
    """
    if [training is not None, model is not None, bool(given)].count(True) != 1:
        raise ConfigError(
            "a version has one new network, or other parameters", "name one of --training, --model, --set"
        )
    if training is not None and card is not None:
        raise ConfigError("--card: a training needs none", "leave it out, or name --model")
    if training is None and licence is not None:
        raise ConfigError("--licence: only what a training made is given one here", "leave it out")
    reached = reach(settings)
    objects = object_store(reached)
    with transaction(reached) as connection:
        who = acting(connection, account, Right.LABEL)
        if training is not None:
            entered = entering.enter_training(
                connection, objects, training, algorithm, version, who, licence=licence, note=note
            )
        elif model is None:
            entered = tuning.enter(connection, algorithm, version, _parameters(given), who, note)
    if model is not None:
        data, described = read_files(model, card or model.with_suffix(".yaml"))
        entered, _ = entering.enter_upload(
            partial(transaction, reached), objects, data, described, algorithm, version, who, note
        )
    models = ", ".join(f"{model.role} {model.name}" for model in entered.models)
    click.echo(f"{entered.algorithm} {entered.version} is {entered.stage}: {models}{brought(entered.parameters)}")


def _parameters(given: tuple[str, ...]) -> dict[str, str | None]:
    """From NAME=VALUE; nothing behind the sign: as the release has it."""
    wrong = next((one for one in given if "=" not in one), None)
    if wrong is not None:
        raise ConfigError(f"--set {wrong}: no NAME=VALUE", "write e.g. --set hold=90s")
    return {name.strip(): value.strip() or None for name, _, value in (one.partition("=") for one in given)}


def brought(parameters: Parameters) -> str:
    """Behind a version's networks."""
    return "".join(f", {name}={value}" for name, value in sorted(parameters.items()))


@click.command("register", epilog="\b\nExample:\n  cityvision algo register waterlogging --version 1.1.0")
@click.argument("algorithm")
@_VERSION
@AS
@click.pass_obj
def register_command(settings: Settings, algorithm: str, version: str | None, account: str | None) -> None:
    """Let an evaluated version of ALGORITHM go onto cameras, by the card of its newest evaluation, if the gate did."""
    with transaction(reach(settings)) as connection:
        who = acting(connection, account, Right.LABEL)
        found = service.find(connection, algorithm, version, {Stage.EVALUATED})
        moved = judged.register(connection, found, who)
    click.echo(f"{moved.algorithm} {moved.version} is {moved.stage}")


@click.command(
    "retire", epilog="\b\nExample:\n  cityvision algo retire waterlogging --version 1.1.0 --why 'blind at dusk'"
)
@click.argument("algorithm")
@_VERSION
@click.option("--why", required=True, help="In words, for the ledger.")
@AS
@click.pass_obj
def retire_command(settings: Settings, algorithm: str, version: str | None, why: str, account: str | None) -> None:
    """Give up a version of ALGORITHM that is on no camera; what its shadows have kept goes with it."""
    with transaction(reach(settings)) as connection:
        who = acting(connection, account, Right.LABEL)
        moved = judged.retire(connection, service.find(connection, algorithm, version, _LEFT), who, why)
    click.echo(f"{moved.algorithm} {moved.version} is {moved.stage}")


COMMANDS = (enter_command, register_command, retire_command)
