"""`cityvision evidence retention`: what is past its days, and deleting it now."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from cityvision.installation import reach
from cityvision.retention import Due, due, sweeper
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError
from governance.custody import Piece
from governance.retention import EXAMPLE, SETTING, Policy, read_policy
from store.database import make_engine


@click.command(
    "retention",
    epilog="\b\nExample:\n  cityvision evidence retention --dry-run\n"
    "  cityvision evidence retention --dry-run --policy tried.yaml",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --dry-run: by these rules instead of those in force.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
def retention_command(dry_run: bool, policy: Path | None, as_json: bool, data: Path | None) -> None:
    """Delete evidence and pictures of cases that are past their days, now, as the running system does each hour.

    Nothing is deleted of events and cases that go on, or that a legal hold keeps; each deletion leaves a signed proof.
    """
    if policy is not None and not dry_run:
        raise ConfigError("--policy: only with --dry-run", f"name it in {SETTING} to put it in force")
    settings = reach(load_settings(data=data, retention=policy))
    engine = make_engine(settings.database, pool_size=2)
    try:
        if dry_run:
            _tell_due(engine, _policy_of(settings), as_json)
            return
        done = sweeper(settings, engine, lambda: False).sweep(time.time())
    finally:
        engine.dispose()
    if as_json:
        told = {"deleted": done.deleted, "bytes": done.bytes, "absent": done.absent, "kept": done.kept}
        click.echo(json.dumps(told))
        return
    for key in done.absent:
        click.echo(f"  not in the object store, nothing to delete: {key}")
    click.echo(f"{done.deleted} objects of {done.bytes} bytes deleted; their proofs are kept")


def _policy_of(settings: Settings) -> Policy:
    if settings.retention is None:
        raise ConfigError(
            "no policy of retention is set: everything is kept", f"name its file in {SETTING}; see {EXAMPLE.name}"
        )
    return read_policy(settings.retention)


def _all_due(engine: Engine, policy: Policy, *, held: bool) -> Iterator[Due]:
    now, after, told = time.time(), None, set[str]()
    with engine.connect() as connection:
        while True:
            found, after = due(connection, policy, now, after=after, held=held)
            yield from (one for one in found if one.key not in told)
            told.update(one.key for one in found)
            if after is None:
                return


def _tell_due(engine: Engine, policy: Policy, as_json: bool) -> None:
    going, held = list(_all_due(engine, policy, held=False)), list(_all_due(engine, policy, held=True))
    if as_json:
        told = [_line(one) for one in going]
        click.echo(json.dumps({"policy": policy.sha256, "going": told, "held": [_line(one) for one in held]}))
        return
    for rule in policy.all:
        click.echo(f"rule {rule.text}")
    for one in going:
        since = datetime.fromtimestamp(one.kept_from_utc, UTC).strftime("%Y-%m-%d")
        whose = ", ".join(sorted({_whose(piece) for piece in one.pieces}))
        click.echo(f"  {one.rule.name:<16}{since}  {one.size:>10}  {one.pieces[0].role:<9}{one.sha256[:16]}…  {whose}")
    counts = Counter(one.rule.name for one in going)
    each = "; ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    total = sum(one.size for one in going)
    click.echo(f"{len(going)} objects of {total} bytes would go{f': {each}' if each else ''}; a hold keeps {len(held)}")


def _whose(piece: Piece) -> str:
    """An event by its id, a case and what was missed by their numbers."""
    kind, name = piece.owner
    return str(name) if kind == "event" else f"{kind} {name}"


def _line(one: Due) -> dict[str, object]:
    return {
        "key": one.key,
        "sha256": one.sha256,
        "size": one.size,
        "class": one.rule.name,
        "kept_from_utc": one.kept_from_utc,
        "events": _events(one),
        "cases": _cases(one),
    }


def _events(one: Due) -> list[str]:
    return sorted({piece.event_id for piece in one.pieces if piece.event_id})


def _cases(one: Due) -> list[int]:
    return sorted({piece.case_id for piece in one.pieces if piece.case_id is not None})
