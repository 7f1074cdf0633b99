"""Projects that collect from the cameras of the small city, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine

from algorithm_repo.collection import service
from algorithm_repo.collection.decide import Stream, day_of, moments
from algorithm_repo.collection.types import CollectionPolicy, Reason
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.types import NewProject
from contracts.live import CameraState, CameraStatus, LiveBox, LiveHeader, encode_live
from store.bus import Bus
from tests.contract.labelling_scene import picture

CAR = LiveBox(track=3, object_class="car", score=0.4, box=(0.1, 0.2, 0.4, 0.6))
RANDOM = CollectionPolicy(pictures=4, shares={Reason.RANDOM: 1}, cameras=("north-gate",), days=10)


def collecting(engine: Engine, policy: CollectionPolicy, classes: Sequence[str] = ("car", "litter")) -> int:
    """A project with that policy, chosen among all cameras; its number."""
    new = NewProject(name="from streams", classes=tuple(classes), kinds=("box", "tag"))
    with engine.begin() as connection:
        made = projects.create(connection, new, "lin")
        service.set_policy(connection, made.id, policy, "lin", time.time())
    return made.id


def moment_of(policy: CollectionPolicy, project: int, camera: str, number: int = 0) -> float:
    """One of yesterday's moments, s since 1970 UTC."""
    day = day_of(policy, time.time()) - timedelta(days=1)
    return moments(policy, Stream(project, camera), day)[number].utc


def runs(bus: Bus, camera: str, state: CameraState = CameraState.RUNNING) -> None:
    """A worker says that the camera is in that state."""
    now = time.time()
    status = CameraStatus(
        camera=camera, worker="worker-1", state=state, since_utc=now, model="yolox_nano", updated_utc=now
    )
    bus.set_status([status])


@contextmanager
def showing(bus_url: str, camera: str, utc: float, boxes: Sequence[LiveBox] = (), look: int = 1) -> Iterator[bytes]:
    """While the block runs, the camera's worker publishes that picture whenever somebody watches."""
    jpeg, stop = picture(look), threading.Event()
    header = LiveHeader(camera=camera, utc=utc, width=640, height=360, boxes=tuple(boxes))

    def work() -> None:
        bus = Bus(bus_url)
        while not stop.wait(0.05):
            if bus.watched([camera]):
                bus.publish_live(camera, encode_live(header, jpeg))
        bus.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield jpeg
    finally:
        stop.set()
        thread.join()
