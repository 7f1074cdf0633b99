"""How fast two versions are on this machine, from the times of the same replays."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from algorithm_repo.judging.replays import Replayed
from contracts.records import Contract


class Speed(Contract):
    """One version.

    Attributes:
        inferences: of the network, timed.
        ms_p50, ms_p95: of one inference, on one thread, wall time; None where there was none.
        look_ms: the whole chain a look (demux, decode, gate, detect, track, sense, rules), wall time; None without.
        looks: so many.
    """

    inferences: int
    ms_p50: float | None
    ms_p95: float | None
    look_ms: float | None
    looks: int


def speed(replays: Sequence[Replayed]) -> Speed:
    """Of one version, from its replays; those that failed are left out."""
    good = [one for one in replays if not one.outcome.failed]
    taken = [ms for one in good for ms in one.ms]
    looks = sum(one.outcome.looks for one in good)
    seconds = sum(one.outcome.wall_s for one in good)
    return Speed(
        inferences=len(taken),
        ms_p50=round(float(np.quantile(taken, 0.5)), 3) if taken else None,
        ms_p95=round(float(np.quantile(taken, 0.95)), 3) if taken else None,
        look_ms=round(1000.0 * seconds / looks, 3) if looks else None,
        looks=looks,
    )


def machine() -> str:
    """What this machine computes with, in words."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else name}, {len(os.sched_getaffinity(0))} cores"
