"""Whom the passwords of subscriptions are told."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import ConfigError
from store.guard import Guard
from store.sealing import Sealer
from store.secrets import Secrets
from subscriptions.queue import Lease
from subscriptions.service import secret_name
from subscriptions.ways import Ways

SEALER = Sealer("sixteen letters and more")
ENVIRONMENT = {"CITYVISION_SECRET_DELIVERY_MQ": "op:p-4711", "CITYVISION_SECRET_DELIVERY_MQ_HOSTS": "mq.city.cn"}


def lease(kind: str, url: str) -> Lease:
    channel = {"kind": kind, "url": url, "credentials": "delivery-mq"} | (
        {"topic": "events"} if kind == "mqtt" else {"key": "events"} if kind == "stream" else {}
    )
    return Lease(7, "token", 1, {"channel": channel, "secrets": [SEALER.seal("whsec_" + "A" * 32, secret_name(7))]})


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("webhook", "https://{}/hook"),
        ("webhook", "https://{}:8443/hook"),
        ("mqtt", "mqtts://{}"),
        ("stream", "rediss://{}"),
    ],
)
async def test_they_go_to_the_hosts_alone_that_stand_beside_them(kind: str, url: str) -> None:
    ways = Ways(Guard(), Secrets(None, ENVIRONMENT), SEALER, "redis://127.0.0.1:1")
    for host in ("mq.city.cn", "MQ.city.cn"):
        ways.channel(lease(kind, url.format(host)))
    for host in ("mq.city.cn.evil.example", "evil.example", "10.1.2.3"):
        with pytest.raises(ConfigError, match=f"delivery-mq are not for {host}"):
            await _opened(host, kind, url)
    await ways.close()


async def _opened(host: str, kind: str, url: str) -> Any:
    """By somebody else's deliverer, which has not opened the channel yet."""
    other = Ways(Guard(), Secrets(None, ENVIRONMENT), SEALER, "redis://127.0.0.1:1")
    return other.channel(lease(kind, url.format(host)))
