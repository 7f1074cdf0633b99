"""From the workers' streams to the tables: each record exactly once, in its worker's order.

The mark of what is consumed is written in the rows' own transaction, so a crash at any moment leaves either both
or neither. A record beyond the next one is not taken: its worker sees the mark stand still and sends the missing
ones again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from contracts.errors import BusUnavailable, DatabaseUnavailable
from contracts.records import EventRecord, LookRecord, Record, UnwatchedRecord
from events.hooks import Hooks
from events.store import lock_ingest, read_marks, write_event, write_marks, write_rejected, write_unwatched
from events.types import Note
from store.bus import NOTHING, Bus, Entry, Mark

log = logging.getLogger(__name__)

_BLOCK_MS = 200  # also how soon a worker nobody has heard of is noticed
_GAP_PAUSE_S = 0.1
_RESTORE_EVERY_S = 1.0
_BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass
class Counters:
    """What a consumer did since it started."""

    applied: int = 0
    duplicates: int = 0
    rejected: int = 0
    gaps: int = 0
    batches: int = 0
    failures: int = 0


@dataclass
class _Batch:
    """The outcome of one transaction."""

    marks: dict[str, Mark] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    applied: int = 0
    duplicates: int = 0
    rejected: int = 0
    gaps: set[str] = field(default_factory=set)


class Consumer:
    """Reads every worker's records and commits them. Several may run: they take turns by a lock in the database.

    Args:
        engine: the database.
        bus: a client of its own (it blocks).
        hooks: run for each new transition in its transaction.
    """

    def __init__(self, engine: Engine, bus: Bus, hooks: Hooks | None = None) -> None:
        self._engine = engine
        self._bus = bus
        self._hooks = hooks or Hooks()
        self._marks: dict[str, Mark] = {}
        self._restored: float | None = None
        self._gapped: dict[str, float] = {}
        self.counters = Counters()

    def run(self, stop: threading.Event) -> None:
        """Consumes until `stop` is set; outages of the bus or the database are waited out."""
        failures = 0
        while not stop.is_set():
            try:
                self.step(_BLOCK_MS)
                failures = 0
            except (BusUnavailable, DatabaseUnavailable) as error:
                if failures == 0:
                    log.warning("consumer waits: %s", error)
                self.counters.failures += 1
                self._marks.clear()  # read again from the database, then told to the workers again
                self._restored = None
                stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1

    def step(self, block_ms: int = 0) -> int:
        """Reads once and commits what came.

        Returns:
            How many new records were applied.

        Raises:
            BusUnavailable, DatabaseUnavailable: nothing was lost; call again later.
        """
        self._restore()
        for worker in self._bus.workers():
            self._marks.setdefault(worker, NOTHING)
        now = time.monotonic()
        waiting = {worker for worker, until in self._gapped.items() if until > now}
        after = {worker: mark for worker, mark in self._marks.items() if worker not in waiting}
        entries = self._bus.read(after, block_ms=min(block_ms, 50) if waiting else block_ms)
        if not entries:
            return 0
        batch = self._commit(entries)
        self._marks.update(batch.marks)
        self._gapped = dict.fromkeys(batch.gaps, time.monotonic() + _GAP_PAUSE_S)
        self._count(batch)
        self._bus.notify(batch.marks, [note.model_dump_json().encode() for note in batch.notes])
        return batch.applied

    def _restore(self) -> None:
        """Tells the workers every mark, at first, after an outage, and when the bus was found wiped."""
        now = time.monotonic()
        if self._restored is not None and now - self._restored < _RESTORE_EVERY_S:
            return
        if self._restored is None or self._bus.marks() is None:
            with _database(), self._engine.connect() as connection:
                self._marks = read_marks(connection)
            self._bus.set_marks(self._marks, ready=True)
        self._restored = now

    def _commit(self, entries: Mapping[str, Sequence[Entry]]) -> _Batch:
        """All of it in one transaction; where a record spoils that, one transaction a record."""
        try:
            return self._transaction(entries, careful=False)
        except (BusUnavailable, DatabaseUnavailable):
            raise
        except Exception:  # noqa: BLE001 - a record or a hook of another room broke the batch; found out one by one
            return self._transaction(entries, careful=True)

    def _transaction(self, entries: Mapping[str, Sequence[Entry]], *, careful: bool) -> _Batch:
        batch = _Batch()
        with _database(), self._engine.begin() as connection:
            lock_ingest(connection)
            marks = read_marks(connection, list(entries))
            for worker, found in entries.items():
                mark = self._apply_worker(connection, worker, marks[worker], found, batch, careful=careful)
                if mark != marks[worker]:
                    batch.marks[worker] = mark
                elif mark != self._marks.get(worker):
                    batch.marks[worker] = mark  # another consumer was faster
            write_marks(connection, batch.marks)
        return batch

    def _apply_worker(
        self,
        connection: Connection,
        worker: str,
        mark: Mark,
        entries: Sequence[Entry],
        batch: _Batch,
        *,
        careful: bool,
    ) -> Mark:
        for entry in entries:
            if entry.mark <= mark:
                batch.duplicates += 1
                continue
            if not follows(mark, entry.mark):
                if not self._bus.later_epoch(worker, entry.mark.epoch):
                    batch.gaps.add(worker)
                    break
                self._admit_loss(connection, worker, mark, entry, batch)
            self._apply(connection, worker, entry, batch, careful=careful)
            mark = entry.mark
        return mark

    def _admit_loss(self, connection: Connection, worker: str, mark: Mark, entry: Entry, batch: _Batch) -> None:
        """The worker began a new epoch, so its spool no longer has what is missing: said, never passed over."""
        error = f"lost: records between {mark.epoch}:{mark.offset} and {entry.mark.epoch}:{entry.mark.offset}"
        log.error("worker %s: %s (its spool was lost before they were consumed)", worker, error)
        write_rejected(connection, worker, mark, error, b"")
        batch.rejected += 1

    def _apply(self, connection: Connection, worker: str, entry: Entry, batch: _Batch, *, careful: bool) -> None:
        try:
            record = parse(worker, entry)
        except ValueError as error:
            self._reject(connection, worker, entry, error, batch)
            return
        if not careful:
            self._write(connection, record, batch)
            return
        notes = len(batch.notes)
        try:
            with connection.begin_nested():
                self._write(connection, record, batch)
        except Exception as error:  # supervises the hooks of other rooms; see `EventHook`
            if _is_outage(error):
                raise
            del batch.notes[notes:]
            self._reject(connection, worker, entry, error, batch)

    def _write(self, connection: Connection, record: Record, batch: _Batch) -> None:
        body = record.body
        if isinstance(body, UnwatchedRecord):
            write_unwatched(connection, body.unwatched)
        elif isinstance(body, EventRecord):
            event = body.event
            position = write_event(connection, record.worker, event)
            if position is None:
                batch.duplicates += 1
                return
            self._hooks(connection, event)
            batch.notes.append(Note(position=position, event=event))
        elif isinstance(body, LookRecord):
            self._hooks.looked(connection, body.look)
        batch.applied += 1

    def _reject(self, connection: Connection, worker: str, entry: Entry, error: Exception, batch: _Batch) -> None:
        text = f"{type(error).__name__}: {error}".replace("\x00", "\\0")
        log.error("worker %s, record %d:%d is kept aside: %s", worker, *entry.mark, text)
        write_rejected(connection, worker, entry.mark, text, entry.raw)
        batch.rejected += 1

    def _count(self, batch: _Batch) -> None:
        self.counters.batches += 1
        self.counters.applied += batch.applied
        self.counters.duplicates += batch.duplicates
        self.counters.rejected += batch.rejected
        self.counters.gaps += len(batch.gaps)


def follows(mark: Mark, following: Mark) -> bool:
    """`following` is the very next record after `mark`: the next offset, or the first of a later epoch."""
    if following.epoch == mark.epoch:
        return following.offset == mark.offset + 1
    return following.epoch > mark.epoch and following.offset == 0


def parse(worker: str, entry: Entry) -> Record:
    """The record, if it is one and is what its place in the stream says.

    Raises:
        ValueError: it is not.
    """
    try:
        record = Record.model_validate_json(entry.raw)
    except ValidationError as error:
        raise ValueError(f"not a record: {error.errors(include_url=False, include_input=False)[:3]}") from error
    if (record.worker, record.epoch, record.offset) != (worker, *entry.mark):
        raise ValueError(f"says it is {record.worker} {record.epoch}:{record.offset}")
    return record


def _is_outage(error: BaseException) -> bool:
    """The database went away, is short of something, or chose us as a deadlock's victim: worth another try."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout | BusUnavailable | DatabaseUnavailable):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


class _database:  # noqa: N801 - reads as the context it is
    """Turns outages of the database into `DatabaseUnavailable`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and not isinstance(error, BusUnavailable | DatabaseUnavailable) and _is_outage(error):
            raise DatabaseUnavailable(
                f"Postgres: {str(error).splitlines()[0]}", "records wait until it is back"
            ) from error
