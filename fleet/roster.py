"""Which cameras a worker watches: they join, leave, move, change, and fail, and none of it disturbs the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from contracts.errors import CityVisionError, DiskFull
from contracts.live import CameraStatus
from contracts.pool import Camera
from contracts.records import Event, Unwatched, UnwatchedReason
from fleet.board import Assignment, Board
from fleet.failed import FailedCamera
from fleet.kept import has_open_events, newer, parse, withdrawn
from fleet.recorder import Recorder
from fleet.watched import WatchedCamera
from pipeline.source.supervisor import SourceSupervisor
from pipeline.spool import Spool
from pipeline.track import FleetTracker

_log = logging.getLogger(__name__)

# What one camera's disk, stream, evidence or kept state can do to it.
_FAULTS = (CityVisionError, OSError, ValueError)
_SHAPE = (ValueError, KeyError, TypeError)


class CameraFactory(Protocol):
    """Makes what a worker needs for a camera; see `cityvision.processes.worker`."""

    def __call__(self, camera: Camera, after: float | None) -> WatchedCamera:
        """Raises CityVisionError, OSError or ValueError when it cannot be set up just now."""
        ...

    def forget(self, camera: str) -> None:
        """The camera has left: what was put aside for it goes."""
        ...


class Withdraw(Protocol):
    """Takes back what waits or is kept for a camera that is watched no longer."""

    def __call__(self, watched: WatchedCamera) -> None: ...


class Roster:
    """Belongs to the compute thread.

    Args:
        worker: this worker's id.
        make_camera: see `CameraFactory`.
        recorder, spool, tracker, sources, board: the worker's.
        withdraw: see `Withdraw`.
        retry_every: s between two tries to set up a camera.
    """

    def __init__(
        self,
        worker: str,
        make_camera: CameraFactory,
        recorder: Recorder,
        spool: Spool,
        tracker: FleetTracker,
        sources: SourceSupervisor,
        board: Board,
        withdraw: Withdraw,
        retry_every: float,
    ) -> None:
        self._worker = worker
        self._make_camera = make_camera
        self._recorder = recorder
        self._spool = spool
        self._tracker = tracker
        self._sources = sources
        self._board = board
        self._withdraw = withdraw
        self._retry_every = retry_every
        self._assigned: Assignment | None = None
        self._watched: dict[str, WatchedCamera] = {}
        self._failed: dict[str, FailedCamera] = {}
        self._moved: set[str] = set()
        self._taken: set[str] = set()
        self._full = False

    def watched(self) -> list[WatchedCamera]:
        """The cameras that are watched now."""
        return list(self._watched.values())

    def statuses(self) -> list[CameraStatus]:
        """Of every camera of this worker, those that cannot be set up too."""
        watched = [camera.status() for camera in self._watched.values()]
        return watched + [camera.status() for camera in self._failed.values()]

    def follow(self) -> None:
        """Takes up what the reporter has put on the board."""
        arriving = self._board.take_arriving()
        assignment = self._board.take_assignment()
        if assignment is not None:
            self._configure(assignment, arriving)
        for camera, state in arriving.items():
            self._adopt(camera, state)
        taken = self._board.take_taken() & self._moved
        if taken:
            self._taken |= taken
            self._settle()

    def each_second(self) -> None:
        """Tries again what failed, and settles what is left of cameras that left."""
        now = time.monotonic()
        for failed in [f for f in self._failed.values() if now >= f.next_try]:
            self._join(failed.camera, failed.dump(), "error")
        self._settle()
        self._full = self._full and not self._spool.accepting()

    @contextmanager
    def apart(self, watched: WatchedCamera) -> Iterator[None]:
        """A fault of one camera stays its own: it goes on from the state that was kept last."""
        try:
            yield
        except _FAULTS as error:
            self._mend(watched, error)

    def _mend(self, watched: WatchedCamera, error: Exception) -> None:
        """Rules and tracker may have advanced in memory without being told: what they said is said again."""
        camera = watched.camera
        watched.counts.failed += 1
        full = isinstance(error, DiskFull)
        news = watched.struggle("shed" if full else "error", str(error))
        if (full and not self._full) or (news and not full):
            _log.error("%s: a look was lost: %s", camera.id, error)
        self._full = self._full or full
        try:
            kept = parse(watched.kept)
            watched.load(kept)
            self._tracker.restore(camera.id, kept["tracker"])
        except (*_FAULTS, *_SHAPE) as worse:
            if self._stop_watching(camera.id):
                self._fail(camera, watched.kept, worse)

    def _configure(self, assignment: Assignment, arriving: dict[str, bytes]) -> None:
        self._assigned = assignment
        wanted = {camera.id for camera in assignment.cameras}
        for watched in [w for c, w in self._watched.items() if c not in wanted]:
            with self.apart(watched):
                self._leave(watched, moved=watched.camera.id in assignment.pool)
            self._stop_watching(watched.camera.id)
            _log.info("%s leaves", watched.camera.id)
        self._failed = {c: failed for c, failed in self._failed.items() if c in wanted}
        self._settle()
        states = self._spool.last_states()
        for camera in assignment.cameras:
            known = self._watched.get(camera.id)
            if known is not None:
                if known.camera != camera:
                    self._change(known, camera)
            elif camera.id not in self._failed or self._failed[camera.id].camera != camera:
                ours, theirs = states.get(camera.id), arriving.pop(camera.id, None)
                state = newer(ours, theirs)
                self._join(camera, state, "moved" if state is not None and state is theirs else "stopped")

    def _leave(self, watched: WatchedCamera, *, moved: bool) -> None:
        """Keeps what another worker will go on from, or ends everything that is open."""
        if moved:
            self._recorder.checkpoint(watched)
        else:
            self._forget(watched.camera.id, watched.withdraw())

    def _join(self, camera: Camera, state: bytes | None, reason: UnwatchedReason) -> None:
        try:
            watched = self._set_up(camera, state)
        except _FAULTS as error:
            # One camera that cannot be set up must not keep the others from being watched.
            self._fail(camera, state, error)
            return
        self._failed.pop(camera.id, None)
        self._settled(camera.id)
        self._watched[camera.id] = watched
        self._sources.add(watched.source)
        with self.apart(watched):
            self._recorder.record(watched, [*watched.close_orphans(), *watched.unseen(time.time(), reason)])
        _log.info("%s joins", camera.id)

    def _set_up(self, camera: Camera, state: bytes | None) -> WatchedCamera:
        if state is None:
            watched = self._make_camera(camera, None)
        else:
            try:
                watched = self._resume(camera, state)
            except _SHAPE as error:
                _log.warning("%s begins anew: its kept state is of another shape (%s)", camera.id, error)
                self._tracker.forget(camera.id)
                watched = self._make_camera(camera, None)
        watched.kept = self._recorder.state(watched)
        return watched

    def _resume(self, camera: Camera, state: bytes) -> WatchedCamera:
        kept = parse(state)
        watched = self._make_camera(camera, kept["last"])
        watched.began_from = state
        watched.load(kept)
        if "tracker" in kept:
            self._tracker.restore(camera.id, kept["tracker"])
        return watched

    def _fail(self, camera: Camera, state: bytes | None, error: Exception) -> None:
        before = self._failed.get(camera.id)
        failed = FailedCamera(
            camera, self._worker, state, str(error), before.since_utc if before is not None else time.time()
        )
        failed.next_try = time.monotonic() + self._retry_every
        if before is None or before.error != failed.error:
            _log.error("%s is not watched: %s", camera.id, failed.error)
        self._failed[camera.id] = failed
        begun = failed.unseen()
        try:
            if begun is not None:
                self._recorder.write(camera.id, [begun], failed.dump())
        except CityVisionError as full:
            _log.error("%s: not recorded: %s", camera.id, full)

    def _change(self, known: WatchedCamera, camera: Camera) -> None:
        if (known.camera.main, known.camera.model) == (camera.main, camera.model):
            with self.apart(known):
                self._reconfigure(known, camera)
            return
        state = self._recorder.state(known)
        self._stop_watching(camera.id)
        self._join(camera, state, "stopped")

    def _reconfigure(self, known: WatchedCamera, camera: Camera) -> None:
        try:
            closed = known.reconfigure(camera)
        except CityVisionError as error:
            _log.error("%s goes on as before: %s", camera.id, error)
        else:
            if not self._recorder.record(known, closed):
                self._recorder.checkpoint(known)
            _log.info("%s: zones or algorithms changed", camera.id)

    def _stop_watching(self, camera: str) -> bool:
        """Whether it was watched."""
        watched = self._watched.pop(camera, None)
        if watched is None:
            return False
        self._sources.remove(camera)
        self._withdraw(watched)
        self._tracker.forget(camera)
        return True

    def _adopt(self, camera: str, state: bytes) -> None:
        """Another worker's state of a camera that has joined already."""
        failed, watched = self._failed.get(camera), self._watched.get(camera)
        if failed is not None:
            self._join(failed.camera, state, "moved")
        elif watched is not None and newer(watched.began_from, state) is state:
            if has_open_events(self._recorder.state(watched)):
                # Both have begun to tell what they see: the other's events end here.
                self._end_theirs(watched, state)
                return
            self._stop_watching(camera)
            self._join(watched.camera, state, "moved")

    def _end_theirs(self, watched: WatchedCamera, state: bytes) -> None:
        try:
            ends = [end for end in withdrawn(parse(state), time.time()) if isinstance(end, Event)]
        except _SHAPE as error:
            _log.warning("%s: what another worker left is of another shape (%s)", watched.camera.id, error)
            return
        with self.apart(watched):
            self._recorder.record(watched, ends)

    def _settle(self) -> None:
        """What is kept of cameras that are not this worker's any more: handed over, or ended."""
        if self._assigned is None:
            return
        wanted = {camera.id for camera in self._assigned.cameras}
        for camera, state in self._spool.last_states().items():
            if camera in wanted:
                continue
            try:
                self._settle_one(camera, state, self._assigned.pool)
            except CityVisionError as error:
                _log.log(
                    logging.DEBUG if self._full else logging.WARNING, "%s has left, not yet told: %s", camera, error
                )
                self._full = True
                return

    def _settle_one(self, camera: str, state: bytes, pool: frozenset[str]) -> None:
        if camera in pool:
            # Kept until somebody has taken it: it may yet turn out that the camera did not move but was removed, as
            # the pool comes a moment after the assignment.
            if camera in self._taken:
                self._forget(camera, [])
            elif camera not in self._moved:
                self._moved.add(camera)
                self._board.post_leaving({camera: state})
            return
        ends: list[Event | Unwatched] = []
        try:
            ends = withdrawn(parse(state), time.time())
        except _SHAPE as error:
            _log.warning("%s: what is open cannot be ended: its kept state is of another shape (%s)", camera, error)
        self._forget(camera, ends)

    def _forget(self, camera: str, ends: list[Event | Unwatched]) -> None:
        self._recorder.write(camera, ends, b"")
        self._make_camera.forget(camera)
        self._settled(camera)

    def _settled(self, camera: str) -> None:
        self._moved.discard(camera)
        self._taken.discard(camera)
