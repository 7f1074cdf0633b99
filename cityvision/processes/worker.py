"""One worker: cameras in, records and evidence out. `--id N` is its number.

`--lane NAME` is a worker that tries out the networks of a candidate; `--space` keeps what it says out of the city's.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from cityvision.networks import begin_with
from cityvision.object_store import object_store
from cityvision.processes.base import Process, run, worker_name
from cityvision.remembered import SHADOW_OBJECTS, remember
from cityvision.settings import Settings
from contracts.errors import ModelMissing
from contracts.pool import Camera
from contracts.records import NetworkUsed
from contracts.rollout import ServedModel
from fleet.board import Board
from fleet.detectors import Detectors
from fleet.reporter import Reporter
from fleet.scenes import SceneFiles
from fleet.switching import ModelSwitch, Port, Switches
from fleet.watched import WatchedCamera
from fleet.worker import Worker, WorkerSettings
from models.detector import Detector, load_detector
from models.served import Reader
from models.zoo import Zoo
from pipeline.chain import CameraChain, ModelIdentity
from pipeline.evidence import ShelfKeeper
from pipeline.publish import Publisher
from pipeline.senses.engine import Sensing
from pipeline.source.decode import DecoderPool
from pipeline.source.remux import RingFootage
from pipeline.source.ring import PacketRing
from pipeline.source.source import CameraSource
from pipeline.source.supervisor import SourceSupervisor
from pipeline.spool import Spool
from pipeline.spool_evidence import EvidenceSpool
from pipeline.track import FleetTracker
from store.beneath import ObjectsBeneath
from store.bus import Bus
from store.keys import CITY
from store.objects import ObjectStore
from store.secrets import Secrets

log = logging.getLogger(__name__)
_TRITON_BATCH, _TRITON_LINGER_S = 16, 0.01


class CameraMaker:
    """A `CameraFactory`: puts a camera together out of source, ring, chain and evidence shelf."""

    def __init__(
        self,
        worker: str,
        folder: Path,
        detectors: Detectors,
        sources: SourceSupervisor,
        evidence: EvidenceSpool,
        secrets: Secrets,
        scenes: SceneFiles,
        *,
        gate: bool,
    ) -> None:
        self._worker = worker
        self._scenes = scenes
        self._folder = folder
        self._detectors = detectors
        self._sources = sources
        self._evidence = evidence
        self._secrets = secrets
        self._gate = gate

    def __call__(self, camera: Camera, after: float | None) -> WatchedCamera:
        """Raises CityVisionError: a rule cannot work with it, its detector is missing, its credentials are unknown."""
        perception = self._detectors.of(camera)
        model = ModelIdentity(perception.detector.name, perception.detector.sha256)
        ring = PacketRing(spill_folder=self._folder)
        named = camera.main.credentials
        if named is not None:
            self._secrets.resolve(named)
        source = CameraSource(
            camera.id,
            camera.main.url,
            ring,
            self._sources.gate,
            transport=camera.main.transport,
            credentials=None if named is None else lambda: self._secrets.resolve(named),
            after=after,
            worker=self._worker,
        )
        shelf = ShelfKeeper(self._shelf(camera.id), self._evidence, RingFootage(ring))
        return WatchedCamera(
            CameraChain(camera, model, shelf),
            perception,
            source,
            time.time(),
            gate=self._gate,
            memory=self._scenes.load(camera.id),
        )

    def forget(self, camera: str) -> None:
        """Its shelf goes, and what was learnt of its scene."""
        self._scenes.forget(camera)
        shutil.rmtree(self._shelf(camera), ignore_errors=True)

    def _shelf(self, camera: str) -> Path:
        return self._folder / "shelf" / camera


@dataclass(frozen=True, slots=True)
class Follows:
    """What a worker needs to change networks while it runs.

    Attributes:
        load: see `ModelSwitch`.
        running: what it begins with, by role.
    """

    load: Callable[[ServedModel], Reader]
    running: Mapping[str, NetworkUsed]


def _model_switch(worker: str, redis_url: str, port: Port, folder: Path, follows: Follows) -> ModelSwitch:
    return ModelSwitch(worker, Bus(redis_url), port, follows.load, follows.running, lambda one: remember(folder, one))


class WorkerStack:
    """A worker with everything around it, on one folder: a context manager that starts and stops the parts.

    Args:
        settings: see `WorkerSettings`.
        folder: spool, evidence and shelves of this worker.
        detector: of cameras that name none; closed by whoever made it.
        sensing: what else can be sensed.
        redis_url: where records and live state go.
        objects: where evidence goes.
        secrets: the cameras' credentials.
        gate: let the gate skip looks.
        hardware: see `DecoderPool`.
        load: loads the detectors that single cameras name; None: from the cache, into this process.
        space: of the bus (see `store.keys`).
        follows: what it needs to follow a change of networks; None: it stays with those it began with.

    Attributes:
        worker: to be run (or ticked) by the caller, in one thread.
        board: how assignments reach it.
        folder: see there.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        folder: Path,
        detector: Detector,
        sensing: Sensing,
        redis_url: str,
        objects: ObjectStore,
        *,
        secrets: Secrets,
        gate: bool,
        hardware: str | None = None,
        load: Callable[[str], Detector] | None = None,
        space: str = CITY,
        follows: Follows | None = None,
    ) -> None:
        self.folder = folder
        self.board = Board()
        self.spool = Spool(folder / "records", settings.worker)
        self._evidence = EvidenceSpool(folder / "evidence", objects)
        self.publisher = Publisher(self.spool, Bus(redis_url, space=space))
        reporting = Bus(redis_url, space=space)
        self._reporter = Reporter(settings.worker, reporting, self.board, folder / "assignment.json")
        self._sources, tracker = SourceSupervisor(), FleetTracker()
        self._detectors = Detectors(detector, load or loader(Zoo()), tracker, sensing, settings.max_batch)
        port = Port()
        self._model_switch = (
            None if follows is None else _model_switch(settings.worker, redis_url, port, folder, follows)
        )
        scenes = SceneFiles(folder / "scenes")
        maker = CameraMaker(
            settings.worker, folder, self._detectors, self._sources, self._evidence, secrets, scenes, gate=gate
        )
        self.worker = Worker(
            settings,
            tracker,
            DecoderPool(hardware),
            self.spool,
            self._sources,
            maker,
            self.board,
            scenes,
            self._dead_part,
            Switches(port, self._detectors, sensing),
        )

    def _dead_part(self) -> str | None:
        """Without these a worker would go on as if nothing were amiss, unseen or unheard."""
        alive = {
            "reporter": self._reporter.alive,
            "publisher": self.publisher.alive,
            "sources' watch": self._sources.alive,
        }
        if self._model_switch is not None:
            alive["networks' switch"] = self._model_switch.alive
        return next((name for name, runs in alive.items() if not runs), None)

    def __enter__(self) -> Self:
        self.publisher.start()
        self._reporter.start()
        if self._model_switch is not None:
            self._model_switch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._model_switch is not None:
            self._model_switch.stop()
        self._reporter.stop()
        self.publisher.stop()
        self._evidence.close()
        self.spool.close()
        self._detectors.close()


