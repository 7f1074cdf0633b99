"""Deliveries by Redis Stream."""

from __future__ import annotations

import asyncio

from contracts.errors import CityVisionError
from store.streams import StreamClient
from subscriptions.channel import SEND_TIMEOUT_S, Sent, failed
from subscriptions.message import Message


class StreamChannel:
    """One stream, kept to about `length` entries; the client may be shared.

    Fields of an entry: `id` (of the message), `sequence`, `type` (content type) and `data` (the message).
    """

    def __init__(self, client: StreamClient, key: str, length: int, *, own: bool) -> None:
        self._client = client
        self._key = key
        self._length = length
        self._own = own

    async def send(self, message: Message) -> Sent:
        fields: dict[str, str | bytes] = {
            "id": message.id,
            "sequence": f"{message.number:019d}",
            "type": message.content_type,
            "data": message.body,
        }
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._client.append(self._key, fields, self._length)
        except TimeoutError:
            return failed(f"no answer within {SEND_TIMEOUT_S:g} s")
        except CityVisionError as error:
            return failed(error.message)
        return Sent(True)

    async def close(self) -> None:
        if self._own:
            await self._client.close()
