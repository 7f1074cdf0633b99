"""The worker's thread that talks to Valkey: live pictures and states out, assignments and watchers in.

Everything here is live state. While Valkey is away the cameras are watched all the same; records wait in the spool.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path
from typing import NamedTuple

from contracts.errors import BusUnavailable
from contracts.snapshot import SnapshotReader
from fleet.board import Assignment, Board
from pipeline.spoollog import replace_file
from store.bus import Bus
from store.state import PoolMark

_log = logging.getLogger(__name__)

_HOUSEKEEPING_S = 0.5
# What nobody could read is tried again this much later: reading 12,000 cameras takes a while.
_REFUSED_S = 10.0
# Who watches live says so again within this time, so after it nobody is known to watch.
_WATCH_TTL_S = 5.0
# The worker that a camera leaves may notice later than the one that it joins.
_HANDOVER_S = 10.0


class _Told(NamedTuple):
    """What the bus says: revision and digest of the pool, the JSON list of this worker's cameras, the pool itself."""

    revision: int
    digest: str
    assigned: str
    snapshot: str


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
        self._known: tuple[PoolMark, str] | None = None
        self._unsaved: _Told | None = None
        self._refused: tuple[object, float] = (None, 0.0)
        self._watched_at = 0.0
        self._cameras: tuple[str, ...] = ()
        self._gone: set[str] = set()
        self._expected: dict[str, float] = {}
        self._left: set[str] = set()
        self._down = False
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Gives out the remembered assignment, if there is one that can be read, and begins."""
        try:
            self._assign(_told(self._memory))
        except FileNotFoundError:
            _log.info("no assignment is remembered: cameras come from the bus")
        except (ValueError, KeyError, TypeError, OSError) as error:
            _log.warning("the remembered assignment is not used: %s", error)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and takes the cameras' states off the bus."""
        self._stop.set()
        self._board.something.set()
        self._thread.join(2)
        try:
            self._hand_over()
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
                self._hand_over()
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
                if time.monotonic() - self._watched_at > _WATCH_TTL_S:
                    self._board.watched = frozenset()
                self._stop.wait(_HOUSEKEEPING_S)
            self._board.something.wait(max(0.0, next_housekeeping - time.monotonic()))

    def _housekeeping(self) -> None:
        self._bus.set_status(self._board.take_statuses())
        self._bus.add_traces(self._board.take_traces())
        self._bus.set_proposals(self._board.take_proposals())
        if self._gone:
            self._bus.clear_status(tuple(self._gone))
            self._gone.clear()
        self._board.watched = self._bus.watched(self._cameras)
        mine = frozenset(self._cameras)
        self._board.looks = tuple(one for one in self._bus.looks() if one.camera in mine)
        self._watched_at = time.monotonic()
        wanted = self._bus.pool_mark(), self._bus.assignment(self._worker)
        if self._refused[0] != wanted or self._watched_at >= self._refused[1]:
            try:
                self._follow_pool(*wanted)
            except (ValueError, KeyError, TypeError, OSError) as error:
                self._refused = (wanted, self._watched_at + _REFUSED_S)
                _log.error("the assignment is not followed, or not remembered: %s", error)
        self._expect()
        self._acknowledge()

    def _follow_pool(self, mark: PoolMark | None, assigned: str | None) -> None:
        """Takes the assignment over when it or the pool has changed, and remembers it.

        Raises:
            BusUnavailable: the bus is away.
            ValueError, KeyError, TypeError: what the bus holds is of another version; the last assignment stays.
            OSError: the assignment is followed, but could not be written down.
        """
        if mark is not None and assigned is not None and self._known != (mark, assigned):
            pool = self._bus.pool()
            if pool is not None:
                told = _Told(pool.revision, pool.digest, assigned, pool.snapshot.decode())
                self._assign(told)
                self._unsaved = told
        if self._unsaved is not None:
            replace_file(self._memory, json.dumps(self._unsaved).encode())
            self._unsaved = None

    def _assign(self, told: _Told) -> None:
        wanted = set(json.loads(told.assigned))
        enabled = [camera for camera in self._reader.read(told.snapshot.encode()).cameras if camera.enabled]
        cameras = tuple(camera for camera in enabled if camera.id in wanted)
        before, self._cameras = set(self._cameras), tuple(camera.id for camera in cameras)
        self._gone = (self._gone | before) - set(self._cameras)
        until = time.monotonic() + _HANDOVER_S
        self._expected |= {camera: until for camera in self._cameras if camera not in before}
        self._board.assign(Assignment(told.revision, cameras, frozenset(camera.id for camera in enabled)))
        self._known = (PoolMark(told.revision, told.digest), told.assigned)

    def _hand_over(self) -> None:
        leaving = self._board.take_leaving()
        try:
            self._bus.put_states(leaving)
        except BusUnavailable:
            self._board.post_leaving(leaving)
            raise
        self._left |= leaving.keys()

    def _expect(self) -> None:
        """Looks whether another worker has left the state of a camera that joined a moment ago."""
        now = time.monotonic()
        self._expected = {c: until for c, until in self._expected.items() if now < until and c in self._cameras}
        found = self._bus.take_states(tuple(self._expected))
        for camera in found:
            del self._expected[camera]
        self._board.post_arriving(found)

    def _acknowledge(self) -> None:
        """Looks whether what this worker left has been taken."""
        taken = self._left - self._bus.waiting_states(tuple(self._left))
        self._left -= taken
        self._board.post_taken(taken)


def _told(memory: Path) -> _Told:
    """Raises OSError or ValueError when there is nothing to be read."""
    match json.loads(memory.read_text(encoding="utf-8")):
        case [int(revision), str(digest), str(assigned), str(snapshot)]:
            return _Told(revision, digest, assigned, snapshot)
        case [int(revision), str(assigned), str(snapshot)]:  # of an earlier release
            return _Told(revision, "", assigned, snapshot)
    raise ValueError(f"{memory.name} is of another shape")
