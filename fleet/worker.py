"""The worker: many cameras, one compute thread, batches across cameras, one tracker.

Per tick: which looks are due, batches by deadline, decode, detect, track, rules, spool. The threads beside it are the
sources' (demux only), the spool's, the publisher's and the reporter's; nothing here talks to the network.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from contracts.errors import CityVisionError, RunnerError
from contracts.pool import Camera
from contracts.records import Event, EventRecord, Unwatched, UnwatchedRecord
from contracts.vision import Frame, Tracks
from fleet.board import Board
from fleet.live import live_picture
from fleet.watched import LIVE_EVERY, LookCounts, WatchedCamera
from pipeline.batch import LookQueue, WaitingLook
from pipeline.perceive import Perception, Picture, decode
from pipeline.plan import LookAt
from pipeline.source.decode import DecoderPool
from pipeline.source.ring import Gop
from pipeline.source.supervisor import SourceSupervisor
from pipeline.spool import Spool
from pipeline.track import FleetTracker

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Attributes:
    worker: this worker's id.
    max_batch: looks inferred together at most.
    linger: s a look may wait for company; 0 where batching gains nothing (CPU).
    poll: s between two rounds over the cameras.
    checkpoint_every: s between two checkpoints of a camera's state.
    max_abandoned: hanging source threads above which the process asks to be recycled.
    """

    worker: str
    max_batch: int = 8
    linger: float = 0.0
    poll: float = 0.03
    checkpoint_every: float = 5.0
    max_abandoned: int = 16


class Due(NamedTuple):
    """A look that waits: what to decode, and for whom."""

    watched: WatchedCamera
    at: LookAt
    gop: Gop


class CameraFactory(Protocol):
    """Makes what a worker needs for a camera; see `cityvision.processes.worker`."""

    def __call__(self, camera: Camera, after: float | None) -> WatchedCamera: ...


