"""What the demo shows and sees with, brought into the cache before anything is started.

Real clips and a detector for them where they can be had, with simulated cameras beside them for what no clip shows;
else simulated cameras alone, and the detector that ships with the project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from cityvision.commands.models import download_progress
from cityvision.demo_street import BESIDE_REAL, SIMULATED, SimulatedCamera, clip_path, missing, render
from cityvision.settings import Settings
from contracts.errors import ModelMissing
from contracts.live import BUILT_IN_DETECTOR
from models.reach import within_reach
from models.zoo import Zoo
from simulator.rtsp.clips import servable

# camera of streams.yaml -> clip of the zoo
CLIPS = {
    "residential-junction": "residential_street",
    "high-street": "oxford_street_1080p",
    "car-park": "car-detection",
    "motorway": "motorway",
    "service-hall": "one-by-one-person-detection",
    "crossing": "person-bicycle-car-detection",
}


@dataclass(frozen=True, slots=True)
class Cast:
    """Which cameras take part.

    Attributes:
        clips: camera -> clip of the zoo.
        simulated: cameras whose streets are drawn.
        model: detector of cameras that name none.
    """

    clips: dict[str, str]
    simulated: Sequence[SimulatedCamera]
    model: str

    @property
    def only_simulated(self) -> bool:
        return not self.clips

    @property
    def cameras(self) -> int:
        return len(self.clips) + len(self.simulated)

    def files(self, zoo: Zoo) -> dict[str, Path]:
        """Camera -> file to be served; all are there after `prepare`. Raises ModelMissing where one is not."""
        real = {camera: servable(zoo.fetch(clip)[0], zoo.cache / "servable") for camera, clip in self.clips.items()}
        return real | {one.id: clip_path(one, zoo.cache) for one in self.simulated}


def real_cast(model: str) -> Cast:
    """Real clips, with simulated cameras beside them."""
    return Cast(CLIPS, BESIDE_REAL, model)


def simulated_cast() -> Cast:
    return Cast({}, SIMULATED, BUILT_IN_DETECTOR)


def prepare(settings: Settings) -> Cast:
    """Fetches and renders what is missing; silent when all is there.

    Raises:
        ModelMissing: the built-in detector is not part of this installation.
        HashMismatch: see `Zoo.fetch`.
    """
    zoo = Zoo(cache=settings.cache, mirror=settings.mirror)
    cast = _fetched(zoo, settings.model)
    zoo.fetch(BUILT_IN_DETECTOR)
    to_render = missing(cast.simulated, zoo.cache)
    if to_render:
        click.echo(f"drawing the streets of {len(to_render)} simulated cameras", err=True)
        with _rendering() as on_progress:
            render(to_render, zoo.cache, on_progress)
    return cast


def _fetched(zoo: Zoo, model: str) -> Cast:
    wanted = (model, *CLIPS.values())
    absent = [name for name in wanted if not zoo.at_hand(name)]
    try:
        if absent and not within_reach(zoo, absent):
            raise ModelMissing(f"{', '.join(absent)}: neither mirror nor address is within reach")
        with download_progress() as on_bytes:
            for name in wanted:
                if name in absent:
                    click.echo(f"fetching {name}", err=True)
                file = zoo.fetch(name, on_bytes)[0]
                if name in CLIPS.values():
                    servable(file, zoo.cache / "servable")
    except ModelMissing as error:
        click.echo(f"no real clips: {error.message}; the demo shows simulated streets", err=True)
        return simulated_cast()
    return real_cast(model)


@contextmanager
def _rendering() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr; nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("pictures", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
