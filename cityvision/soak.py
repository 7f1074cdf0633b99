"""What a long run must not show: memory that grows, a process that ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

import click
import psutil

from contracts.live import CameraStatus

MAX_GROWTH = 0.2  # of memory, after the warm-up
_WARM_UP_SHARE, _WARM_UP_LONGEST_S = 0.25, 600.0
_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at everything that runs.

    Attributes:
        at_s: since the soak began, s.
        memory: private memory (USS) of all processes, bytes; shared pages would be counted many times.
        files: open files of all processes.
        restarts: children started again, since the beginning.
        looks: pictures looked at, by all workers.
        lost_looks: looks that were due and not taken: shed, or superseded by a newer one.
    """

    at_s: float
    memory: int
    files: int
    restarts: int
    looks: int
    lost_looks: int


@dataclass(frozen=True, slots=True)
class SoakReport:
    """What the samples say.

    Attributes:
        memory_growth: from the first to the last quarter after the warm-up (medians), as a share; None: too few.
        faults: why it failed, each in words; empty where it did not.
    """

    minutes: float
    memory_mb: int
    memory_growth: float | None
    files: int
    restarts: int
    looks: int
    lost_looks: int
    faults: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def judge(samples: Sequence[Sample], length_s: float) -> SoakReport:
    """The verdict on a soak that was to take `length_s`; `samples` in order, at least one."""
    warm_up = min(_WARM_UP_LONGEST_S, length_s * _WARM_UP_SHARE)
    warm = [sample for sample in samples if sample.at_s >= warm_up]
    quarter = len(warm) // 4
    growth: float | None = None
    if quarter:
        before = median(sample.memory for sample in warm[:quarter])
        growth = round(median(sample.memory for sample in warm[-quarter:]) / before - 1, 3)
    last = samples[-1]
    faults = []
    if last.at_s < length_s:
        faults.append(f"it ended after {last.at_s / 60:.1f} of {length_s / 60:g} minutes")
    if growth is None:
        faults.append("too short to say whether memory grows")
    elif growth > MAX_GROWTH:
        faults.append(f"memory grew by {growth:.0%} after the warm-up, more than {MAX_GROWTH:.0%}")
    if last.restarts:
        faults.append(f"{last.restarts} restarts")
    return SoakReport(
        round(last.at_s / 60, 1),
        last.memory >> 20,
        growth,
        last.files,
        last.restarts,
        last.looks,
        last.lost_looks,
        tuple(faults),
    )


class Soak:
    """Takes samples and shows them.

    Args:
        minutes: how long.
        restarts: asked for the number of restarts so far.
    """

    def __init__(self, minutes: float, restarts: Callable[[], int]) -> None:
        self.length_s = minutes * 60
        self.samples: list[Sample] = []
        self._restarts = restarts
        self._every_s = max(0.5, min(_EVERY_S, self.length_s / 40))
        self._began = time.monotonic()
        self._next = 0.0

    @property
    def over(self) -> bool:
        return time.monotonic() - self._began >= self.length_s

    def watch(self, statuses: Iterable[CameraStatus]) -> None:
        """To be called often: takes a sample when one is due, and at the end."""
        now = time.monotonic()
        if now < self._next and not self.over:
            return
        self._next = now + self._every_s
        cameras = list(statuses)
        memory, files = _used()
        sample = Sample(
            now - self._began,
            memory,
            files,
            self._restarts(),
            sum(status.looks for status in cameras),
            sum(status.looks_shed + status.looks_superseded for status in cameras),
        )
        self.samples.append(sample)
        click.echo(
            f"  soak {sample.at_s / 60:.1f} of {self.length_s / 60:g} min: {memory >> 20} MB, {files} open files, "
            f"{sample.restarts} restarts, {sample.lost_looks} of {sample.looks + sample.lost_looks} looks lost",
            err=True,
        )

    def report(self) -> SoakReport | None:
        """The verdict; None where it ended before it began."""
        return judge(self.samples, self.length_s) if self.samples else None


def _used() -> tuple[int, int]:
    """Private memory in bytes, and open files, of this process and everything it started."""
    memory = files = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            memory += process.memory_full_info().uss
            files += process.num_fds()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return memory, files
