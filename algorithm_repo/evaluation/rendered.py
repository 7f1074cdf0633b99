"""Clips of a suite that are rendered when they are needed: `file: street:KIND:SEED`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contracts.relations import did_you_mean
from simulator.street import KINDS, Scenario, scenario, write_clip

STREET = "street:"
_SIZE = (640, 360)
_FPS = 5.0


class NotAStreet(ValueError):
    """The name is of no clip that could be rendered; `what` is wrong, `fix` is what to write."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def street_of(file: str) -> Scenario:
    """The scene that `street:KIND:SEED` names.

    Raises:
        NotAStreet: there is no such kind, or the seed is no whole number from 0.
    """
    kind, _, seed = file.removeprefix(STREET).partition(":")
    if kind not in KINDS:
        what = f"no simulated scene is called {kind!r}{did_you_mean(kind, KINDS)}"
        raise NotAStreet(what, "take one of `cityvision simulate --list`")
    if not (seed.isascii() and seed.isdecimal() and int(seed) < 1 << 31):
        raise NotAStreet(f"the seed {seed!r} is no whole number", f"write e.g. file: {STREET}{kind}:7")
    return scenario(int(seed), kind, size=_SIZE)


def entry_of(street: Scenario) -> dict[str, Any]:
    """What an entry of `suite.yaml` says of a scene: camera, algorithms, slices, truth."""
    truth = [{"type": one.type, "zone": one.zone, "start": one.start, "end": one.end} for one in street.truth]
    return {
        "camera": street.camera,
        "algorithms": street.algorithms,
        "slices": list(street.slices),
        "truth": truth,
    }


def render(file: str, folder: Path) -> Path:
    """Writes the clip that `street:KIND:SEED` names into `folder`. Raises NotAStreet as `street_of`."""
    return write_clip(street_of(file), folder / "street.mp4", fps=_FPS)
