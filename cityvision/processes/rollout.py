"""The roll-out: a lane for each version that the ledger has in shadow or in canary, and an end to those that break.

The ledger is the truth and is read every turn; what runs is brought into line with it. A lane that breaks a guardrail
is ended first and told second: its cameras do not wait for a database.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, LedgerLine, Move, Office, Stage
from algorithm_repo.rollout import lanes
from algorithm_repo.rollout import service as rolling_out
from algorithm_repo.rollout.guardrails import broken
from algorithm_repo.rollout.keeping import NetworkShelf
from algorithm_repo.rollout.types import SPACE_PREFIX, Guardrails, Lane, LaneKind
from cityvision.lane_burial import bury, take_in
from cityvision.lane_process import LaneProcess
from cityvision.object_store import object_store
from cityvision.processes.base import Process, run, worker_name
from cityvision.remembered import SHADOW_OBJECTS
from cityvision.settings import Settings
from cityvision.triton_desk import TritonDesk
from contracts.errors import BusUnavailable, CityVisionError, ConfigError
from contracts.pool import Camera
from contracts.rollout import Served, Serving
from models.triton_repository import Serving as TritonServing
from models.zoo import Zoo
from pool.reader import PoolReader
from store.beneath import ObjectsBeneath
from store.bus import Bus
from store.database import make_engine
from store.objects import ObjectStore

log = logging.getLogger(__name__)

WHO = "guardrail"
_EVERY_S = 0.5
_SWITCHED_S = 15.0  # at most, for production to run what was promoted before a canary's cameras go back to it
_AGAIN_S = 5.0  # between two tries to bury what could not be


class RollOut:
    """One turn after the other, all in the main thread, as lanes end with the thread that started them.

    Args:
        settings, engine, bus, objects: the installation's.
        rails: what candidates may not do.
    """

    def __init__(
        self, settings: Settings, engine: Engine, bus: Bus, objects: ObjectStore, rails: Guardrails | None = None
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._bus = bus
        self._objects = objects
        self._rails = rails or Guardrails()
        self._pool = PoolReader()
        self._cameras: tuple[Camera, ...] | None = None  # of the pool; None: not known
        self._triton = _triton_desk(settings, objects)
        self._running: dict[int, LaneProcess] = {}
        self._leftover: set[int] | None = None  # begun before this process; None: not yet asked
        self._ended: dict[int, tuple[Lane, str]] = {}  # broken, and the ledger does not say so yet
        self._awaited: dict[int, float] = {}
        self._burials: dict[int, threading.Thread] = {}
        self._next_burial: dict[int, float] = {}

    def turn(self) -> None:
        """One look at the ledger and at every lane.

        Raises:
            BusUnavailable, sqlalchemy.exc.DBAPIError: one of them is away; lanes go on meanwhile.
        """
        away = self._hold()
        self._guard(events_known=False)
        self._tell_ends()
        if away is not None:
            raise away
        with self._engine.begin() as connection:
            wanted = {lane.number: lane for lane in lanes.wanted(connection)}
            misfits = lanes.unfit(connection)
            serving = lanes.serving(connection)
            begun = lanes.unburied(connection)
        self._refuse(misfits)
        if self._is_served(serving):
            self._bus.set_serving(serving)
        self._end(wanted, serving)
        self._bury(begun, wanted)
        self._start(wanted)
        self._show()
        self._guard(events_known=True)
        self._watch_production(serving)
        self._forget_shadows()

    def _hold(self) -> BusUnavailable | None:
        """Says again whose the canaries' cameras are; what is to be said where the bus is away."""
        away = None
        for lane in self._running.values():
            try:
                if not lane.leaving:
                    lane.hold()
            except BusUnavailable as error:
                away = error
        return away

    def close(self) -> None:
        """Ends every lane's process; what they were is taken up again at the next start."""
        if self._triton is not None:
            self._triton.close()
        for lane in self._running.values():
            lane.ask_to_stop()
        for lane in self._running.values():
            lane.stop()

    def _start(self, wanted: dict[int, Lane]) -> None:
        for number, lane in wanted.items():
            if number in self._running or number in self._ended or self._dirty(number):
                continue
            with self._engine.begin() as connection:
                lanes.begin(connection, lane)
            process = LaneProcess(lane, self._settings, self._bus, self._rails)
            process.start()
            self._running[number] = process

    def _end(self, wanted: dict[int, Lane], serving: Serving) -> None:
        """Lanes that the ledger wants no more; a canary that was promoted waits for production to run its networks."""
        for number, process in list(self._running.items()):
            lane = wanted.get(number)
            if lane is not None and lane.serving.models == process.lane.serving.models:
                continue
            if not process.leaving and self._awaits(process.lane, serving):
                continue
            if process.leave():
                del self._running[number]

    def _awaits(self, lane: Lane, serving: Serving) -> bool:
        if lane.kind is not LaneKind.CANARY or lane.serving.models != serving.models:
            return False
        until = self._awaited.setdefault(lane.number, time.monotonic() + _SWITCHED_S)
        waits = any(serving.number not in (one.number, one.refused) for one in self._served())
        return waits and time.monotonic() < until

    def _is_served(self, serving: Serving) -> bool:
        """Workers can switch to it: on a Triton, once it is loaded and warm there."""
        if self._triton is None:
            return True
        told = [model.name for one in self._bus.served().values() for model in one.models]
        self._triton.want(serving, frozenset(told))
        return self._triton.serves(serving)

    def _served(self) -> list[Served]:
        """What production's workers last said; of those that were and are no more, nothing."""
        told = self._bus.served()
        names = [worker_name(number + 1) for number in range(self._settings.worker_count)]
        return [told[name] for name in names if name in told]

    # What is left behind

    def _dirty(self, number: int) -> bool:
        """Something of an earlier life of this lane is still there."""
        return number in self._burials or (self._leftover is not None and number in self._leftover)

    def _bury(self, begun: list[int], wanted: dict[int, Lane]) -> None:
        if self._leftover is None:
            # At the start: what an earlier process left, also of lanes that are wanted still.
            self._leftover = set(begun)
        self._burials = {number: thread for number, thread in self._burials.items() if thread.is_alive()}
        left = self._leftover | {number for number in begun if number not in wanted and number not in self._running}
        for number in left:
            if not self._is_due(number):
                continue
            with self._engine.begin() as connection:
                kind = lanes.kind_of(connection, number)
            if kind is LaneKind.CANARY:
                self._bus.drop_lane(f"{SPACE_PREFIX}{number}")  # its cameras go back first
            self._aside(number, partial(self._bury_one, number, kind))

    def _is_due(self, number: int) -> bool:
        """Nobody is at it, and the last try was long enough ago."""
        if number in self._burials or time.monotonic() < self._next_burial.get(number, 0.0):
            return False
        self._next_burial[number] = time.monotonic() + _AGAIN_S
        return True

    def _aside(self, number: int, work: Callable[[], None]) -> None:
        """What takes its time must not keep lanes from being held and watched."""

        def tried() -> None:
            try:
                work()
            except (CityVisionError, DBAPIError, OSError) as error:
                log.warning("what is left of lane %d waits: %s", number, str(error).splitlines()[0])

        self._burials[number] = threading.Thread(target=tried, name=f"bury-{number}", daemon=True)
        self._burials[number].start()

    def _bury_one(self, number: int, kind: LaneKind) -> None:
        redis = self._settings.redis
        if bury(number, kind, self._settings.data, redis, self._engine, self._objects) and self._leftover:
            self._leftover.discard(number)

    def _forget_shadows(self) -> None:
        with self._engine.begin() as connection:
            past = lanes.past_shadows(connection)
        for number in past:
            if self._is_due(number):
                self._aside(number, partial(self._forget_one, number))

    def _forget_one(self, number: int) -> None:
        ObjectsBeneath(self._objects, f"{SHADOW_OBJECTS}/{SPACE_PREFIX}{number}").clear()
        with self._engine.begin() as connection:
            lanes.forget(connection, number)

    # Guardrails

    def _show(self) -> None:
        if not self._running:
            return
        with self._engine.connect() as connection:
            found = self._pool.read(connection)
        self._cameras = None if found is None else found.pool.cameras
        for process in self._running.values():
            if found is not None and not process.leaving:
                process.show(found.pool, found.revision)
                if process.lane.kind is LaneKind.SHADOW:
                    take_in(self._engine, process.bus, process.lane.number)

    def _guard(self, *, events_known: bool) -> None:
        for process in list(self._running.values()):
            if process.leaving:
                continue
            lane, now, said = self._present(process.lane), process.now, None
            if events_known and lane.cameras:
                with self._engine.connect() as connection:
                    said = lanes.said(connection, lane, now)
            seen = process.observed(said)
            why = broken(self._rails, seen, cameras=len(lane.cameras), lasted_s=now - lane.began_utc)
            if seen.ended is None and not lane.cameras:
                why = "its cameras are no longer in the pool, or disabled"
            if why is not None:
                self._break_off(process, why)

    def _present(self, lane: Lane) -> Lane:
        """The lane with those of its cameras that are in the pool still: it goes on with them."""
        if self._cameras is None:
            return lane
        return lane.model_copy(update={"cameras": lanes.cameras_left(lane, self._cameras)})

    def _break_off(self, process: LaneProcess, why: str) -> None:
        lane = process.lane
        log.error("%s: %s %s %s", lane.worker, lane.algorithm, lane.version, why)
        if lane.kind is LaneKind.CANARY:
            try:
                self._bus.drop_lane(lane.worker)
            except BusUnavailable:
                log.warning("%s: its cameras go back once nobody has claimed them for a while", lane.worker)
        process.stop()
        del self._running[lane.number]
        if lane.number not in self._awaited:  # else it was promoted, and slow or gone while production takes over
            self._ended[lane.number] = (lane, why)

    def _tell_ends(self) -> None:
        for number, (lane, why) in list(self._ended.items()):
            self._move(partial(rolling_out.broke, lane=lane, who=WHO, why=why[:2000]))
            del self._ended[number]

    def _refuse(self, misfits: list[tuple[AlgorithmVersion, str]]) -> None:
        for version, why in misfits:
            self._move(partial(_refused, version=version, why=why))

    def _watch_production(self, serving: Serving) -> None:
        """What was promoted and cannot be run in production is taken back."""
        why = self._refusal(serving)
        if why is None:
            return
        with self._engine.connect() as connection:
            line = _line(connection, serving.number)
            version = service.get(connection, line.version_id)
        if line.move is Move.PROMOTE and version.stage is Stage.PRODUCTION:
            log.error("%s %s: %s", version.algorithm, version.version, why)
            back = partial(service.roll_back, algorithm=version.algorithm, who=WHO, office=Office.SYSTEM, why=why)
            self._move(partial(back, present=version.id))

    def _refusal(self, serving: Serving) -> str | None:
        """Who cannot run these, and why."""
        if self._triton is not None and (why := self._triton.refused(serving)) is not None:
            return f"Triton cannot serve it: {why}"[:2000]
        refused = (one for one in self._served() if one.refused == serving.number)
        return next((f"{one.worker} cannot run it: {one.error}"[:2000] for one in refused), None)

    def _move(self, move: Callable[[Connection], object]) -> None:
        """A move that a person may have made a moment ago."""
        try:
            with self._engine.begin() as connection:
                move(connection)
        except ConfigError as error:
            log.info("not moved: %s", error)


