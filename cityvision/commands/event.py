"""`cityvision event`: who answers for an event."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from algorithm_repo.registry.why import Why, why
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError
from contracts.rollout import DETECTOR
from events.queries import get_event


@click.group(epilog="\b\nExample:\n  cityvision event why 5f0c…")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Who answers for an event."""
    context.obj = load_settings(data=data)


@command.command("why", epilog="\b\nExample:\n  cityvision event why 5f0c… --json")
@click.argument("event_id")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.pass_obj
def why_command(settings: Settings, event_id: str, as_json: bool) -> None:
    """Which version of which algorithm raised EVENT_ID, trained on what, and who let it.

    Why it was raised, condition by condition, is told by `cityvision explain`.
    """
    with transaction(reach(settings)) as connection:
        found = get_event(connection, event_id)
        if found is None:
            raise ConfigError(f"EVENT_ID: there is no event {event_id!r}", "write the 32 hex digits its page shows")
        opened = found.transitions[0]
        provenance = found.event.provenance
        named = {DETECTOR: provenance.model_sha256} | {one.role: one.sha256 for one in provenance.networks}
        answer = why(connection, found.event.type, found.event.camera, named, opened.event.utc)
    if as_json:
        told = None if answer is None else answer.model_dump(mode="json")
        click.echo(json.dumps({"provenance": provenance.model_dump(mode="json"), "registry": told}, ensure_ascii=False))
        return
    click.echo(f"{found.event.type} on {found.event.camera}, raised {_at(opened.event.utc)}")
    click.echo(f"by the event: rule {provenance.algorithm_version}, {provenance.model} {provenance.model_sha256[:12]}")
    click.echo(_words(answer) if answer is not None else "the registry had no version of it in canary or production")


def _words(answer: Why) -> str:
    version, let = answer.version, answer.let
    lines = [f"by the registry: {version.algorithm} {version.version}, entered by {version.author}"]
    for model in version.models:
        data = f"trained on dataset {model.dataset[:12]}" if model.dataset else "no dataset named"
        run = f", run {model.run}" if model.run else ""
        lines.append(f"  {model.role}: {model.name} {model.sha256[:12]}, {data}{run}")
    why = f": {let.grounds.why}" if let.grounds.why else ""
    lines.append(f"let by {let.who} ({let.office}) at {_at(let.utc)}, ledger line {let.number} ({let.move}){why}")
    if not answer.agrees:
        lines.append("the event's networks are not these: the camera names its own, or nobody registered it")
    return "\n".join(lines)


def _at(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
