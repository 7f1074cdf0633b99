"""The worker's memory on disk: every record not yet consumed, and the state every camera goes on from.

A transition and the state that caused it are one frame, so a restart never tells a transition twice and never
forgets one it told. Nothing is published before it is on disk, no record is removed before the consumer committed it;
states make no room for themselves beyond the newest of each camera and a segment's worth of older ones.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path

from contracts.errors import DiskFull, StoreError
from contracts.records import Body
from pipeline.spoollog import (
    PART,
    RECORD,
    STATE,
    Frame,
    create_segment,
    place,
    replace_file,
    scan_log,
    sync_folder,
    without_states,
)
from store.bus import Entry, Mark
from store.lock import FolderLock

log = logging.getLogger(__name__)

_IDLE_SYNC_S = 1.0
_SPACE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Watermarks:
    """How much disk the spool may take.

    Attributes:
        min_free_bytes: with less free than this no new looks are taken (`Spool.accepting`); looks under way may
            still write, down to a quarter of it.
        max_bytes: the same for the spool's own size.
        segment_bytes: a segment is closed when this much (at most a quarter of `max_bytes`) was written to it.
    """

    min_free_bytes: int = 256 * 1024 * 1024
    max_bytes: int = 8 * 1024 * 1024 * 1024
    segment_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Epoch:
    """`first` is the log position of offset 0; `settled`: compared with what the consumer knows of this worker."""

    epoch: int
    first: int
    settled: bool


class Spool:
    """One worker's spool. Thread-safe: the compute thread appends, the publisher reads and cuts.

    Positions number the records of the log and never start again; a record's offset is its position less the
    position its epoch began at.

    Args:
        folder: made when missing; one worker at a time.
        worker: its id.
        watermarks: see `Watermarks`.

    Raises:
        AlreadyRunning: another process has the folder open.
        DiskFull: no room for the newest states.
        StoreError: the log is damaged in its middle.
    """

    def __init__(self, folder: Path, worker: str, watermarks: Watermarks | None = None) -> None:
        self.worker = worker
        self._folder = folder
        self._water = watermarks or Watermarks()
        self._segment_bytes = min(self._water.segment_bytes, self._water.max_bytes // 4)
        self._lock = FolderLock(folder)
        self._lock.acquire()
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        self._changed = threading.Condition()
        self._closing = False
        self._failed: OSError | None = None
        self._free = (0.0, 0)
        self._flusher = threading.Thread(target=self._flush_loop, name=f"spool-{worker}", daemon=True)
        self._flusher.start()

    # The compute thread's side

    def append(self, body: Body, state: Mapping[str, bytes]) -> int:
        """Writes one record; see `append_all`."""
        return self.append_all([body], state)

    def append_all(self, bodies: Sequence[Body], state: Mapping[str, bytes]) -> int:
        """Writes the records one look caused and the states (camera -> bytes) that go with them: all or nothing.

        Returns at once; they reach the disk together with their neighbours (group commit), and are published
        only after that. A crash before loses both records and state, so the camera goes on from before and
        comes to the same records again.

        Returns:
            The first one's offset in the present epoch.

        Raises:
            ValueError: no bodies.
            DiskFull: no room even in the reserve.
            StoreError: the disk failed.
        """
        if not bodies:
            raise ValueError("no records: use checkpoint")
        encoded = [body.model_dump_json().encode() for body in bodies]
        with self._changed:
            first = self._tail.next
            frames = [Frame(PART, first + index, data, {}) for index, data in enumerate(encoded[:-1])]
            self._write([*frames, Frame(RECORD, first + len(frames), encoded[-1], state)])
            self._changed.notify_all()
            return first - self._epoch.first

    def checkpoint(self, camera: str, state: bytes) -> None:
        """Keeps a camera's state without a record; on disk within about a second. Raises as `append`."""
        with self._changed:
            if self._states.get(camera, b"") != state:
                self._write([Frame(STATE, self._tail.next, b"", {camera: state})])

    def forget(self, camera: str) -> None:
        """The camera is no longer this worker's: its state goes.

        With last records (what is closed when a camera goes), `append_all(bodies, {camera: b""})` does both at once.
        """
        self.checkpoint(camera, b"")

    def last_states(self) -> dict[str, bytes]:
        """The newest state of every camera, from records and checkpoints alike."""
        with self._changed:
            return dict(self._states)

    def accepting(self) -> bool:
        """There is room for new looks; when not, the worker sheds them and says so, and drops no record."""
        with self._changed:
            used = sum(segment.size for segment in self._segments)
            return self._free_bytes() >= self._water.min_free_bytes and used < self._water.max_bytes

    # The publisher's side

    @property
    def epoch(self) -> int:
        return self._epoch.epoch

    @property
    def settled(self) -> bool:
        """`align` has been called in this spool's life, so its epoch is known to be fresh."""
        return self._epoch.settled

    @property
    def first(self) -> int:
        """Position of the oldest record kept."""
        with self._changed:
            return self._segments[0].first

    @property
    def durable(self) -> int:
        """Position after the last record on disk."""
        return self._durable

    def position_after(self, mark: Mark | None) -> int:
        """Position of the record that follows `mark` (which must not be of a later epoch)."""
        with self._changed:
            same = mark is not None and mark.epoch == self._epoch.epoch
            return self._epoch.first + (mark.offset + 1 if same and mark is not None else 0)

    def wait_durable(self, position: int, timeout: float) -> bool:
        """Blocks until record `position` is on disk, or `timeout` s. Raises StoreError when the disk failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._durable > position or self._failed or self._closing, timeout)
            self._require_sound()
            return self._durable > position

    def wake(self) -> None:
        """Ends every `wait_durable` that is going on early (at shutdown)."""
        with self._changed:
            self._changed.notify_all()

    def read(self, position: int, count: int = 256, max_bytes: int = 1 << 20) -> list[Entry]:
        """Up to `count` records on disk from `position` on, ready to be published."""
        with self._changed:
            end = min(position + count, self._durable)
            segment = next((s for s in self._segments if s.first <= position < s.next), None)
            epoch = self._epoch
            if segment is None or position >= end:
                return []
            file = segment.open()
        with file:
            bodies = segment.read(file, position, end - position, max_bytes)
        worker = json.dumps(self.worker).encode()
        return [
            Entry(
                Mark(epoch.epoch, offset),
                b'{"worker":%b,"epoch":%d,"offset":%d,"body":%b}' % (worker, epoch.epoch, offset, body),
            )
            for offset, body in enumerate(bodies, position - epoch.first)
        ]

    def align(self, seen: Iterable[Mark | None]) -> None:
        """Compares with what others know of this worker (the consumer's mark, the stream's top).

        Where they know records this log never wrote (the disk was replaced, or restored from a copy), going on
        would number new records like old ones, and they would pass for duplicates. A new epoch begins then.
        """
        with self._changed:
            newest = max((mark for mark in seen if mark is not None), default=Mark(0, -1))
            ours = Mark(self._epoch.epoch, self._tail.next - self._epoch.first)
            if newest.epoch >= ours.epoch if not self._epoch.settled else newest >= ours:
                self._begin_epoch(newest.epoch + 1)
            elif not self._epoch.settled:
                self._save_epoch(replace(self._epoch, settled=True))

    def renew(self) -> None:
        """Begins a new epoch with everything kept: what the consumer asks for is no longer here."""
        with self._changed:
            self._begin_epoch(self._epoch.epoch + 1)

    def cut(self, mark: Mark) -> None:
        """Removes whole segments whose every record is consumed; `mark` is the consumer's."""
        with self._changed:
            if mark.epoch != self._epoch.epoch:
                return
            end = self._epoch.first + mark.offset + 1
            while len(self._segments) > 1 and self._segments[0].next <= end:
                self._segments.pop(0).path.unlink()
                sync_folder(self._folder)  # one by one, so that a crash never leaves a hole

    def close(self) -> None:
        """Everything to disk; the folder is free for the next. Idempotent."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._flusher.join()
        os.close(self._file)
        self._lock.release()

    # Inside

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for leftover in self._folder.glob("*.tmp"):
            leftover.unlink()
        states: dict[str, bytes] = {}
        self._segments = scan_log(self._folder, states)
        self._states = {camera: state for camera, state in states.items() if state}
        recorded = [segment for segment in self._segments if segment.offsets]
        self._epoch = self._load_epoch(empty=not recorded)
        position = self._segments[-1].next if self._segments else self._epoch.first
        if not recorded:
            self._save_epoch(replace(self._epoch, first=position))
        try:
            self._add_segment(position)
        except OSError as error:
            raise DiskFull(f"{self._folder}: {error.strerror}", "free some space") from error
        self._segments = [*(kept for one in self._segments[:-1] for kept in without_states(one)), self._segments[-1]]
        self._durable = position

    def _load_epoch(self, *, empty: bool) -> _Epoch:
        """The epoch of the last run, one more when the spool holds no record; the first ever is provisional."""
        try:
            known = _Epoch(**json.loads((self._folder / "epoch.json").read_text()))
        except FileNotFoundError:
            first = self._segments[0].first if self._segments else 0
            fresh = _Epoch(1, first, settled=False)
            self._save_epoch(fresh)
            return fresh
        return replace(known, epoch=known.epoch + 1) if empty else known

    def _save_epoch(self, epoch: _Epoch) -> None:
        replace_file(self._folder / "epoch.json", json.dumps(asdict(epoch)).encode())
        self._epoch = epoch

    def _begin_epoch(self, epoch: int) -> None:
        if self._epoch.settled:
            log.error(
                "worker %s: its records are known further than its spool goes; epoch %d begins", self.worker, epoch
            )
        self._save_epoch(_Epoch(epoch, self._segments[0].first, settled=True))

    def _write(self, frames: Sequence[Frame]) -> None:
        self._require_sound()
        encoded = [frame.encode() for frame in frames]
        data = b"".join(encoded)
        if self._free_bytes() < self._water.min_free_bytes // 4 + len(data):
            raise DiskFull(f"{self._folder}: no room for the next record", "free some space; no record was dropped")
        begin = self._tail.size
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._file, data[written:], begin + written)
        except OSError as error:
            raise DiskFull(f"{self._folder}: {error.strerror}", "free some space; no record was dropped") from error
        starts = accumulate((len(one) for one in encoded[:-1]), initial=begin)
        self._tail.note(() if frames[-1].kind == STATE else starts, begin + len(data))
        for camera, state in frames[-1].states.items():
            if state:
                self._states[camera] = state
            else:
                self._states.pop(camera, None)
        self._dirty = True
        if self._tail.size >= self._roll_at:
            self._roll()

    def _roll(self) -> None:
        """A new segment. It begins with every state, so the old one is kept for its records alone."""
        old, file = self._tail, self._file
        try:
            os.fsync(file)
        except OSError as error:
            self._failed = error
            self._require_sound()
        self._durable = old.next
        try:
            self._add_segment(old.next)
        except OSError as error:
            log.warning("spool %s goes on growing, there is no room for the next: %s", old.path.name, error)
            self._roll_at += self._segment_bytes
            return
        os.close(file)
        self._segments[-2:-1] = without_states(old)

    def _add_segment(self, position: int) -> None:
        serial = place(self._segments[-1].path)[1] + 1 if self._segments else 0
        path = self._folder / f"{position:020d}.{serial:06d}.log"
        try:
            segment = create_segment(path, position, self._states)
            self._file = os.open(path, os.O_RDWR)
        except OSError:
            path.unlink(missing_ok=True)  # the old one goes on: a newer beside it would leave a hole between them
            raise
        self._segments.append(segment)
        self._tail = segment
        self._roll_at = segment.size + self._segment_bytes
        self._dirty = False

    def _flush_loop(self) -> None:
        """Group commit: everything written while the last fsync ran goes with the next one."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tail.next > self._durable or self._closing, _IDLE_SYNC_S)
                closing, tail, end, dirty = self._closing, self._tail, self._tail.next, self._dirty
                descriptor = os.dup(self._file)  # a roll may close the file meanwhile
                self._dirty = False
            try:
                if dirty:
                    os.fsync(descriptor)
            except OSError as error:
                # The kernel may have dropped the pages: another fsync would lie, so nothing is written any more.
                log.critical("spool %s: fsync failed: %s", tail.path, error)
                with self._changed:
                    self._failed = error
                    self._changed.notify_all()
                return
            finally:
                os.close(descriptor)
            with self._changed:
                self._durable = max(self._durable, end)
                self._changed.notify_all()
            if closing:
                return

    def _require_sound(self) -> None:
        if self._failed is not None:
            raise StoreError(f"{self._folder}: the disk failed ({self._failed.strerror})", "replace the disk, restart")

    def _free_bytes(self) -> int:
        at, free = self._free
        now = time.monotonic()
        if now - at > _SPACE_EVERY_S:
            free = shutil.disk_usage(self._folder).free
            self._free = (now, free)
        return free
