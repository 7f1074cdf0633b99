"""`cityvision algo shadow`, `canary`, `promote`, `abort`, `rollback`, `compare`: onto cameras, and back."""

from __future__ import annotations

import getpass
from functools import partial
from pathlib import Path

import click
from sqlalchemy import Connection

from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, Office, Stage
from algorithm_repo.rollout import service
from algorithm_repo.rollout.compare import Comparison
from algorithm_repo.rollout.evidence import looks
from algorithm_repo.rollout.keeping import keep_network
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.settings import Settings
from contracts.errors import ConfigError, Forbidden
from governance.people import person
from governance.roles import RIGHTS, Right
from models.served import ROLES
from models.zoo import Zoo
from pool.reader import cameras_of
from store.bus import Bus

_AS = click.option("--as", "account", help="Account in whose name; by default whoever you are on this machine.")
_VERSION = click.option("--version", help="Which; by default the only one that it can be.")
_WHY = click.option("--why", required=True, help="In words, for the ledger.")
_CAMERAS = click.argument("cameras", nargs=-1, required=True)
_STOPPABLE = frozenset({Stage.SHADOW, Stage.CANARY})


@click.command("shadow", epilog="\b\nExample:\n  cityvision algo shadow waterlogging square-1 bridge-2")
@click.argument("algorithm")
@_CAMERAS
@_VERSION
@_AS
@click.pass_obj
def shadow_command(
    settings: Settings, algorithm: str, cameras: tuple[str, ...], version: str | None, account: str | None
) -> None:
    """Run a registered version of ALGORITHM beside production on copies of CAMERAS: it records, and tells nobody."""
    with transaction(reach(settings)) as connection:
        who = _who(connection, account, Right.LABEL)
        found = service.find(connection, algorithm, version, {Stage.REGISTERED})
        moved = service.shadow(connection, found, cameras, cameras_of(connection), who)
    _tell(moved)


@click.command("canary", epilog="\b\nExample:\n  cityvision algo canary waterlogging square-1")
@click.argument("algorithm")
@_CAMERAS
@_VERSION
@_AS
@click.pass_obj
def canary_command(
    settings: Settings, algorithm: str, cameras: tuple[str, ...], version: str | None, account: str | None
) -> None:
    """Give CAMERAS over to the version of ALGORITHM that is in shadow, on what its shadow has shown."""
    with transaction(reach(settings)) as connection:
        who = _who(connection, account, Right.PROMOTE)
        found = service.find(connection, algorithm, version, {Stage.SHADOW})
        moved = service.canary(connection, found, cameras, cameras_of(connection), who)
    _tell(moved)


@click.command("promote", epilog="\b\nExample:\n  cityvision algo promote waterlogging")
@click.argument("algorithm")
@_VERSION
@click.option("--too-soon", help="Why it goes although it has not shown enough, in words, for the ledger.")
@_AS
@click.pass_obj
def promote_command(
    settings: Settings, algorithm: str, version: str | None, too_soon: str | None, account: str | None
) -> None:
    """Put the version of ALGORITHM that is in canary into production, on what its canary has shown.

    It must have shown 30 camera-minutes and 50 looks.
    """
    bus = Bus(settings.redis)
    try:
        with transaction(reach(settings)) as connection:
            who = _who(connection, account, Right.PROMOTE)
            found = service.find(connection, algorithm, version, {Stage.CANARY})
            moved = service.promote(connection, found, who, looks=partial(looks, bus), too_soon=too_soon)
    finally:
        bus.close()
    _tell(moved)


@click.command("abort", epilog="\b\nExample:\n  cityvision algo abort waterlogging --why 'a reflection on square-1'")
@click.argument("algorithm")
@_VERSION
@_WHY
@_AS
@click.pass_obj
def abort_command(settings: Settings, algorithm: str, version: str | None, why: str, account: str | None) -> None:
    """End the shadow or canary of a version of ALGORITHM; its cameras go back to production."""
    with transaction(reach(settings)) as connection:
        who = _who(connection, account, Right.LABEL)
        found = service.find(connection, algorithm, version, _STOPPABLE)
        moved = service.abort(connection, found, who, Office.ENGINEER, why)
    _tell(moved)


