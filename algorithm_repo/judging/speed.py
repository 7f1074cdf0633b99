"""How fast two versions are on this machine, from the same run."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from algorithm_repo.judging.replays import Replayed
from contracts.records import Contract


class Speed(Contract):
    """One version; figures are None where nothing was timed.

    Attributes:
        inferences: of the network, timed.
        ms_p50, ms_p95: of one inference on one thread, by the clock.
        cpu_ms_p50: the same in time of the cores, which other work on the machine changes less.
        looks: so many.
        look_ms, look_cpu_ms: the whole chain a look (demux, decode, gate, detect, track, sense, rules), on average.
    """

    inferences: int
    ms_p50: float | None
    ms_p95: float | None
    cpu_ms_p50: float | None
    looks: int
    look_ms: float | None
    look_cpu_ms: float | None


def speed(replays: Sequence[Replayed]) -> Speed:
    """Of one version, from its replays; those that failed are left out."""
    good = [one for one in replays if not one.outcome.failed]
    taken = [one for replay in good for one in replay.taken]
    wall, cpu = [one.ms for one in taken], [one.cpu_ms for one in taken]
    looks = sum(one.outcome.looks for one in good)
    return Speed(
        inferences=len(taken),
        ms_p50=_quantile(wall, 0.5),
        ms_p95=_quantile(wall, 0.95),
        cpu_ms_p50=_quantile(cpu, 0.5),
        looks=looks,
        look_ms=_each(sum(one.outcome.wall_s for one in good), looks),
        look_cpu_ms=_each(sum(one.cpu_s for one in good), looks),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if values else None


def _each(seconds: float, looks: int) -> float | None:
    return round(1000.0 * seconds / looks, 3) if looks else None


def machine() -> str:
    """What this machine computes with, in words."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else name}, {len(os.sched_getaffinity(0))} cores"
