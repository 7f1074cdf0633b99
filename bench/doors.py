"""Pages of the API over a whole city: 12,000 cameras of 44 departments in 6,975 grids, every one with a state.

CPU milliseconds of the process that answers, best of `_TIMES` (other work on the machine is none of ours), from the
question to the finished JSON: `page`, one of 240 pages of cameras; `search` by name; `worst`, sorted by state; `own`,
what one department sees; `tallies`, how many are in which state; `map_places`, the whole map (asked for once a
revision of the pool) and `map_states` (asked for every few seconds); `fresh_states`: every state read from the bus,
which is done once in a few seconds for all viewers together. The limit beside each: `json_*`, writing the very same
answer as JSON, and nothing else.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from api import cameras, city_map
from api.camera_states import CameraStates
from api.dataset_shelf import DatasetShelf
from api.doors import Doors
from api.feed import EventFeed
from api.masked_copies import MaskedCopies
from api.metrics import RequestMetrics
from api.pool_view import PoolCache, PoolView
from api.readings import Readings
from api.relay import LiveRelay
from api.schemas import CameraList
from api.settings import ApiSettings
from api.snapshots import Snapshots
from api.viewing_copies import ViewingCopies
from bench.result import Figures
from bench.services import servers
from cases.book import read_book
from contracts.live import CameraState, CameraStatus
from contracts.pool import Camera, Pool
from governance.access import Viewer
from governance.roles import Role
from governance.signing import Ed25519Signer
from pool.store import import_pool
from store.bus import Bus
from store.database import make_engine
from store.live import AsyncBus
from store.migrate import upgrade
from store.objects import DiskObjects
from store.sealing import Sealer

CAMERAS = 12_000
DEPARTMENTS = 44
ADMIN = Viewer("admin", Role.ADMIN)
DEPARTMENT = Viewer("wang", Role.OPERATOR, "d7")
_GRIDS = 6_975
_TIMES = 3
_STALE_S = 3600.0
_SECRET = "only for the time of a measurement"


def run() -> tuple[Figures, Figures]:
    """CPU ms of each page, and of writing it as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # the embedded Postgres runs under an account of its own
        with running(folder) as (doors, view):
            return measure_doors(doors, view)


def measure_doors(doors: Doors, view: PoolView) -> tuple[Figures, Figures]:
    """The measurement, on what runs."""
    figures: Figures = {"cameras": float(len(view.pool.cameras))}
    peers: Figures = {}
    with doors.engine.connect() as connection:

        def page(viewer: Viewer = ADMIN, **asked: Any) -> CameraList:
            return cameras.list_cameras(doors, connection, view, viewer, **asked)

        pages: dict[str, Callable[[], BaseModel]] = {
            "page": lambda: page(page=len(view.pool.cameras) // 100),
            "search": lambda: page(q="和平路 117"),
            "worst": lambda: page(sort="worst"),
            "own": lambda: page(DEPARTMENT),
            "tallies": lambda: cameras.camera_tallies(doors, connection, view, ADMIN),
            "map_places": lambda: city_map.map_cameras(doors, connection, view, ADMIN),
            "map_states": lambda: city_map.map_states(doors, connection, view, DEPARTMENT),
        }
        for name, answer in pages.items():
            figures[f"{name}_cpu_ms"] = _cpu_ms(_as_json(answer))
            peers[f"json_{name}_cpu_ms"] = _cpu_ms(answer().model_dump_json)
    figures["fresh_states_cpu_ms"] = _cpu_ms(lambda: CameraStates(doors.bus, _STALE_S).of(view))
    return figures, peers


def _as_json(answer: Callable[[], BaseModel]) -> Callable[[], object]:
    return lambda: answer().model_dump_json()


def _cpu_ms(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(_TIMES):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent) * 1000


@contextmanager
def running(folder: Path, count: int = CAMERAS) -> Iterator[tuple[Doors, PoolView]]:
    """Postgres and Valkey with a city in them, and what the API answers from."""
    with ExitStack() as stack:
        postgres, valkey = stack.enter_context(servers(folder))
        engine = make_engine(postgres.url, pool_size=2)
        stack.callback(engine.dispose)
        upgrade(engine)
        bus = Bus(valkey.url)
        stack.callback(bus.close)
        view = city(count)
        with engine.begin() as connection:
            import_pool(connection, view.pool, "bench")
        _report(bus, view)
        live_bus, objects = AsyncBus(valkey.url), DiskObjects(folder / "objects")
        settings = ApiSettings(database_url=postgres.url, redis_url=valkey.url, status_stale_s=_STALE_S)
        doors = Doors(
            settings,
            engine,
            bus,
            live_bus,
            objects,
            LiveRelay(live_bus, 6.0),
            EventFeed(live_bus),
            RequestMetrics(),
            PoolCache(),
            CameraStates(bus, _STALE_S),
            Readings(),
            ViewingCopies(objects, None),
            MaskedCopies(objects, None),
            Snapshots(MaskedCopies(objects, None)),
            DatasetShelf(objects),
            None,
            None,
            None,
            read_book(),
            Sealer(_SECRET),
            Ed25519Signer(_SECRET),
        )
        yield doors, view


def city(count: int) -> PoolView:
    """`count` cameras in a chessboard of streets; every hundredth will be offline."""
    document = {
        "departments": [{"id": f"d{n}", "name": f"部门 {n}"} for n in range(DEPARTMENTS)],
        "cameras": [
            {
                "id": f"camera-{n:05}",
                "name": f"和平路 {n} 号",
                "department": f"d{n % DEPARTMENTS}",
                "class": 1 + n % 3,
                "main": {"url": f"rtsp://10.{n // 65536}.{n // 256 % 256}.{n % 256}:554/main"},
                "grid": f"G-{n % _GRIDS:04}",
                "position": {"lon": 121.2 + n % 110 * 0.005, "lat": 31.0 + n // 110 * 0.004},
                "zones": [{"id": "road", "kind": "road", "polygon": ((0, 0.5), (1, 0.5), (1, 1), (0, 1))}],
                "algorithms": {"crowding": {"max_people": 30}},
            }
            for n in range(count)
        ],
    }
    return PoolView.of(1, Pool.model_validate(document))


def _report(bus: Bus, view: PoolView) -> None:
    now = time.time()

    def status(n: int, camera: Camera) -> CameraStatus:
        state = CameraState.OFFLINE if n % 100 == 99 else CameraState.RUNNING
        common = {"codec": "h264", "width": 1920, "height": 1080, "fps": 25.0, "kbit_s": 4096.0, "looks": 4000}
        return CameraStatus(camera=camera.id, worker="worker-1", state=state, since_utc=now, updated_utc=now, **common)

    states = [status(n, camera) for n, camera in enumerate(view.pool.cameras)]
    for start in range(0, len(states), 1000):
        bus.set_status(states[start : start + 1000])
