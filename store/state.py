"""Valkey/Redis: live state, which may be lost: it is said again, or nobody misses it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import redis
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from contracts.live import CameraStatus
from contracts.looks import LookRequest
from contracts.proposals import ZoneProposals
from contracts.trace import TraceLine
from store import keys
from store.client import entries_of, statuses_of, translated


class PoolSnapshot(NamedTuple):
    """The pool as the workers read it; `snapshot` is what the pool room wrote."""

    revision: int
    digest: str
    snapshot: bytes


class PoolMark(NamedTuple):
    """By which a pool is told from another: one revision may be in force in several ways."""

    revision: int
    digest: str


class LiveState:
    """A blocking client. Thread-safe.

    Args:
        url: redis:// or rediss:// URL.
        timeout_s: how long one command may take before it counts as failed.
        space: see `store.keys`.
    """

    def __init__(self, url: str, *, timeout_s: float = 3.0, space: str = keys.CITY) -> None:
        self._keys = keys.Keys(space)
        self._redis: redis.Redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )

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

    def set_status(self, statuses: Sequence[CameraStatus]) -> None:
        if statuses:
            with translated():
                self._redis.hset(self._keys.status, mapping={s.camera: s.model_dump_json() for s in statuses})

    def clear_status(self, cameras: Sequence[str]) -> None:
        if cameras:
            with translated():
                self._redis.hdel(self._keys.status, *cameras)

    def statuses(self, cameras: Sequence[str] | None = None) -> dict[str, CameraStatus]:
        """What workers last said, of every camera or of `cameras`; those never heard of are left out."""
        if cameras is not None and not cameras:
            return {}
        with translated():
            if cameras is None:
                found: Any = self._redis.hgetall(self._keys.status)
            else:
                texts: Any = self._redis.hmget(self._keys.status, list(cameras))
                found = {name.encode(): text for name, text in zip(cameras, texts, strict=True) if text is not None}
        return statuses_of(found)

    def watched(self, cameras: Sequence[str]) -> frozenset[str]:
        """Which of `cameras` somebody looks at live."""
        if not cameras:
            return frozenset()
        with translated():
            found: Any = self._redis.mget([self._keys.watch(camera) for camera in cameras])
        return frozenset(camera for camera, value in zip(cameras, found, strict=True) if value is not None)

    def watch(self, camera: str, ttl_s: float = 5.0) -> None:
        """Somebody looks at `camera`: to be repeated before `ttl_s` is over."""
        with translated():
            self._redis.set(self._keys.watch(camera), "1", px=int(ttl_s * 1000))

    def next_live(self, camera: str, stopped: Callable[[], bool], *, wait_s: float) -> bytes | None:
        """The camera's next live picture (`contracts.live.decode_live`); None: none came in `wait_s` s, or `stopped()`.

        Whoever else watches is not disturbed, and the worker is made to look no longer than a picture takes.
        """
        deadline = time.monotonic() + wait_s
        client: Any = self._redis
        with translated(), client.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(self._keys.live(camera))
            while time.monotonic() < deadline and not stopped():
                client.set(self._keys.watch(camera), "1", px=keys.GLANCE_TTL_MS, nx=True)
                message: Any = subscription.get_message(timeout=0.5)
                if message is not None:
                    data: bytes = message["data"]
                    return data
        return None

    def publish_live(self, camera: str, message: bytes) -> int:
        """Sends one live picture; returns how many received it."""
        with translated():
            return int(self._redis.publish(self._keys.live(camera), message))

    def add_traces(self, traces: Mapping[str, Sequence[TraceLine]]) -> None:
        """Lines of cameras' traces, oldest first; the oldest that are kept go."""
        if traces:
            with translated():
                pipe = self._redis.pipeline(transaction=False)
                for camera, lines in traces.items():
                    name = self._keys.trace(camera)
                    for line in lines:
                        pipe.xadd(name, {"t": line.to_json()}, maxlen=keys.TRACE_KEPT, approximate=True)
                    pipe.expire(name, keys.TRACE_TTL_S)
                pipe.execute()

    def trace(self, camera: str) -> list[TraceLine]:
        """All that is kept of a camera's trace, oldest first."""
        with translated():
            found: Any = self._redis.xrange(self._keys.trace(camera))
        return [TraceLine.model_validate_json(fields[b"t"]) for _, fields in entries_of(found)]

    def set_proposals(self, proposals: Sequence[ZoneProposals]) -> None:
        """What is proposed for cameras' zones, until it is said again."""
        if proposals:
            with translated():
                pipe = self._redis.pipeline(transaction=False)
                for one in proposals:
                    pipe.set(self._keys.proposals(one.camera), one.model_dump_json(), ex=keys.PROPOSALS_TTL_S)
                pipe.execute()

    def proposals(self, camera: str) -> ZoneProposals:
        """The newest of one camera; an empty one while there are none."""
        with translated():
            found: Any = self._redis.get(self._keys.proposals(camera))
        return ZoneProposals(camera=camera) if found is None else ZoneProposals.model_validate_json(found)

    def set_looks(self, requests: Sequence[LookRequest]) -> None:
        """All second looks that are waited for; what was asked before and is not among them is withdrawn."""
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(self._keys.looks)
            if requests:
                pipe.hset(self._keys.looks, mapping={one.id: one.model_dump_json() for one in requests})
            pipe.execute()

    def looks(self) -> list[LookRequest]:
        """The second looks that are waited for; those of another version are for other workers."""
        with translated():
            found = self._redis.hvals(self._keys.looks)
        requests = []
        for text in found:
            with contextlib.suppress(ValidationError):
                requests.append(LookRequest.model_validate_json(text))
        return requests

    def set_assignment(self, worker: str, cameras_json: str) -> None:
        with translated():
            self._redis.set(self._keys.assignment(worker), cameras_json)

    def assignment(self, worker: str) -> str | None:
        with translated():
            found: Any = self._redis.get(self._keys.assignment(worker))
        return found.decode() if found is not None else None

    # Cameras that move from one worker to another

    def put_states(self, states: Mapping[str, bytes]) -> None:
        """Leaves states (camera -> bytes) of cameras that moved for their next workers, `keys.STATE_TTL_S` long."""
        if states:
            with translated():
                pipe = self._redis.pipeline(transaction=False)
                for camera, state in states.items():
                    pipe.set(self._keys.state(camera), state, ex=keys.STATE_TTL_S)
                pipe.execute()

    def take_states(self, cameras: Sequence[str]) -> dict[str, bytes]:
        """What was left for `cameras`, once: it is taken away."""
        if not cameras:
            return {}
        with translated():
            pipe = self._redis.pipeline(transaction=False)
            for camera in cameras:
                pipe.getdel(self._keys.state(camera))
            found: Any = pipe.execute()
        return {camera: state for camera, state in zip(cameras, found, strict=True) if state is not None}

    def waiting_states(self, cameras: Sequence[str]) -> frozenset[str]:
        """Which of `cameras` have a state that nobody has taken yet."""
        if not cameras:
            return frozenset()
        with translated():
            pipe = self._redis.pipeline(transaction=False)
            for camera in cameras:
                pipe.exists(self._keys.state(camera))
            found: Any = pipe.execute()
        return frozenset(camera for camera, exists in zip(cameras, found, strict=True) if exists)

    # The pool

    def set_pool(self, pool: PoolSnapshot) -> None:
        """Makes a revision of the pool known to the workers."""
        fields: dict[Any, Any] = {"revision": pool.revision, "digest": pool.digest, "snapshot": pool.snapshot}
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hset(self._keys.pool, mapping=fields)
            pipe.publish(self._keys.pool_changed, str(pool.revision))
            pipe.execute()

    def pool_mark(self) -> PoolMark | None:
        """Of the pool that the workers were told of last."""
        with translated():
            found: Any = self._redis.hmget(self._keys.pool, ["revision", "digest"])
        revision, digest = found
        return PoolMark(int(revision), digest.decode()) if revision is not None else None

    def pool(self) -> PoolSnapshot | None:
        with translated():
            found: Any = self._redis.hmget(self._keys.pool, ["revision", "digest", "snapshot"])
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
