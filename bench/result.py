"""What a measurement leaves behind: one JSON file, and one section of `docs/benchmarks.md`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path

Figures = dict[str, float]

# name -> (module with `run() -> (figures, peers)`, what it measures)
BENCHES: dict[str, tuple[str, str]] = {
    "cameras": ("bench.cameras", "CPU a camera costs, beside the floor and the usual ways"),
    "latency": ("bench.latency", "from a deciding frame's arrival to the API's event stream"),
    "tracker": ("bench.tracker", "speed and accuracy of tracking beside the trackers from PyPI"),
    "rules": ("bench.rules", "rules and senses beside the detector, on the same pictures"),
    "workers": ("bench.workers", "inference of a worker per core, beside OpenVINO's defaults and one process with all"),
    "triton": ("bench.triton", "Triton beside in-process inference, same batches"),
    "triton_switch": ("bench.triton_switch", "versions switched on Triton under 60 looks/s, beside the same at rest"),
    "delivery": ("bench.delivery", "from commit to 200 subscribers by webhook, MQTT and stream"),
    "doors": ("bench.doors", "pages of the API over 12,000 cameras, beside writing them as JSON"),
    "pool": ("bench.pool", "reading, caching and editing a pool of 12,000 cameras"),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured; no host name, no path."""

    system: str
    python: str
    cpu: str
    cores: int
    memory_gib: float

    @staticmethod
    def here() -> Machine:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        cpu = next(
            (
                line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.machine(),
        )
        return Machine(platform.system(), platform.python_version(), cpu, os.cpu_count() or 1, round(memory, 1))


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Figures of ours and of the peers measured in the same run."""

    name: str
    machine: Machine
    figures: Figures
    peers: Figures = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        rows = [f"| {key} | {_shown(value)} |" for key, value in self.figures.items()]
        rows += [f"| *{key}* (peer) | {_shown(value)} |" for key, value in self.peers.items()]
        m = self.machine
        return "\n".join(
            [
                f"## {self.name}",
                "",
                BENCHES[self.name][1] + ".",
                "",
                f"{m.cpu}, {m.cores} cores, {m.memory_gib} GiB, {m.system}, Python {m.python}.",
                "",
                "| figure | value |",
                "|---|---|",
                *rows,
                "",
            ]
        )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def measure(name: str) -> BenchResult:
    """Runs one measurement by its name."""
    run: Callable[[], tuple[Figures, Figures]] = import_module(BENCHES[name][0]).run
    figures, peers = run()
    return BenchResult(name, Machine.here(), figures, peers)


def update_table(path: Path, results: list[BenchResult]) -> None:
    """Rewrites the sections of `results` in the Markdown file, keeping the others."""
    sections: dict[str, str] = {}
    if path.exists():
        for block in path.read_text().split("\n## ")[1:]:
            sections[block.splitlines()[0]] = "## " + block.rstrip() + "\n"
    sections |= {result.name: result.to_markdown() for result in results}
    head = (
        "# Benchmarks\n\nWritten by `cityvision bench all`. CPU time where wall time would lie on a shared machine;"
        " every ratio's two sides were measured in the same run."
        " How each is measured: the docstring of `bench/<name>.py`.\n"
    )
    path.write_text("\n".join([head, *(sections[key] for key in sorted(sections))]))
