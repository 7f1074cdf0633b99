"""Workers beside each other on one machine: one thread of inference each, as many as there are cores.

Ours are `OpenVinoRunner`s in processes of their own. The peer is OpenVINO with the same number of threads and its own
defaults, which bind them to the first cores, in every process to the same ones. The limit is one process whose
threads have all cores. Ways take turns in one run; the same weights and pictures of noise; looks a second by the clock,
because a core that idles costs no processor time.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from models.openvino_runner import OpenVinoRunner
from models.zoo import Zoo

MODEL = "yolox_nano"
# Turns of each way, and looks of each thread in a turn.
TURNS = 5
LOOKS = 60
_Batch = NDArray[np.float32]


def run() -> tuple[dict[str, float], dict[str, float]]:
    """Looks a second of workers, the peer's, and both beside the limit.

    Raises:
        ModelMissing, HashMismatch: the weights cannot be had.
    """
    cores = os.cpu_count() or 1
    Zoo().fetch(MODEL)
    ways = {"": (_ours, cores, 1), "openvino_": (_defaults, cores, 1), "one_process_": (_ours, 1, cores)}
    taken: dict[str, list[float]] = {way: [] for way in ways}
    with ExitStack() as stack:
        crews = {way: stack.enter_context(_Crew(*asked)) for way, asked in ways.items()}
        for _ in range(TURNS):
            for way, crew in crews.items():
                taken[way].append(crew.turn())
    rates = {way: cores * LOOKS / float(np.median(seconds)) for way, seconds in taken.items()}
    figures = {
        "workers": float(cores),
        "looks_per_s": round(rates[""], 2),
        "of_one_process": round(rates[""] / rates["one_process_"], 3),
        "vs_openvino": round(rates[""] / rates["openvino_"], 3),
    }
    return figures, {f"{way}looks_per_s": round(rates[way], 2) for way in ("openvino_", "one_process_")}


class _Crew:
    """Processes that infer at a word, all at the same time."""

    def __init__(self, make: Callable[[int], Callable[[_Batch], object]], processes: int, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(processes):
            here, there = context.Pipe()
            self._pipes.append(here)
            self._processes.append(context.Process(target=_work, args=(make, threads, there), daemon=True))

    def __enter__(self) -> _Crew:
        for process in self._processes:
            process.start()
        for pipe in self._pipes:
            pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.send(False)
        for process in self._processes:
            process.join()

    def turn(self) -> float:
        """Seconds until each process has made its share."""
        start = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(True)
        for pipe in self._pipes:
            pipe.recv()
        return time.perf_counter() - start


def _work(make: Callable[[int], Callable[[_Batch], object]], threads: int, pipe: Connection) -> None:
    infer = make(threads)
    batch = np.random.default_rng(0).uniform(0, 255, (threads, 3, 416, 416)).astype(np.float32)
    infer(batch)
    pipe.send(True)
    while pipe.recv():
        for _ in range(LOOKS):
            infer(batch)
        pipe.send(True)


def _ours(threads: int) -> Callable[[_Batch], object]:
    path, artefact = Zoo().fetch(MODEL)[0], Zoo().artefact(MODEL)
    runner = OpenVinoRunner(path, name=MODEL, sha256=artefact.digest, threads=threads)
    return lambda batch: runner.infer({"images": batch})


def _defaults(threads: int) -> Callable[[_Batch], object]:
    core = ov.Core()
    model = core.read_model(Zoo().fetch(MODEL)[0])
    model.reshape([1, 3, 416, 416])
    request = core.compile_model(
        model, "CPU", {"NUM_STREAMS": threads, "INFERENCE_NUM_THREADS": threads}
    ).create_infer_request()
    return lambda batch: request.infer([batch])