class Worker:
    """See the module. All methods belong to the compute thread, except `stop`."""

    def __init__(
        self,
        settings: WorkerSettings,
        perception: Perception,
        tracker: FleetTracker,
        decoders: DecoderPool,
        spool: Spool,
        sources: SourceSupervisor,
        make_camera: CameraFactory,
        board: Board,
    ) -> None:
        self._settings = settings
        self._perception = perception
        self._tracker = tracker
        self._decoders = decoders
        self._spool = spool
        self._sources = sources
        self._make_camera = make_camera
        self._board = board
        self._watched: dict[str, WatchedCamera] = {}
        self._queue: LookQueue[Due] = LookQueue(max_batch=settings.max_batch, linger=settings.linger)
        self._stop = threading.Event()
        self._next_second = 0.0
        self._next_checkpoint = 0.0

    def stop(self) -> None:
        """Makes `run` return; may be called from any thread or signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Works until `stop`, or until too many source threads hang; then keeps every state and closes."""
        while not self._stop.is_set():
            wait = self.tick(time.monotonic())
            if self._sources.abandoned > self._settings.max_abandoned:
                _log.error("too many hanging connections: this worker asks to be started anew")
                break
            if wait > 0:
                self._stop.wait(wait)
        self.close()

    def counts(self) -> list[LookCounts]:
        """What became of the looks, camera by camera."""
        return [watched.counts for watched in self._watched.values()]

    def close(self) -> None:
        """Checkpoints every camera and stops its source."""
        for watched in self._watched.values():
            self._checkpoint(watched)
        self._sources.close()

    def tick(self, now: float) -> float:
        """One round; returns how long to wait before the next, s."""
        assignment = self._board.take_assignment()
        if assignment is not None:
            self.configure(assignment.cameras)
        live = self._board.watched
        accepting = self._spool.accepting()
        for watched in self._watched.values():
            due = watched.due(watched.camera.id in live)
            if due is None:
                continue
            if not accepting:
                watched.counts.shed += 1
            elif self._worth_decoding(watched, due[0], live):
                self._offer(Due(watched, *due), now, live)
        take = self._queue.take(now)
        for shed in take.shed:
            shed.payload.watched.counts.shed += 1
        if take.batch:
            self._look([look.payload for look in take.batch], live)
        if now >= self._next_second:
            self._next_second = now + 1.0
            self._each_second()
        return 0.0 if len(self._queue) else self._settings.poll

    def configure(self, cameras: Sequence[Camera]) -> None:
        """Cameras join, leave or change; the others are not disturbed."""
        wanted = {camera.id: camera for camera in cameras}
        for camera_id in [c for c in self._watched if c not in wanted]:
            self._leave(camera_id)
        states = self._spool.last_states()
        for camera in cameras:
            known = self._watched.get(camera.id)
            if known is None:
                self._join(camera, states.get(camera.id))
            elif known.camera != camera:
                self._change(known, camera)

    def _join(self, camera: Camera, state: bytes | None) -> None:
        kept = json.loads(state) if state else None
        try:
            watched = self._make_camera(camera, kept["last"] if kept else None)
        except CityVisionError as error:
            # One camera that cannot be set up must not keep the others from being watched.
            _log.error("%s is not watched: %s", camera.id, error)
            return
        if kept is not None:
            try:
                watched.load(kept)
                self._tracker.restore(camera.id, kept["tracker"])
            except (ValueError, KeyError, TypeError) as error:
                _log.warning("%s begins anew: its kept state is of another shape (%s)", camera.id, error)
            self._record(watched, [watched.unseen(time.time(), "stopped")])
        self._watched[camera.id] = watched
        self._sources.add(watched.source)
        _log.info("%s joins", camera.id)

    def _leave(self, camera_id: str) -> None:
        watched = self._watched.pop(camera_id)
        self._sources.remove(camera_id)
        self._checkpoint(watched)
        self._decoders.forget(watched.source.ring.uid)
        self._tracker.forget(camera_id)
        self._queue.forget([camera_id])
        _log.info("%s leaves", camera_id)

    def _change(self, known: WatchedCamera, camera: Camera) -> None:
        if known.camera.main == camera.main:
            try:
                known.reconfigure(camera)
            except CityVisionError as error:
                _log.error("%s goes on as before: %s", camera.id, error)
            else:
                _log.info("%s: zones or algorithms changed", camera.id)
            return
        state = known.dump(self._tracker.snapshot(camera.id))
        self._leave(camera.id)
        self._join(camera, state)

    def _offer(self, due: Due, now: float, live: frozenset[str]) -> None:
        camera = due.watched.camera
        every = LIVE_EVERY if camera.id in live else due.watched.chain.look_every or LIVE_EVERY
        look = WaitingLook(camera.id, camera.camera_class, now + every, due)
        if self._queue.offer(look, now) is not None:
            due.watched.counts.superseded += 1

    def _worth_decoding(self, watched: WatchedCamera, at: LookAt, live: frozenset[str]) -> bool:
        if watched.gate is None or watched.camera.id in live:
            return True
        if watched.gate.undecoded(watched.source.ring, at.time, watched.chain.wants):
            return True
        self._record(watched, [watched.calm(time.time())])
        return False

    def _worth_detecting(self, watched: WatchedCamera, frame: Frame, live: frozenset[str]) -> bool:
        if watched.gate is None or watched.camera.id in live:
            return True
        if watched.gate.decoded(frame, watched.chain.wants):
            return True
        self._record(watched, [watched.calm(frame.utc)])
        return False

    def _look(self, batch: list[Due], live: frozenset[str]) -> None:
        started = time.monotonic()
        seen: list[WatchedCamera] = []
        pictures: list[Picture] = []
        for watched, at, gop in batch:
            frame = decode(self._decoders, gop, at)
            if frame is None:
                watched.counts.corrupt += 1
                continue
            if not self._worth_detecting(watched, frame, live):
                continue
            seen.append(watched)
            pictures.append(Picture(watched.camera.id, frame, watched.chain.min_score))
        if not pictures:
            return
        try:
            tracks = self._perception.perceive(pictures)
        except RunnerError as error:
            _log.error("a batch of %d looks failed: %s", len(pictures), error)
            return
        self._queue.time.observe(len(batch), time.monotonic() - started)
        for watched, picture, found in zip(seen, pictures, tracks, strict=True):
            self._judge(watched, picture.frame, found)
            if watched.camera.id in live:
                shown = live_picture(watched.camera.id, picture.frame, found, watched.chain.open_tracks)
                self._board.post_picture(watched.camera.id, shown)

    def _judge(self, watched: WatchedCamera, frame: Frame, tracks: Tracks) -> None:
        look, ended = watched.seen(frame.time, frame.utc, tracks, frame.aspect)
        before = watched.chain.matters
        events = watched.chain.look(look, frame, watched.clock())
        self._record(watched, [ended, *events])
        if not events and watched.chain.matters != before:
            # A clock began to run, or stopped: a worker that dies now must not begin it anew.
            self._checkpoint(watched)
        if watched.gate is not None:
            watched.gate.looked(frame, tracks)

    def _record(self, watched: WatchedCamera, said: Sequence[Event | Unwatched | None]) -> None:
        """Spools what one look said and the state that said it, all or nothing."""
        bodies = [
            EventRecord(event=item) if isinstance(item, Event) else UnwatchedRecord(unwatched=item)
            for item in said
            if item is not None
        ]
        if bodies:
            self._spool.append_all(bodies, {watched.camera.id: self._state(watched)})

    def _state(self, watched: WatchedCamera) -> bytes:
        return watched.dump(self._tracker.snapshot(watched.camera.id))

    def _checkpoint(self, watched: WatchedCamera) -> None:
        self._spool.checkpoint(watched.camera.id, self._state(watched))

    def _each_second(self) -> None:
        now_utc = time.time()
        for watched in self._watched.values():
            self._record(watched, [watched.unseen(now_utc)])
        self._board.post_statuses([w.status() for w in self._watched.values()])
        if time.monotonic() >= self._next_checkpoint:
            self._next_checkpoint = time.monotonic() + self._settings.checkpoint_every
            for watched in self._watched.values():
                self._checkpoint(watched)
