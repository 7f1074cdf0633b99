"""How a decoder on frozen features is trained."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.errors import ConfigError

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
