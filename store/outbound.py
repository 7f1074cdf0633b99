"""HTTP to addresses that somebody typed in: one connection, made to the very address that the guard has checked."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpcore

from store.guard import Guard

FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError)
"""What `Outbound.request` raises where no answer came."""

_CONNECT_S = 5.0
_KEPT_S = 30.0  # an idle connection


class Answer(NamedTuple):
    """Of a server; `headers` by lower-case name, `body` cut at the limit that was asked for."""

    status: int
    headers: dict[str, str]
    body: bytes


class Outbound:
    """One server, over connections of its own: no other receiver's request can travel on them. Redirects are answers.

    Args:
        url: http or https, with the host that is connected to.
        guard: says which address to connect to.
        connections: at most.
    """

    def __init__(self, url: str, guard: Guard, *, connections: int = 1) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=connections,
            keepalive_expiry=_KEPT_S,
            network_backend=_Backend(guard, private_only=urlsplit(url).scheme != "https"),
        )

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, limit: int
    ) -> Answer:
        """One request; what the answer holds beyond `limit` bytes is cut off. The caller sets the time limit.

        Raises:
            Refused: the guard does not allow the address.
            httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError: see `FAILURES`.
        """
        asked = [(name.encode(), value.encode()) for name, value in headers.items()]
        timeouts = {"connect": _CONNECT_S, "pool": _CONNECT_S}
        async with self._pool.stream(
            method, url, headers=asked, content=body, extensions={"timeout": timeouts}
        ) as response:
            said = b""
            async for chunk in response.aiter_stream():
                said += chunk
                if len(said) > limit:
                    break
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, found, said)

    async def close(self) -> None:
        """Lets go of its connections."""
        await self._pool.aclose()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects to the address that the guard has checked; TLS goes on to verify the name."""

    def __init__(self, guard: Guard, *, private_only: bool) -> None:
        self._guard = guard
        self._private_only = private_only
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await self._guard.address(host, port, private_only=self._private_only)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