@click.command(
    "rollback", epilog="\b\nExample:\n  cityvision algo rollback waterlogging --why 'misses puddles by night'"
)
@click.argument("algorithm")
@click.option("--version", help="Which; by default the one in production, unless a roll back has put it there.")
@_WHY
@_AS
@click.pass_obj
def rollback_command(settings: Settings, algorithm: str, version: str | None, why: str, account: str | None) -> None:
    """Take the version of ALGORITHM in production out, and put the one that it replaced back, in one move.

    Refused where the named version is no longer in production: somebody else has rolled back a moment ago.
    """
    with transaction(reach(settings)) as connection:
        who = _who(connection, account, Right.PROMOTE)
        meant = None if version is None else service.find(connection, algorithm, version, ()).id
        taken, back = registry.roll_back(connection, algorithm, who, Office.PROMOTER, why, present=meant)
    _tell(taken)
    if back is not None:
        _tell(back)


@click.command("compare", epilog="\b\nExample:\n  cityvision algo compare waterlogging --json")
@click.argument("algorithm")
@_VERSION
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.pass_obj
def compare_command(settings: Settings, algorithm: str, version: str | None, as_json: bool) -> None:
    """What the candidate of ALGORITHM saw beside production; what only one of them saw is for people to look at."""
    with transaction(reach(settings)) as connection:
        found = service.find(connection, algorithm, version, _STOPPABLE)
        comparison = service.compared(connection, found)
    click.echo(comparison.model_dump_json() if as_json else _words(found, comparison))


@click.command("keep", epilog="\b\nExample:\n  cityvision algo keep wetter.onnx --role water --like water")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it is for.")
@click.option("--like", required=True, help="Network of the zoo whose outputs are read in the same way.")
@click.option("--name", help="Of the network; by default the file's.")
@click.pass_obj
def keep_command(settings: Settings, file: Path, role: str, like: str, name: str | None) -> None:
    """Keep a network that is no part of the release, so that workers can have it; prints what a version names it by.

    Nothing is run. A file from elsewhere goes through `cityvision algo inspect` first.
    """
    entry = Zoo(cache=settings.cache, mirror=settings.mirror).artefact(like)
    kept = keep_network(object_store(settings), file.read_bytes(), role=role, name=name or file.stem, like=entry)
    click.echo(kept.model_dump_json(exclude_none=True))


COMMANDS = (
    keep_command,
    shadow_command,
    canary_command,
    promote_command,
    abort_command,
    rollback_command,
    compare_command,
)


def _who(connection: Connection, account: str | None, right: Right) -> str:
    """In whose name; whoever may run this on the city's machine may do everything, under their name there.

    Raises:
        ConfigError: there is no such account.
        Forbidden: it lacks the right.
    """
    if account is None:
        return f"{getpass.getuser()} on the machine"
    found = person(connection, account)
    if found is None or found.disabled:
        raise ConfigError(f"--as: there is no account {account!r} that may log in", "see `cityvision admin people`")
    if right not in RIGHTS[found.role]:
        raise Forbidden(f"{account} may not: it takes the right {right.value}", "ask an administrator")
    return found.name


def _tell(version: AlgorithmVersion) -> None:
    click.echo(f"{version.algorithm} {version.version} is {version.stage}")


def _words(version: AlgorithmVersion, comparison: Comparison) -> str:
    minutes = comparison.camera_days * 1440
    lines = [
        f"{version.algorithm} {version.version} in {comparison.kind} on {', '.join(comparison.cameras)}: "
        f"{minutes:.1f} camera-minutes",
        f"events: candidate {comparison.candidate}, production {comparison.production}"
        + ("" if comparison.both is None else f", both {comparison.both}"),
    ]
    lines += [
        f"  only {one.seen_by}: {one.event.camera} {one.event.zone} {one.event.id}" for one in comparison.disagreements
    ]
    return "\n".join(lines)
