"""Appending to Redis Streams, ours and those of others, and reading them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from store.client import translated

# Host and port to the address to connect to, checked.
Resolve = Callable[[str, int], Awaitable[str]]


class StreamClient:
    """An asyncio client for streams. Every failure is `BusUnavailable`, or what `resolve` raises.

    Args:
        url: redis:// or rediss:// URL.
        resolve: asked before each connection; None: the client resolves by itself.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        resolve: Resolve | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        options: dict[str, Any] = {
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            "retry": Retry(NoBackoff(), 0),
            "health_check_interval": 0,
        }
        if password is not None:
            options |= {"username": username, "password": password}
        if resolve is not None:
            kind = _CheckedTls if url.startswith("rediss://") else _Checked
            options |= {"connection_class": kind, "resolve": resolve}
        pool: Any = aioredis.ConnectionPool.from_url(url, **options)
        self._redis: Any = aioredis.Redis(connection_pool=pool)
        self._pool = pool

    async def append(self, key: str, fields: Mapping[str, str | bytes], length: int) -> None:
        """One entry; the stream keeps about `length` of them."""
        with translated():
            await self._redis.xadd(key, dict(fields), maxlen=length, approximate=True)

    async def read(self, after: Mapping[str, str], block_ms: int = 1000) -> list[tuple[str, str, dict[str, bytes]]]:
        """(stream, id, fields) of entries after these ids."""
        with translated():
            found = await self._redis.xread(dict(after), count=1000, block=block_ms)
        pairs = found.items() if isinstance(found, dict) else found or ()
        return [
            (key.decode(), entry.decode(), {name.decode(): value for name, value in fields.items()})
            for key, entries in pairs
            for entry, fields in _flat(entries)
        ]

    async def close(self) -> None:
        await self._redis.aclose()
        await self._pool.aclose()


def _flat(entries: Any) -> Any:
    """RESP3 has the entries of a stream in one more list."""
    return entries[0] if entries and isinstance(entries[0], list) else entries


class _CheckedMixin:
    """Connects to the address that was checked; TLS goes on to verify the name."""

    host: str
    port: int

    def __init__(self, *arguments: Any, resolve: Resolve, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._resolve = resolve
        self._address = ""

    async def _connect(self) -> None:
        self._address = await self._resolve(self.host, self.port)
        await super()._connect()  # type: ignore[misc]

    def _connection_arguments(self) -> dict[str, Any]:
        arguments = {**super()._connection_arguments(), "host": self._address}  # type: ignore[misc]
        if "ssl" in arguments:
            arguments["server_hostname"] = self.host
        return arguments


class _Checked(_CheckedMixin, aioredis.Connection):
    pass


class _CheckedTls(_CheckedMixin, aioredis.SSLConnection):
    pass
