"""The real worker, put together for a measurement: real spool, publisher and reporter, given cameras."""

from __future__ import annotations

import os
from pathlib import Path

from cityvision.processes.worker import WorkerStack
from contracts.pool import Camera
from fleet.board import Assignment
from fleet.worker import WorkerSettings
from models.detector import Detector
from models.zoo import Zoo
from pipeline.senses.engine import Sensing
from store.objects import DiskObjects
from store.secrets import Secrets

WORKER = "bench"


def camera_at(number: int, url: str, dwell: float = 180.0) -> Camera:
    """A camera watched for parking (T = `dwell` s) and crowding in one zone each, looked at every 2 s."""
    return Camera.model_validate(
        {
            "id": f"cam-{number:03d}",
            "name": f"camera {number}",
            "department": "bench",
            "class": 1,
            "mounting": "low",
            "main": {"url": url},
            "zones": [
                {
                    "id": "kerb",
                    "kind": "no_parking",
                    "polygon": [[0.88, 0.38], [1.0, 0.38], [1.0, 0.6], [0.88, 0.6]],
                },
                {
                    "id": "place",
                    "kind": "square",
                    "polygon": [[0.0, 0.2], [1.0, 0.2], [1.0, 1.0], [0.0, 1.0]],
                    "capacity": 4,
                },
            ],
            "algorithms": {
                "illegal_parking": {"dwell": dwell, "look_every": 2},
                "crowding": {"hold": 8, "look_every": 2},
            },
        }
    )


def quiet_camera_at(number: int, url: str) -> Camera:
    """A camera watched for parking in one zone, T = 60 s."""
    camera = camera_at(number, url, dwell=60.0)
    parking = {"illegal_parking": camera.algorithms["illegal_parking"]}
    return camera.model_copy(update={"zones": camera.zones[:1], "algorithms": parking})


def own_worker(folder: Path, cameras: list[Camera], detector: Detector, *, gate: bool) -> WorkerStack:
    """A worker on `folder` that is assigned these cameras. Valkey's address is in `BENCH_REDIS_URL`."""
    stack = WorkerStack(
        WorkerSettings(WORKER),
        folder,
        detector,
        Sensing(Zoo()),
        os.environ["BENCH_REDIS_URL"],
        DiskObjects(folder / "objects"),
        secrets=Secrets(),
        gate=gate,
    )
    stack.board.assign(Assignment(1, tuple(cameras)))
    return stack
