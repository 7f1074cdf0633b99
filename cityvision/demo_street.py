"""The demo's simulated cameras: which scenes, rendered into the cache once, and the pool that watches them.

Nothing has to be downloaded for them: the streets are drawn by `simulator.street`, and the built-in detector knows
them.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from contracts.live import BUILT_IN_DETECTOR
from contracts.pool import Pool
from simulator.street import Scenario, scenario

SIZE = (640, 360)
FPS = 5.0
_CRF = 26
_SHARE = 10  # pictures between two reports of progress


# Zones of scenarios -> names as people read them.
_ZONE_NAMES = {
    "kerbside": "路缘禁停区 Kerb",
    "square": "广场 Square",
    "pavement": "人行道 Pavement",
    "carriageway": "车行道 Carriageway",
}


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """One scene and who watches it.

    Attributes:
        id, name, department, grid: as in streams.yaml.
        kind, seed: of the scenario, always by day.
        start, seconds: which stretch of it is looped, s; it begins before the matter does.
        algorithms: parameters that differ from the scenario's own; T is short because the loop is.
    """

    id: str
    name: str
    department: str
    grid: str
    kind: str
    seed: int
    start: float
    seconds: float
    algorithms: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def scene(self) -> Scenario:
        return scenario(self.seed, self.kind, size=SIZE, slices=("day",))

    def entry(self, port: int) -> dict[str, Any]:
        """As one camera of streams.yaml."""
        scene = self.scene
        algorithms = {name: given | self.algorithms.get(name, {}) for name, given in scene.algorithms.items()}
        zones = [zone | {"name": _ZONE_NAMES.get(zone["id"], "")} for zone in scene.camera["zones"]]
        return scene.camera | {
            "id": self.id,
            "zones": zones,
            "name": self.name,
            "department": self.department,
            "class": 2,
            "grid": self.grid,
            "main": {"url": f"rtsp://127.0.0.1:{port}/{self.id}"},
            "model": BUILT_IN_DETECTOR,
            "algorithms": algorithms,
        }


DEPARTMENTS = (
    {"id": "city", "name": "市政府"},
    {"id": "urban-management", "name": "城市管理局", "parent": "city"},
    {"id": "police", "name": "公安局", "parent": "city"},
    {"id": "water", "name": "水务局", "parent": "city"},
)

# Beside real clips, which show none of these: the people in them walk through.
MARKET = SimulatedCamera(
    "sim-market", "仿真：集市 Simulated market", "police", "330106014", "crowd_gather", 5, 0.0, 60.0,
    {"crowding": {"hold": "8s", "look_every": "1s"}},
)  # fmt: skip
WATER = SimulatedCamera(
    "sim-underpass", "仿真：下穿道路 Simulated underpass", "water", "330106011", "water_grow", 4, 0.0, 60.0,
    {"waterlogging": {"hold": "10s", "clear_hold": "10s", "look_every": "2s"}},
)  # fmt: skip
LITTER = SimulatedCamera(
    "sim-plaza", "仿真：街心广场 Simulated plaza", "urban-management", "330106012", "litter_bag", 1, 0.0, 75.0,
    {"litter": {"dwell": "15s", "look_every": "1s"}},
)  # fmt: skip
SIMULATED = (
    SimulatedCamera(
        "sim-kerb", "仿真：路缘 Simulated kerb", "urban-management", "330106013", "parking_kerb", 5, 8.0, 70.0,
        {"illegal_parking": {"dwell": "15s", "look_every": "1s"}},
    ),
    MARKET,
    WATER,
    LITTER,
    SimulatedCamera(
        "sim-lights", "仿真：信号路口 Simulated lights", "police", "330106015", "parking_queue", 3, 0.0, 60.0,
        {"illegal_parking": {"dwell": "30s", "look_every": "2s"}},
    ),
    SimulatedCamera(
        "sim-passage", "仿真：通行区 Simulated passage", "police", "330106016", "crowd_pass", 2, 10.0, 60.0,
        {"crowding": {"hold": "8s", "look_every": "2s"}},
    ),
)  # fmt: skip
BESIDE_REAL = (MARKET, WATER, LITTER)


def pool_text(port: int) -> str:
    """The pool file of a demo whose cameras are all simulated."""
    from pool.export import export

    return export(Pool.model_validate({"departments": DEPARTMENTS, "cameras": [one.entry(port) for one in SIMULATED]}))


def clip_path(one: SimulatedCamera, cache: Path) -> Path:
    """Where its clip is kept: another one once the scene, or how it is drawn, has changed."""
    digest = hashlib.sha256(
        f"{_renderer_digest()} {one.kind} {one.seed} {one.start} {one.seconds} {SIZE} {FPS}".encode()
    )
    return cache / "simulated" / f"{one.id}-{digest.hexdigest()[:16]}.mp4"


def _renderer_digest() -> str:
    import simulator.street

    folder = Path(simulator.street.__path__[0])
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()


def missing(cameras: Sequence[SimulatedCamera], cache: Path) -> list[SimulatedCamera]:
    """Those whose clip is not in the cache."""
    return [one for one in cameras if not clip_path(one, cache).is_file()]


def render(cameras: Sequence[SimulatedCamera], cache: Path, on_progress: Callable[[int, int], None]) -> None:
    """Renders clips into the cache, a process a core; an interrupted one leaves no clip behind.

    Args:
        cameras: see `missing`.
        cache: see `clip_path`.
        on_progress: told how many pictures are done, and of how many.
    """
    total = sum(round(one.seconds * FPS) for one in cameras)
    context = multiprocessing.get_context("spawn")
    done = context.Value("i", 0)
    with ProcessPoolExecutor(os.cpu_count() or 1, context, initializer=_begin, initargs=(done,)) as workers:
        # The longest first, so that no core is left with one at the end.
        jobs = {workers.submit(_render, one, cache) for one in sorted(cameras, key=lambda one: -one.seconds)}
        while jobs:
            finished, jobs = wait(jobs, timeout=0.2, return_when=FIRST_EXCEPTION)
            for job in finished:
                job.result()
            on_progress(min(done.value, total), total)


_shared: list[Synchronized[int]] = []  # in a process of the pool: the count of pictures done by all of them


def _begin(done: Synchronized[int]) -> None:
    _shared[:] = [done]


def _render(one: SimulatedCamera, cache: Path) -> None:
    import cv2

    from simulator.rtsp.clips import Encoding, encode_pictures

    cv2.setNumThreads(1)
    path, scene = clip_path(one, cache), one.scene
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = Encoding(SIZE, FPS, gop=round(FPS), preset="veryfast", extra=f"crf={_CRF}:threads=1")
    count = round(one.seconds * FPS)

    def told(index: int) -> None:
        if index % _SHARE == _SHARE - 1 or index == count - 1:
            for done in _shared:
                with done.get_lock():
                    done.value += index % _SHARE + 1

    def pictures() -> Any:
        for index in range(count):
            yield scene.picture(one.start + index / FPS).bgr
            told(index)

    encode_pictures(path, pictures(), encoding)
