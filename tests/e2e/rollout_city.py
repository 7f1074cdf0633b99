"""A running installation with three cameras on one simulated street, and candidates for its detector."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import Connection, Engine, func, select

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import (
    AlgorithmVersion,
    Grounds,
    LedgerLine,
    ModelRef,
    Move,
    NewVersion,
    Office,
    Stage,
)
from algorithm_repo.rollout import lanes
from algorithm_repo.rollout.keeping import keep_network
from algorithm_repo.rollout.tables import shadow_transitions
from cityvision.cli import cli
from cityvision.processes.base import ready_file
from cityvision.shipped import shipped
from cityvision.supervisor_child import ProcessChild
from contracts.live import CameraStatus
from contracts.records import Event
from events.tables import event_transitions
from models.zoo import Zoo
from simulator.rtsp.clips import Encoding, encode_pictures
from simulator.street import scenario
from store.bus import Bus
from store.database import make_engine
from store.objects import DiskObjects
from tests.candidates import candidate
from tests.e2e.test_up import until

ALGORITHM = "illegal_parking"
CAMERAS = ("kerb-1", "kerb-2", "kerb-3")
PATIENCE_S = 240.0  # a machine that does other work besides is slow, and nothing here is about how fast it is
SHA = "0123456789abcdef" * 4
_SECONDS, _FPS, _FROM = 24.0, 5.0, 12.0
_PARKING = {"dwell": 4, "look_every": 1, "leave_after": 3, "ignore_queues": False, "read_plates": False}
_WHOLE = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]


def street_clip(path: Path) -> Path:
    """A stretch of a simulated street with a car at the kerb."""
    scene = scenario(5, "parking_kerb", size=(640, 360), slices=("day",))
    pictures = (scene.picture(_FROM + index / _FPS).bgr for index in range(round(_SECONDS * _FPS)))
    encode_pictures(path, pictures, Encoding((640, 360), _FPS, gop=round(_FPS), preset="veryfast", extra="crf=26"))
    return path


def pool_text(url: Callable[[str], str]) -> str:
    """The cameras, each with the whole picture for a zone."""
    cameras = [
        {
            "id": name,
            "name": name,
            "department": "city",
            "mounting": "high",
            "main": {"url": url(name)},
            "zones": [{"id": "whole", "name": "whole", "kind": "no_parking", "polygon": _WHOLE}],
            "algorithms": {ALGORITHM: _PARKING},
        }
        for name in CAMERAS
    ]
    return json.dumps({"version": 1, "departments": [{"id": "city", "name": "City"}], "cameras": cameras})


class City:
    """See the module. Everything but the web page runs, each in its real process.

    Args:
        folder: for data and logs; holds `streams.yaml`.
        database_url, redis_url: of empty services.
    """

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.data = folder / "data"
        self.redis_url = redis_url
        self.environment = {
            "CITYVISION_DATA": str(self.data),
            "CITYVISION_STREAMS": str(folder / "streams.yaml"),
            "CITYVISION_DATABASE_URL": database_url,
            "CITYVISION_REDIS_URL": redis_url,
            "CITYVISION_MODEL": "street",
            "CITYVISION_WORKERS": "1",
        }
        self.engine: Engine = make_engine(database_url)
        self.bus = Bus(redis_url)
        self._objects = DiskObjects(self.data / "objects")
        self._children: dict[str, ProcessChild] = {}
        with self.engine.begin() as connection:
            ensure_shipped(connection, shipped("street"), "tests")

    def start(self) -> None:
        """Returns when every process is ready."""
        self.begin("consumer", "consumer")
        self.begin("pool-sync", "pool_sync")
        self.begin("worker-1", "worker", "--id", "1")
        self.begin("rollout", "rollout")

    def begin(self, name: str, module: str, *arguments: str) -> None:
        """Starts a process, or starts it again; returns when it is ready."""
        command = [sys.executable, "-m", f"cityvision.processes.{module}", *arguments]
        child = ProcessChild(command, log=self.data / "logs" / f"{name}.out", environment=self.environment)
        child.start()
        self._children[name] = child
        path = ready_file(self.data, name)
        until(lambda: path.is_file() and path.read_text() == str(child.pid), PATIENCE_S)

    def pid(self, name: str) -> int:
        """Of a process that was begun."""
        pid = self._children[name].pid
        assert pid is not None
        return pid

    def close(self) -> None:
        for child in self._children.values():
            child.ask_to_stop()
        for child in self._children.values():
            child.stop()
        self.bus.close()
        self.engine.dispose()

    def algo(self, *arguments: str) -> str:
        """Runs `cityvision algo` as people do; what it says."""
        result = CliRunner().invoke(cli, ["algo", *arguments], env=self.environment)
        assert result.exit_code == 0, f"{arguments}: {result.output} {result.exception!r}"
        return result.output

    def registered(self, kind: str, version: str) -> AlgorithmVersion:
        """A candidate whose network is kept, by somebody else than who promotes."""
        zoo = Zoo()
        like = zoo.artefact("street")
        network = keep_network(self._objects, candidate(kind, zoo), role="detector", name=f"street-{kind}", like=like)
        with self.engine.begin() as connection:
            before = service.standing(connection, ALGORITHM, Stage.PRODUCTION)
            assert before is not None
            return _registered(connection, before, version, network)

    def retire(self, version: AlgorithmVersion) -> None:
        """It will never come back."""
        with self.engine.begin() as connection:
            service.carry_out(connection, version.id, Move.RETIRE, "lin", Office.ENGINEER, Grounds(why="tried"))

    def stage(self, version: AlgorithmVersion) -> Stage:
        with self.engine.begin() as connection:
            return service.get(connection, version.id).stage

    def lines(self, version: AlgorithmVersion) -> list[LedgerLine]:
        with self.engine.begin() as connection:
            return ledger.of_version(connection, version.id)

    def lane(self, version: AlgorithmVersion) -> int | None:
        """Number of the lane that the ledger wants for a version, once it was begun."""
        with self.engine.begin() as connection:
            wanted = [one.number for one in lanes.wanted(connection) if one.version_id == version.id]
            return next((number for number in lanes.unburied(connection) if number in wanted), None)

    def left_over(self) -> list[str]:
        """What is there of any lane."""
        with self.engine.begin() as connection:
            rows = [f"lane-{number}" for number in lanes.unburied(connection)]
        folders = [path.name for path in (self.data / "spool").glob("lane-*")]
        return [*rows, *folders, *(name for name in self.bus.workers() if name.startswith("lane-")), *self.bus.lanes()]

    def status(self, camera: str, space: str = "") -> CameraStatus | None:
        bus = self.bus if not space else Bus(self.redis_url, space=space)
        found = bus.statuses([camera]).get(camera)
        if space:
            bus.close()
        return found

    def runs_on(self, camera: str, worker: str) -> bool:
        """Whether this worker has looked at the camera a moment ago."""
        status = self.status(camera)
        fresh = status is not None and time.time() - status.updated_utc < 4
        return fresh and status is not None and status.worker == worker and status.looks > 0

    def shadow_events(self, number: int) -> int:
        with self.engine.begin() as connection:
            query = select(func.count()).where(shadow_transitions.c.lane == number)
            return int(connection.execute(query).scalar_one())

    def opened_by(self, worker: str) -> list[Event]:
        """Events that a worker has opened for the city."""
        t = event_transitions.c
        with self.engine.begin() as connection:
            query = select(t.body).where(t.worker == worker, t.transition == "opened")
            return [Event.model_validate(body) for body in connection.execute(query).scalars()]

    def detector_of(self, worker: str) -> str | None:
        """SHA-256 of the detector that a worker says it runs."""
        served = self.bus.served().get(worker)
        return None if served is None else next(one.sha256 for one in served.models if one.role == "detector")


def _registered(connection: Connection, before: AlgorithmVersion, version: str, network: ModelRef) -> AlgorithmVersion:
    kept = {name: getattr(before, name) for name in ("rule_version", "parameters", "needs", "licence")}
    new = NewVersion(algorithm=ALGORITHM, version=version, models=(network,), **kept)
    found = service.enter(connection, new, "lin")
    for move, office, grounds in (
        (Move.TRAIN, Office.SYSTEM, Grounds(run="r-1")),
        (Move.EVALUATE, Office.SYSTEM, Grounds(evaluation=SHA, passed=True)),
        (Move.REGISTER, Office.ENGINEER, Grounds(card=SHA)),
    ):
        found = service.carry_out(connection, found.id, move, "lin", office, grounds)
    return found
