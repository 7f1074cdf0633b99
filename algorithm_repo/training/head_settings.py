"""How a decoder on frozen features is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from contracts.errors import ConfigError

FEATURES = ((32, 48, 80), (64, 24, 40), (128, 12, 20))
"""Shapes of what the trunk makes of one picture, in halves; see `nets.Trunk`."""

# What a mistyped setting must not do is take the worker's machine with it.
_RANGES = {
    "steps": (1, 100_000),
    "batch": (1, 256),
    "variations": (1, 64),
    "every": (1, 100_000),
    "threads": (1, 256),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """See `algorithm_repo.training.head.Job`."""

    seed: int = 1
    steps: int = 400
    batch: int = 12
    rate: float = 2e-3
    variations: int = 4
    every: int = 20
    threads: int = 2

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name}: {getattr(self, name)} is not from {least} to {most}", "write one that is")
        if not 0 < self.rate < 1:
            raise ConfigError(f"rate: {self.rate} is not between 0 and 1", "write 0.002")


def check_room(pictures: int, settings: HeadSettings, free: int) -> None:
    """Whether what the trunk makes of every picture in every variation has room on the disk while a job runs.

    Args:
        pictures: of the train side.
        free: bytes; half of it may be used.

    Raises:
        ConfigError: it has not.
    """
    one = 2 * sum(math.prod(shape) for shape in FEATURES) * pictures
    most = free // 2 // max(one, 1)
    if settings.variations <= most:
        return
    told = f"{settings.variations} of {pictures} pictures take {settings.variations * one / 1e9:.1f} GB"
    fix = f"write {most} at most" if most else "make room, or take fewer pictures"
    raise ConfigError(f"variations: {told} and the worker's disk has {free / 1e9:.1f} GB free", fix)
