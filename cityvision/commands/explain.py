"""`cityvision explain`: why an event came, or why none came."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from cityvision.settings import load_settings
from contracts.algorithms import HEALTH, parse_duration
from contracts.errors import ConfigError
from contracts.pool import Camera
from contracts.trace import TraceLine

_ALL = 1_000_000
_WINDOW = "120s"


class _Enough(Exception):
    """What comes after the window is of no interest."""


@click.command(
    epilog="\b\nExample:\n  cityvision explain --camera north-gate --at 12:03:20 --type illegal_parking\n"
    "  cityvision explain --camera residential-junction --at 20 --type illegal_parking \\\n"
    "      --file clip.mp4 --streams streams.yaml\n"
    "  cityvision explain --suite clips/ --clip depot-night.mp4 --type illegal_parking"
)
@click.option("--camera", help="Id of the camera.")
@click.option(
    "--at",
    help="The moment: ISO time, hh:mm:ss of today; of a clip s of stream time."
    " [default, with --suite: the first miss, else the first false alarm]",
)
@click.option("--type", "event_type", required=True, help="The algorithm that is asked about, e.g. illegal_parking.")
@click.option("--zone", help="Only this zone. [default: all]")
@click.option("--window", help="How long a stretch around it is told of. [default: 120s; with --suite: the event]")
@click.option("--json", "as_json", is_flag=True, help="The explanation as one JSON object.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Replay this clip instead.")
@click.option("--streams", type=click.Path(dir_okay=False, path_type=Path), help="Pool file, with --file.")
@click.option("--suite", help="Replay a clip of this suite instead: a folder with suite.yaml, or `simulated`.")
@click.option("--clip", help="Its file or number, with --suite.")
@click.option("--model", help="Detector, with --file or --suite.")
def command(
    camera: str | None,
    at: str | None,
    event_type: str,
    zone: str | None,
    window: str | None,
    as_json: bool,
    data: Path | None,
    file: Path | None,
    streams: Path | None,
    suite: str | None,
    clip: str | None,
    model: str | None,
) -> None:
    """Show what every stage saw around a moment, and which condition held or failed.

    Of a running system its trace is read, which goes back some hours on a calm camera and half an hour on a busy
    one. With --file the clip is replayed as what the camera sees; with --suite a clip of a suite with its own camera
    and algorithms, and what was judged of it is told first.
    """
    from cityvision.explain_text import told
    from events.explain import explain

    if suite is not None:
        if clip is None or file is not None or camera is not None:
            raise ConfigError("--suite goes with --clip, not with --camera or --file", "name the clip of the suite")
        from cityvision.explain_suite import of_suite

        camera, lines, moment, seconds = of_suite(
            suite,
            clip,
            event_type,
            zone,
            model,
            None if at is None else moment_of(at, of_file=True),
            None if window is None else seconds_of(window),
            quiet=as_json,
        )
    elif camera is None or at is None or clip is not None:
        raise ConfigError("nobody can tell what is asked", "name --camera and --at, or --suite and --clip")
    else:
        seconds, moment = seconds_of(window or _WINDOW), moment_of(at, of_file=file is not None)
        if file is not None:
            lines = _replayed(file, streams, camera, event_type, zone, model, moment + seconds / 2)
        else:
            lines = _running(data, camera)
    found = explain(lines, camera, event_type, moment, zone=zone, window=seconds)
    if as_json:
        click.echo(found.model_dump_json())
        return
    for line in told(found, lines):
        click.echo(line)


def moment_of(text: str, *, of_file: bool) -> float:
    """UTC of a moment, s since 1970 (of a file: stream time, s).

    Raises:
        ConfigError: nobody can tell what is meant.
    """
    if of_file:
        minutes, _, seconds = text.rpartition(":")
        try:
            return (float(minutes) * 60 if minutes else 0.0) + float(seconds)
        except ValueError as error:
            raise ConfigError(f"--at {text!r} is no moment of a file", "write seconds, or minutes:seconds") from error
    today = datetime.now().astimezone()
    try:
        if "-" not in text:
            return datetime.combine(today.date(), datetime.strptime(text, "%H:%M:%S").time()).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        fix = "write e.g. 2026-11-26T12:03:20, with Z or +08:00 behind where it is not local time, or 12:03:20"
        raise ConfigError(f"--at {text!r} is no time", fix) from error


def seconds_of(window: str) -> float:
    """Raises ConfigError."""
    try:
        seconds = parse_duration(window if not window.replace(".", "", 1).isdigit() else float(window))
    except ValueError as error:
        raise ConfigError(f"--window {window!r} is no duration", "write e.g. 120s or 3min") from error
    if not isinstance(seconds, float) or not 1 <= seconds <= 86_400:
        raise ConfigError(f"--window {window!r} is out of range", "write 1s to 24h")
    return seconds


def _running(data: Path | None, camera: str) -> list[TraceLine]:
    from cityvision.installation import reach
    from store.bus import Bus

    bus = Bus(reach(load_settings(data=data)).redis)
    try:
        lines = bus.trace(camera)
        if not lines and camera not in bus.statuses():
            raise ConfigError(f"no worker watches a camera {camera!r}", "see `cityvision cameras`")
        return lines
    finally:
        bus.close()


def _replayed(
    file: Path, streams: Path | None, name: str, event_type: str, zone: str | None, model: str | None, until: float
) -> list[TraceLine]:
    from cityvision.commands.replay import camera_of, progress_of
    from models.detector import load_detector
    from models.zoo import Zoo
    from pipeline.evidence import NoEvidence
    from pipeline.replay import Progress, replay
    from pipeline.senses.engine import Sensing
    from pipeline.trace import Tracer

    settings = load_settings(streams=streams, model=model)
    camera = camera_of(settings.streams, name)
    check(camera, event_type, zone)
    zoo, tracer = Zoo(mirror=settings.mirror), Tracer(kept=_ALL)
    with progress_of(file, quiet=False) as advance:

        def on_progress(progress: Progress) -> None:
            advance(progress.time)
            if progress.time > until:
                raise _Enough

        events = replay(
            file,
            camera,
            load_detector(model or camera.model or settings.model, zoo),
            Sensing(zoo),
            lambda _ring: NoEvidence(),
            tracer=tracer,
            on_progress=on_progress,
        )
        try:
            for _ in events:
                pass
        except _Enough:
            pass
    return tracer.take()


def check(camera: Camera, event_type: str, zone: str | None) -> None:
    """What is asked for is watched there. Raises ConfigError."""
    if event_type not in (*camera.algorithms, HEALTH):
        raise ConfigError(
            f"{camera.id} does not run {event_type!r}", f"it runs {', '.join(camera.algorithms) or 'nothing'}"
        )
    if zone is not None and zone not in {one.id for one in camera.zones}:
        known = ", ".join(one.id for one in camera.zones)
        raise ConfigError(f"{camera.id} has no zone {zone!r}", f"it has {known or 'none'}")
