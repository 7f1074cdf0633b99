"""One suite for every channel: what arrives, what counts as delivered, and what is said when nothing does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from paho.mqtt.enums import CallbackAPIVersion
from standardwebhooks import Webhook, WebhookVerificationError

from contracts.signing import new_secret, signed
from store.guard import Guard, networks
from store.secrets import Credentials
from store.streams import StreamClient
from store.valkey import EmbeddedValkey
from subscriptions.channel import Channel, FakeChannel, Sent
from subscriptions.message import MANY, Message, Told, message
from subscriptions.mqtt import Broker, MqttChannel
from subscriptions.stream import StreamChannel
from subscriptions.webhook import WebhookChannel
from tests.conftest import ROOT
from tests.contract import delivery_servers as servers
from tests.contract.test_events_store import event
from tests.ports import unused_port

pytest_plugins = ["tests.embedded"]

HERE = Guard(networks("127.0.0.0/8"))
EVENT = event(1)


def told(number: int) -> Told:
    return Told(f"msg_{number}", number, EVENT.id, "opened", EVENT.utc, EVENT.model_dump_json().encode())


ONE = message(7, [told(1)], grouped=False)
Got = Callable[[int], Any]  # waits for so many messages: their bodies


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with servers.mosquitto(tmp_path_factory.mktemp("mqtt")) as port:
        yield port


@asynccontextmanager
async def fake(_request: pytest.FixtureRequest) -> AsyncIterator[tuple[Channel, Channel, Got]]:
    channel = FakeChannel()

    async def got(count: int) -> list[bytes]:
        assert len(channel.got) == count
        return [one.body for one in channel.got]

    yield channel, FakeChannel((Sent(False, detail="refused"),)), got


@asynccontextmanager
async def webhook(_request: pytest.FixtureRequest) -> AsyncIterator[tuple[Channel, Channel, Got]]:
    async with servers.endpoint() as endpoint:

        async def got(count: int) -> list[bytes]:
            assert len(endpoint.got) == count
            return [body for _, body in endpoint.got]

        away = WebhookChannel(f"http://127.0.0.1:{unused_port()}/", [new_secret()], HERE)
        yield WebhookChannel(endpoint.url, [new_secret()], HERE), away, got


@asynccontextmanager
async def mqtt(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Channel, Channel, Got]]:
    port = request.getfixturevalue("broker")
    received, ready = asyncio.Queue[bytes](), asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_message(_client: paho.Client, _user: Any, one: paho.MQTTMessage) -> None:
        loop.call_soon_threadsafe(received.put_nowait, bytes(one.payload))

    def on_subscribe(*_: Any) -> None:
        loop.call_soon_threadsafe(ready.set)

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message, client.on_subscribe = on_message, on_subscribe
    client.connect("127.0.0.1", port)
    client.subscribe("city/events", qos=1)
    client.loop_start()
    await asyncio.wait_for(ready.wait(), 10)

    async def got(count: int) -> list[bytes]:
        return [await asyncio.wait_for(received.get(), 10) for _ in range(count)]

    there, away = Broker(f"mqtt://127.0.0.1:{port}", HERE), Broker(f"mqtt://127.0.0.1:{unused_port()}", HERE)
    yield MqttChannel(there, "city/events", 7), MqttChannel(away, "city/events", 7), got
    await there.close()
    client.disconnect()
    client.loop_stop()


@asynccontextmanager
async def stream(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Channel, Channel, Got]]:
    valkey: EmbeddedValkey = request.getfixturevalue("valkey")
    request.getfixturevalue("bus")  # flushed
    client = StreamClient(valkey.url, resolve=HERE.address)
    away = StreamClient(f"redis://127.0.0.1:{unused_port()}/0")

    async def got(count: int) -> list[bytes]:
        entries = await client.read({"k": "0"}, block_ms=1)
        assert len(entries) == count
        assert all(fields["id"].startswith(b"msg_") for _, _, fields in entries)
        return [fields["data"] for _, _, fields in entries]

    yield StreamChannel(client, "k", 100, own=True), StreamChannel(away, "k", 100, own=True), got


@pytest.mark.parametrize("kind", [fake, webhook, mqtt, stream])
async def test_every_channel(kind: Any, request: pytest.FixtureRequest) -> None:
    async with kind(request) as (channel, away, got):
        for number in range(3):
            assert (await channel.send(message(7, [told(number)], grouped=False))).ok
        bodies = await got(3)
        assert [json.loads(body)["sequence"] for body in bodies] == [f"{n:019d}" for n in range(3)]
        assert json.loads(bodies[0])["data"] == EVENT.model_dump(mode="json")
        missed = await away.send(ONE)
        assert not missed.ok
        assert missed.detail
        await channel.close()
        await channel.close()
        await away.close()


async def test_official_packages_accept_a_webhook() -> None:
    """`standardwebhooks` verifies the signature, also while secrets are rotated; the CloudEvents SDK reads the body."""
    old, new = new_secret(), new_secret()
    async with servers.endpoint() as endpoint:
        channel = WebhookChannel(endpoint.url, [new, old], HERE, Credentials("city", "a password"))
        assert (await channel.send(ONE)).status == 204
        ((headers, body),) = endpoint.got
        for secret in (old, new):
            assert Webhook(secret).verify(body, headers)["id"] == "msg_1"
        with pytest.raises(WebhookVerificationError):
            Webhook(new_secret()).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(new).verify(body.replace(b"traffic", b"police!"), headers)
        read = from_structured_event(HTTPMessage(headers, body))
        assert (read.get_id(), read.get_type(), read.get_subject()) == ("msg_1", "cityvision.event.opened", EVENT.id)
        assert read.get_time() is not None
        assert read.get_extension("sequence") == f"{1:019d}"
        assert read.get_data() == EVENT.model_dump(mode="json")
        assert headers["authorization"].startswith("Basic ")
        group = message(7, [told(1), told(2)], grouped=True)
        assert group.content_type == MANY
        assert (await channel.send(group)).ok
        assert [one["id"] for one in json.loads(endpoint.got[-1][1])] == ["msg_1", "msg_2"]
        assert group.id == message(7, [told(1), told(2)], grouped=True).id
        await channel.close()


async def _hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)
    writer.close()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x" * 4096)
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (servers.answer(500, body=b"boom\n<b>"), Sent(False, 500, "HTTP 500 boom <b>")),
        (servers.answer(410), Sent(False, 410, "HTTP 410", gone=True)),
        (servers.answer(503, "Retry-After: 7\r\n"), Sent(False, 503, "HTTP 503", 7.0)),
        (servers.answer(503, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"), Sent(False, 503, "HTTP 503")),
        (
            servers.answer(302, "Location: http://169.254.169.254/\r\n"),
            Sent(False, 302, "HTTP 302 redirects are not followed: write the address that it points to"),
        ),
        (b"garbage\r\n\r\n", None),
        (b"", None),
        (_hang, Sent(False, None, "no answer within 0.3 s")),
        (_drip, Sent(True, 200)),
    ],
)
async def test_what_endpoints_answer(
    said: servers.Answer, expected: Sent | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.webhook.SEND_TIMEOUT_S", 5.0 if said is not _hang else 0.3)
    async with servers.endpoint() as endpoint:

        async def close(writer: asyncio.StreamWriter) -> None:
            writer.write(said if isinstance(said, bytes) else b"")
            await writer.drain()
            writer.close()

        endpoint.answers.append(close if said in (b"", b"garbage\r\n\r\n") else said)
        channel = WebhookChannel(endpoint.url, [new_secret()], HERE)
        sent = await channel.send(ONE)
        if expected is None:
            assert not sent.ok
            assert sent.detail
        else:
            assert sent == expected
        assert (await channel.send(ONE)).ok, "and the next one goes through"
        await channel.close()


async def test_a_name_that_changes_its_address_is_checked_when_it_is_used() -> None:
    """DNS rebinding: the second answer points into our own network, and no connection is made there."""
    async with servers.endpoint() as endpoint:
        answers = iter([["127.0.0.1"], ["10.0.0.5"]])

        async def resolve(_host: str, _port: int) -> list[str]:
            return next(answers)

        channel = WebhookChannel(
            f"http://receiver.example:{endpoint.port}/in", [new_secret()], Guard(networks("127.0.0.1/32"), resolve)
        )
        endpoint.answers.append(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        assert (await channel.send(ONE)).ok
        assert endpoint.got[0][0]["host"] == f"receiver.example:{endpoint.port}"
        refused = await channel.send(ONE)
        assert not refused.ok
        assert "10.0.0.5 is not a public address" in refused.detail
        await channel.close()


async def test_a_broker_that_refuses_a_message_has_not_got_it(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write allowed/#\n")
    with servers.mosquitto(tmp_path, f"allow_anonymous true\nacl_file {acl}\n") as port:
        broker = Broker(f"mqtt://127.0.0.1:{port}", HERE)
        assert (await MqttChannel(broker, "allowed/a", 1).send(ONE)).ok
        refused = await MqttChannel(broker, "forbidden", 1).send(ONE)
        assert refused == Sent(False, 135, "MQTT Not authorized")
        await broker.close()
    with servers.mosquitto(tmp_path, "allow_anonymous false\n") as port:
        broker = Broker(f"mqtt://127.0.0.1:{port}", HERE)
        refused = await MqttChannel(broker, "a", 1).send(ONE)
        assert not refused.ok
        assert "Not authorized" in refused.detail
        await broker.close()


async def test_a_broken_broker_connection_is_made_again(tmp_path: Path) -> None:
    with servers.mosquitto(tmp_path) as port:
        broker = Broker(f"mqtt://127.0.0.1:{port}", HERE)
        channel = MqttChannel(broker, "a", 1)
        assert (await channel.send(ONE)).ok
    assert not (await channel.send(ONE)).ok
    with servers.mosquitto(tmp_path, port=port):
        sent = await asyncio.gather(*(channel.send(ONE) for _ in range(20)))
        assert all(one.ok for one in sent)
        await broker.close()


async def test_a_stream_is_bounded(valkey: EmbeddedValkey) -> None:
    client = StreamClient(valkey.url)
    channel = StreamChannel(client, "bounded", 10, own=True)
    for number in range(400):
        assert (await channel.send(Message(f"msg_{number}", number, "t", b"{}"))).ok
    kept = await client.read({"bounded": "0"}, block_ms=1)
    assert 10 <= len(kept) < 300
    assert kept[-1][2]["id"] == b"msg_399"
    await channel.close()


def test_the_signature_is_as_old_as_the_attempt() -> None:
    secret = new_secret()
    late = signed("msg_1", 1_700_000_000, b"{}", [secret])
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(b"{}", late)


async def test_the_receiver_of_the_docs_works(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/subscriptions.md, as it stands there."""
    text = (ROOT / "docs" / "subscriptions.md").read_text(encoding="utf-8")
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    secret, port = new_secret(), unused_port()
    known: dict[str, Any] = {"SECRET": secret, "PORT": port, "SEEN": set()}
    code = code.replace("HTTPServer((", "SERVER = HTTPServer((").replace(".serve_forever()", "")
    exec(compile(code, "subscriptions.md", "exec"), known)
    serving = threading.Thread(target=known["SERVER"].serve_forever, daemon=True)
    serving.start()
    channel = WebhookChannel(f"http://127.0.0.1:{port}/", [secret], HERE)
    wrong = WebhookChannel(f"http://127.0.0.1:{port}/", [new_secret()], HERE)
    assert (await channel.send(ONE)).ok
    assert (await channel.send(ONE)).ok
    assert not (await wrong.send(message(7, [told(2)], grouped=False))).ok
    await asyncio.to_thread(known["SERVER"].shutdown)
    known["SERVER"].server_close()
    assert known["SEEN"] == {"msg_1"}
    assert capsys.readouterr().out == "cityvision.event.opened cam1 停留\n"
