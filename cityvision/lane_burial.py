"""What is left of a lane that runs no more: its records reach the city, its cameras' states the next worker."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Engine

from algorithm_repo.rollout import lanes
from algorithm_repo.rollout.types import SPACE_PREFIX, LaneKind
from cityvision.processes.base import ready_file
from cityvision.remembered import SHADOW_OBJECTS
from contracts.records import Event, EventRecord, Record
from pipeline.publish import Publisher
from pipeline.spool import Spool
from pipeline.spool_evidence import EvidenceSpool
from store.beneath import ObjectsBeneath
from store.bus import Bus, Entry, Mark
from store.objects import ObjectStore

_log = logging.getLogger(__name__)

_DRAIN_S = 10.0


def bury(number: int, kind: LaneKind, data: Path, redis_url: str, engine: Engine, objects: ObjectStore) -> bool:
    """Nothing of the lane is left afterwards but what it said; again after an outage: no matter.

    Args:
        number: of the lane; its process runs no more.
        kind: see there.
        data: folder of the installation.
        redis_url, engine, objects: the installation's.

    Returns:
        Whether it is done; else something is away, and it is to be tried again.

    Raises:
        BusUnavailable, StoreError, OSError, sqlalchemy.exc.OperationalError: the same.
    """
    worker = f"{SPACE_PREFIX}{number}"
    folder, shadow = data / "spool" / worker, kind is LaneKind.SHADOW
    bus = Bus(redis_url, space=worker if shadow else "")
    try:
        if folder.is_dir():
            evidence = ObjectsBeneath(objects, f"{SHADOW_OBJECTS}/{worker}") if shadow else objects
            done = _take_in_all(engine, bus, number) if shadow else _hand_on(folder, worker, bus)
            if not done or not _sent(folder, evidence):
                return False
            shutil.rmtree(folder)
        ready_file(data, worker).unlink(missing_ok=True)
        if shadow:
            bus.forget_space()
        else:
            bus.drop_lane(worker)
            bus.forget_worker(worker)
        with engine.begin() as connection:
            lanes.bury(connection, number)
        _log.info("%s is over", worker)
        return True
    finally:
        bus.close()


def take_in(engine: Engine, bus: Bus, number: int) -> int:
    """What a shadow has said since the last time, into its tables; how many records.

    Raises:
        BusUnavailable, sqlalchemy.exc.OperationalError: nothing was lost; call again.
    """
    worker = f"{SPACE_PREFIX}{number}"
    with engine.begin() as connection:
        known = Mark(*lanes.mark(connection, number))
        bus.set_marks({worker: known}, ready=True)
        entries = bus.read({worker: known}, block_ms=1).get(worker, [])
        if not entries:
            return 0
        lanes.take_in(connection, number, _events(worker, entries), entries[-1].mark)
    bus.set_marks({worker: entries[-1].mark}, ready=True)
    return len(entries)


def _events(worker: str, entries: Sequence[Entry]) -> list[Event]:
    said: list[Event] = []
    for entry in entries:
        try:
            body = Record.model_validate_json(entry.raw).body
        except ValidationError as error:
            _log.error("%s: a record is left out: %s", worker, str(error).splitlines()[0])
            continue
        if isinstance(body, EventRecord):
            said.append(body.event)
    return said


def _take_in_all(engine: Engine, bus: Bus, number: int) -> bool:
    while take_in(engine, bus, number):
        pass
    return True


def _hand_on(folder: Path, worker: str, bus: Bus) -> bool:
    """The records that the city has not consumed, then the states that nobody has taken; whether all are gone."""
    spool = Spool(folder / "records", worker)
    try:
        publisher = Publisher(spool, bus)
        publisher.start()
        drained = publisher.drain(_DRAIN_S)
        publisher.stop()
        bus.put_states(spool.last_states())
        return drained
    finally:
        spool.close()


def _sent(folder: Path, objects: ObjectStore) -> bool:
    """Whether no evidence waits any more."""
    spool = EvidenceSpool(folder / "evidence", objects)
    try:
        end = time.monotonic() + _DRAIN_S
        while spool.waiting() and time.monotonic() < end:
            time.sleep(0.05)
        return not spool.waiting()
    finally:
        spool.close()
