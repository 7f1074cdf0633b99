"""A worker's hold on a job of the queue of trainings: its lease, kept by a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint, LeaseLost, MadeWith, TrainingJob
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.provenance import last_start

log = logging.getLogger(__name__)
_PAUSE_S = 0.5


class Hold:
    """While it is open the lease is renewed, whatever the worker itself waits for.

    Args:
        job: as it was claimed.
        engine: of the database; needs two connections.
        token: of the claim.
        lease_s: see `service.claim`.
        stop: asked now and then whether the worker is to stop.
        watch: given each new point of the curve.
        every_s: between two renewals, s; by default a third of the lease.
    """

    def __init__(
        self,
        job: TrainingJob,
        engine: Engine,
        token: str,
        lease_s: float,
        stop: Callable[[], bool],
        watch: Callable[[CurvePoint], None] = lambda _: None,
        every_s: float | None = None,
    ) -> None:
        self.job, self.token, self.asked = job, token, job.cancel
        self._engine, self._lease_s, self._stop, self._watch = engine, lease_s, stop, watch
        self._every_s = lease_s / 3 if every_s is None else every_s
        self._renewed, self._lost = time.monotonic(), False
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease of training {job.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(self._lease_s)

    def cancelled(self) -> bool:
        """Whether to leave the job: somebody asked for its end (`asked`), or for the worker's.

        Raises:
            LeaseLost: another worker has it, or may have it by now.
        """
        if self._lost or time.monotonic() - self._renewed > self._lease_s:
            raise LeaseLost(f"training {self.job.id}: its lease was not kept", "whoever claims it next goes on")
        return self.asked or self._stop()

    def told(self, line: Reached) -> None:
        """Puts a line of the curve into the database; while that is away, as long as the lease runs.

        Raises:
            LeaseLost: see `cancelled`.
            OperationalError: the database is away and the job is to be left.
        """
        point = CurvePoint(step=line.step, of=line.of, figures=dict(line.figures))
        self._written(lambda connection: service.tell(connection, self.job.id, self.token, point))
        self._watch(point)

    def say_start(self, folder: Path) -> None:
        """Puts what a job's folder tells of its newest start into the database, where it is news; as `told`."""
        start = last_start(folder)
        if start is None or (self.job.made_with is not None and self.job.made_with.starts == start.starts):
            return
        made_with = MadeWith(code=start.code, environment=dict(start.environment), starts=start.starts)
        self._written(lambda connection: service.started(connection, self.job.id, self.token, made_with))
        self.job = self.job.model_copy(update={"made_with": made_with})

    def _written(self, write: Callable[[Connection], None]) -> None:
        while True:
            try:
                with self._engine.begin() as connection:
                    write(connection)
            except OperationalError:
                if self.cancelled():
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _keep(self) -> None:
        while not self._left.wait(self._every_s):
            begun = time.monotonic()
            try:
                with self._engine.begin() as connection:
                    asked = service.renew(connection, self.job.id, self.token, self._lease_s)
            except LeaseLost:
                self._lost = True
                return
            except OperationalError as error:
                log.warning("training %s: lease not renewed: %s", self.job.id, str(error.orig).splitlines()[:1])
            else:
                self.asked, self._renewed = asked, begun
