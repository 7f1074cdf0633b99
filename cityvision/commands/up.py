"""`cityvision up`: everything on this machine."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from cityvision.detector import describe, with_detector
from cityvision.installation import Installation
from cityvision.settings import load_settings
from cityvision.status_lines import StatusLines
from cityvision.supervisor import Supervisor


@click.command(
    epilog="\b\nExample:\n  cityvision up --streams streams.yaml\n"
    "  CITYVISION_DATABASE_URL=postgresql://cityvision:…@db/cityvision cityvision up --workers 4"
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes. [default: one less than cores]")
@click.option("--streams", type=click.Path(dir_okay=False, path_type=Path), help="Pool file. [default: streams.yaml]")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder for all data. [default: data]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the web page; 0: any free one. [default: 8600]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
def command(workers: int | None, streams: Path | None, data: Path | None, port: int | None, as_json: bool) -> None:
    """Start everything on this machine and watch over it until Ctrl-C.

    Postgres and Valkey are started from their packages, objects are kept on disk, models run in the workers; a
    service whose CITYVISION_…_URL is set is used instead of starting one.
    """
    settings = load_settings(workers=workers, streams=streams, data=data, api_port=port)
    settings = with_detector(settings, lambda text: click.echo(text, err=True))
    status = StatusLines(as_json=as_json)
    installation = Installation(settings, on_change=status.changed)
    with stop_on_signals(installation.supervisor):
        try:
            with installation:
                status.close()
                if not installation.supervisor.stop_requested.is_set():
                    announce(installation, as_json=as_json)
                    installation.supervisor.run(installation.watch_disk)
        finally:
            status.close()
            _tell_password(installation, as_json=as_json)


def announce(installation: Installation, *, as_json: bool) -> None:
    """Says where to look."""
    if as_json:
        settings = installation.settings
        told = {"url": installation.url, "data": str(settings.data), "detector": settings.model}
        click.echo(json.dumps(told))
    else:
        click.echo(f"\n  CityVision 城市智眼   {installation.url}\n  {describe(installation.settings.model)}\n")
    _tell_password(installation, as_json=as_json)
    if not as_json:
        click.echo("  Ctrl-C ends it.", err=True)


def _tell_password(installation: Installation, *, as_json: bool) -> None:
    """Once, also where the start failed after the account was made: it is kept nowhere."""
    password, installation.admin_password = installation.admin_password, None
    if password is None:
        return
    if as_json:
        click.echo(json.dumps({"account": "admin", "first_password": password}))
    else:
        click.echo(f"  account admin, first password {password}\n  shown this once; it is changed at first use\n")
    sys.stdout.flush()


@contextmanager
def stop_on_signals(supervisor: Supervisor, *more: signal.Signals) -> Iterator[None]:
    """SIGINT, SIGTERM and `more` end the supervisor's `start` and `run`; repeated ones change nothing."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        supervisor.request_stop()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, *more)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
