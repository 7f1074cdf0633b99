"""`cityvision exchange`: how the exchange with the city's existing platform goes, and what differs."""

from __future__ import annotations

import asyncio
import getpass
import json
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from api import reconciliation
from api.reconciliation import Begin
from cases.book import DEFAULT, read_book
from cases.exchange import outbox
from cases.exchange.reconcile import Difference, Repair
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.processes.exchange import link_of, mapping_of
from cityvision.settings import Settings, load_settings

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group(
    epilog="\b\nExample:\n  cityvision exchange status\n  cityvision exchange reconcile --repair\n"
    "  cityvision exchange simulate --troubled --seed 7"
)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Cases exchanged with the city's existing platform: how it goes, what differs."""
    context.obj = load_settings(data=data)


@command.command("status", epilog="\b\nExample:\n  cityvision exchange status --json")
@_JSON
@click.pass_obj
def status_command(settings: Settings, as_json: bool) -> None:
    """How much waits, since when and why, and what the platform will not hear."""
    mapping_of(settings)
    with transaction(reach(settings)) as connection:
        found = outbox.outlook(connection)
    if as_json:
        click.echo(found.model_dump_json())
        return
    click.echo(f"{found.told} told, {found.waiting} waiting, {found.refused} refused")
    if found.oldest_utc is not None:
        since = datetime.fromtimestamp(found.oldest_utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        click.echo(f"the oldest waits since {since}" + (f": {found.error}" if found.error else ""))
    for one in found.turned_down:
        click.echo(f"refused: case {one.case}, revision {one.revision}: {one.error}")


@command.command(
    "reconcile", epilog="\b\nExample:\n  cityvision exchange reconcile\n  cityvision exchange reconcile --repair"
)
@click.option("--repair", is_flag=True, help="Take their news, tell them ours again; cases are never made from there.")
@_JSON
@click.pass_context
def reconcile_command(context: click.Context, repair: bool, as_json: bool) -> None:
    """Compare their list with ours; exit 1 where something differs, or, with --repair, is left to you."""
    settings: Settings = context.obj
    mapping, reached = mapping_of(settings), reach(settings)
    begin = partial(transaction, reached)
    compared = asyncio.run(reconciliation.compared(begin, link_of(settings), mapping))
    found, unread = compared.differences, compared.unread
    made: list[Repair | None] = _repaired(reached, begin, found) if repair else [None] * len(found)
    done = ["" if one is None else one.text for one in made]
    if as_json:
        told = [one.model_dump(mode="json") | {"repair": what} for one, what in zip(found, done, strict=True)]
        click.echo(json.dumps({"differences": told, "unread": unread}, ensure_ascii=False))
    else:
        for one, what in zip(found, done, strict=True):
            click.echo(_line(one) + (f"  → {what}" if what else ""))
        for text in unread:
            click.echo(f"cannot be read: {text}")
        click.echo(f"{compared.listed} cases there, {len(found)} differ")
    if any(one is None or not one.done for one in made) or unread:
        context.exit(1)


@command.command("simulate", epilog="\b\nExample:\n  cityvision exchange simulate --troubled --seed 7 --port 8700")
@click.option("--port", default=8700, show_default=True, type=click.IntRange(1, 65535), help="To listen on.")
@click.option("--troubled", is_flag=True, help="Errors, hangs, lost answers, doubled, late and forged call-backs.")
@click.option("--seed", default=1, show_default=True, help="Of its random choices.")
@click.option("--pace", default=5.0, show_default=True, type=click.FloatRange(0.01), help="Seconds between its steps.")
@click.pass_obj
def simulate_command(settings: Settings, port: int, troubled: bool, seed: int, pace: float) -> None:
    """A small 城管 platform on this machine, with the secrets that are set; it calls back to our own API."""
    from simulator.platform import CALM, TROUBLED, SimulatedPlatform

    link = link_of(settings)
    assert settings.exchange_callback_secret is not None
    door = f"http://{settings.api_host}:{settings.api_port}/api/exchange/callbacks"
    callback = (door, settings.exchange_callback_secret.get_secret_value().split(",")[0].strip())
    faults = TROUBLED if troubled else CALM
    with SimulatedPlatform(link.keys[0], callback, faults=faults, seed=seed, port=port, pace_s=pace) as platform:
        click.echo(f"a simulated platform listens on {platform.url}, end with Ctrl-C", err=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _repaired(settings: Settings, begin: Begin, found: list[Difference]) -> list[Repair | None]:
    book = read_book(settings.case_book or DEFAULT, settings.exchange)
    objects, who = object_store(settings), f"{getpass.getuser()} on the machine"
    return [reconciliation.repaired(begin, one, book, objects, who) for one in found]


def _line(one: Difference) -> str:
    theirs = "-" if one.theirs is None else f"{one.theirs.status} (change {one.theirs.seq})"
    return f"case {one.case:>6}  {one.kind:<15} ours {one.ours or '-'}, theirs {theirs}"
