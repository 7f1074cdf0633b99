"""Valkey/Redis: the workers' records, and live state. Every failure is `BusUnavailable`.

Nothing is retried in here. A connection that broke may mean a server that restarted and forgot its last second,
so whoever publishes has to look again at what the server holds before going on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import redis
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from contracts.errors import BusUnavailable
from contracts.live import CameraStatus
from contracts.looks import LookRequest
from contracts.proposals import ZoneProposals
from contracts.trace import TraceLine
from store import keys

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


class PoolSnapshot(NamedTuple):
    """The pool as the workers read it; `snapshot` is what the pool room wrote."""

    revision: int
    digest: str
    snapshot: bytes


class Entry(NamedTuple):
    """One record in a worker's stream; `raw` is the JSON of a `contracts.records.Record`."""

    mark: Mark
    raw: bytes


@contextmanager
def translated() -> Iterator[None]:
    """Turns the client's errors into ours."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        # The client's texts name the address but never the password.
        raise BusUnavailable(
            f"Valkey/Redis: {str(error)[:200]}", "records wait in the spool until it is back"
        ) from error


def to_id(mark: Mark) -> str:
    """The stream entry id of a record: `<epoch>-<offset + 1>`."""
    return f"{mark.epoch}-{mark.offset + 1}"


def from_id(entry_id: bytes | str) -> Mark:
    """Inverse of `to_id`."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    epoch, serial = text.split("-")
    return Mark(int(epoch), int(serial) - 1)


def parse_mark(text: bytes) -> Mark:
    """A mark as it stands in `keys.MARKS`: `<epoch>:<offset>`."""
    epoch, offset = text.split(b":")
    return Mark(int(epoch), int(offset))


