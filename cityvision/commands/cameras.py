"""`cityvision cameras`: the cameras of a running system and how they are."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from cityvision.installation import reach
from cityvision.settings import load_settings
from contracts.live import CameraStatus
from store.bus import Bus


@click.command(
    epilog="\b\nExample:\n  cityvision cameras\n  cityvision cameras --json | jq '.[] | select(.state != \"running\")'"
)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of every camera's status.")
def command(data: Path | None, as_json: bool) -> None:
    """Show each camera's state, stream and looks, as its worker last reported them."""
    settings = reach(load_settings(data=data))
    bus = Bus(settings.redis)
    try:
        statuses = sorted(bus.statuses().values(), key=lambda status: status.camera)
    finally:
        bus.close()
    if as_json:
        click.echo(json.dumps([status.model_dump(mode="json") for status in statuses], ensure_ascii=False))
        return
    click.echo(f"{'camera':<24}{'state':<12}{'stream':<26}{'looks':>8}{'gated':>8}{'shed':>6}  {'clock':<18}error")
    for status in statuses:
        click.echo(_line(status))


def _line(status: CameraStatus) -> str:
    stream = (
        f"{status.codec} {status.width}x{status.height} {status.fps:.0f}/s {status.kbit_s:.0f}k"
        if status.codec
        else "-"
    )
    silent = time.time() - status.updated_utc > 5
    state = "unknown" if silent else status.state.value
    clock = f"{status.clock_source} ±{status.clock_error_ms:.0f} ms"
    return (
        f"{status.camera:<24}{state:<12}{stream:<26}{status.looks:>8}{status.looks_gated:>8}"
        f"{status.looks_shed + status.looks_superseded:>6}  {clock:<18}{status.error}"
    )
