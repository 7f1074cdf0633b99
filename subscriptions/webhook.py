"""Deliveries by HTTP POST."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Sequence

from contracts.errors import CityVisionError
from contracts.signing import signed
from store.guard import Guard
from store.outbound import FAILURES, Answer, Outbound
from store.secrets import Credentials
from subscriptions.channel import SEND_TIMEOUT_S, Sent, failed
from subscriptions.message import Message

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
        self._fixed = {"user-agent": "CityVision", "accept": "*/*"}
        if credentials is not None:
            pair = base64.b64encode(f"{credentials.user}:{credentials.password}".encode())
            self._fixed["authorization"] = f"Basic {pair.decode()}"
        self._server = Outbound(url, guard)

    async def send(self, message: Message) -> Sent:
        headers = self._fixed | signed(message.id, int(time.time()), message.body, self._keys)
        headers["content-type"] = message.content_type
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return _judged(await self._server.request("POST", self._url, headers, message.body, limit=_ANSWER))
        except TimeoutError:
            return failed(f"no answer within {SEND_TIMEOUT_S:g} s")
        except CityVisionError as error:
            return failed(str(error))
        except FAILURES as error:
            return failed(f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        await self._server.close()


def _judged(answer: Answer) -> Sent:
    if 200 <= answer.status < 300:
        return Sent(True, answer.status)
    text = answer.body[:_SHOWN].decode(errors="replace")
    if 300 <= answer.status < 400:
        text = "redirects are not followed: write the address that it points to"
    sent = failed(f"HTTP {answer.status} {text}", answer.status, _retry_after(answer.headers.get("retry-after", "")))
    return sent._replace(gone=answer.status == _GONE)


def _retry_after(value: str) -> float | None:
    """Seconds; a date is not taken (clocks differ)."""
    return float(value[:9]) if value.isascii() and value.isdigit() else None
