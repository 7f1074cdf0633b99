"""The other side of `bench.delivery`: an HTTP endpoint, an MQTT client and a stream reader in a process of their own.

    python -m bench.delivery_receivers HTTP_PORT MQTT_PORT LEDGER STREAM,STREAM,…   (their server: REDIS_URL)

Writes a line "subscription id number time" for each message, in the order of arrival; time by the machine's monotonic
clock, s. Ends at SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

import paho.mqtt.client as paho
import uvloop
from paho.mqtt.enums import CallbackAPIVersion

from store.keys import Keys
from store.streams import StreamClient

_OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


class Ledger:
    """What arrived."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, subscription: str, id_: str, sequence: str) -> None:
        self._file.write(f"{subscription} {id_} {int(sequence)} {time.monotonic():.6f}\n")


class Endpoint(asyncio.Protocol):
    """One connection of POST /<subscription>; answers 204 at once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lines = head.split(b"\r\n")
            headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines[1:])}
            length = int(headers[b"content-length"])
            if len(rest) < length:
                return
            body, self._buffer = rest[:length], rest[length:]
            sequence = body.partition(b'"sequence":"')[2][:19].decode()
            self._ledger.write(lines[0].split(b" ")[1].decode()[1:], headers[b"webhook-id"].decode(), sequence)
            self._transport.write(_OK)


def subscribe(port: int, ledger: Ledger) -> paho.Client:
    """An MQTT client with a thread of its own."""

    def on_message(_client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
        told = dict(getattr(message.properties, "UserProperty", ()))
        ledger.write(told["subscription"], told["webhook-id"], told["sequence"])

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.subscribe("bench/#", qos=1)
    client.loop_start()
    return client


async def read(url: str, streams: list[int], ledger: Ledger) -> None:
    """Streams, until cancelled."""
    client = StreamClient(url)
    after = {Keys().subscription(number): "0" for number in streams}
    while after:
        for key, entry, fields in await client.read(after):
            after[key] = entry
            ledger.write(key.rsplit(":", 1)[1], fields["id"].decode(), fields["sequence"].decode())


async def main(http_port: int, mqtt_port: int, file: Path, streams: list[int]) -> None:
    """Receives until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    with file.open("w", buffering=1) as out:
        ledger = Ledger(out)
        client = subscribe(mqtt_port, ledger)
        server = await loop.create_server(lambda: Endpoint(ledger), "127.0.0.1", http_port)
        reading = asyncio.create_task(read(os.environ["REDIS_URL"], streams, ledger))
        out.write("ready\n")
        await stop.wait()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        server.close()
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    chosen = [int(number) for number in sys.argv[4].split(",") if number]
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), chosen))
