"""Subscribers that keep ledgers, on an event loop of their own: an endpoint with moods, MQTT, server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.contract.delivery_servers import OK, answer

Mood = Literal["well", "slow", "errors", "hangs", "down"]
MOODS: tuple[Mood, ...] = ("slow", "errors", "hangs", "down")


class Receivers:
    """Started with `start`; `ledger` has (sequence, id) of what each subscriber took, in the order of arrival."""

    def __init__(self) -> None:
        self.ledger: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.port = 0
        self._mood: Mood = "well"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receivers")
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._clients: list[Callable[[], object]] = []
        self._fetching: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        for end in self._clients:
            end()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def feel(self, mood: Mood) -> None:
        """How the endpoint `/moody` is from now on; what hung or was slow is cut off."""
        self._call(self._change(mood))

    def subscribe(self, port: int, topic: str) -> None:
        """Takes `topic` of a broker on 127.0.0.1 as the subscriber "mqtt"."""

        def on_message(_client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
            told = dict(getattr(message.properties, "UserProperty", ()))
            self.ledger["mqtt"].append((int(told["sequence"]), told["webhook-id"]))

        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_message = on_message
        client.connect("127.0.0.1", port)
        client.subscribe(topic, qos=1)
        client.loop_start()
        self._clients += [client.disconnect, client.loop_stop]

    def fetch(self, url: str, cookies: httpx.Cookies) -> None:
        """Fetches server-sent events as the subscriber "sse", again and again from where it left off."""

        async def begin() -> None:
            self._fetching.append(asyncio.create_task(self._fetch(url, cookies)))

        self._call(begin())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                await self._take(head[0].split()[1][1:], body, writer)
        self._open.discard(writer)
        writer.close()

    async def _take(self, who: str, body: dict[str, str], writer: asyncio.StreamWriter) -> None:
        mood = self._mood if who == "moody" else "well"
        if mood == "errors":
            writer.write(answer(500))
            return
        self.ledger[who].append((int(body["sequence"]), body["id"]))
        if mood == "hangs":  # it has it, and does not say so, until its mood changes
            return
        if mood == "slow":
            await asyncio.sleep(0.3)
        writer.write(OK)
        await writer.drain()

    async def _change(self, mood: Mood) -> None:
        self._mood = mood
        if mood == "down" and self._server is not None:
            self._server.close()
            self._server = None
        elif mood != "down" and self._server is None:
            await self._listen()
        for writer in list(self._open):
            writer.close()

    async def _fetch(self, url: str, cookies: httpx.Cookies) -> None:
        while True:
            last = self.ledger["sse"][-1][0] if self.ledger["sse"] else 0
            with contextlib.suppress(httpx.HTTPError):
                async with (
                    httpx.AsyncClient(cookies=cookies, timeout=20) as client,
                    client.stream("GET", url, headers={"Last-Event-ID": str(last)}) as found,
                ):
                    async for line in found.aiter_lines():
                        if line.startswith("data:"):
                            body = json.loads(line[5:])
                            self.ledger["sse"].append((int(body["sequence"]), body["id"]))
            await asyncio.sleep(0.1)

    async def _end(self) -> None:
        for task in self._fetching:
            task.cancel()
        await asyncio.gather(*self._fetching, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.close()
        await asyncio.sleep(0.05)
