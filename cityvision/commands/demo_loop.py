"""`cityvision demo loop`: the warehouse's loop on real data, from verdicts to a promotion and a refusal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from algorithm_repo.judging.gate import Limits
from algorithm_repo.training.head_settings import HeadSettings
from cityvision.commands.train import training_python
from cityvision.commands.up import stop_on_signals
from cityvision.demo import own_stores
from cityvision.installation import Installation, is_running
from cityvision.loop.cameras import cameras, pool_text
from cityvision.loop.city import City
from cityvision.loop.data import load
from cityvision.loop.flow import Loop
from cityvision.loop.heads import Bench
from cityvision.loop.progress import Shown
from cityvision.loop.types import LoopResult, LoopSettings
from cityvision.settings import load_settings
from contracts.errors import AlreadyRunning, ConfigError
from contracts.live import BUILT_IN_DETECTOR
from models.zoo import Zoo
from simulator.rtsp.process import ServerProcess

_MARK = ".loop"
_LEAST = Limits()
_TRAINING = HeadSettings()


@click.command(
    "loop",
    epilog="\b\nExample:\n  cityvision demo loop --json\n  cityvision demo loop --photos 60 --steps 60 --least 0.3",
)
@click.option("--json", "as_json", is_flag=True, help="The last line on standard output is JSON.")
@click.option("--steps", type=click.IntRange(10), default=_TRAINING.steps, show_default=True, help="A training.")
@click.option("--photos", type=click.IntRange(40), help="So many of the real photos. [default: all]")
@click.option("--least", type=click.FloatRange(0, 1), default=_LEAST.least, show_default=True, help="Gate: IoU.")
@click.option(
    "--least-gain",
    type=click.FloatRange(-1, 1),
    default=_LEAST.least_gain,
    show_default=True,
    help="Gate: the gain's lower end must be above.",
)
@click.option(
    "--wrong", type=click.FloatRange(0, 1), default=0.3, show_default=True, help="Share of the spoilt version's labels."
)
@click.option("--fresh", is_flag=True, help="From the beginning, not from where an earlier run ended.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=Path("data/loop"), show_default=True)
def command(
    as_json: bool,
    steps: int,
    photos: int | None,
    least: float,
    least_gain: float,
    wrong: float,
    fresh: bool,
    data: Path,
) -> None:
    """The warehouse's loop on real photos of floods, with a city of its own that runs meanwhile.

    A parent is trained on a quarter of the photos and runs in production. Cameras show more of them; verdicts on their
    events and labels make a new version of data, a candidate is trained on it, judged on photos that nobody was trained
    on, and goes through shadow and canary into production, or is refused. A version of which many labels (30 %) are
    wrong goes the same way. Needs the photos (CITYVISION_MIRROR) and .venv-train (`make loop` makes it). A run that
    was stopped goes on where it was. Exit status 1: something that it should show is not there; it says what.
    """
    for name in own_stores(os.environ):
        click.echo(f"{name} is not used: the loop has databases and stores of its own", err=True)
    settings = LoopSettings(
        photos=photos,
        training=HeadSettings(steps=steps, every=max(5, steps // 20), threads=max(1, (os.cpu_count() or 2) - 1)),
        limits=Limits(least=least, least_gain=least_gain),
        wrong=wrong,
    )
    _place(data, fresh=fresh)
    result = _run(data.absolute(), settings, lambda text: click.echo(text, err=True))
    short = result.fell_short()
    for one in short:
        click.echo(f"falls short: {one}", err=True)
    click.echo(result.model_dump_json() if as_json else _words(result))
    sys.exit(1 if short else 0)


def _run(data: Path, settings: LoopSettings, say: Callable[[str], None]) -> LoopResult:
    own = load_settings(data=data, api_port=0, workers=1, streams=data / "streams.yaml")
    own = own.model_copy(update={"model": BUILT_IN_DETECTOR})
    if own.mirror is None:
        raise ConfigError("the loop needs the real photos", "set CITYVISION_MIRROR to a folder with truth/ and models/")
    zoo, python, progress = Zoo(cache=own.cache, mirror=own.mirror), Path(training_python()), Shown()
    photos = load(own.mirror / "truth", count=settings.photos, cameras=settings.cameras, seed=settings.seed)
    at = Bench(data / "training" / "jobs", python, settings.training)
    shown = cameras(data / "clips", photos.shown, lambda sha256: photos.files[sha256].read_bytes(), zoo, settings.seed)
    with ServerProcess({camera.id: camera.clip for camera in shown}) as server:
        urls = {camera.id: server.url(camera.id) for camera in shown}
        own.streams.write_text(pool_text({}), encoding="utf-8")
        installation = Installation(own)
        with stop_on_signals(installation.supervisor), installation, City(installation) as city:
            say(f"the city runs meanwhile: {installation.url}")
            place = partial(own.streams.write_text, pool_text(urls), encoding="utf-8")
            return Loop(city, photos, shown, at, settings, data, progress, place).run()


def _place(data: Path, *, fresh: bool) -> None:
    """The folder of a loop: a new one, or one that is gone on with.

    Raises:
        AlreadyRunning: it is something else's, or a loop runs on it.
    """
    if data.exists() and any(data.iterdir()) and not (data / _MARK).exists():
        raise AlreadyRunning(f"{data} is not a loop's folder", "name another one with --data")
    if is_running(data):
        raise AlreadyRunning(f"a loop runs on {data} already", "stop that one, or use --data")
    if fresh and data.exists():
        shutil.rmtree(data)
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    (data / _MARK).touch()


def _words(result: LoopResult) -> str:
    low, high = result.gain_ci95
    return "\n".join(
        (
            f"IoU {result.before:.3f} → {result.after:.3f}, gain {low:+.3f} to {high:+.3f} (95 %)",
            "promoted" if result.promoted else f"not promoted: {'; '.join(result.reasons)}",
            f"spoilt: {'refused: ' + '; '.join(result.spoilt_reasons) if result.spoilt_refused else 'not refused'}",
            f"card: {result.card}",
        )
    )
