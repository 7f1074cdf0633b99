"""Deleting evidence that is past its days, by the policy that is set; each deletion leaves a proof."""

from __future__ import annotations

import logging
import time

from sqlalchemy.exc import OperationalError

from cityvision.processes.base import Process, run
from cityvision.retention import Swept, sweeper
from contracts.errors import ObjectsUnavailable
from store.database import make_engine

log = logging.getLogger(__name__)

_EVERY_S = 3600.0
_AGAIN_S = 60.0  # after an outage


def body(process: Process) -> None:
    """Sweeps each hour until asked to stop; outages of Postgres and of the object store are waited out."""
    engine = make_engine(process.settings.database, pool_size=2)
    try:
        sweeping = sweeper(process.settings, engine, process.stop.is_set)
        process.ready()
        wait = 0.0
        while not process.stop.wait(wait):
            try:
                _tell(sweeping.sweep(time.time()))
                wait = _EVERY_S
            except (OperationalError, ObjectsUnavailable) as error:
                log.warning("retention waits: %s", str(error).strip().splitlines()[0])
                wait = _AGAIN_S
    finally:
        engine.dispose()


def _tell(done: Swept) -> None:
    if done.deleted or done.kept:
        log.info("deleted %d objects of %d bytes by policy; kept %d after all", done.deleted, done.bytes, done.kept)
    if done.absent:
        log.warning("%d objects past their days are not in the object store, e.g. %s", len(done.absent), done.absent[0])


if __name__ == "__main__":
    run("retention", body)
