"""One training at a time in a folder, whoever started it. Only the standard library."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path, wait: bool = True) -> Iterator[None]:
    """Holds `lock` in a folder. The kernel lets go of it when the process ends, however it ends.

    A worker that stood still for longer than its lease leaves a child that goes on; the one of the worker that took
    over waits here until that has ended, rather than write into the same checkpoint.

    Raises:
        BlockingIOError: another process holds it, and `wait` is false.
    """
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
