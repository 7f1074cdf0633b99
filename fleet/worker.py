"""The worker: many cameras, one compute thread, batches across cameras, one tracker.

Per tick: which looks are due, batches by deadline, decode, detect, track, rules, spool. The threads beside it are the
sources' (demux only), the spool's, the publisher's and the reporter's; nothing here talks to the network.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contracts.errors import CityVisionError, RunnerError, ServiceError
from contracts.live import CameraStatus
from contracts.vision import Frame
from fleet.board import Board
from fleet.live import live_picture
from fleet.recorder import Recorder
from fleet.roster import CameraFactory, Roster
from fleet.scenes import SceneFiles
from fleet.switching import Switches
from fleet.watched import LIVE_EVERY, CameraLooks, WatchedCamera
from pipeline.batch import LookQueue, WaitingLook
from pipeline.chain import ModelIdentity
from pipeline.perceive import Perceived, Perception, Picture, decode
from pipeline.plan import LookAt
from pipeline.scene.offers import offers
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
    retry_every: s between two tries to set up a camera that could not be.
    """

    worker: str
    max_batch: int = 8
    linger: float = 0.0
    poll: float = 0.03
    checkpoint_every: float = 5.0
    max_abandoned: int = 16
    retry_every: float = 10.0


class Due(NamedTuple):
    """A look that waits: what to decode, and for whom."""

    watched: WatchedCamera
    at: LookAt
    gop: Gop


