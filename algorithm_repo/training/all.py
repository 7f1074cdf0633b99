"""Trains the built-in networks, one after another, for a given time.

    python -m algorithm_repo.training.all --data DIR --out OUT --minutes 8 --device cuda --workers 14

DIR is made by `algorithm_repo.training.pack`. Rendering workers fill a folder while the networks train on what there
is. OUT gets a weights file (`.npz`) for each network, its `.onnx` where the `onnx` package is installed,
`figures.json` and `log.txt`.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from algorithm_repo.training import courses
from algorithm_repo.training.export import export, load_weights, save_weights
from algorithm_repo.training.nets import KINDS, load_start
from algorithm_repo.training.packed import load_real
from algorithm_repo.training.pool import Chunks, Pool, pool_of
from algorithm_repo.training.rendering import real_samples
from algorithm_repo.training.trainer import Course, Run, train

_SEED = 4
# Shares of the time; what is left is for starting, judging and exporting.
_SHARES = {"water": 0.33, "litter": 0.12, "street": 0.45}
_RATES = {"street": 1.2e-3, "water": 2e-3, "litter": 1.5e-3}
_BATCHES = {"cuda": {"street": 96, "water": 96, "litter": 512}, "cpu": {"street": 12, "water": 16, "litter": 96}}
_FIRST_CHUNKS = 12


@dataclass(frozen=True, slots=True)
class Options:
    """See the command's help.

    Attributes:
        kinds: networks to train.
        data, out: folders.
        device: "cuda" or "cpu".
        minutes: for everything together.
        workers: rendering processes.
        pictures: pictures rendered at most.
        capacity: samples kept for each network.
        resume: folder of an earlier run whose weights are trained on; None: start from YOLOX-nano's.
        lying: folder of `algorithm_repo.training.lying`; None: without.
    """

    kinds: tuple[str, ...]
    data: Path
    out: Path
    device: str
    minutes: float
    workers: int
    pictures: int
    capacity: int
    resume: Path | None = None
    lying: Path | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Pools by network: simulated for training and for judging, real for training and for judging (val, test);
    crops of what the litter sense puts forward, for training and for judging."""

    train: dict[str, Pool]
    held_out: dict[str, Pool]
    real: dict[str, Pool]
    real_val: dict[str, Pool]
    real_test: dict[str, Pool]
    lying: Pool
    lying_val: Pool