def loader(zoo: Zoo, triton_url: str | None = None) -> Callable[[str], Detector]:
    """Loads detectors by name from what is on this machine: a worker must not wait for a download."""

    def load(name: str) -> Detector:
        if not zoo.at_hand(name):
            raise ModelMissing(
                f"the detector {name} is not on this machine", f"fetch it with `cityvision models fetch {name}`"
            )
        return load_detector(name, zoo, triton_url=triton_url)

    return load


def body(process: Process, lane: str | None = None, space: str = CITY) -> None:
    """Watches its cameras until asked to stop.

    Args:
        lane: the candidate's lane that it is; it then runs the networks that lie in its folder or not at all.
        space: see `store.keys`.

    Raises:
        CityVisionError: a network cannot be had or loaded.
    """
    settings, name = process.settings, process.name
    if lane is not None:
        # What a candidate ends is its own process, never the server that production's looks go to.
        settings = settings.model_copy(update={"triton_url": None, "triton_repository": None})
    cv2.setNumThreads(1)  # a process a core: OpenCV's own threads would only take turns with the other workers
    zoo, objects = Zoo(mirror=settings.mirror), object_store(settings)
    networks = begin_with(settings, zoo, objects, settings.data / "spool" / name, strict=lane is not None)
    log.info("the detector is %s", networks.detector.name)
    if settings.triton_url is not None:
        worker_settings = WorkerSettings(name, max_batch=_TRITON_BATCH, linger=_TRITON_LINGER_S)
    else:
        worker_settings = WorkerSettings(name)
    stack = WorkerStack(
        worker_settings,
        settings.data / "spool" / name,
        networks.detector,
        networks.sensing,
        settings.redis,
        objects if space == CITY else ObjectsBeneath(objects, f"{SHADOW_OBJECTS}/{name}"),
        secrets=Secrets(settings.secrets),
        gate=settings.gate,
        hardware=settings.hardware_decoding,
        load=loader(zoo, settings.triton_url),
        space=space,
        follows=Follows(networks.load, networks.running) if lane is None and _can_switch(settings) else None,
    )
    try:
        with stack:
            threading.Thread(target=_stop_with, args=(process, stack.worker), name="stop", daemon=True).start()
            process.ready()
            stack.worker.run()
    finally:
        networks.detector.close()


def _can_switch(settings: Settings) -> bool:
    """Its networks run in this process, or the roll-out loads others on the Triton that runs them."""
    return settings.triton_url is None or settings.triton_repository is not None


def _stop_with(process: Process, worker: Worker) -> None:
    process.stop.wait()
    worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", type=int)
    which.add_argument("--lane")
    parser.add_argument("--space", default=CITY)
    given = parser.parse_args()
    name = given.lane or worker_name(given.id)
    run(name, lambda process: body(process, given.lane, given.space))


if __name__ == "__main__":
    main()
