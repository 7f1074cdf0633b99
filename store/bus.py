"""Valkey/Redis: the workers' records and the consumer's marks. Every failure is `BusUnavailable`.

Nothing is retried in here. A connection that broke may mean a server that restarted and forgot its last second,
so whoever publishes has to look again at what the server holds before going on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import redis

from store import keys
from store.client import entries_of, translated
from store.lanes import LaneState

_NO_ID = "0-0"
# Nothing can refuse a later XADD of a script whose first one was allowed, so it is all or none.
_APPEND = """
local top = '0-0'
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then top = info[i + 1] end
  end
end
if top ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do redis.call('XADD', KEYS[1], ARGV[i], 'r', ARGV[i + 1]) end
return 1
"""


class Mark(NamedTuple):
    """A place in one worker's records: everything up to and including it. `offset` -1: nothing of the epoch yet."""

    epoch: int
    offset: int


NOTHING = Mark(0, -1)


class Entry(NamedTuple):
    """One record in a worker's stream; `raw` is the JSON of a `contracts.records.Record`."""

    mark: Mark
    raw: bytes


def to_id(mark: Mark) -> str:
    """The stream entry id of a record: `<epoch>-<offset + 1>`."""
    return f"{mark.epoch}-{mark.offset + 1}"


def from_id(entry_id: bytes | str) -> Mark:
    """Inverse of `to_id`."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    epoch, serial = text.split("-")
    return Mark(int(epoch), int(serial) - 1)


def parse_mark(text: bytes) -> Mark:
    """A mark as it stands in `Keys.marks`: `<epoch>:<offset>`."""
    epoch, offset = text.split(b":")
    return Mark(int(epoch), int(offset))


class Bus(LaneState):
    """The records too. Give a publisher and a blocking reader one each.

    Args:
        url: redis:// or rediss:// URL.
        timeout_s: how long one command may take before it counts as failed.
        space: see `store.keys`.
    """

    def __init__(self, url: str, *, timeout_s: float = 3.0, space: str = keys.CITY) -> None:
        super().__init__(url, timeout_s=timeout_s, space=space)
        self._append: Any = self._redis.register_script(_APPEND)

    # Records

    def announce(self, worker: str) -> None:
        """Makes the worker's stream known to consumers."""
        with translated():
            self._redis.sadd(self._keys.workers, worker)

    def workers(self) -> set[str]:
        with translated():
            return {name.decode() for name in self._redis.smembers(self._keys.workers)}  # type: ignore[union-attr]

    def publish(self, worker: str, after: Mark | None, entries: Sequence[Entry]) -> bool:
        """Appends records in order, all or none, provided that the stream's top still is `after`.

        The condition and the writing are one step on the server, so a server that restarted and forgot its last
        second can never be given a record past a hole, not even through a connection that was remade silently.

        Args:
            after: what `top` said, or the last record published since.

        Returns:
            False when the top is another one: look again, then go on from there.

        Raises:
            BusUnavailable: away, or refused (memory, read-only, disk): the caller keeps the records. Whether they
                arrived is for `top` to say.
        """
        arguments: list[str | bytes] = [to_id(after) if after is not None else _NO_ID]
        for entry in entries:
            arguments += [to_id(entry.mark), entry.raw]
        with translated():
            return bool(self._append(keys=[self._keys.records(worker)], args=arguments))

    def top(self, worker: str) -> Mark | None:
        """The last id the worker's stream was ever given; None when there is no stream."""
        with translated():
            try:
                info: Any = self._redis.xinfo_stream(self._keys.records(worker))
            except redis.ResponseError as error:
                if "no such key" in str(error):
                    return None
                raise
            return from_id(info["last-generated-id"])

    def holds(self, worker: str, mark: Mark) -> bool:
        """The stream holds this very record."""
        with translated():
            return bool(self._redis.xrange(self._keys.records(worker), to_id(mark), to_id(mark)))

    def trim(self, worker: str, mark: Mark) -> None:
        """Drops records up to and including `mark`, which the consumer has committed; never by length."""
        with translated():
            self._redis.xtrim(
                self._keys.records(worker), minid=to_id(Mark(mark.epoch, mark.offset + 1)), approximate=True
            )

    def drop_records(self, worker: str) -> None:
        """Removes the worker's stream, to be filled again from its spool."""
        with translated():
            self._redis.delete(self._keys.records(worker))

    def read(self, after: Mapping[str, Mark], *, block_ms: int, count: int = 500) -> dict[str, list[Entry]]:
        """The next records of each worker; blocks up to `block_ms` when there are none. Empty lists are left out.

        Entries that are no records (no field "r") come with empty `raw`.
        """
        if not after:
            time.sleep(block_ms / 1000)
            return {}
        streams: dict[Any, Any] = {self._keys.records(worker): to_id(mark) for worker, mark in after.items()}
        names = {self._keys.records(worker): worker for worker in after}
        with translated():
            found: Any = self._redis.xread(streams, count=count, block=block_ms)
        pairs = found.items() if isinstance(found, dict) else found or ()
        return {
            names[stream.decode()]: [Entry(from_id(i), fields.get(b"r", b"")) for i, fields in entries_of(entries)]
            for stream, entries in pairs
        }

    def later_epoch(self, worker: str, epoch: int) -> bool:
        """The stream holds a record of a later epoch than `epoch`."""
        with translated():
            return bool(self._redis.xrange(self._keys.records(worker), f"{epoch + 1}-0", "+", count=1))

    # Marks

    def marks(self) -> dict[str, Mark] | None:
        """What the consumer has committed, by worker; None while no consumer has written them (since a wipe)."""
        with translated():
            found: Any = self._redis.hgetall(self._keys.marks)
        if keys.MARKS_READY.encode() not in found:
            return None
        return {name.decode(): parse_mark(text) for name, text in found.items() if name.decode() != keys.MARKS_READY}

    def mark(self, worker: str) -> Mark | None:
        """As `marks`, for one worker: `NOTHING` when the consumer knows no record of it."""
        with translated():
            found: Any = self._redis.hmget(self._keys.marks, [keys.MARKS_READY, worker])
        ready, text = found
        if ready is None:
            return None
        return NOTHING if text is None else parse_mark(text)

    def set_marks(self, marks: Mapping[str, Mark], *, ready: bool = False) -> None:
        """Tells the workers; `ready` says that `marks` is all there is."""
        fields: dict[Any, Any] = {worker: f"{mark.epoch}:{mark.offset}" for worker, mark in marks.items()}
        if ready:
            fields[keys.MARKS_READY] = "1"
        if fields:
            with translated():
                self._redis.hset(self._keys.marks, mapping=fields)

    # Committed transitions, for listeners

    def notify(self, marks: Mapping[str, Mark], notes: Sequence[bytes]) -> None:
        """After a commit, in one round trip: the marks, and one entry a transition in `Keys.events`."""
        with translated():
            pipe = self._redis.pipeline(transaction=False)
            for note in notes:
                pipe.xadd(self._keys.events, {"e": note}, maxlen=keys.EVENTS_KEPT, approximate=True)
            if marks:
                pipe.hset(self._keys.marks, mapping={w: f"{m.epoch}:{m.offset}" for w, m in marks.items()})
            pipe.execute()

    def read_notes(self, after: str, *, block_ms: int, count: int = 500) -> list[tuple[str, bytes]]:
        """Notes after the stream id `after` ("$": from now on), as (id, note)."""
        with translated():
            found: Any = self._redis.xread({self._keys.events: after}, count=count, block=block_ms)
        pairs = found.items() if isinstance(found, dict) else found or ()
        return [(i.decode(), fields[b"e"]) for _, entries in pairs for i, fields in entries_of(entries)]