class Bus:
    """A blocking client. Thread-safe; give a publisher and a blocking reader one each.

    Args:
        url: redis:// or rediss:// URL.
        timeout_s: how long one command may take before it counts as failed.
    """

    def __init__(self, url: str, *, timeout_s: float = 3.0) -> None:
        self._timeout = timeout_s
        self._redis: redis.Redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
        self._append: Any = self._redis.register_script(_APPEND)

    def close(self) -> None:
        self._redis.close()

    def ping(self) -> None:
        """Raises BusUnavailable."""
        with translated():
            self._redis.ping()

    def flush(self) -> None:
        """Forgets everything; records not yet consumed come again from the spools."""
        with translated():
            self._redis.flushdb()

    # Records

    def announce(self, worker: str) -> None:
        """Makes the worker's stream known to consumers."""
        with translated():
            self._redis.sadd(keys.WORKERS, worker)

    def workers(self) -> set[str]:
        with translated():
            return {name.decode() for name in self._redis.smembers(keys.WORKERS)}  # type: ignore[union-attr]

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
            return bool(self._append(keys=[keys.records(worker)], args=arguments))

    def top(self, worker: str) -> Mark | None:
        """The last id the worker's stream was ever given; None when there is no stream."""
        with translated():
            try:
                info: Any = self._redis.xinfo_stream(keys.records(worker))
            except redis.ResponseError as error:
                if "no such key" in str(error):
                    return None
                raise
            return from_id(info["last-generated-id"])

    def holds(self, worker: str, mark: Mark) -> bool:
        """The stream holds this very record."""
        with translated():
            return bool(self._redis.xrange(keys.records(worker), to_id(mark), to_id(mark)))

    def trim(self, worker: str, mark: Mark) -> None:
        """Drops records up to and including `mark`, which the consumer has committed; never by length."""
        with translated():
            self._redis.xtrim(keys.records(worker), minid=to_id(Mark(mark.epoch, mark.offset + 1)), approximate=True)

    def drop_records(self, worker: str) -> None:
        """Removes the worker's stream, to be filled again from its spool."""
        with translated():
            self._redis.delete(keys.records(worker))

    def read(self, after: Mapping[str, Mark], *, block_ms: int, count: int = 500) -> dict[str, list[Entry]]:
        """The next records of each worker; blocks up to `block_ms` when there are none. Empty lists are left out.

        Entries that are no records (no field "r") come with empty `raw`.
        """
        if not after:
            time.sleep(block_ms / 1000)
            return {}
        streams: dict[Any, Any] = {keys.records(worker): to_id(mark) for worker, mark in after.items()}
        names = {keys.records(worker): worker for worker in after}
        with translated():
            found: Any = self._redis.xread(streams, count=count, block=block_ms)
        pairs = found.items() if isinstance(found, dict) else found or ()
        return {
            names[stream.decode()]: [Entry(from_id(i), fields.get(b"r", b"")) for i, fields in _entries(entries)]
            for stream, entries in pairs
        }

    def later_epoch(self, worker: str, epoch: int) -> bool:
        """The stream holds a record of a later epoch than `epoch`."""
        with translated():
            return bool(self._redis.xrange(keys.records(worker), f"{epoch + 1}-0", "+", count=1))

    # Marks

    def marks(self) -> dict[str, Mark] | None:
        """What the consumer has committed, by worker; None while no consumer has written them (since a wipe)."""
        with translated():
            found: Any = self._redis.hgetall(keys.MARKS)
        if keys.MARKS_READY.encode() not in found:
            return None
        return {name.decode(): parse_mark(text) for name, text in found.items() if name.decode() != keys.MARKS_READY}

    def mark(self, worker: str) -> Mark | None:
        """As `marks`, for one worker: `NOTHING` when the consumer knows no record of it."""
        with translated():
            found: Any = self._redis.hmget(keys.MARKS, [keys.MARKS_READY, worker])
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
                self._redis.hset(keys.MARKS, mapping=fields)

    # Committed transitions, for listeners

    def notify(self, marks: Mapping[str, Mark], notes: Sequence[bytes]) -> None:
        """After a commit, in one round trip: the marks, and one entry a transition in `keys.EVENTS`."""
        with translated():
            pipe = self._redis.pipeline(transaction=False)
            for note in notes:
                pipe.xadd(keys.EVENTS, {"e": note}, maxlen=keys.EVENTS_KEPT, approximate=True)
            if marks:
                pipe.hset(keys.MARKS, mapping={w: f"{m.epoch}:{m.offset}" for w, m in marks.items()})
            pipe.execute()

    def read_notes(self, after: str, *, block_ms: int, count: int = 500) -> list[tuple[str, bytes]]:
        """Notes after the stream id `after` ("$": from now on), as (id, note)."""
        with translated():
            found: Any = self._redis.xread({keys.EVENTS: after}, count=count, block=block_ms)
        pairs = found.items() if isinstance(found, dict) else found or ()
        return [(i.decode(), fields[b"e"]) for _, entries in pairs for i, fields in _entries(entries)]

    # Live state: may be lost

    def set_status(self, statuses: Sequence[CameraStatus]) -> None:
        if statuses:
            with translated():
                self._redis.hset(keys.STATUS, mapping={s.camera: s.model_dump_json() for s in statuses})

    def clear_status(self, cameras: Sequence[str]) -> None:
        if cameras:
            with translated():
                self._redis.hdel(keys.STATUS, *cameras)

    def statuses(self, cameras: Sequence[str] | None = None) -> dict[str, CameraStatus]:
        """What workers last said, of every camera or of `cameras`; those never heard of are left out."""
        if cameras is not None and not cameras:
            return {}
        with translated():
            if cameras is None:
                found: Any = self._redis.hgetall(keys.STATUS)
            else:
                texts: Any = self._redis.hmget(keys.STATUS, list(cameras))
                found = {name.encode(): text for name, text in zip(cameras, texts, strict=True) if text is not None}
        return {name.decode(): CameraStatus.model_validate_json(text) for name, text in found.items()}

    def watched(self, cameras: Sequence[str]) -> frozenset[str]:
        """Which of `cameras` somebody looks at live."""
        if not cameras:
            return frozenset()
        with translated():
            found: Any = self._redis.mget([keys.watch(camera) for camera in cameras])
        return frozenset(camera for camera, value in zip(cameras, found, strict=True) if value is not None)

    def watch(self, camera: str, ttl_s: float = 5.0) -> None:
        """Somebody looks at `camera`: to be repeated before `ttl_s` is over."""
        with translated():
            self._redis.set(keys.watch(camera), "1", px=int(ttl_s * 1000))

    def publish_live(self, camera: str, message: bytes) -> int:
        """Sends one live picture; returns how many received it."""
        with translated():
            return int(self._redis.publish(keys.live(camera), message))

    def add_traces(self, traces: Mapping[str, Sequence[TraceLine]]) -> None:
        """Lines of cameras' traces, oldest first; the oldest that are kept go."""
        if traces:
            with translated():
                pipe = self._redis.pipeline(transaction=False)
                for camera, lines in traces.items():
                    name = keys.trace(camera)
                    for line in lines:
                        pipe.xadd(name, {"t": line.to_json()}, maxlen=keys.TRACE_KEPT, approximate=True)
                    pipe.expire(name, keys.TRACE_TTL_S)
                pipe.execute()

    def trace(self, camera: str) -> list[TraceLine]:
        """All that is kept of a camera's trace, oldest first."""
        with translated():
            found: Any = self._redis.xrange(keys.trace(camera))
        return [TraceLine.model_validate_json(fields[b"t"]) for _, fields in _entries(found)]

    def set_proposals(self, proposals: Sequence[ZoneProposals]) -> None:
        """What is proposed for cameras' zones, until it is said again."""
        if proposals:
            with translated():
                pipe = self._redis.pipeline(transaction=False)
                for one in proposals:
                    pipe.set(keys.proposals(one.camera), one.model_dump_json(), ex=keys.PROPOSALS_TTL_S)
                pipe.execute()

    def proposals(self, camera: str) -> ZoneProposals:
        """The newest of one camera; an empty one while there are none."""
        with translated():
            found: Any = self._redis.get(keys.proposals(camera))
        return ZoneProposals(camera=camera) if found is None else ZoneProposals.model_validate_json(found)

    def set_looks(self, requests: Sequence[LookRequest]) -> None:
        """All second looks that are waited for; what was asked before and is not among them is withdrawn."""
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(keys.LOOKS)
            if requests:
                pipe.hset(keys.LOOKS, mapping={one.id: one.model_dump_json() for one in requests})
            pipe.execute()

    def looks(self) -> list[LookRequest]:
        """The second looks that are waited for; those of another version are for other workers."""
        with translated():
            found = self._redis.hvals(keys.LOOKS)
        requests = []
        for text in found:
            with contextlib.suppress(ValidationError):
                requests.append(LookRequest.model_validate_json(text))
        return requests

    def set_assignment(self, worker: str, cameras_json: str) -> None:
        with translated():
            self._redis.set(keys.assignment(worker), cameras_json)

    def assignment(self, worker: str) -> str | None:
        with translated():
            found: Any = self._redis.get(keys.assignment(worker))
        return found.decode() if found is not None else None

    # Cameras that move from one worker to another

    def put_states(self, states: Mapping[str, bytes]) -> None:
        """Leaves states (camera -> bytes) of cameras that moved for their next workers, `keys.STATE_TTL_S` long."""
        if states:
            with translated():
                pipe = self._redis.pipeline(transaction=False)
                for camera, state in states.items():
                    pipe.set(keys.state(camera), state, ex=keys.STATE_TTL_S)
                pipe.execute()

    def take_states(self, cameras: Sequence[str]) -> dict[str, bytes]:
        """What was left for `cameras`, once: it is taken away."""
        if not cameras:
            return {}
        with translated():
            pipe = self._redis.pipeline(transaction=False)
            for camera in cameras:
                pipe.getdel(keys.state(camera))
            found: Any = pipe.execute()
        return {camera: state for camera, state in zip(cameras, found, strict=True) if state is not None}

    def waiting_states(self, cameras: Sequence[str]) -> frozenset[str]:
        """Which of `cameras` have a state that nobody has taken yet."""
        if not cameras:
            return frozenset()
        with translated():
            pipe = self._redis.pipeline(transaction=False)
            for camera in cameras:
                pipe.exists(keys.state(camera))
            found: Any = pipe.execute()
        return frozenset(camera for camera, exists in zip(cameras, found, strict=True) if exists)

    # The pool

    def set_pool(self, pool: PoolSnapshot) -> None:
        """Makes a revision of the pool known to the workers."""
        fields: dict[Any, Any] = {"revision": pool.revision, "digest": pool.digest, "snapshot": pool.snapshot}
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hset(keys.POOL, mapping=fields)
            pipe.publish(keys.POOL_CHANGED, str(pool.revision))
            pipe.execute()

    def pool_revision(self) -> int | None:
        with translated():
            found: Any = self._redis.hget(keys.POOL, "revision")
        return int(found) if found is not None else None

    def pool(self) -> PoolSnapshot | None:
        with translated():
            found: Any = self._redis.hmget(keys.POOL, ["revision", "digest", "snapshot"])
        revision, digest, snapshot = found
        return PoolSnapshot(int(revision), digest.decode(), snapshot) if revision is not None else None

    def listen(self, channel: str, stopped: Callable[[], bool], *, poll_s: float = 0.5) -> Iterator[bytes]:
        """Messages of a pub/sub channel until `stopped()`. Raises BusUnavailable when the connection breaks."""
        client: Any = self._redis
        with translated(), client.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(channel)
            while not stopped():
                message: Any = subscription.get_message(timeout=poll_s)
                if message is not None:
                    yield message["data"]


def _entries(entries: Any) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Entries of one stream as the client gives them (RESP3 wraps them in one more list)."""
    for item in entries:
        if len(item) == 2 and isinstance(item[0], bytes):
            yield item[0], item[1] or {}
        else:
            yield from _entries(item)