def _triton_desk(settings: Settings, objects: ObjectStore) -> TritonDesk | None:
    """Where the installation's networks run on a Triton whose repository is at hand."""
    if settings.triton_url is None or settings.triton_repository is None:
        return None
    shelf = NetworkShelf(Zoo(mirror=settings.mirror), objects)
    how = TritonServing(threads=os.cpu_count() or 1)
    return TritonDesk(settings.triton_url, settings.triton_repository, shelf.zoo_with, how)


def _line(connection: Connection, number: int) -> LedgerLine:
    return next(line for line in ledger.lines(connection) if line.number == number)


def _refused(connection: Connection, version: AlgorithmVersion, why: str) -> None:
    service.carry_out(connection, version.id, Move.ABORT, WHO, Office.SYSTEM, Grounds(why=why[:2000]))


def body(process: Process) -> None:
    """Runs until asked to stop; outages of Postgres, Valkey and the object store are waited out."""
    settings = process.settings
    engine = make_engine(settings.database, pool_size=2)
    bus = Bus(settings.redis)
    rolling = RollOut(settings, engine, bus, object_store(settings))
    waits = False
    try:
        process.ready()
        while not process.stop.is_set():
            try:
                rolling.turn()
                waits = False
            except (BusUnavailable, DBAPIError, CityVisionError, OSError) as error:
                if not waits:
                    log.warning("the roll-out waits: %s", str(error).splitlines()[0])
                waits = True
            process.stop.wait(_EVERY_S)
    finally:
        rolling.close()
        bus.close()
        engine.dispose()


if __name__ == "__main__":
    run("rollout", body)
