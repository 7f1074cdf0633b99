"""One worker: cameras in, records and evidence out. `--id N` is its number."""

from __future__ import annotations

import argparse
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from cityvision.object_store import object_store
from cityvision.processes.base import Process, run, worker_name
from contracts.errors import ModelMissing
from contracts.pool import Camera
from fleet.board import Board
from fleet.detectors import Detectors
from fleet.reporter import Reporter
from fleet.scenes import SceneFiles
from fleet.watched import WatchedCamera
from fleet.worker import Worker, WorkerSettings
from models.detector import Detector, load_detector
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
from store.bus import Bus
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
    ) -> None:
        self.folder = folder
        self.board = Board()
        self.spool = Spool(folder / "records", settings.worker)
        self._evidence = EvidenceSpool(folder / "evidence", objects)
        self.publisher = Publisher(self.spool, Bus(redis_url))
        self._reporter = Reporter(settings.worker, Bus(redis_url), self.board, folder / "assignment.json")
        self._sources, tracker = SourceSupervisor(), FleetTracker()
        self._detectors = Detectors(detector, load or loader(Zoo()), tracker, sensing, settings.max_batch)
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
        )

    def _dead_part(self) -> str | None:
        """Without these a worker would go on as if nothing were amiss, unseen or unheard."""
        alive = {
            "reporter": self._reporter.alive,
            "publisher": self.publisher.alive,
            "sources' watch": self._sources.alive,
        }
        return next((name for name, runs in alive.items() if not runs), None)

    def __enter__(self) -> Self:
        self.publisher.start()
        self._reporter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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


def body(process: Process, number: int) -> None:
    """Watches its cameras until asked to stop."""
    settings, name = process.settings, worker_name(number)
    cv2.setNumThreads(1)  # a process a core: OpenCV's own threads would only take turns with the other workers
    zoo = Zoo(mirror=settings.mirror)
    detector = load_detector(settings.model, zoo, triton_url=settings.triton_url)
    log.info("the detector is %s", detector.name)
    if settings.triton_url is not None:
        worker_settings = WorkerSettings(name, max_batch=_TRITON_BATCH, linger=_TRITON_LINGER_S)
    else:
        worker_settings = WorkerSettings(name)
    stack = WorkerStack(
        worker_settings,
        settings.data / "spool" / name,
        detector,
        Sensing(zoo, settings.triton_url),
        settings.redis,
        object_store(settings),
        secrets=Secrets(settings.secrets),
        gate=settings.gate,
        hardware=settings.hardware_decoding,
        load=loader(zoo, settings.triton_url),
    )
    try:
        with stack:
            threading.Thread(target=_stop_with, args=(process, stack.worker), name="stop", daemon=True).start()
            process.ready()
            stack.worker.run()
    finally:
        detector.close()


def _stop_with(process: Process, worker: Worker) -> None:
    process.stop.wait()
    worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--id", type=int, required=True)
    number = parser.parse_args().id
    run(worker_name(number), lambda process: body(process, number))


if __name__ == "__main__":
    main()
