"""Opening channels, and keeping them open while they are used."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from contracts.errors import ConfigError
from store.guard import Guard
from store.keys import Keys
from store.sealing import Sealer
from store.secrets import Credentials, Secrets
from store.streams import StreamClient
from subscriptions.channel import Channel
from subscriptions.mqtt import Broker, MqttChannel
from subscriptions.queue import Lease
from subscriptions.service import secret_name
from subscriptions.stream import StreamChannel
from subscriptions.types import Channel as ChannelSettings
from subscriptions.types import Mqtt, Stream, Webhook
from subscriptions.webhook import WebhookChannel

_IDLE_S = 600.0
_SETTINGS: TypeAdapter[Any] = TypeAdapter(ChannelSettings)


@dataclass(slots=True)
class _Open:
    channel: Channel
    revision: int
    used: float
    broker: tuple[str, str | None] | None


class Ways:
    """Channels by subscription; brokers and the installation's own stream server are shared.

    Args:
        guard: says where deliveries may go.
        secrets: credentials by name.
        sealer: opens signing secrets.
        redis_url: the installation's own server.
    """

    def __init__(self, guard: Guard, secrets: Secrets, sealer: Sealer, redis_url: str) -> None:
        self._guard = guard
        self._secrets = secrets
        self._sealer = sealer
        self._redis_url = redis_url
        self._own: StreamClient | None = None
        self._open: dict[int, _Open] = {}
        self._brokers: dict[tuple[str, str | None], Broker] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def channel(self, lease: Lease) -> Channel:
        """The channel of a subscription as it stands in its lease.

        Raises:
            ConfigError: its credentials or signing secrets cannot be had.
        """
        found = self._open.get(lease.subscription)
        if found is not None and found.revision == lease.revision:
            found.used = time.monotonic()
            return found.channel
        if found is not None:
            self._let_go(found.channel)
        settings = _SETTINGS.validate_python(lease.settings["channel"])
        made = self._made(lease, settings)
        broker = (settings.url, settings.credentials) if isinstance(settings, Mqtt) else None
        self._open[lease.subscription] = _Open(made, lease.revision, time.monotonic(), broker)
        return made

    def tidy(self) -> None:
        """Closes what nobody has used for ten minutes."""
        idle = time.monotonic() - _IDLE_S
        for number, one in list(self._open.items()):
            if one.used < idle:
                self._let_go(self._open.pop(number).channel)
        used = {one.broker for one in self._open.values()}
        for name in [name for name in self._brokers if name not in used]:
            self._let_go(self._brokers.pop(name))

    async def close(self) -> None:
        """Closes everything."""
        channels: list[Channel | Broker] = [one.channel for one in self._open.values()]
        await asyncio.gather(*(one.close() for one in [*channels, *self._brokers.values()]), *self._closing)
        self._open.clear()
        self._brokers.clear()
        if self._own is not None:
            await self._own.close()
            self._own = None

    def _made(self, lease: Lease, settings: Any) -> Channel:
        if isinstance(settings, Webhook):
            name = secret_name(lease.subscription)
            opened = [self._sealer.open(one, name) for one in lease.settings["secrets"]]
            return WebhookChannel(settings.url, opened, self._guard, self._credentials(settings))
        if isinstance(settings, Mqtt):
            return MqttChannel(self._broker(settings), settings.topic, lease.subscription)
        if isinstance(settings, Stream):
            return self._stream(settings, lease.subscription)
        raise ConfigError(f"{settings.kind}: nothing is sent by this channel", "it is fetched by the subscriber")

    def _broker(self, settings: Mqtt) -> Broker:
        name = (settings.url, settings.credentials)
        if name not in self._brokers:
            self._brokers[name] = Broker(settings.url, self._guard, self._credentials(settings))
        return self._brokers[name]

    def _stream(self, settings: Stream, number: int) -> Channel:
        if settings.url is None:
            if self._own is None:
                self._own = StreamClient(self._redis_url)
            return StreamChannel(self._own, Keys().subscription(number), settings.length, own=False)
        who = self._credentials(settings)
        encrypted = settings.url.startswith("rediss://")

        async def resolve(host: str, port: int) -> str:
            return await self._guard.address(host, port, private_only=not encrypted)

        client = StreamClient(
            settings.url,
            username=None if who is None else who.user,
            password=None if who is None else who.password,
            resolve=resolve,
        )
        return StreamChannel(client, str(settings.key), settings.length, own=True)

    def _credentials(self, settings: Webhook | Mqtt | Stream) -> Credentials | None:
        """What a subscription names, for the hosts alone that whoever keeps the secrets has named with it: otherwise
        anybody who may subscribe could have another department's password sent to a server of their own.

        Raises:
            ConfigError: there are none of that name, or they are not for this host.
        """
        if settings.credentials is None:
            return None
        found = self._secrets.resolve(settings.credentials)
        host = (urlsplit(settings.url or "").hostname or "").lower()
        if host not in found.hosts:
            fix = f"name others, or have hosts: [{host}] added to them where the secrets are kept"
            raise ConfigError(f"credentials: {settings.credentials} are not for {host}", fix)
        return found

    def _let_go(self, one: Channel | Broker) -> None:
        task = asyncio.get_running_loop().create_task(one.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
