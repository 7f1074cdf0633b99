"""Keeps the pool in step: files → Postgres → the snapshot that workers read, and the cameras placed on workers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from algorithm_repo.rollout import in_force
from algorithm_repo.rollout.in_force import PoolInForce
from cases.book import DEFAULT, Book, read_book
from cityvision.case_fitting import fitted
from cityvision.processes.base import Process, run, worker_name
from contracts.errors import BusUnavailable, ConfigError
from contracts.pool import Pool
from fleet.placement import place
from pool.cache import CameraCache
from pool.faults import Fault, PoolFaults
from pool.load import PoolLoader
from pool.reader import PoolReader
from pool.snapshot import snapshot
from pool.store import import_pool
from pool.watch import PoolWatcher, Signature, watch_pool
from store.bus import Bus
from store.database import make_engine
from store.state import PoolMark, PoolSnapshot

log = logging.getLogger(__name__)

_EVERY_S = 0.25  # how soon an edit in the console or the files goes on
_RETRY_S = 1.0


class FileWatch(threading.Thread):
    """Watches the files; hands over the newest good pool."""

    def __init__(self, loader: PoolLoader, stop: threading.Event) -> None:
        super().__init__(name="pool-files", daemon=True)
        self._loader = loader
        self._stop_event = stop
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self.first_look = threading.Event()  # the files were read once
        self.trouble: str | None = None  # why they gave no pool, until they do

    def run(self) -> None:
        files = PoolWatcher(self._loader, _report)
        while not self._stop_event.is_set():
            seen = files.signature()  # before they are read: an edit meanwhile must not pass for what was read
            try:
                for change in watch_pool(self._loader, _report, self._stop_event):
                    self.trouble = None
                    self.offer(change.pool)
                    self.first_look.set()
            except PoolFaults as refused:
                self._refused(refused)
                self._await_edit(files, seen)
            except OSError as error:  # the disk, the network folder: looked at again, for edits must not be lost
                self.trouble = f"the pool's files: {error.strerror or error}"
                log.error("%s; tried again", self.trouble)
                self.first_look.set()
                self._stop_event.wait(_RETRY_S)

    def offer(self, pool: Pool) -> None:
        """Hands a pool over, unless a newer one waits already to be taken."""
        with self._lock:
            self._pool = pool

    def take(self) -> Pool | None:
        """The newest pool since the last call; None when there is none."""
        with self._lock:
            pool, self._pool = self._pool, None
        return pool

    def _refused(self, refused: PoolFaults) -> None:
        """There was no good pool to begin with."""
        self.trouble = refused.message
        _report(refused.faults)
        self.first_look.set()

    def _await_edit(self, files: PoolWatcher, seen: Signature) -> None:
        while files.signature() == seen and not self._stop_event.wait(_RETRY_S):
            pass


class PoolSync:
    """One step after the other; each may be repeated after an outage and then changes nothing twice.

    Args:
        engine: the database.
        bus: Valkey.
        workers: ids of the workers that run cameras.
        book: of cases; each new pool in which something that it names is missing is told.
    """

    def __init__(self, engine: Engine, bus: Bus, workers: Sequence[str], book: Book | None = None) -> None:
        self._engine = engine
        self._bus = bus
        self._workers = list(workers)
        self._book = book
        self._reader = PoolReader()
        self._in_force = PoolInForce()
        self._published: PoolMark | None = None
        self._pool: Pool | None = None  # that was published, as it is in force
        self._lanes: dict[str, list[str]] = {}
        self._homes: dict[str, list[str]] = {}

    def take_in(self, pool: Pool, author: str) -> None:
        """Imports the files' pool. What was edited on both sides is told and stays as the console left it.

        Raises:
            PoolFaults: the result would not fit together; nothing was changed.
            sqlalchemy.exc.DBAPIError: the database is away.
        """
        with self._engine.begin() as connection:
            result = import_pool(connection, pool, author)
        for conflict in result.conflicts:
            log.error("pool: %s", conflict)
        counts = (len(result.added), len(result.changed), len(result.removed))
        if any(counts):
            log.info("pool revision %d: %d cameras added, %d changed, %d removed", result.revision, *counts)

    def publish(self) -> bool:
        """Brings snapshot and placement up to the current revision, the lanes, and the parameters that versions bring;
        whether there is a revision.

        Raises:
            BusUnavailable, sqlalchemy.exc.DBAPIError: one of them is away.
        """
        mark, lanes = self._bus.pool_mark(), self._bus.lanes()
        with self._engine.connect() as connection:
            found = self._reader.read(connection)
            now = in_force.read(connection, self._in_force.of)
        if found is None:
            return False
        known = mark is not None and mark == self._published and mark.revision == found.revision
        if known and lanes == self._lanes and now is self._in_force.of:
            return True
        self._place([camera.id for camera in found.pool.cameras if camera.enabled], lanes)
        self._lanes = lanes
        pool = self._in_force.pool(found.pool, now, lanes)
        if known and pool is self._pool:
            return True
        data, digest = snapshot(pool)
        self._bus.set_pool(PoolSnapshot(found.revision, digest, data))
        if self._published is None or self._published.revision != found.revision:
            for one in fitted(self._book, found.pool) if self._book else ():
                log.error("rule book of cases: %s", one)
        self._published, self._pool = PoolMark(found.revision, digest), pool
        return True

    def _place(self, cameras: Sequence[str], lanes: Mapping[str, Sequence[str]]) -> None:
        """Written before the snapshot, so that a worker that reads the new pool finds its cameras.

        A lane has its cameras whole; a camera that two lanes name is the first one's. They keep their places among the
        others, so that no other camera moves because of a lane.
        """
        left = set(cameras)
        for worker, wanted in lanes.items():
            own = [camera for camera in wanted if camera in left]
            left -= set(own)
            self._bus.set_assignment(worker, json.dumps(own))
        present = {worker: self._assigned(worker) for worker in self._workers}
        homes = {worker: [*some, *self._homes.get(worker, ())] for worker, some in present.items()}
        self._homes = place(cameras, self._workers, homes)
        for worker, home in self._homes.items():
            some = [camera for camera in home if camera in left]
            if some != present[worker] or self._bus.assignment(worker) is None:
                self._bus.set_assignment(worker, json.dumps(some))
        for worker in self._bus.workers() - set(self._workers) - lanes.keys():
            self._bus.set_assignment(worker, "[]")

    def _assigned(self, worker: str) -> list[str]:
        text = self._bus.assignment(worker)
        return [] if text is None else [str(camera) for camera in json.loads(text)]


def body(process: Process) -> None:
    """Runs until asked to stop; outages of Postgres and Valkey are waited out.

    Raises:
        ConfigError: there is no pool at all: none in the database, and the files give none.
    """
    settings = process.settings
    engine = make_engine(settings.database, pool_size=1)
    bus = Bus(settings.redis)
    loader = PoolLoader(settings.streams, CameraCache(settings.data / "cache"))
    files = FileWatch(loader, process.stop)
    files.start()
    try:
        workers = [worker_name(i + 1) for i in range(settings.worker_count)]
        sync = PoolSync(engine, bus, workers, read_book(settings.case_book or DEFAULT))
        _loop(process, sync, files, str(settings.streams.name))
    finally:
        process.stop.set()
        files.join(2)
        bus.close()
        engine.dispose()


def _loop(process: Process, sync: PoolSync, files: FileWatch, author: str) -> None:
    while not files.first_look.wait(_EVERY_S):
        if process.stop.is_set():
            return
    is_ready = waits = False
    pool: Pool | None = None
    while not process.stop.is_set():
        pool = files.take() or pool
        try:
            if pool is not None:
                _take_in(sync, pool, author)
                pool = None
            published = sync.publish()
        except (BusUnavailable, DBAPIError) as error:
            if not waits:
                log.warning("pool waits: %s", str(error).splitlines()[0])
            waits = True
            process.stop.wait(_RETRY_S)
            continue
        waits = False
        if not published and files.trouble is not None:
            raise ConfigError(files.trouble, "`cityvision check` tells all faults of a pool file")
        if published and not is_ready:
            process.ready()
            is_ready = True
        process.stop.wait(_EVERY_S)


def _take_in(sync: PoolSync, pool: Pool, author: str) -> None:
    try:
        sync.take_in(pool, author)
    except PoolFaults as refused:  # good by itself, but not together with what was edited in the console
        _report(refused.faults)


def _report(faults: Sequence[Fault]) -> None:
    for fault in faults:
        log.error("pool refused, the last good one stays: %s", fault)


if __name__ == "__main__":
    run("pool-sync", body)
