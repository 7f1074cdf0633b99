"""The worker's thread that talks to Valkey: live pictures and states out, assignments and watchers in.

Everything here is live state. While Valkey is away the cameras are watched all the same; records wait in the spool.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path

from contracts.errors import BusUnavailable
from contracts.snapshot import SnapshotReader
from fleet.board import Assignment, Board
from store.bus import Bus

_log = logging.getLogger(__name__)

_HOUSEKEEPING_S = 0.5


class Reporter:
    """Carries things between a `Board` and the bus.

    Args:
        worker: the worker's id.
        bus: a connection of its own.
        board: shared with the compute thread.
        memory: file that keeps the last assignment, so that a worker that starts while Valkey is away has cameras.
    """

    def __init__(self, worker: str, bus: Bus, board: Board, memory: Path) -> None:
        self._worker = worker
        self._bus = bus
        self._board = board
        self._memory = memory
        self._reader = SnapshotReader()
        self._stop = threading.Event()
        self._known: tuple[int, str] | None = None
        self._cameras: tuple[str, ...] = ()
        self._down = False
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        if self._memory.exists():
            self._assign(*json.loads(self._memory.read_text()))
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and takes the cameras' states off the bus."""
        self._stop.set()
        self._board.something.set()
        self._thread.join(2)
        try:
            self._bus.clear_status(self._cameras)
        except BusUnavailable:
            _log.info("states stay on the bus: it is away")
        self._bus.close()

    def _run(self) -> None:
        next_housekeeping = 0.0
        while not self._stop.is_set():
            try:
                for camera, message in self._board.take_pictures().items():
                    self._bus.publish_live(camera, message)
                if time.monotonic() >= next_housekeeping:
                    next_housekeeping = time.monotonic() + _HOUSEKEEPING_S
                    self._housekeeping()
                if self._down:
                    _log.info("the bus is back")
                    self._down = False
            except BusUnavailable as error:
                if not self._down:
                    _log.warning("live state is not shown: %s", error)
                self._down = True
                self._stop.wait(_HOUSEKEEPING_S)
            self._board.something.wait(max(0.0, next_housekeeping - time.monotonic()))

    def _housekeeping(self) -> None:
        self._bus.set_status(self._board.take_statuses())
        self._board.watched = self._bus.watched(self._cameras)
        revision, assigned = self._bus.pool_revision(), self._bus.assignment(self._worker)
        if revision is None or assigned is None or self._known == (revision, assigned):
            return
        pool = self._bus.pool()
        if pool is None:
            return
        self._assign(pool.revision, assigned, pool.snapshot.decode())
        self._memory.write_text(json.dumps([pool.revision, assigned, pool.snapshot.decode()]))

    def _assign(self, revision: int, assigned: str, snapshot: str) -> None:
        wanted = set(json.loads(assigned))
        cameras = tuple(c for c in self._reader.read(snapshot.encode()).cameras if c.id in wanted and c.enabled)
        gone = set(self._cameras) - {c.id for c in cameras}
        self._cameras = tuple(c.id for c in cameras)
        self._board.assign(Assignment(revision, cameras))
        self._known = (revision, assigned)
        if gone and self._thread.is_alive():
            self._bus.clear_status(tuple(gone))
