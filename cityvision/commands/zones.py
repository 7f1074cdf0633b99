"""`cityvision zones`: zones that a camera's own tracks suggest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cityvision.settings import load_settings
from contracts.errors import ConfigError

if TYPE_CHECKING:
    from contracts.proposals import ZoneProposals


_EXAMPLE = (
    "\b\nExample:\n  cityvision zones propose --file clip.mp4\n  cityvision zones propose --camera gate-01 --json"
)


@click.group(epilog=_EXAMPLE)
def command() -> None:
    """Zones of cameras."""


@command.command(epilog=_EXAMPLE)
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a clip of the scene")
@click.option("--camera", help="a camera of the running system: what its worker has gathered so far")
@click.option("--model", help="detector for --file; default: the setting")
@click.option("--every", type=click.FloatRange(0.04, 10), default=0.5, show_default=True, help="s between looks")
@click.option("--json", "as_json", is_flag=True, help="the proposals as JSON")
def propose(file: Path | None, camera: str | None, model: str | None, every: float, as_json: bool) -> None:
    """Propose lanes, stopping places, footways and squares from what drives, stands and walks.

    Nothing is changed: a person confirms each in the console, or copies its polygon into streams.yaml.
    """
    if (file is None) == (camera is None):
        raise ConfigError("zones propose takes one of --file and --camera", "name a clip, or a camera that is watched")
    found = _of_camera(camera) if camera is not None else _of_file(file or Path(), model, every)
    if as_json:
        click.echo(found.model_dump_json())
        return
    click.echo(f"{found.camera}: {len(found.proposals)} zones from {found.watched_s:.0f} s of tracks")
    for one in found.proposals:
        way = "" if one.direction is None else f", {one.direction:.0f}°"
        click.echo(f"  {one.kind.value:<12} {one.why['en']}{way}")
        click.echo(f"    polygon: {[list(corner) for corner in one.polygon]}")


def _of_camera(camera: str) -> ZoneProposals:
    from store.bus import Bus

    bus = Bus(load_settings().redis)
    try:
        return bus.proposals(camera)
    finally:
        bus.close()


def _of_file(file: Path, model: str | None, every: float) -> ZoneProposals:
    import time

    from contracts.proposals import ZoneProposals
    from models.detector import load_detector
    from models.zoo import Zoo
    from pipeline.scene.clip import gather
    from pipeline.scene.propose import propose_zones

    settings = load_settings(model=model)
    detector = load_detector(settings.model, Zoo(mirror=settings.mirror))
    try:
        traffic = gather(file, detector, every)
    finally:
        detector.close()
    return ZoneProposals(
        camera=file.name, watched_s=traffic.watched_s, updated_utc=time.time(), proposals=propose_zones(traffic)
    )
