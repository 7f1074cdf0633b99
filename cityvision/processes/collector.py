"""Collecting pictures for labelling, by the policies of its projects; and deleting them when their days are over, where
no policy of retention does that.
"""

from __future__ import annotations

import logging
import time

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from algorithm_repo.rollout import lanes
from cityvision.collecting import Collector, Turn
from cityvision.collecting_apart import ApartCollector
from cityvision.object_store import object_store
from cityvision.processes.base import Process, run
from cityvision.retention import sweeper_of_collected
from contracts.errors import BusUnavailable, ObjectsUnavailable
from store.bus import Bus
from store.database import make_engine

log = logging.getLogger(__name__)

_LOCK = 0x6376_636F  # "cvco": one collector a database, so that what is half kept is nobody's
_EVERY_S = 2.0
_AGAIN_S = 5.0  # after an outage, or while another one collects
_SWEEP_EVERY_S = 3600.0
_COMPARE_EVERY_S = 60.0  # candidates with production


def body(process: Process) -> None:
    """Collects until asked to stop; outages of Postgres, Valkey and the object store are waited out."""
    engine = make_engine(process.settings.database, pool_size=3)
    bus = Bus(process.settings.redis)
    away = ""
    try:
        process.ready()
        while not process.stop.is_set():
            try:
                with engine.connect() as holder:
                    if _alone(holder):
                        away = ""
                        _collect(process, engine, bus, holder)
            except (DBAPIError, BusUnavailable, ObjectsUnavailable) as error:
                told = str(error).strip().splitlines()[0]
                if told != away:
                    log.warning("collection waits: %s", told)
                away = told
            process.stop.wait(_AGAIN_S)
    finally:
        bus.close()
        engine.dispose()


def _collect(process: Process, engine: Engine, bus: Bus, holder: Connection) -> None:
    """Turn after turn, as long as the lock is held. Raises what ends that."""
    stopped = process.stop.is_set
    objects = object_store(process.settings)
    collector, disagreements = Collector(engine, bus, objects, stopped, time.time()), ApartCollector(engine, objects)
    if left := collector.tidy():
        log.info("%d pictures that were half kept were taken back", left)
    swept = compared = float("-inf")
    while not process.stop.wait(_EVERY_S):
        holder.execute(text("SELECT 1"))  # without the connection somebody else may have the lock
        holder.commit()
        _tell(collector.turn(time.time()))
        if time.monotonic() - compared >= _COMPARE_EVERY_S:
            with engine.connect() as connection:
                running = lanes.wanted(connection)
            if kept := disagreements.turn(running, time.time()):
                log.info("collected %d pictures of disagreements", len(kept))
            compared = time.monotonic()
        if process.settings.retention is None and time.monotonic() - swept >= _SWEEP_EVERY_S:
            sweeper_of_collected(process.settings, engine, stopped).sweep(time.time())
            swept = time.monotonic()


def _tell(done: Turn) -> None:
    if done.kept:
        log.info("collected %d pictures of %d moments", len(done.kept), done.asked)
    if done.silent:
        log.warning("%d cameras sent no picture, e.g. %s", len(done.silent), done.silent[0])


def _alone(holder: Connection) -> bool:
    held: bool = holder.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one()
    holder.commit()
    return held


if __name__ == "__main__":
    run("collector", body)
