"""A worker of the queue of trainings that goes on: one job after another, and waits where a service is away."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from cityvision.training_desk import TrainingDesk
from contracts.errors import DatabaseUnavailable, StoreError
from contracts.redact import redact

IDLE_S = 2.0


def work_on(
    desk: TrainingDesk, stop: threading.Event, once: bool, say: Callable[[str], None], pause_s: float = IDLE_S
) -> None:
    """Runs what waits until it is stopped. A job whose database or object store went away waits for another attempt.

    Args:
        once: end when nothing waits.
        say: given a line for each job, and for each time something was away.
        pause_s: before the queue is looked at again, s.

    Raises:
        StoreError: with `once`: the database or the object store is away.
    """
    while not stop.is_set():
        try:
            number = _one(desk, stop)
        except StoreError as error:
            if once:
                raise
            say(f"waiting: {error}")
            stop.wait(pause_s)
            continue
        if number is not None:
            say(f"training {number}: left or ended; see `cityvision train show {number}`")
        elif once:
            return
        else:
            stop.wait(pause_s)


def _one(desk: TrainingDesk, stop: threading.Event) -> int | None:
    """Raises StoreError."""
    try:
        return desk.work(stop.is_set)
    except OperationalError as error:
        told = redact(str(error.orig).strip().splitlines()[0])
        raise DatabaseUnavailable(f"database: {told}", "it is tried again") from error
