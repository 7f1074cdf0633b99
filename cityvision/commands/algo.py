"""`cityvision algo`: versions of algorithms, where they are in their life, and how they came there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, LedgerLine
from cityvision.commands import algo_rollout, algo_versions
from cityvision.commands.algo_inspect import inspect_command
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group(epilog="\b\nExample:\n  cityvision algo list\n  cityvision algo history waterlogging")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Versions of algorithms: where they are in their life, and how they came there."""
    context.obj = load_settings(data=data)


command.add_command(inspect_command)
for one in (*algo_versions.COMMANDS, *algo_rollout.COMMANDS):
    command.add_command(one)


@command.command("list", epilog="\b\nExample:\n  cityvision algo list waterlogging")
@click.argument("algorithm", required=False)
@_JSON
@click.pass_obj
def list_command(settings: Settings, algorithm: str | None, as_json: bool) -> None:
    """All versions, or those of ALGORITHM; those in production first."""
    with transaction(reach(settings)) as connection:
        found = service.listed(connection, algorithm)
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    for one in sorted(found, key=lambda one: (one.stage != "production", one.algorithm, -one.id)):
        models = ", ".join(f"{model.name} {model.sha256[:8]}" for model in one.models)
        brought = algo_versions.brought(one.parameters)
        click.echo(f"{one.stage:<11}{one.algorithm:<17}{one.version:<9}{one.author:<14}{models}{brought}")


@command.command("history", epilog="\b\nExample:\n  cityvision algo history waterlogging --version 1.1.0")
@click.argument("algorithm")
@click.option("--version", help="Of this version alone.")
@_JSON
@click.pass_obj
def history_command(settings: Settings, algorithm: str, version: str | None, as_json: bool) -> None:
    """Every line of the ledger about ALGORITHM, the oldest first: what was done, by whom, founded on what."""
    with transaction(reach(settings)) as connection:
        versions = {one.id: one for one in service.listed(connection, algorithm)}
        chosen = [one for one in versions.values() if version in (None, one.version)]
        if not chosen:
            what = f"{algorithm} {version or ''}".strip()
            raise ConfigError(f"{what}: there is no such version", "`cityvision algo list` names them")
        lines = ledger.of_versions(connection, [one.id for one in chosen])
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in lines], ensure_ascii=False))
        return
    for line in lines:
        click.echo(told(line, versions))


@command.command("verify", epilog="\b\nExample:\n  cityvision algo verify")
@_JSON
@click.pass_obj
def verify_command(settings: Settings, as_json: bool) -> None:
    """Recompute the ledger's chain. Exit status 2 names the first line that was edited, or after a missing one."""
    with transaction(reach(settings)) as connection:
        count = ledger.verify(connection)
    click.echo(json.dumps({"holds": True, "lines": count}) if as_json else f"{count} lines, the chain holds")


def told(line: LedgerLine, versions: dict[int, AlgorithmVersion]) -> str:
    """One line of the ledger in words."""
    at = datetime.fromtimestamp(line.utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    way = f"{line.source} → {line.target}" if line.source is not None else f"→ {line.target}"
    grounds = _grounds(line.grounds, versions)
    return f"{line.number:>5} {at} {versions[line.version_id].version:<8}{way:<25}{line.who} ({line.office}){grounds}"


def _grounds(grounds: Grounds, versions: dict[int, AlgorithmVersion]) -> str:
    words = []
    for name, value in grounds.model_dump(exclude_none=True).items():
        if name == "other" and value in versions:
            words.append(f"other {versions[value].version}")
        elif name == "cameras":
            words.append(f"cameras {', '.join(value) or 'all'}")
        elif name == "passed":
            words.append("passed" if value else "refused")
        elif name == "why":
            words.append(str(value))
        else:
            words.append(f"{name} {str(value)[:12]}")
    return f": {'; '.join(words)}" if words else ""
