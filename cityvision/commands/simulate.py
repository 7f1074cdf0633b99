"""`cityvision simulate`: clips of the simulated street, with what should be reported of them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contracts.errors import ConfigError

if TYPE_CHECKING:
    from simulator.street import Scenario


@click.command(
    epilog="\b\nExample:\n  cityvision simulate --list\n  cityvision simulate parking_kerb --seed 7 --out clip.mp4\n"
    "  cityvision simulate water_rain --seed 7 --out clip.mp4 --slices night,rain --streams streams.yaml\n"
    "  cityvision simulate parking_kerb --seed 7 --out clip.mp4 --backdrop street.jpg\n"
    "  cityvision simulate parking_queue --out queue.mp4 --serve 8554"
)
@click.argument("kind", required=False)
@click.option("--list", "listed", is_flag=True, help="The kinds of scenario, with what each is about.")
@click.option("--seed", default=1, show_default=True, help="Varies place, light, timing and numbers.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The clip to write (H.264 in MP4).")
@click.option("--size", default="960x540", show_default=True, help="Width x height, pixels.")
@click.option("--fps", default=5.0, show_default=True, type=click.FloatRange(0.2, 50), help="Pictures a second.")
@click.option("--crf", default=26, show_default=True, type=click.IntRange(0, 51), help="Constant rate factor of x264.")
@click.option("--duration", type=click.FloatRange(1), help="Seconds. [default: what the kind needs]")
@click.option("--slices", help="Light and conditions, e.g. night,rain. [default: by the seed]")
@click.option(
    "--backdrop",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw upon this photo, or upon what stands still in this clip, of a real street.",
)
@click.option("--streams", type=click.Path(dir_okay=False, path_type=Path), help="Also write a pool file for the clip.")
@click.option("--serve", type=click.IntRange(1, 65535), metavar="PORT", help="Then loop it as an RTSP camera.")
def command(
    kind: str | None,
    listed: bool,
    seed: int,
    out: Path | None,
    size: str,
    fps: float,
    crf: int,
    duration: float | None,
    slices: str | None,
    backdrop: Path | None,
    streams: Path | None,
    serve: int | None,
) -> None:
    """Render a scenario of KIND into a clip, and print its camera, algorithms and truth as one JSON object."""
    from simulator.street import KINDS, scenario, write_clip
    from simulator.street.backdrop import read_backdrop

    if listed:
        for one in KINDS.values():
            click.echo(f"{one.name:<20}{one.about or '-':<18}{'event' if one.positive else 'none':<7}{one.description}")
        return
    if kind is None or out is None:
        raise click.UsageError("name a KIND and --out FILE, or ask for --list")
    pixels = _size(size)
    try:
        made = scenario(
            seed,
            kind,
            size=pixels,
            slices=None if slices is None else slices.split(","),
            duration=duration,
            backdrop=None if backdrop is None else read_backdrop(backdrop, pixels),
        )
    except (KeyError, ValueError) as error:
        raise ConfigError(str(error.args[0]), "see cityvision simulate --list") from error
    write_clip(made, out, fps=fps, crf=crf)
    address = f"rtsp://127.0.0.1:{serve}/{made.camera['id']}" if serve else out.resolve().as_uri()
    if streams is not None:
        streams.write_text(json.dumps(_pool(made, address), indent=1) + "\n")
    click.echo(json.dumps(_told(made, out)))
    if serve is not None:
        _serve(out, str(made.camera["id"]), serve)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise ConfigError(f"{text!r} is not a size", "write e.g. 960x540")
    return int(width), int(height)


def _told(made: Scenario, out: Path) -> dict[str, Any]:
    """One clip as the event suite writes it."""
    truth = [{"type": e.type, "zone": e.zone, "start": e.start, "end": e.end} for e in made.truth]
    return {
        "file": out.name,
        "camera": made.camera,
        "algorithms": made.algorithms,
        "slices": list(made.slices),
        "truth": truth,
    }


def _pool(made: Scenario, address: str) -> dict[str, Any]:
    camera = made.camera | {"main": {"url": address}, "algorithms": made.algorithms}
    return {"version": 1, "departments": [{"id": "simulated", "name": "Simulated"}], "cameras": [camera]}


def _serve(clip: Path, name: str, port: int) -> None:
    """Loops the clip until somebody interrupts."""
    from simulator.rtsp import ServedCamera, ServerThread
    from simulator.rtsp.media import load_clip

    with ServerThread([ServedCamera(name, load_clip(clip))], port) as server:
        click.echo(f"serving {server.url(name)}, end with Ctrl-C", err=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
