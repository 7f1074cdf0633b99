"""Triton beside in-process inference: the same weights, the same batches, taking turns in one run.

Both have every core of the machine: in process as so many one-thread requests, the embedded Triton as so many inside
its backend. Batches of 1 (a lone look) and of 8 (looks of many cameras) are sent by one caller, one after the other;
p99 is over batches, from handing the tensor over to holding the result. CPU time is that of everyone involved: caller,
server and its backend. `triton_wire` is the same server without shared memory, as from another machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from models.detector import build_detector, version_name
from models.openvino_runner import OpenVinoRunner
from models.picture import frame_from_bgr
from models.runner import Runner
from models.triton_repository import Serving
from models.triton_runner import TritonRunner
from models.triton_server import embedded_server
from models.zoo import Zoo

MODEL = "yolox_nano"
CLIP = "residential_street"
BATCHES = (1, 8)
# Turns of each way, and batches in a turn: enough of them that a p99 is an observed value, not the maximum.
TURNS = 5
SHARE = {1: 24, 8: 20}
_VENV = Path(__file__).resolve().parent.parent / ".venv-triton"


@dataclass(slots=True)
class _Way:
    """One way to run the model, and what it took so far."""

    runner: Runner
    cpu: Callable[[], float]
    seconds: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in BATCHES})
    cpu_seconds: dict[int, float] = field(default_factory=lambda: dict.fromkeys(BATCHES, 0.0))

    def turn(self, batch: NDArray[np.float32]) -> None:
        """A share of batches of one size."""
        n = len(batch)
        cpu = self.cpu()
        for _ in range(SHARE[n]):
            start = time.perf_counter()
            self.runner.infer({"images": batch})
            self.seconds[n].append(time.perf_counter() - start)
        self.cpu_seconds[n] += self.cpu() - cpu

    def figures(self, prefix: str) -> dict[str, float]:
        """Looks a second, p99 and CPU time a look of every batch size."""
        result = {}
        for n, seconds in self.seconds.items():
            looks = n * len(seconds)
            result[f"{prefix}looks_per_s_batch_{n}"] = round(looks / sum(seconds), 2)
            result[f"{prefix}p99_ms_batch_{n}"] = round(float(np.percentile(seconds, 99)) * 1e3, 2)
            result[f"{prefix}cpu_ms_per_look_batch_{n}"] = round(self.cpu_seconds[n] / looks * 1e3, 2)
        return result


def run() -> tuple[dict[str, float], dict[str, float]]:
    """Figures of Triton, and the in-process peer's.

    Raises:
        ModelMissing, HashMismatch: the weights or the clip cannot be had.
        ServiceError: the server cannot be installed or started.
    """
    zoo = Zoo()
    cores = os.cpu_count() or 1
    artefact = zoo.artefact(MODEL)
    version = version_name(MODEL, artefact)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = embedded_server(
            [MODEL],
            zoo,
            venv=_VENV,
            repository=folder / "models",
            log=folder / "triton.log",
            serving=Serving(threads=cores),
        )
        with server:
            here = OpenVinoRunner(zoo.fetch(MODEL)[0], name=version, sha256=artefact.digest, threads=cores)
            shared = TritonRunner(server.url, name=version, sha256=artefact.digest)
            wire = TritonRunner(server.url, name=version, sha256=artefact.digest, shared_memory=False)
            ways = [
                _Way(here, time.process_time),
                _Way(shared, lambda: time.process_time() + _tree_cpu(server.pid)),
                _Way(wire, lambda: time.process_time() + _tree_cpu(server.pid)),
            ]
            _measure(ways, _pictures(zoo, here))
            for way in ways:
                way.runner.close()
    in_process, by_memory, by_wire = ways
    figures = by_memory.figures("triton_") | by_wire.figures("triton_wire_")
    peers = in_process.figures("in_process_")
    for n in BATCHES:
        key = f"looks_per_s_batch_{n}"
        figures[f"vs_in_process_batch_{n}"] = round(figures[f"triton_{key}"] / peers[f"in_process_{key}"], 3)
    return figures, peers


def _measure(ways: list[_Way], batch: NDArray[np.float32]) -> None:
    for way in ways:  # the first batch of each size pays for memory and threads
        for n in BATCHES:
            way.runner.infer({"images": batch[:n]})
    for turn in range(TURNS):
        for n in BATCHES:
            # Each way is first as often as last: a machine that slows down slows all alike.
            for way in ways if turn % 2 == 0 else reversed(ways):
                way.turn(batch[:n])


def _pictures(zoo: Zoo, runner: Runner) -> NDArray[np.float32]:
    """A batch of real pictures, 40 frames apart."""
    detector = build_detector(zoo.artefact(MODEL), runner)
    batch = detector.slots(max(BATCHES))
    capture = cv2.VideoCapture(str(zoo.fetch(CLIP)[0]))
    for slot in batch:
        for _ in range(40):
            capture.grab()
        _, picture = capture.retrieve()
        detector.prepare(frame_from_bgr(np.asarray(picture, np.uint8)), slot)
    capture.release()
    return batch


def _tree_cpu(pid: int | None) -> float:
    """CPU time of the server and its backend, s."""
    if pid is None:
        return 0.0
    server = psutil.Process(pid)
    return sum(sum(process.cpu_times()[:2]) for process in (server, *server.children(recursive=True)))
