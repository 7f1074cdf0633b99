"""`cityvision audit`: does the audit chain hold, and what is in it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError
from governance import audit, custody, deletions

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
_HEAD = re.compile(r"^(\d+):([0-9a-f]{64})$")


@click.group(
    epilog="\b\nExample:\n  cityvision audit verify --head 1042:9f2c…\n  cityvision audit list --action grant."
)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Does the audit chain hold, and what is in it."""
    context.obj = load_settings(data=data)


def noted(told: str | None) -> tuple[int, str] | None:
    """`N:HASH`, a head that was noted elsewhere. Raises ConfigError."""
    if told is None:
        return None
    match = _HEAD.match(told)
    if match is None:
        raise ConfigError(f"--head: {told!r} is no head", "write it as `audit verify` printed it, NUMBER:HASH")
    return int(match[1]), match[2]


@command.command(
    "verify", epilog="\b\nExample:\n  cityvision audit verify\n  cityvision audit verify --head 1042:9f2c…"
)
@click.option("--head", metavar="NUMBER:HASH", help="A head printed earlier: tells also when newer lines were cut off.")
@_JSON
@click.pass_obj
def verify_command(settings: Settings, head: str | None, as_json: bool) -> None:
    """Recompute the whole chain. Exit status 2 names the first line that was edited, or after which one is missing.

    The custody log of evidence and the proofs of deletion are compared with it too.
    Note the head that it prints somewhere else: only against one can a cut end be noticed.
    """
    anchor = noted(head)
    with transaction(reach(settings)) as connection:
        count = audit.verify(connection, anchor)
        handled, deleted = custody.verify(connection), deletions.verify(connection)
        number, digest = audit.head(connection)
        audit.record(connection, "command line", "audit.verified", {"lines": count})
    if as_json:
        told = {"lines": count, "head": f"{number}:{digest}", "custody": handled, "deletions": deleted}
        click.echo(json.dumps({"holds": True, **told}))
        return
    click.echo(f"{count} lines, the chain holds; head {number}:{digest}")
    click.echo(f"{handled} custody lines of evidence and {deleted} proofs of deletion fit it")


@command.command("list", epilog="\b\nExample:\n  cityvision audit list --who wang --limit 50")
@click.option("--who", help="Only what this account did.")
@click.option("--action", help="Only this, or what begins so where it ends with a dot: grant.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Newest lines to show.")
@_JSON
@click.pass_obj
def list_command(settings: Settings, who: str | None, action: str | None, limit: int, as_json: bool) -> None:
    """The newest lines that match, the oldest of them first."""
    with transaction(reach(settings)) as connection:
        entries = audit.listed(connection, who=who, action=action, limit=limit)
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in entries]))
        return
    for entry in reversed(entries):
        at = datetime.fromtimestamp(entry.utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        click.echo(f"{entry.id:>6} {at} {entry.who:<16}{entry.action:<20}{json.dumps(entry.what, ensure_ascii=False)}")
