"""How fast two versions are on this machine, from the same run."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from algorithm_repo.judging import page
from contracts.records import Contract


@dataclass(frozen=True, slots=True)
class Taken:
    """What one inference took, ms: by the clock, and of the cores, which other processes change less."""

    ms: float
    cpu_ms: float


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


def by_turns(
    first: Callable[[int], object], second: Callable[[int], object], turns: int
) -> tuple[tuple[Taken, ...], tuple[Taken, ...]]:
    """What two things take, one after the other again and again: whatever else the machine does slows both alike.

    Args:
        first, second: called with the number of the turn, from 0; nothing else may run in this process meanwhile.
        turns: of each.
    """
    pairs = [(_timed(first, turn), _timed(second, turn)) for turn in range(turns)]
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def speed(taken: Sequence[Taken], looks: int = 0, wall_s: float = 0.0, cpu_s: float = 0.0) -> Speed:
    """Of one version.

    Args:
        taken: by its inferences.
        looks, wall_s, cpu_s: what replays through the whole chain took, where there were any.
    """
    wall, cpu = [one.ms for one in taken], [one.cpu_ms for one in taken]
    return Speed(
        inferences=len(taken),
        ms_p50=_quantile(wall, 0.5),
        ms_p95=_quantile(wall, 0.95),
        cpu_ms_p50=_quantile(cpu, 0.5),
        looks=looks,
        look_ms=_each(wall_s, looks),
        look_cpu_ms=_each(cpu_s, looks),
    )


def speeds(found: Mapping[str, Speed], on: str) -> str:
    """As HTML: a row a version, with the chain's figures where there are any, and the machine (`on`, in words)."""
    chain = any(one.looks for one in found.values())
    heads = ["", "inferences", "ms p50", "ms p95", "CPU-ms p50"]
    rows = [
        [name, str(one.inferences), *(ms(value) for value in (one.ms_p50, one.ms_p95, one.cpu_ms_p50))]
        for name, one in found.items()
    ]
    if chain:
        heads += ["looks", "whole chain, ms a look", "CPU-ms a look"]
        for row, one in zip(rows, found.values(), strict=True):
            row += [str(one.looks), ms(one.look_ms), ms(one.look_cpu_ms)]
    told = f"{on}; one thread, inferences by turns on the same pictures."
    return page.paragraph(told) + page.table(rows, heads=heads)


def ms(value: float | None) -> str:
    """Milliseconds as text."""
    return "–" if value is None else f"{value:.2f}"


def _timed(work: Callable[[int], object], turn: int) -> Taken:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    work(turn)
    cpu = time.process_time() - begun_cpu
    return Taken(1000.0 * (time.perf_counter() - begun), 1000.0 * cpu)


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
