"""Training a decoder by the queue, and measuring it, as the loop does both three times over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection

from algorithm_repo.archive import media
from algorithm_repo.datasets.types import Item, Manifest
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint, TrainingJob
from algorithm_repo.judging.masks import Overlap, overlaps
from algorithm_repo.registry.types import ModelRef
from algorithm_repo.rollout.keeping import NetworkShelf
from algorithm_repo.training.asked import settings_by_task
from algorithm_repo.training.folderjob import TrainingFailed
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.headjob import RESULT, Point
from cityvision.loop.city import City
from cityvision.loop.types import ENGINEER, Head, LoopStopped
from cityvision.training_desk import TrainingDesk
from contracts.rollout import ServedModel
from models.segmenter import WaterSegmenter, load_segmenter

_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how heads are trained.

    Attributes:
        folder: of the queue's jobs.
        python: of the environment with torch.
        settings: the same for all.
    """

    folder: Path
    python: Path
    settings: HeadSettings


def trained(city: City, at: Bench, version: Manifest, told: Callable[[Point], None]) -> Head:
    """A head on a version of data that is archived, by the queue; what an earlier run trained is taken as it is.

    Raises:
        TrainingFailed: it ended without a network.
        LoopStopped: somebody asked to stop; it goes on from its checkpoint.
    """
    with city.transaction() as connection:
        job = _job(connection, version, at.settings)
    desk = TrainingDesk(city.engine, city.objects, at.folder, at.python, city.zoo, None)
    while job.state in ("waiting", "running"):
        number = desk.work(city.stopped, lambda point: told(_point(point)))
        if city.stopped():
            raise LoopStopped("the loop was stopped", "start it again to go on from there")
        if number is None:  # a loop that was killed has its lease still
            time.sleep(_PAUSE_S)
        with city.transaction() as connection:
            job = service.get(connection, job.id)
    if job.state != "done":
        raise TrainingFailed(f"training {job.id}: {job.state}: {job.told}", f"see {at.folder / str(job.id)}")
    with city.transaction() as connection:
        curve = tuple(_point(one) for one in service.curve(connection, job.id))
    sha256 = job.result[RESULT]
    data = city.objects.get(media.place("training", sha256, ".onnx"))
    return Head(data, sha256, version.digest, f"training {job.id}", curve)


def _job(connection: Connection, version: Manifest, settings: HeadSettings) -> TrainingJob:
    """The job of an earlier run that was not given up, or a new one."""
    for one in service.listed(connection):
        ended = one.state in ("failed", "cancelled")
        if one.dataset == version.digest and one.settings == asdict(settings) and not ended:
            return one
    return service.submit(connection, version.name, version.digest, settings_by_task(None, settings), ENGINEER)


def _point(one: CurvePoint) -> Point:
    return Point(one.step, one.of, one.figures["loss"])


def measured(city: City, model: ModelRef, items: Sequence[Item]) -> list[Overlap]:
    """A kept network, or one of the zoo, on these photos."""
    segmenter = segmenter_of(city, model)
    try:
        return overlaps(segmenter, items, city.read)
    finally:
        segmenter.close()


def segmenter_of(city: City, model: ModelRef) -> WaterSegmenter:
    """Ready to run. Raises ModelMissing: nobody kept it."""
    served = ServedModel(role=model.role, name=model.name, sha256=model.sha256)
    return load_segmenter(model.name, NetworkShelf(city.zoo, city.objects).zoo_with(served))
