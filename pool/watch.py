"""Edits of the pool's files, picked up while everything runs.

A bad edit is refused: its faults are reported once, and the last good pool stays. A file caught half written is
given time to become whole before anything is said about it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import watch as watch_files

from contracts.pool import Camera, Pool
from pool.faults import Fault, PoolFaults
from pool.load import PoolLoader, pool_files

log = logging.getLogger(__name__)

SETTLE_S = 0.15  # the files must have stood still for this long before they are read
GRACE_S = 0.6  # and for this long before a fault in them is believed
POLL_S = 1.0  # network folders send no notices: look at sizes and times this often anyway

Signature = tuple[tuple[str, int, int, int], ...]
OnFaults = Callable[[Sequence[Fault]], None]


@dataclass(frozen=True, slots=True)
class PoolChange:
    """A good edit: the whole pool, and ids of the cameras that differ by value from the pool before."""

    pool: Pool
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    departments_changed: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.departments_changed)


def diff(before: Pool | None, after: Pool) -> PoolChange:
    """What differs between two pools, by value; from None every camera is added."""
    old: dict[str, Camera] = {camera.id: camera for camera in before.cameras} if before else {}
    new = {camera.id: camera for camera in after.cameras}
    return PoolChange(
        pool=after,
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
        changed=tuple(
            key for key, camera in new.items() if key in old and camera is not old[key] and camera != old[key]
        ),
        departments_changed=(before.departments if before else ()) != after.departments,
    )


@dataclass(slots=True)
class PoolWatcher:
    """Holds the last good pool of a path and takes edits in.

    Attributes:
        loader: reads the files.
        on_faults: told all faults of an edit that was refused, once an edit.
        pool: the last good pool; None before `start`.
    """

    loader: PoolLoader
    on_faults: OnFaults
    pool: Pool | None = None
    _read: Signature = field(default=())

    def start(self) -> PoolChange:
        """The first pool.

        Raises:
            PoolFaults: there is no good pool to begin with.
        """
        self._read = self.signature()
        self.pool = self.loader.load()
        return diff(None, self.pool)

    def signature(self) -> Signature:
        """Names, times, sizes and inodes of the files: differs after any edit."""
        found = []
        for path in pool_files(self.loader.path):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(found)

    def stale(self) -> bool:
        """Whether the files differ from what was read last."""
        return self.signature() != self._read

    def refresh(self, stop: threading.Event) -> PoolChange | None:
        """Takes an edit in once the files stand still; None when it changes nothing or is refused."""
        while not stop.is_set():
            seen = self._settled(SETTLE_S, stop)
            try:
                pool = self.loader.load()
            except PoolFaults as refused:
                if self._settled(GRACE_S, stop) != seen:
                    continue  # it was half written: read what it has become
                self._read = seen
                self.on_faults(refused.faults)
                return None
            self._read = seen
            change = diff(self.pool, pool)
            self.pool = pool
            return change if change else None
        return None

    def _settled(self, still_s: float, stop: threading.Event) -> Signature:
        seen = self.signature()
        since = time.monotonic()
        while time.monotonic() - since < still_s and not stop.wait(0.03):
            now = self.signature()
            if now != seen:
                seen, since = now, time.monotonic()
        return seen


def watch_pool(loader: PoolLoader, on_faults: OnFaults, stop: threading.Event) -> Iterator[PoolChange]:
    """The pool and then every good edit of its files, until `stop` is set. Blocks between edits.

    Args:
        loader: reads the files; its cache is written after each edit has been taken up.
        on_faults: told all faults of a refused edit (file, line, path, what, fix); runs in this thread.
        stop: ends the iteration within about a second.

    Raises:
        PoolFaults: there is no good pool to begin with. Later faults only reach `on_faults`.
    """
    watcher = PoolWatcher(loader, on_faults)
    yield watcher.start()
    loader.cache.save()
    for _ in _wakes(loader.path, stop):
        if not watcher.stale():
            continue
        change = watcher.refresh(stop)
        if change is not None:
            yield change
            loader.cache.save()


def _wakes(path: Path, stop: threading.Event) -> Iterator[None]:
    """Wakes when something happens in the pool's folders, and every `POLL_S` anyway, until `stop` is set."""
    noticed = True
    while not stop.is_set():
        folders = _folders(path)
        if not noticed or not folders:
            stop.wait(POLL_S)
            yield
            continue
        try:
            for _ in watch_files(
                *folders,
                recursive=False,
                debounce=50,
                step=20,
                rust_timeout=int(POLL_S * 1000),
                yield_on_timeout=True,
                stop_event=stop,
                raise_interrupt=False,
            ):
                yield
                if _folders(path) != folders:
                    break  # `streams.d` has come into being, or is gone
        except OSError as error:  # the system has no watches left
            log.warning("no notices of edits (%s); looking every %.0f s instead", error, POLL_S)
            noticed = False


def _folders(path: Path) -> list[Path]:
    """The folders that hold the pool's files; never below them, which could be a whole checkout."""
    main = pool_files(path)[0]
    return [folder for folder in (main.parent, main.with_suffix(".d")) if folder.is_dir()]
