"""`cityvision subscriptions`: who is told, how it goes, and what can be done about it."""

from __future__ import annotations

import asyncio
import getpass
import json
from datetime import UTC, datetime
from pathlib import Path

import click

from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings, load_settings
from governance import audit
from subscriptions import service, store, trial
from subscriptions.access import sees
from subscriptions.types import State, Subscription

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"])


@click.group(
    epilog="\b\nExample:\n  cityvision subscriptions list\n  cityvision subscriptions log 7 --state dead\n"
    "  cityvision subscriptions replay 7 --since 2026-11-26T08:00 --until 2026-11-26T09:30"
)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Who is told of events, how it goes, and what can be done about it."""
    context.obj = load_settings(data=data)


@command.command("list", epilog="\b\nExample:\n  cityvision subscriptions list --json")
@_JSON
@click.pass_obj
def list_command(settings: Settings, as_json: bool) -> None:
    """Every subscription: how many deliveries wait, and since when its endpoint fails."""
    with transaction(reach(settings)) as connection:
        found = store.listed(connection)
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.id:>5} {one.department:<16}{one.channel.kind:<9}{one.waiting:>7} {_how(one):<40}{one.name}")


@command.command("log", epilog="\b\nExample:\n  cityvision subscriptions log 7 --state dead --limit 20")
@click.argument("number", type=click.IntRange(1))
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Newest ones to show.")
@_JSON
@click.pass_obj
def log_command(settings: Settings, number: int, state: str | None, limit: int, as_json: bool) -> None:
    """Deliveries of subscription NUMBER, newest first."""
    with transaction(reach(settings)) as connection:
        service.get(connection, number)
        found = store.log(connection, number, states=() if state is None else [State(state)], limit=limit)
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in found]))
        return
    for one in found:
        at = _clock(one.created_utc)
        click.echo(f"{one.number:>8} {at} {one.state:<11}{one.attempts:>4} tries  event {one.event_id} {one.seq}")


@command.command("redrive", epilog="\b\nExample:\n  cityvision subscriptions redrive 7")
@click.argument("number", type=click.IntRange(1))
@click.pass_obj
def redrive_command(settings: Settings, number: int) -> None:
    """Dead letters of subscription NUMBER go to the end of its queue."""
    with transaction(reach(settings)) as connection:
        count = service.redrive(connection, number)
        audit.record(connection, _who(), "subscription.redriven", {"subscription": number, "count": count})
    click.echo(f"{count} deliveries wait again")


@command.command(
    "replay",
    epilog="\b\nExample:\n  cityvision subscriptions replay 7 --since 2026-11-26T08:00 --until 2026-11-26T09:30",
)
@click.argument("number", type=click.IntRange(1))
@click.option("--since", type=_MOMENT, required=True, help="When it was recorded, local time.")
@click.option("--until", type=_MOMENT, required=True, help="The end, exclusive.")
@click.pass_obj
def replay_command(settings: Settings, number: int, since: datetime, until: datetime) -> None:
    """What was recorded in a window goes out to subscription NUMBER (again), with the same ids."""
    with transaction(reach(settings)) as connection:
        count = service.replay(connection, number, since.timestamp(), until.timestamp(), sees)
        audit.record(connection, _who(), "subscription.replayed", {"subscription": number, "count": count})
    click.echo(f"{count} deliveries wait")


@command.command("test", epilog="\b\nExample:\n  cityvision subscriptions test 7")
@click.argument("number", type=click.IntRange(1))
@click.pass_context
def test_command(context: click.Context, number: int) -> None:
    """Send one message to subscription NUMBER now, past the queue; exit 1 where it did not arrive."""
    from cityvision.processes.deliverer import ways

    settings = reach(context.obj)
    with transaction(settings) as connection:
        service.get(connection, number)
        lease = trial.prepared(connection, number)

    attempt = asyncio.run(trial.fire(lease, ways(settings)))
    with transaction(settings) as connection:
        trial.keep(connection, number, attempt)
    status = "" if attempt.status is None else f" (status {attempt.status})"
    click.echo(f"{attempt.outcome} in {attempt.took_ms:.0f} ms{status} {attempt.detail}".rstrip())
    if attempt.outcome != "test_delivered":
        context.exit(1)


def _how(one: Subscription) -> str:
    if one.paused is not None:
        return f"paused: {one.paused}"
    if one.failing_since is not None:
        return f"failing since {_clock(one.failing_since)}: {one.last_error}"[:39]
    return "well" if one.enabled else "off"


def _clock(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _who() -> str:
    return f"{getpass.getuser()} on the machine"
