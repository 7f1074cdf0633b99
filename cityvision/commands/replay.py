"""`cityvision replay`: the whole chain on a file, without services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cityvision.settings import load_settings
from contracts.errors import ConfigError
from contracts.pool import Camera
from contracts.records import Event


@click.command(
    epilog="\b\nExample:\n  cityvision replay clip.mp4 --streams streams.yaml --camera residential-junction --json"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--streams", type=click.Path(dir_okay=False, path_type=Path), help="Pool file. [default: streams.yaml]")
@click.option("--camera", required=True, help="Id of the camera the file is taken for.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, a line an event transition.")
@click.option("--start", default=0.0, show_default=True, help="UTC of the first picture, s since 1970.")
@click.option("--model", help="Detector, one of `cityvision models list`. [default: CITYVISION_MODEL, yolox_nano]")
@click.option(
    "--gate/--no-gate", default=True, show_default=True, help="Let the gate skip looks at pictures that do not change."
)
@click.option(
    "--evidence", type=click.Path(file_okay=False, path_type=Path), help="Keep pictures and clips in this folder."
)
def command(
    file: Path,
    streams: Path | None,
    camera: str,
    as_json: bool,
    start: float,
    model: str | None,
    gate: bool,
    evidence: Path | None,
) -> None:
    """Run the whole chain on FILE as fast as it goes.

    The file is taken for what the camera sees: its zones and algorithms apply. The same file gives the same bytes
    each time on one machine and build.
    """
    from models.detector import load_detector
    from models.zoo import Zoo
    from pipeline.evidence import NoEvidence, ShelfKeeper
    from pipeline.replay import Progress, replay
    from pipeline.senses.engine import Sensing
    from pipeline.source.remux import RingFootage
    from pipeline.spool_evidence import EvidenceSpool
    from store.objects import DiskObjects

    settings = load_settings(streams=streams, model=model)
    seen_as = camera_of(settings.streams, camera)
    zoo = Zoo(mirror=settings.mirror)
    detector = load_detector(model or seen_as.model or settings.model, zoo)
    with progress_of(file, as_json) as advance:

        def on_progress(progress: Progress) -> None:
            advance(progress.time)

        for event in replay(
            file,
            seen_as,
            detector,
            Sensing(zoo),
            lambda ring: (
                NoEvidence()
                if evidence is None
                else ShelfKeeper(
                    evidence / "shelf", EvidenceSpool(evidence / "waiting", DiskObjects(evidence)), RingFootage(ring)
                )
            ),
            start_utc=start,
            gate=gate,
            on_progress=on_progress,
        ):
            click.echo(event.model_dump_json() if as_json else _line(event))


def camera_of(streams: Path, wanted: str) -> Camera:
    """A camera of a pool file. Raises ConfigError where there is none of that id."""
    from pool.load import load_pool

    cameras = {camera.id: camera for camera in load_pool(streams).cameras}
    if wanted not in cameras:
        known = ", ".join(sorted(cameras)[:20])
        raise ConfigError(f"{streams} has no camera {wanted!r}", f"it has {known or 'none'}")
    return cameras[wanted]


def _line(event: Event) -> str:
    minutes, seconds = divmod(event.stream_time, 60)
    return (
        f"{int(minutes):3d}:{seconds:05.2f}  {event.transition:<8} {event.type:<16} {event.zone:<16}"
        f" {event.id[:8]} #{event.seq}  {event.reason.get('en', '')}"
    )


@contextmanager
def progress_of(file: Path, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal's stderr; nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    from pipeline.source.files import file_duration

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _time: None
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=file_duration(file))
        yield lambda time: bar.update(task, completed=time)
