"""Shared by the fleet's tests: real workers on real RTSP streams, behind a detector that sees one parked car."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cityvision.processes.worker import WorkerStack
from contracts.live import CameraStatus
from contracts.pool import Camera
from contracts.records import Body, Event, EventRecord, LookRecord, LookResult, Record, Unwatched
from fleet.worker import WorkerSettings
from models.detector import Detector, build_detector
from models.fake_runner import FakeRunner
from models.runner import Tensors, TensorSpec
from models.zoo import Artefact, ArtefactKind, DetectorSpec, Zoo, ZooFile
from pipeline.senses.engine import Sensing
from store.objects import DiskObjects
from store.secrets import Secrets

NO_BUS = "redis://127.0.0.1:1/0"
DWELL_S = 2.0
_F32 = np.dtype(np.float32)
# A cell of stride 32, column 6, row 3 of a 416x416 input, after the 52*52 + 26*26 cells of strides 8 and 16.
_CELL = 52 * 52 + 26 * 26 + 3 * 13 + 6
# Around the car of that cell in a picture of 16:9.
_ZONE = [[0.36, 0.26], [0.64, 0.26], [0.64, 0.7], [0.36, 0.7]]


def car_detector(name: str = "usual") -> Detector:
    """A YOLOX whose model sees one car, at the same place of every picture."""

    def one_car(inputs: Tensors) -> dict[str, Any]:
        raw = np.zeros((len(inputs["images"]), 3549, 85), np.float32)
        raw[:, _CELL, :5] = (0.5, 0.5, np.log(2), np.log(2), 0.95)
        raw[:, _CELL, 5 + 2] = 0.95
        return {"output": raw}

    image, output = TensorSpec("images", (-1, 3, 416, 416), _F32), TensorSpec("output", (-1, 3549, 85), _F32)
    file = ZooFile(path="models/net.onnx", sha256="0" * 64)
    spec = DetectorSpec(family="yolox", labels="coco")
    artefact = Artefact(kind=ArtefactKind.MODEL, source="", licence="", files=(file,), detector=spec)
    return build_detector(artefact, FakeRunner((image,), (output,), one_car, name=f"{name}-00000000"))


def camera(name: str, url: str, *, credentials: str | None = None, dwell: float = DWELL_S) -> Camera:
    """A camera whose one zone holds the car that `car_detector` sees, looked at four times a second."""
    return Camera.model_validate(
        {
            "id": name,
            "name": name,
            "department": "city",
            "mounting": "low",
            "main": {"url": url, "credentials": credentials},
            "zones": [{"id": "kerb", "kind": "no_parking", "polygon": _ZONE}],
            "algorithms": {"illegal_parking": {"dwell": dwell, "look_every": 0.25, "ignore_queues": False}},
        }
    )


@dataclass
class Running:
    """A worker that the test drives."""

    stack: WorkerStack

    def status(self, name: str) -> CameraStatus | None:
        return next((status for status in self.stack.worker.statuses() if status.camera == name), None)

    def looks(self, name: str) -> int:
        """That succeeded; 0 while there is no such camera."""
        status = self.status(name)
        return 0 if status is None else status.looks

    def told(self) -> list[Event | Unwatched | LookResult]:
        """Everything in the spool, in order."""
        spool = self.stack.spool
        entries: list[bytes] = []
        while more := spool.read(spool.first + len(entries)):
            entries += [entry.raw for entry in more]
        bodies = [Record.model_validate_json(entry).body for entry in entries]
        return [_inside(body) for body in bodies]

    def events(self) -> list[Event]:
        return [item for item in self.told() if isinstance(item, Event)]

    def unwatched(self) -> list[Unwatched]:
        return [item for item in self.told() if isinstance(item, Unwatched)]

    def answers(self) -> list[LookResult]:
        return [item for item in self.told() if isinstance(item, LookResult)]


def _inside(body: Body) -> Event | Unwatched | LookResult:
    if isinstance(body, EventRecord):
        return body.event
    return body.look if isinstance(body, LookRecord) else body.unwatched


def make_stack(
    folder: Path,
    *,
    name: str = "w1",
    redis_url: str = NO_BUS,
    secrets: Path | None = None,
    retry_every: float = 0.3,
    load: Callable[[str], Detector] | None = None,
) -> WorkerStack:
    """A worker on `folder`; it has no cameras yet."""
    return WorkerStack(
        WorkerSettings(name, retry_every=retry_every, checkpoint_every=0.5),
        folder / name,
        car_detector(),
        Sensing(Zoo()),
        redis_url,
        DiskObjects(folder / "objects"),
        secrets=Secrets(secrets),
        gate=False,
        load=load,
    )


def drive(workers: Sequence[Running], until: Callable[[], Any], what: str, within: float = 8.0) -> None:
    """Lets the workers work, turn by turn, until the condition holds; fails with `what` when it does not in time."""
    end = time.monotonic() + within
    while not until():
        assert time.monotonic() < end, f"not within {within:g} s: {what}"
        time.sleep(min(worker.stack.worker.tick(time.monotonic()) for worker in workers))
