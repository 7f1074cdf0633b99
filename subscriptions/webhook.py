"""Deliveries by HTTP POST."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore

from contracts.errors import CityVisionError
from store.secrets import Credentials
from subscriptions.channel import SEND_TIMEOUT_S, Sent, failed
from subscriptions.guard import Guard
from subscriptions.message import Message
from subscriptions.signing import signed

_CONNECT_S = 5.0
_KEPT_S = 30.0  # an idle connection
_ANSWER = 16 * 1024  # of an answer, at most; more is cut off
_SHOWN = 200
_GONE = 410


class WebhookChannel:
    """One endpoint, over a connection of its own: no other subscriber's request can travel on it.

    Args:
        url: http or https, checked.
        keys: signing secrets in force, the newest first.
        guard: says which address to connect to.
        credentials: for HTTP Basic.
    """

    def __init__(self, url: str, keys: Sequence[str], guard: Guard, credentials: Credentials | None = None) -> None:
        self._url = url
        self._keys = tuple(keys)
        encrypted = urlsplit(url).scheme == "https"
        self._fixed = [(b"user-agent", b"CityVision"), (b"accept", b"*/*")]
        if credentials is not None:
            pair = base64.b64encode(f"{credentials.user}:{credentials.password}".encode())
            self._fixed.append((b"authorization", b"Basic " + pair))
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=1,
            keepalive_expiry=_KEPT_S,
            network_backend=_Backend(guard, private_only=not encrypted),
        )

    async def send(self, message: Message) -> Sent:
        headers = signed(message.id, int(time.time()), message.body, self._keys)
        headers["content-type"] = message.content_type
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await self._post(message.body, headers)
        except TimeoutError:
            return failed(f"no answer within {SEND_TIMEOUT_S:g} s")
        except CityVisionError as error:
            return failed(str(error))
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return failed(f"{type(error).__name__}: {error}")

    async def _post(self, body: bytes, headers: dict[str, str]) -> Sent:
        asked = [*self._fixed, *((name.encode(), value.encode()) for name, value in headers.items())]
        timeouts = {"connect": _CONNECT_S, "pool": _CONNECT_S}
        async with self._pool.stream(
            "POST", self._url, headers=asked, content=body, extensions={"timeout": timeouts}
        ) as response:
            said = b""
            async for chunk in response.aiter_stream():
                said += chunk
                if len(said) > _ANSWER:
                    break
            return _judged(response.status, said, response.headers)

    async def close(self) -> None:
        await self._pool.aclose()


def _judged(status: int, said: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Sent:
    if 200 <= status < 300:
        return Sent(True, status)
    text = said[:_SHOWN].decode(errors="replace")
    if 300 <= status < 400:
        text = "redirects are not followed: write the address that it points to"
    sent = failed(f"HTTP {status} {text}", status, _retry_after(headers))
    return sent._replace(gone=status == _GONE)


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Seconds; a date is not taken (clocks differ)."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return float(value[:9])
    return None


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
