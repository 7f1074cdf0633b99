"""Reading, caching and editing a pool of 12,000 cameras (24,000 zones, 44 departments; about 9 MB of YAML).

Wall-clock seconds, each of the whole way a user waits for: `cold_s` no cache, every camera parsed and checked with its
line numbers known; `cached_s` a new loader with the cache read from disk; `edit_s` from the write of one edited
camera to the change handed out by the watcher, settling time included; `refuse_s` the same for a bad edit, to its
faults. `*_cpu_s` is CPU time. Peers: PyYAML's C loader on the same text (no check, no line numbers: a floor for
anything that reads YAML), and the same followed by the pydantic validation alone.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import yaml

from bench.result import Figures
from contracts.pool import Pool
from pool.cache import CameraCache
from pool.load import PoolLoader, load_pool
from pool.watch import watch_pool

CAMERAS = 12_000
_DEPARTMENTS = 44
_GRIDS = 6_975
_SHAPE = ((0.1, 0.1), (0.5, 0.08), (0.9, 0.1), (0.95, 0.5), (0.9, 0.9), (0.1, 0.9))
_WAIT_S = 60.0


def pool_text(cameras: int = CAMERAS, seed: int = 1) -> str:
    """A `streams.yaml` as a city would write it: two zones and two algorithms a camera."""
    rng = random.Random(seed)
    lines = ["version: 1", "departments:"]
    lines += [f"  - {{id: dept-{number:02d}, name: 部门{number}}}" for number in range(_DEPARTMENTS)]
    lines.append("cameras:")
    for number in range(cameras):
        lines += _camera(number, rng)
    return "\n".join(lines) + "\n"


def _camera(number: int, rng: random.Random) -> list[str]:
    host = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    lines = [
        f"  - id: cam-{number:05d}",
        f"    name: 路口 {number} 号",
        f"    department: dept-{number % _DEPARTMENTS:02d}",
        f"    class: {1 if number % 3 == 0 else 2}",
        "    main:",
        f"      url: rtsp://{host}:554/main",
        f"      credentials: vendor-{number % 7}",
        "    sub:",
        f"      url: rtsp://{host}:554/sub",
        f"    position: {{lon: {104 + rng.random():.6f}, lat: {30 + rng.random():.6f}}}",
        f"    grid: g-{number % _GRIDS:04d}",
        "    zones:",
    ]
    for index, kind in enumerate(("no_parking", "square")):
        corners = [[round(x + rng.random() * 0.02, 4), round(y + rng.random() * 0.02, 4)] for x, y in _SHAPE]
        lines += [f"      - id: z{index}", f"        kind: {kind}", f"        polygon: {corners}"]
        lines += ["        capacity: 40"] if kind == "square" else []
    return [*lines, "    algorithms:", "      illegal_parking: {dwell: 3min}", "      crowding: {hold: 30s}"]


@dataclass(frozen=True, slots=True)
class _Spent:
    wall_s: float
    cpu_s: float


def _spent(work: Callable[[], object]) -> _Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return _Spent(time.perf_counter() - wall, time.process_time() - cpu)


def run() -> tuple[Figures, Figures]:
    """Figures and peers, seconds (`cameras`, `megabytes`: the size of the file)."""
    text = pool_text()
    with tempfile.TemporaryDirectory() as folder:
        file, cache = Path(folder) / "streams.yaml", Path(folder) / "cache"
        file.write_text(text, encoding="utf-8")
        cold = _spent(lambda: load_pool(file, cache))
        cached = _spent(lambda: load_pool(file, cache))
        edit_s, refuse_s = _edits(file, cache, text)
    peers = _peers(text)
    figures = {
        "cameras": float(CAMERAS),
        "megabytes": len(text.encode()) / 1e6,
        "cold_s": cold.wall_s,
        "cold_cpu_s": cold.cpu_s,
        "cached_s": cached.wall_s,
        "cached_cpu_s": cached.cpu_s,
        "edit_s": edit_s,
        "refuse_s": refuse_s,
        "cold_ratio": cold.cpu_s / peers["pyyaml_and_pydantic_cpu_s"],
    }
    return figures, peers


def _edits(file: Path, cache: Path, text: str) -> tuple[float, float]:
    """Seconds from a write to the watcher's answer: for a good edit of one camera, and for a bad one."""
    answers: Queue[float] = Queue()
    stop = threading.Event()
    loader = PoolLoader(file, CameraCache(cache))

    def watching() -> None:
        for _ in watch_pool(loader, lambda _: answers.put(time.perf_counter()), stop):
            answers.put(time.perf_counter())

    thread = threading.Thread(target=watching, daemon=True)
    thread.start()
    try:
        answers.get(timeout=_WAIT_S)
        time.sleep(1)  # the watch itself must stand before the edit
        good = _answered(file, text.replace("路口 500 号", "路口 五百 号"), answers)
        bad = _answered(file, text.replace("路口 700 号\n", "路口 700 号\n    nmae: x\n"), answers)
    finally:
        stop.set()
        thread.join(_WAIT_S)
    return good, bad


def _answered(file: Path, text: str, answers: Queue[float]) -> float:
    began = time.perf_counter()
    file.write_text(text, encoding="utf-8")
    return answers.get(timeout=_WAIT_S) - began


def _peers(text: str) -> Figures:
    loaded: list[object] = []
    plain = _spent(lambda: loaded.append(yaml.load(text, Loader=yaml.CSafeLoader)))
    checked = _spent(lambda: Pool.model_validate(loaded[0]))
    return {
        "pyyaml_s": plain.wall_s,
        "pyyaml_cpu_s": plain.cpu_s,
        "pyyaml_and_pydantic_cpu_s": plain.cpu_s + checked.cpu_s,
    }