class Worker:
    """See the module. All methods belong to the compute thread, except `stop`.

    Args:
        settings: see there.
        tracker, decoders, spool, sources, board, scenes: the worker's, and nobody else's.
        make_camera: see `CameraFactory`.
        dead_part: the name of a thread that ended and must not have; None while all is well.
        switches: where other networks come from.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        tracker: FleetTracker,
        decoders: DecoderPool,
        spool: Spool,
        sources: SourceSupervisor,
        make_camera: CameraFactory,
        board: Board,
        scenes: SceneFiles,
        dead_part: Callable[[], str | None],
        switches: Switches,
    ) -> None:
        self._settings = settings
        self._decoders = decoders
        self._spool = spool
        self._sources = sources
        self._board = board
        self._scenes = scenes
        self._dead_part = dead_part
        self._switches = switches
        self._recorder = Recorder(spool, tracker)
        self._roster = Roster(
            settings.worker,
            make_camera,
            self._recorder,
            spool,
            tracker,
            sources,
            board,
            self._withdraw,
            settings.retry_every,
        )
        self._queue: LookQueue[Due] = LookQueue(max_batch=settings.max_batch, linger=settings.linger)
        self._stop = threading.Event()
        self._next_second = 0.0
        self._next_checkpoint = 0.0
        self._down: set[Perception] = set()

    def stop(self) -> None:
        """Makes `run` return; may be called from any thread or signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Works until `stop`, or until too many source threads hang; then keeps every state and closes.

        Raises:
            ServiceError: a thread that the worker depends on has ended.
            StoreError: the spool's disk failed.
        """
        try:
            while not self._stop.is_set():
                wait = self.tick(time.monotonic())
                if self._recorder.broken is not None:
                    raise self._recorder.broken
                if self._sources.abandoned > self._settings.max_abandoned:
                    _log.error("too many hanging connections: this worker asks to be started anew")
                    break
                if wait > 0:
                    self._stop.wait(wait)
        finally:
            self.close()

    def counts(self) -> list[CameraLooks]:
        """What became of the looks, camera by camera."""
        return [watched.counts for watched in self._roster.watched()]

    def statuses(self) -> list[CameraStatus]:
        """What is shown of every camera, those that cannot be set up too."""
        return self._roster.statuses()

    def close(self) -> None:
        """Checkpoints every camera and stops its source."""
        for watched in self._roster.watched():
            try:
                self._recorder.checkpoint(watched)
            except CityVisionError as error:
                _log.error("%s: its state is not kept: %s", watched.camera.id, error)
            self._scenes.keep(watched)
        self._sources.close()

    def tick(self, now: float) -> float:
        """One round; returns how long to wait before the next, s. Raises ServiceError as `run`."""
        if self._switches.follow():
            self._detected_by_another()
        self._roster.follow()
        live = self._board.watched
        accepting = self._spool.accepting()
        for watched in self._roster.watched():
            if now < watched.idle_until and watched.camera.id not in live:
                continue
            with self._roster.apart(watched):
                self._plan(watched, now, live, accepting)
        take = self._queue.take(now)
        for shed in take.shed:
            shed.payload.watched.counts.shed += 1
            shed.payload.watched.struggle("shed", "this worker has more looks to do than it can")
        if take.batch:
            self._look([look.payload for look in take.batch], live)
        if now >= self._next_second:
            self._next_second = now + 1.0
            self._each_second(accepting)
        return 0.0 if len(self._queue) else self._settings.poll

    def _detected_by_another(self) -> None:
        usual = self._switches.usual
        identity = ModelIdentity(usual.detector.name, usual.detector.sha256)
        for watched in self._roster.watched():
            if watched.perception is usual:
                watched.chain.detected_by(identity)

    def _withdraw(self, watched: WatchedCamera) -> None:
        self._decoders.forget(watched.source.ring.uid)
        self._queue.forget([watched.camera.id])

    def _plan(self, watched: WatchedCamera, now: float, live: frozenset[str], accepting: bool) -> None:
        """Puts the camera's look in line, if one is due."""
        due = watched.due(watched.camera.id in live, now)
        if due is None:
            return
        if not accepting:
            watched.counts.shed += 1
            watched.struggle("shed", "no room for records: no more looks until some have left")
        elif self._worth_decoding(watched, due[0], live):
            self._offer(Due(watched, *due), now, live)

    def _offer(self, due: Due, now: float, live: frozenset[str]) -> None:
        camera = due.watched.camera
        every = LIVE_EVERY if camera.id in live else due.watched.chain.look_every or LIVE_EVERY
        look = WaitingLook(camera.id, camera.camera_class, now + every, due)
        if self._queue.offer(look, now) is not None:
            due.watched.counts.superseded += 1
            due.watched.struggle("shed", "looks come faster than this worker can do them")

    def _worth_decoding(self, watched: WatchedCamera, at: LookAt, live: frozenset[str]) -> bool:
        if watched.gate is None or watched.camera.id in live or watched.second_looks:
            return True
        if watched.gate.undecoded(watched.source.ring, at.time, watched.chain.wants):
            return True
        self._recorder.record(watched, [watched.calm(time.time())])
        return False

    def _worth_detecting(self, watched: WatchedCamera, frame: Frame, live: frozenset[str]) -> bool:
        if watched.gate is None or watched.camera.id in live or watched.second_looks:
            return True
        if watched.gate.decoded(frame, watched.chain.wants):
            return True
        self._recorder.record(watched, [watched.calm(frame.utc)])
        return False

    def _look(self, batch: list[Due], live: frozenset[str]) -> None:
        started = time.monotonic()
        seen: list[WatchedCamera] = []
        pictures: list[Picture] = []
        for due in batch:
            with self._roster.apart(due.watched):
                picture = self._picture(due, live)
                if picture is not None:
                    seen.append(due.watched)
                    pictures.append(picture)
        if not pictures:
            return
        perceived = self._perceived(seen, pictures)
        self._queue.time.observe(len(batch), time.monotonic() - started)
        for watched, picture, found in perceived:
            with self._roster.apart(watched):
                if picture.ask.vital & {name for name, _ in found.senses.failed}:
                    watched.counts.failed += 1
                self._judge(watched, picture.frame, found)
                if watched.camera.id in live:
                    shown = live_picture(watched.camera.id, picture.frame, found.tracks, watched.chain.open_tracks)
                    self._board.post_picture(watched.camera.id, shown)

    def _perceived(
        self, seen: Sequence[WatchedCamera], pictures: Sequence[Picture]
    ) -> list[tuple[WatchedCamera, Picture, Perceived]]:
        """What each camera's own detector made of its picture, a batch a detector; nothing where a detector failed."""
        batches: dict[Perception, list[tuple[WatchedCamera, Picture]]] = {}
        for watched, picture in zip(seen, pictures, strict=True):
            batches.setdefault(watched.perception, []).append((watched, picture))
        done: list[tuple[WatchedCamera, Picture, Perceived]] = []
        for perception, batch in batches.items():
            started = time.monotonic()
            try:
                found = perception.perceive([picture for _, picture in batch])
            except RunnerError as error:
                self._not_detected(perception, [watched for watched, _ in batch], error)
                continue
            if perception in self._down:
                self._down.remove(perception)
                _log.info("the detector %s is back", perception.detector.name)
            took = (time.monotonic() - started) * 1000 / len(batch)
            for watched, _ in batch:
                watched.took(took)
            done += [(watched, picture, one) for (watched, picture), one in zip(batch, found, strict=True)]
        return done

    def _picture(self, due: Due, live: frozenset[str]) -> Picture | None:
        """The look's picture; None where it is lost, or not worth detecting."""
        watched = due.watched
        frame = decode(self._decoders, due.gop, due.at)
        if frame is None:
            watched.counts.corrupt += 1
            watched.struggle("error", "no picture comes of its packets")
            return None
        if not self._worth_detecting(watched, frame, live):
            return None
        return watched.picture(frame)

    def _not_detected(self, perception: Perception, seen: list[WatchedCamera], error: RunnerError) -> None:
        for watched in seen:
            watched.counts.failed += 1
            watched.struggle("error", str(error))
        if perception not in self._down:
            _log.error("looks are lost until the detector %s is back: %s", perception.detector.name, error)
        self._down.add(perception)

    def _judge(self, watched: WatchedCamera, frame: Frame, found: Perceived) -> None:
        look, ended = watched.seen(frame, found)
        before = watched.chain.matters
        events = watched.chain.look(look, frame, watched.clock())
        answers = watched.second_looks.seen(look, frame, watched.chain)
        told = self._recorder.record(watched, [ended, *events, *watched.blind(look), *answers])
        if not told and watched.chain.matters != before:
            # A clock began to run, or stopped: a worker that dies now must not begin it anew.
            self._recorder.checkpoint(watched)
        if watched.gate is not None:
            watched.gate.looked(frame, found.tracks)
        self._board.post_trace(watched.camera.id, watched.chain.tracer.take())

    def _each_second(self, accepting: bool) -> None:
        dead = self._dead_part()
        if dead is not None:
            raise ServiceError(f"the thread of the {dead} has ended", "its log line says why; the worker starts anew")
        self._roster.each_second()
        now_utc = time.time()
        asked = self._board.looks
        for watched in self._roster.watched():
            with self._roster.apart(watched):
                watched.second_looks.ask(one for one in asked if one.camera == watched.camera.id)
                said = [*watched.unseen(now_utc), *watched.second_looks.overdue(now_utc)]
                self._recorder.record(watched, said)
        self._board.post_statuses(self.statuses())
        kept = self._scenes.keep_due(self._roster.watched(), time.monotonic())
        if kept is not None:
            with self._roster.apart(kept):
                self._board.post_proposals(offers(kept.camera, kept.memory, now_utc))
        if accepting and time.monotonic() >= self._next_checkpoint:
            self._next_checkpoint = time.monotonic() + self._settings.checkpoint_every
            for watched in self._roster.watched():
                with self._roster.apart(watched):
                    self._recorder.checkpoint(watched)
