"""`cityvision algo shadow`, `canary`, `promote`, `abort`, `rollback`, `compare`: onto cameras, and back."""

from __future__ import annotations

from functools import partial

import click

from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, Office, Stage
from algorithm_repo.rollout import service
from algorithm_repo.rollout.compare import Comparison
from algorithm_repo.rollout.evidence import looks
from cityvision.commands.account import AS, acting
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings
from governance.roles import Right
from pool.reader import cameras_of
from store.bus import Bus

_VERSION = click.option("--version", help="Which; by default the only one that it can be.")
_WHY = click.option("--why", required=True, help="In words, for the ledger.")
_CAMERAS = click.argument("cameras", nargs=-1, required=True)
_STOPPABLE = frozenset({Stage.SHADOW, Stage.CANARY})


@click.command("shadow", epilog="\b\nExample:\n  cityvision algo shadow waterlogging square-1 bridge-2")
@click.argument("algorithm")
@_CAMERAS
@_VERSION
@AS
@click.pass_obj
def shadow_command(
    settings: Settings, algorithm: str, cameras: tuple[str, ...], version: str | None, account: str | None
) -> None:
    """Run a registered version of ALGORITHM beside production on copies of CAMERAS: it records, and tells nobody."""
    with transaction(reach(settings)) as connection:
        who = acting(connection, account, Right.LABEL)
        found = service.find(connection, algorithm, version, {Stage.REGISTERED})
        moved = service.shadow(connection, found, cameras, cameras_of(connection), who)
    _tell(moved)


@click.command("canary", epilog="\b\nExample:\n  cityvision algo canary waterlogging square-1")
@click.argument("algorithm")
@_CAMERAS
@_VERSION
@AS
@click.pass_obj
def canary_command(
    settings: Settings, algorithm: str, cameras: tuple[str, ...], version: str | None, account: str | None
) -> None:
    """Give CAMERAS over to the version of ALGORITHM that is in shadow, on what its shadow has shown."""
    with transaction(reach(settings)) as connection:
        who = acting(connection, account, Right.PROMOTE)
        found = service.find(connection, algorithm, version, {Stage.SHADOW})
        moved = service.canary(connection, found, cameras, cameras_of(connection), who)
    _tell(moved)


@click.command("promote", epilog="\b\nExample:\n  cityvision algo promote waterlogging")
@click.argument("algorithm")
@_VERSION
@click.option("--too-soon", help="Why it goes although it has not shown enough, in words, for the ledger.")
@AS
@click.pass_obj
def promote_command(
    settings: Settings, algorithm: str, version: str | None, too_soon: str | None, account: str | None
) -> None:
    """Put the version of ALGORITHM that is in canary into production, on what its canary has shown.

    It must have shown 30 camera-minutes and 50 looks.
    """
    reached = reach(settings)
    bus = Bus(reached.redis)
    try:
        with transaction(reached) as connection:
            who = acting(connection, account, Right.PROMOTE)
            found = service.find(connection, algorithm, version, {Stage.CANARY})
            moved = service.promote(connection, found, who, looks=partial(looks, bus), too_soon=too_soon)
    finally:
        bus.close()
    _tell(moved)


@click.command("abort", epilog="\b\nExample:\n  cityvision algo abort waterlogging --why 'a reflection on square-1'")
@click.argument("algorithm")
@_VERSION
@_WHY
@AS
@click.pass_obj
def abort_command(settings: Settings, algorithm: str, version: str | None, why: str, account: str | None) -> None:
    """End the shadow or canary of a version of ALGORITHM; its cameras go back to production."""
    with transaction(reach(settings)) as connection:
        who = acting(connection, account, Right.LABEL)
        found = service.find(connection, algorithm, version, _STOPPABLE)
        moved = service.abort(connection, found, who, Office.ENGINEER, why)
    _tell(moved)


@click.command(
    "rollback", epilog="\b\nExample:\n  cityvision algo rollback waterlogging --why 'misses puddles by night'"
)
@click.argument("algorithm")
@click.option("--version", help="Which; by default the one in production, unless a roll back has put it there.")
@_WHY
@AS
@click.pass_obj
def rollback_command(settings: Settings, algorithm: str, version: str | None, why: str, account: str | None) -> None:
    """Take the version of ALGORITHM in production out, and put the one that it replaced back, in one move.

    Refused where the named version is no longer in production: somebody else has rolled back a moment ago.
    """
    with transaction(reach(settings)) as connection:
        who = acting(connection, account, Right.PROMOTE)
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


COMMANDS = (
    shadow_command,
    canary_command,
    promote_command,
    abort_command,
    rollback_command,
    compare_command,
)


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