def run(options: Options) -> dict[str, Any]:
    """Trains, writes everything into `options.out`, and returns the figures.

    Raises:
        OSError: the packed data is missing, or rendering stopped.
    """
    began = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    say = _logger(options.out / "log.txt", began)
    torch.manual_seed(_SEED)
    device = torch.device(options.device)
    say(f"{device}, torch {torch.__version__}, numpy {np.__version__}, python {platform.python_version()}, {options}")
    runs: dict[str, Run] = {}
    figures: dict[str, Any] = {"device": _device_name(device), "minutes": options.minutes, "networks": {}}
    with tempfile.TemporaryDirectory() as folder, _renderers(Path(folder), options) as alive:
        sources, chunks = _sources(options, device), Chunks(Path(folder))
        _await_first(sources, chunks, alive, say)
        scale = 1.0 / sum(_SHARES[kind] for kind in options.kinds) * sum(_SHARES.values())
        for kind in options.kinds:
            seconds = options.minutes * 60 * _SHARES[kind] * scale
            course = Course(seconds, _BATCHES[device.type][kind], _RATES[kind])
            say(f"{kind}: {seconds:.0f} s, {len(sources.train[kind])} samples so far")
            runs[kind] = _train_one(kind, course, options, sources, chunks, say)
            save_weights(runs[kind].net, options.out / f"{kind}.npz")
        figures["chunks"] = chunks.read
    figures["seconds"] = round(time.monotonic() - began)
    # Every network is trained and saved before any is judged or exported: a fault there costs no training.
    for kind, result in runs.items():
        figures["networks"][kind] = _judged(kind, result, sources)
        say(f"{kind}: {json.dumps(figures['networks'][kind])}")
        (options.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    for kind in runs:
        _export(kind, options.out, say)
    say("done")
    return figures


def _train_one(
    kind: str, course: Course, options: Options, sources: Sources, chunks: Chunks, say: Callable[[str], None]
) -> Run:
    if options.resume is not None:
        net = load_weights(kind, options.resume / f"{kind}.npz")
    else:
        net = KINDS[kind].make()
        with np.load(options.data / "start.npz") as start:
            load_start(net, dict(start))
    net = net.to(options.device)
    simulated = sources.train[kind]
    step: Callable[[nn.Module, int], torch.Tensor]
    if kind == "street":
        step = partial(courses.street_step, simulated=simulated, real=sources.real[kind])
    elif kind == "water":
        step = partial(courses.water_step, simulated=simulated, real=sources.real[kind])
    else:
        step = partial(courses.crop_step, pool=simulated, lying=sources.lying)

    def between() -> None:
        chunks.take("val", sources.held_out)
        chunks.take("train", sources.train, most=10)

    return train(net, course, step, between, say)


def _judged(kind: str, result: Run, sources: Sources) -> dict[str, Any]:
    """Figures of one network on what it was not trained on."""
    judge = {"street": courses.judge_street, "water": courses.judge_water, "litter": courses.judge_crops}[kind]
    found: dict[str, Any] = {
        "steps": result.steps,
        "loss": round(result.loss, 4),
        "samples": len(sources.train[kind]),
    }
    for name, pools in (("held_out", sources.held_out), ("val", sources.real_val), ("test", sources.real_test)):
        if kind in pools and len(pools[kind]):
            found[name] = judge(result.net, pools[kind])
    if kind == "litter" and len(sources.lying_val):
        found["lying"] = judge(result.net, sources.lying_val)
    return found


def _export(kind: str, out: Path, say: Callable[[str], None]) -> None:
    try:
        worst = export(kind, out / f"{kind}.npz", out / f"{kind}.onnx")
        say(f"{kind}.onnx written, differs by {worst:.4f}")
    except ImportError as error:
        say(f"{kind}.onnx not written ({error}); run algorithm_repo.training.export where onnx is installed")


def _sources(options: Options, device: torch.device) -> Sources:
    real = load_real(options.data / "real.npz")
    sets: list[dict[str, Pool]] = []
    for side in ("train", "val", "test"):
        arrays = real_samples(real, side).arrays()
        pools = {kind: Pool(kind, 600, device) for kind in ("street", "water")}
        for pool in pools.values():
            pool.add(arrays)
        sets.append(pools)
    # There is one set of everyday photos for judging; it is counted once.
    del sets[2]["street"]
    factor = {"street": 1.0, "water": 1.0, "litter": 6.0}
    grown = {kind: Pool(kind, int(options.capacity * factor[kind]), device) for kind in KINDS}
    held_out = {kind: Pool(kind, int(1000 * factor[kind]), device) for kind in KINDS}
    most = int(options.capacity * factor["litter"])
    lying, lying_val = (pool_of(options.lying, side, "litter", most, device) for side in ("train", "val"))
    photos, photos_val, photos_test = sets
    return Sources(grown, held_out, photos, photos_val, photos_test, lying, lying_val)


def _await_first(sources: Sources, chunks: Chunks, alive: Callable[[], None], say: Callable[[str], None]) -> None:
    """Waits until there is something to train on."""
    taken = 0
    while taken < _FIRST_CHUNKS:
        alive()
        chunks.take("val", sources.held_out)
        taken += chunks.take("train", sources.train)
        time.sleep(0.2)
    say(f"first {taken} chunks rendered")


@contextmanager
def _renderers(folder: Path, options: Options) -> Iterator[Callable[[], None]]:
    """Rendering workers for the time of the block; yields a check that raises when all of them have ended."""
    command = [sys.executable, "-m", "algorithm_repo.training.rendering", "--folder", str(folder)]
    command += ["--data", str(options.data), "--of", str(options.workers), "--pictures", str(options.pictures)]
    command += ["--validation", str(min(600, max(40, options.pictures // 20)))]
    workers = [subprocess.Popen([*command, "--worker", str(number)]) for number in range(options.workers)]

    def alive() -> None:
        if all(worker.poll() not in (None, 0) for worker in workers):
            raise OSError("every rendering worker ended with a fault; see their output")

    try:
        yield alive
    finally:
        (folder / "stop").touch()
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


def _logger(path: Path, began: float) -> Callable[[str], None]:
    def say(line: str) -> None:
        text = f"[{time.monotonic() - began:6.1f}] {line}\n"
        sys.stdout.write(text)
        sys.stdout.flush()
        with path.open("a") as log:
            log.write(text)

    return say


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the built-in networks.")
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(_SHARES)}; by default all of them, in this order")
    parser.add_argument("--data", type=Path, required=True, help="folder of algorithm_repo.training.pack")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=24_000, help="rendered at most")
    parser.add_argument("--capacity", type=int, default=24_000, help="samples kept for each network")
    parser.add_argument("--resume", type=Path, help="folder of an earlier run: go on from its weights")
    parser.add_argument("--lying", type=Path, help="folder of algorithm_repo.training.lying, for litter")
    given = vars(parser.parse_args(arguments))
    kinds = tuple(given.pop("kinds")) or tuple(_SHARES)
    if unknown := set(kinds) - set(_SHARES):
        parser.error(f"no such network: {', '.join(sorted(unknown))}")
    run(Options(kinds=kinds, **given))


if __name__ == "__main__":
    main()
