"""One worker of the queue of trainings: claims a job, runs it in a child process, keeps what it made."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint, LeaseLost
from algorithm_repo.training.folderjob import Reached, call
from algorithm_repo.training.tracking import Follower, Status, Tracking, TrackingFailed, tell
from algorithm_repo.training.trunk import trunk
from cityvision.training_courses import Classifiers, Course, Detectors, Heads, Segmenters, course_of
from cityvision.training_hold import Hold
from contracts.errors import CityVisionError, StoreError
from models.zoo import Zoo
from store.objects import ObjectStore

log = logging.getLogger(__name__)
# Of the version of data, in a job's folder: what a training no longer needs once it has ended.
_COPIES = ("data", "samples.npz")


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
        self._follower: Follower | None = None
        self._to_sweep = True

    def work(
        self, stop: Callable[[], bool] = lambda: False, watch: Callable[[CurvePoint], None] = lambda _: None
    ) -> int | None:
        """Runs the oldest job there is, to its end.

        Args:
            stop: asked now and then; a job that is left waits again, for whoever claims it next.
            watch: given each new point of its curve.

        Returns:
            Its number; None where none waits.

        Raises:
            StoreError: the object store is away; the job waits for another attempt.
            OperationalError: so is the database.
        """
        if self._to_sweep:
            self.sweep()
            self._to_sweep = False
        token = uuid4().hex
        with self._engine.begin() as connection:
            job = service.claim(connection, token, self._lease_s)
        if job is None:
            return None
        with Hold(job, self._engine, token, self._lease_s, stop, watch) as hold:
            try:
                self._run(hold)
            except LeaseLost as error:
                log.warning("%s", error)
            finally:
                self._unfollow()
        self._to_sweep = True
        return job.id

    def sweep(self) -> None:
        """Deletes the copies of their data that ended jobs have left: where their worker was killed, nobody did."""
        for folder in self._folder.glob("[0-9]*"):
            if any((folder / name).exists() for name in _COPIES):
                with self._engine.connect() as connection:
                    job = service.find(connection, int(folder.name)) if folder.name.isdecimal() else None
                if job is not None and job.ended_utc is not None:
                    _drop_copies(folder)

    def _run(self, hold: Hold) -> None:
        """Raises LeaseLost, StoreError."""
        folder = self._folder / str(hold.job.id)
        try:
            result = self._made(hold, folder)
        except (LeaseLost, StoreError):
            raise
        except (CityVisionError, ValueError, OSError) as error:
            hold.say_start(folder)
            if hold.asked:
                self._end(hold, "cancelled")
            elif hold.cancelled():
                self._leave(hold)
            else:
                self._end(hold, "failed", str(error))
        else:
            self._end(hold, "done", result=result)

    def _made(self, hold: Hold, folder: Path) -> dict[str, str]:
        """File to SHA-256 of what the job made. Raises what ends it, in words."""
        job = hold.job
        with self._engine.connect() as connection:
            manifest = archive.load(connection, self._objects, job.dataset)

        def read(content: str) -> bytes:
            hold.cancelled()  # whoever lost the job reads no more
            return media.read(self._objects, content)

        def told(line: Reached) -> None:
            hold.say_start(folder)
            hold.told(line)

        course = course_of(self._courses, manifest.task, job.settings)
        course.lay(folder, manifest, read, job.settings)
        call(folder, job.name, job.author)
        if self._tracking is not None:
            self._follower = Follower(folder, self._tracking, self._python, self._track_every_s)
        course.train(folder, self._python, told, hold.cancelled)
        hold.say_start(folder)
        course.judge(folder, manifest, read)
        return {
            path.name: media.keep(self._objects, path.read_bytes(), path.suffix, "application/octet-stream", "training")
            for path in (folder / name for name in course.kept)
            if path.is_file()
        }

    def _leave(self, hold: Hold) -> None:
        """An orderly stop: whoever claims the job next goes on at once."""
        with self._engine.begin() as connection:
            service.give_back(connection, hold.job.id, hold.token)
        self._tell(hold, "KILLED")

    def _end(self, hold: Hold, state: service.State, told: str = "", result: dict[str, str] | None = None) -> None:
        with self._engine.begin() as connection:
            service.end(connection, hold.job.id, hold.token, state, told, result)
        _drop_copies(self._folder / str(hold.job.id))
        statuses: dict[service.State, Status] = {"done": "FINISHED", "cancelled": "KILLED"}
        self._tell(hold, statuses.get(state, "FAILED"))

    def _tell(self, hold: Hold, status: Status) -> None:
        """The last word, once nobody else tells. The job's end is in the database by now, so it may take long."""
        self._unfollow()
        folder = self._folder / str(hold.job.id)
        if self._tracking is None or not (folder / "of.json").is_file():
            return
        try:
            tell(folder, self._tracking, status, self._python)
        except TrackingFailed as error:
            log.warning("%s", error)

    def _unfollow(self) -> None:
        """Nobody tells MLflow of a running job any more."""
        if self._follower is not None:
            self._follower.leave()
            self._follower = None


def _drop_copies(folder: Path) -> None:
    """What the disk refuses stays for the next sweep: the job has ended, whatever lies there."""
    try:
        for path in (folder / name for name in _COPIES):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s", error)
