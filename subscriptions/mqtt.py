"""Deliveries by MQTT 5, QoS 1: delivered is what the broker acknowledged without a complaint.

paho alone and not a wrapper around it: those that there are drop the reason code of a PUBACK, so that a message
which the broker refused would count as delivered.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contracts.errors import CityVisionError
from store.guard import Guard
from store.secrets import Credentials
from subscriptions.channel import SEND_TIMEOUT_S, Sent, failed
from subscriptions.message import Message

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_CONNECT_S = 5.0
_KEEP_ALIVE_S = 30
_numbers = itertools.count(1)


class MqttChannel:
    """One topic of a broker; the connection is shared by all who go to that broker with the same credentials."""

    def __init__(self, broker: Broker, topic: str, subscription: int) -> None:
        self._broker = broker
        self._topic = topic
        self._subscription = subscription

    async def send(self, message: Message) -> Sent:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = message.content_type
        properties.PayloadFormatIndicator = 1
        properties.UserProperty = [
            ("webhook-id", message.id),
            ("subscription", str(self._subscription)),
            ("sequence", f"{message.number:019d}"),
        ]
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await self._broker.publish(self._topic, message.body, properties)
        except TimeoutError:
            await self._broker.close()
            return failed(f"no acknowledgement within {SEND_TIMEOUT_S:g} s")
        except CityVisionError as error:
            return failed(str(error))
        except (OSError, ValueError, ConnectionError) as error:
            return failed(f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        """The broker's connection is closed by whoever holds the brokers."""


class Broker:
    """A connection to one broker, made when it is needed and again after it broke.

    Args:
        url: mqtt or mqtts, checked.
    """

    def __init__(self, url: str, guard: Guard, credentials: Credentials | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._tls = parts.scheme == "mqtts"
        self._guard = guard
        self._credentials = credentials
        self._connecting = asyncio.Lock()
        self._link: _Link | None = None

    async def publish(self, topic: str, payload: bytes, properties: Properties) -> Sent:
        """Sends and waits for the acknowledgement. Raises OSError, Refused."""
        link = await self._linked()
        code = await link.publish(topic, payload, properties)
        return failed(f"MQTT {code}", code.value) if code.is_failure else Sent(True, code.value)

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def _linked(self) -> _Link:
        async with self._connecting:
            if self._link is None or self._link.broken:
                await self.close()
                address = await self._guard.address(self._host, self._port, private_only=not self._tls)
                link = _Link(_named(self._host) if self._tls else None, self._credentials)
                await link.connect(address, self._port)
                self._link = link
            return self._link


class _Link:
    """One connection; paho's thread calls back into our loop."""

    def __init__(self, tls: ssl.SSLContext | None, credentials: Credentials | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._waiting: dict[int, asyncio.Future[ReasonCode]] = {}
        self.broken = False
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"cityvision-{id(self):x}-{next(_numbers)}",
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = _CONNECT_S
        if credentials is not None:
            self._client.username_pw_set(credentials.user, credentials.password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.on_connect = lambda _c, _u, _f, code, _p: self._call(self._on_connect, code)
        self._client.on_publish = lambda _c, _u, mid, code, _p: self._call(self._on_publish, mid, code)
        self._client.on_disconnect = lambda _c, _u, _f, code, _p: self._call(self._on_end, code)

    async def connect(self, address: str, port: int) -> None:
        """Raises OSError."""
        await asyncio.to_thread(self._client.connect, address, port, _KEEP_ALIVE_S)
        self._client.loop_start()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._connected
        except TimeoutError:
            await self.close()
            raise OSError("the broker does not answer") from None
        except OSError:
            await self.close()
            raise

    async def publish(self, topic: str, payload: bytes, properties: Properties) -> ReasonCode:
        info = self._client.publish(topic, payload, qos=1, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            self.broken = True
            raise OSError(paho.error_string(info.rc))
        # The acknowledgement is handed over by this very loop, so it cannot have been before this line.
        answer = self._waiting[info.mid] = self._loop.create_future()
        try:
            code: ReasonCode = await answer
        finally:
            self._waiting.pop(info.mid, None)
        return code

    async def close(self) -> None:
        self.broken = True
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._fail("the connection was closed")

    def _call(self, function: Any, *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _on_connect(self, code: ReasonCode) -> None:
        if self._connected.done():
            return
        if code.is_failure:
            self._connected.set_exception(OSError(f"the broker refused: {code}"))
        else:
            self._connected.set_result(None)

    def _on_publish(self, mid: int, code: ReasonCode) -> None:
        answer = self._waiting.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(code)

    def _on_end(self, code: ReasonCode) -> None:
        self.broken = True
        self._fail(f"the connection ended: {code}")

    def _fail(self, why: str) -> None:
        waiting: list[asyncio.Future[Any]] = [self._connected, *self._waiting.values()]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(OSError(why))


class _Named(ssl.SSLContext):
    """We connect to a checked address; the certificate is for the name."""

    name = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*arguments, **(options | {"server_hostname": self.name}))


def _named(host: str) -> ssl.SSLContext:
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.name = host
    return context
