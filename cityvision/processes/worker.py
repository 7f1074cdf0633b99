"""One worker: cameras in, records and evidence out. `--id N` is its number."""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

from cityvision.processes.base import Process, run, worker_name
from contracts.pool import Camera
from fleet.board import Board
from fleet.reporter import Reporter
from fleet.watched import WatchedCamera
from fleet.worker import Worker, WorkerSettings
from models.detector import Detector, load_detector
from models.zoo import Zoo
from pipeline.chain import CameraChain, ModelIdentity
from pipeline.evidence import ShelfKeeper
from pipeline.perceive import Perception
from pipeline.publish import Publisher
from pipeline.source.decode import DecoderPool
from pipeline.source.demux import Credentials
from pipeline.source.remux import RingFootage
from pipeline.source.ring import PacketRing
from pipeline.source.source import CameraSource
from pipeline.source.supervisor import SourceSupervisor
from pipeline.spool import Spool
from pipeline.spool_evidence import EvidenceSpool
from pipeline.track import FleetTracker
from store.bus import Bus
from store.objects import open_objects
from store.secrets import Secrets

MODEL = "yolox_nano"
_TRITON_BATCH, _TRITON_LINGER_S = 16, 0.01


class CameraMaker:
    """Puts a camera together: source, ring, chain and evidence shelf."""

    def __init__(
        self,
        worker: str,
        folder: Path,
        detector: Detector,
        sources: SourceSupervisor,
        evidence: EvidenceSpool,
        secrets: Secrets,
        *,
        gate: bool,
    ) -> None:
        self._worker = worker
        self._folder = folder
        self._model = ModelIdentity(detector.name, detector.sha256)
        self._sources = sources
        self._evidence = evidence
        self._secrets = secrets
        self._gate = gate

    def __call__(self, camera: Camera, after: float | None) -> WatchedCamera:
        ring = PacketRing(spill_folder=self._folder)
        named = camera.main.credentials
        known = self._secrets.resolve(named) if named else None
        credentials = Credentials(known.user, known.password) if known else None
        source = CameraSource(
            camera.id,
            camera.main.url,
            ring,
            self._sources.gate,
            transport=camera.main.transport,
            credentials=credentials,
            after=after,
            worker=self._worker,
        )
        shelf = ShelfKeeper(self._folder / "shelf" / camera.id, self._evidence, RingFootage(ring))
        return WatchedCamera(CameraChain(camera, self._model, shelf), source, time.time(), gate=self._gate)


def body(process: Process, number: int) -> None:
    """Watches its cameras until asked to stop."""
    settings, name = process.settings, worker_name(number)
    folder = settings.data / "spool" / name
    triton = settings.triton_url is not None
    detector = load_detector(MODEL, Zoo(mirror=settings.mirror), triton_url=settings.triton_url)
    spool = Spool(folder / "records", name)
    objects = open_objects(settings.objects_dir, settings.s3_url.get_secret_value() if settings.s3_url else None)
    evidence = EvidenceSpool(folder / "evidence", objects)
    publisher = Publisher(spool, Bus(settings.redis))
    board = Board()
    reporter = Reporter(name, Bus(settings.redis), board, folder / "assignment.json")
    sources, tracker = SourceSupervisor(), FleetTracker()
    worker_settings = WorkerSettings(
        name, max_batch=_TRITON_BATCH if triton else 8, linger=_TRITON_LINGER_S if triton else 0.0
    )
    maker = CameraMaker(name, folder, detector, sources, evidence, Secrets(settings.secrets), gate=settings.gate)
    worker = Worker(
        worker_settings,
        Perception(detector, tracker, worker_settings.max_batch),
        tracker,
        DecoderPool(settings.hardware_decoding),
        spool,
        sources,
        maker,
        board,
    )
    threading.Thread(target=_stop_with, args=(process, worker), name="stop", daemon=True).start()
    publisher.start()
    reporter.start()
    process.ready()
    try:
        worker.run()
    finally:
        reporter.stop()
        publisher.stop()
        evidence.close()
        spool.close()
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
