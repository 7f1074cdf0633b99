"""`cityvision demo`: real RTSP cameras and their events, on a fresh data folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import click

from cityvision.cli import LazyGroup
from cityvision.commands.up import announce, stop_on_signals
from cityvision.demo import (
    TRITON_REPOSITORY,
    DemoResult,
    Goal,
    Tally,
    camera_child,
    own_stores,
    place_cameras,
    triton_child,
)
from cityvision.demo_media import Cast, prepare
from cityvision.detector import describe
from cityvision.installation import Installation, is_running
from cityvision.ports import is_free
from cityvision.settings import Settings, load_settings
from cityvision.status_lines import StatusLines
from contracts.errors import AlreadyRunning


@click.group(
    cls=LazyGroup,
    lazy={
        "loop": ("cityvision.commands.demo_loop", "The warehouse's loop: verdicts in, a promotion or a refusal out.")
    },
    invoke_without_command=True,
    epilog="\b\nExample:\n  cityvision demo\n  cityvision demo --until-events 3 --timeout 240\n"
    "  cityvision demo --triton\n  cityvision demo loop --json",
)
@click.option("--until-events", type=click.IntRange(1), help="End after this many events; a clip's loops count once.")
@click.option("--until-types", type=click.IntRange(1), help="End after events of this many types.")
@click.option(
    "--timeout",
    type=click.FloatRange(1),
    help="Give up after this many seconds, with exit status 1; fetching and installing do not count.",
)
@click.option(
    "--soak",
    type=click.FloatRange(0.1),
    metavar="MINUTES",
    help="Run this long; exit status 1 where memory grew or a process was restarted.",
)
@click.option("--triton", is_flag=True, help="Serve the models by a Triton server of its own.")
@click.option("--fetch", is_flag=True, help="Only fetch what it needs: clips, weights, with --triton the server.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=Path("demo-data"), show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="Of the web page.")
@click.pass_context
def command(
    context: click.Context,
    until_events: int | None,
    until_types: int | None,
    timeout: float | None,
    soak: float | None,
    triton: bool,
    fetch: bool,
    data: Path,
    port: int,
) -> None:
    """Start everything with nine RTSP cameras, and show their events as they come.

    The cameras are a real RTSP server: six loop unedited clips, three show simulated streets; `streams.yaml` says what
    is watched, and may be edited meanwhile. Where the clips cannot be had there are six cameras on simulated streets,
    and nothing needs to be downloaded. The data folder is emptied at the start. Databases and stores are its own,
    whatever the environment names. With --until-…, --timeout or --soak the last line on standard output is JSON:
    {"cameras", "events", "types", "seconds_to_first_event", "seconds_to_type", "detector"}, after a soak also "soak".
    """
    if context.invoked_subcommand is not None:
        return
    for name in own_stores(os.environ):
        click.echo(f"{name} is not used: the demo has databases and stores of its own", err=True)
    settings = load_settings(data=data, api_port=port if port == 0 or is_free(port) else 0)
    cast = prepare(settings)
    settings = settings.model_copy(update={"model": cast.model})
    if fetch:
        if triton:
            triton_child(settings)
        return
    _empty(data)
    click.echo(describe(cast.model), err=True)
    goal = Goal(cast.cameras, until_events, until_types, timeout, soak)
    result = _run(settings, goal, cast, triton=triton)
    if result.soak is not None:
        for fault in result.soak.faults:
            click.echo(f"soak: {fault}", err=True)
    if goal.bounded:
        click.echo(result.to_json())
        sys.exit(0 if result.reached else 1)


def _run(settings: Settings, goal: Goal, cast: Cast, *, triton: bool) -> DemoResult:
    streams, rtsp = place_cameras(settings.streams, settings.data, cast)
    settings = settings.model_copy(update={"streams": streams})
    extra = [camera_child(settings, rtsp, cast)]
    if triton:
        spec, url = triton_child(settings)
        settings = settings.model_copy(update={"triton_url": url, "triton_repository": TRITON_REPOSITORY.absolute()})
        extra.append(spec)
    status = StatusLines()
    after = tuple(spec.name for spec in extra)
    installation = Installation(settings, on_change=status.changed, extra=extra, workers_after=after)
    tally = Tally(cast)  # its clock, like the time limit's, begins when everything is installed
    with stop_on_signals(installation.supervisor, signal.SIGALRM):
        signal.setitimer(signal.ITIMER_REAL, goal.timeout_s or 0)
        try:
            with installation:
                status.close()
                if not installation.supervisor.stop_requested.is_set():
                    announce(installation, as_json=False)
                return tally.watch(installation, goal)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            status.close()


def _empty(data: Path) -> None:
    """A demo begins anew: what stood in its folder goes, if it is a demo's and nothing runs on it.

    Raises:
        AlreadyRunning: a demo runs on it.
    """
    marker = data / ".demo"
    if data.exists() and any(data.iterdir()):
        if not marker.exists():
            raise AlreadyRunning(f"{data} is not a demo's folder", "name another one with --data")
        if is_running(data):
            raise AlreadyRunning(f"a demo runs on {data} already", "stop that one, or use --data and --port")
        shutil.rmtree(data)
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    marker.write_text(json.dumps({"by": "cityvision demo"}))
