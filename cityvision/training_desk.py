"""One worker of the queue of trainings: claims a job, runs it in a child process, keeps what it made."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint, LeaseLost, TrainingJob
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.tracking import Follower, Status, Tracking, TrackingFailed, tell
from algorithm_repo.training.trunk import trunk
from cityvision.training_courses import Classifiers, Course, Detectors, Heads, Segmenters, course_of
from contracts.errors import CityVisionError, StoreError
from models.zoo import Zoo
from store.objects import ObjectStore

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """A claimed job: its lease is renewed whenever somebody asks whether to stop."""

    job: TrainingJob
    engine: Engine
    lease_s: float
    stop: Callable[[], bool]
    token: str
    watch: Callable[[CurvePoint], None]
    follower: Follower | None = None
    asked: bool = False
    renewed: float = field(default_factory=time.monotonic)

    def cancelled(self) -> bool:
        if time.monotonic() - self.renewed > self.lease_s / 3:
            with self.engine.begin() as connection:
                self.asked = service.renew(connection, self.job.id, self.token, self.lease_s)
            self.renewed = time.monotonic()
        return self.asked or self.stop()

    def unfollowed(self) -> None:
        """Nobody tells MLflow of it any more."""
        if self.follower is not None:
            self.follower.leave()
            self.follower = None

    def told(self, line: Reached) -> None:
        point = CurvePoint(step=line.step, of=line.of, figures=dict(line.figures))
        with self.engine.begin() as connection:
            service.tell(connection, self.job.id, self.token, point)
        self.watch(point)


class TrainingDesk:
    """See the module.

    Args:
        engine: of the database.
        objects: where the pictures are, and what is made goes.
        folder: a folder a job; one that was begun here is gone on with here.
        python: of the environment with torch.
        zoo: has the trunk of decoders.
        tracking: MLflow; None: nobody is told.
        lease_s: after which another worker takes over from one that was killed, s.
        track_every_s: between two tellings of MLflow while a job runs, s.
    """

    def __init__(
        self,
        engine: Engine,
        objects: ObjectStore,
        folder: Path,
        python: Path,
        zoo: Zoo,
        tracking: Tracking | None,
        lease_s: float = 30,
        track_every_s: float = 30,
    ) -> None:
        self._engine, self._objects, self._folder = engine, objects, folder
        self._python, self._tracking = python, tracking
        self._courses: Mapping[str, Course] = {
            "detect": Detectors(),
            "classify": Classifiers(),
            "segment": Segmenters(),
            "decode": Heads(lambda: trunk(folder, zoo)),
        }
        self._lease_s, self._track_every_s = lease_s, track_every_s

    def work(
        self, stop: Callable[[], bool] = lambda: False, watch: Callable[[CurvePoint], None] = lambda _: None
    ) -> int | None:
        """Runs the oldest job there is, to its end.

        Args:
            stop: asked now and then; a job that is left goes on with whoever claims it once the lease has run out.
            watch: given each new point of its curve.

        Returns:
            Its number; None where none waits.

        Raises:
            StoreError: the object store or the database is away; the job waits for another attempt.
        """
        token = uuid4().hex
        with self._engine.begin() as connection:
            job = service.claim(connection, token, self._lease_s)
        if job is None:
            return None
        held = _Held(job, self._engine, self._lease_s, stop, token, watch)
        try:
            self._run(held)
        except LeaseLost as error:
            log.warning("%s", error)
        except StoreError:
            raise
        except (CityVisionError, ValueError) as error:
            if held.asked:
                self._end(held, "cancelled")
            elif stop():
                self._tell(held, "KILLED")
            else:
                self._end(held, "failed", str(error))
        finally:
            held.unfollowed()
        return job.id

    def _run(self, held: _Held) -> None:
        job, folder = held.job, self._folder / str(held.job.id)
        with self._engine.connect() as connection:
            manifest = archive.load(connection, self._objects, job.dataset)

        def read(content: str) -> bytes:
            held.cancelled()  # reading many pictures takes longer than a lease
            return media.read(self._objects, content)

        course = course_of(self._courses, manifest.task, job.settings)
        course.lay(folder, manifest, read, job.settings)
        if self._tracking is not None:
            held.follower = Follower(folder, self._tracking, self._python, self._track_every_s)
        course.train(folder, self._python, held.told, held.cancelled)
        course.judge(folder, manifest, read)
        result = {
            path.name: media.keep(self._objects, path.read_bytes(), path.suffix, "application/octet-stream", "training")
            for path in (folder / name for name in course.kept)
            if path.is_file()
        }
        self._end(held, "done", result=result)

    def _end(self, held: _Held, state: service.State, told: str = "", result: dict[str, str] | None = None) -> None:
        with self._engine.begin() as connection:
            service.end(connection, held.job.id, held.token, state, told, result)
        statuses: dict[service.State, Status] = {"done": "FINISHED", "cancelled": "KILLED"}
        self._tell(held, statuses.get(state, "FAILED"))

    def _tell(self, held: _Held, status: Status) -> None:
        """The last word, once nobody else tells. The job's end is in the database by now, so it may take long."""
        held.unfollowed()
        folder = self._folder / str(held.job.id)
        if self._tracking is None or not (folder / "of.json").is_file():
            return
        try:
            tell(folder, self._tracking, status, self._python)
        except TrackingFailed as error:
            log.warning("%s", error)
