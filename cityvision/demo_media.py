"""What the demo shows and sees with: its clips and its detector, brought into the cache before anything is started."""

from __future__ import annotations

import click

from cityvision.commands.models import download_progress
from cityvision.processes.demo_cameras import CLIPS
from cityvision.settings import Settings
from models.zoo import FileState, Zoo
from simulator.rtsp.clips import servable


def fetch_media(settings: Settings) -> None:
    """Fetches what is missing, however long it takes, and makes copies that RTSP can carry; silent when all is there.

    Raises:
        ModelMissing, HashMismatch: see `Zoo.fetch`.
    """
    zoo = Zoo(cache=settings.cache, mirror=settings.mirror)
    wanted = (settings.model, *CLIPS.values())
    missing = [name for name in wanted if set(zoo.states(name).values()) != {FileState.READY}]
    with download_progress() as on_bytes:
        for number, name in enumerate(missing, 1):
            click.echo(f"fetching {name} ({number} of {len(missing)})", err=True)
            file = zoo.fetch(name, on_bytes)[0]
            if name in CLIPS.values():
                servable(file, zoo.cache / "servable")
