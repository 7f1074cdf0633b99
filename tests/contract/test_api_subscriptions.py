"""The doors of subscriptions, through the real server: made, edited, tested, logged, fetched, silenced."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from governance import audit
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.test_api_doors import log_in, wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, opened

pytest_plugins = ["tests.embedded"]

WISH: dict[str, Any] = {"department": "traffic", "name": "交警指挥中心", "channel": {"kind": "sse"}}
SPAN = {"from_utc": 0, "until_utc": 86_400}


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, delivery_networks="127.0.0.0/8") as one:
        yield one


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    with city.client() as one:
        log_in(one, city)
        yield one


def made(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/subscriptions", json=WISH | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """An endpoint, and what it got."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/in", got
    server.shutdown()
    server.server_close()


def test_a_webhook_from_its_making_to_its_end(
    city: City, client: httpx.Client, receiver: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    url, got = receiver
    answer = made(client, channel={"kind": "webhook", "url": url})
    number, secret = answer["subscription"]["id"], answer["secret"]
    at = f"/api/subscriptions/{number}"
    assert secret not in client.get(at).text + client.get("/api/subscriptions").text
    tested = client.post(f"{at}/test").json()
    assert (tested["outcome"], tested["status"]) == ("test_delivered", 204)
    headers, body = got[0]
    assert Webhook(secret).verify(body, headers)["type"] == "cityvision.test"
    second = client.post(f"{at}/secret").json()["secret"]
    client.post(f"{at}/test")
    for known in (secret, second):
        Webhook(known).verify(got[1][1], got[1][0])
    assert client.post(f"{at}/secret/settle").json()["secrets"] == 1

    revision = client.get(at).json()["revision"]
    edit = {"revision": revision, "subscription": WISH | {"channel": {"kind": "webhook", "url": "http://10.9.9.9/x"}}}
    assert client.put(at, json=edit).status_code == 200
    assert client.put(at, json=edit).json()["code"] == "stale_revision"
    assert "10.9.9.9 is not a public address" in client.post(f"{at}/test").json()["detail"]
    log = client.get(f"{at}/attempts").json()["attempts"]
    assert [one["outcome"] for one in log] == ["test_failed", "test_delivered", "test_delivered"]

    assert client.post(f"{at}/pause", json={"why": "检修"}).json()["paused"] == "检修"
    city.publish(opened(make_event(time.time() - 60)))
    page = wait_for(client, f"{at}/deliveries", lambda page: page["deliveries"])
    assert page["counts"]["pending"] == 1
    assert client.post(f"{at}/resume").json()["paused"] is None
    assert client.post(f"{at}/redrive").json() == {"count": 0}
    assert client.post(f"{at}/replay", json={"since_utc": 0, "until_utc": 1e11}).json() == {"count": 1}
    (delivery,) = client.get(f"{at}/deliveries", params={"state": "pending"}).json()["deliveries"]
    assert (delivery["id"], delivery["number"]) == (page["deliveries"][0]["id"], 2)
    assert client.delete(at).status_code == 204
    for gone in (client.get(at), client.post(f"{at}/test"), client.delete(at), client.get(f"{at}/stream")):
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    with city.engine.begin() as connection:
        said = {line.action for line in audit.listed(connection, limit=50)}
    words = ("created", "changed", "deleted", "paused", "resumed", "secret", "settled", "test", "redriven", "replayed")
    assert {f"subscription.{word}" for word in words} <= said


def test_a_stream_goes_on_where_it_left_off(city: City, client: httpx.Client) -> None:
    number = made(client)["subscription"]["id"]
    at = f"/api/subscriptions/{number}"
    begin = time.time() - 600
    city.publish(*(opened(make_event(begin + 60 * n)) for n in range(3)))
    wait_for(client, f"{at}/deliveries", lambda page: page["counts"]["pending"] == 3)

    def listen(count: int, **options: Any) -> list[tuple[int, Any]]:
        heard: list[tuple[int, Any]] = []
        id_ = 0
        with client.stream("GET", f"{at}/stream", **options) as answer:
            for line in answer.iter_lines():
                if line.startswith("id:"):
                    id_ = int(line[3:])
                elif line.startswith("data:"):
                    heard.append((id_, json.loads(line[5:])))
                if len(heard) == count:
                    break
        return heard

    first = listen(2)
    assert [n for n, _ in first] == [1, 2]
    assert first[0][1]["type"] == "cityvision.event.opened"
    assert [n for n, _ in listen(2, headers={"Last-Event-ID": "1"})] == [2, 3]
    assert [n for n, _ in listen(3, params={"after": 0})] == [1, 2, 3]
    for odd in (b"\xb2", b"9" * 5000):  # a digit, and a number, but none of ours
        assert [n for n, _ in listen(3, params={"after": 0}, headers={b"Last-Event-ID": odd})] == [1, 2, 3]
    assert client.get(f"{at}/deliveries").json()["counts"]["delivered"] == 3
    live: list[tuple[int, Any]] = []
    listening = threading.Thread(target=lambda: live.extend(listen(1)))
    listening.start()
    city.publish(opened(make_event(begin + 300)))
    listening.join(15)
    assert [n for n, _ in live] == [4]
    other = made(client, channel={"kind": "stream"})["subscription"]["id"]
    refused = client.get(f"/api/subscriptions/{other}/stream")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


def test_silences_and_acknowledgements(city: City, client: httpx.Client) -> None:
    number = made(client)["subscription"]["id"]
    now = time.time()
    city.publish(opened(make_event(now - 60)))
    wait_for(client, f"/api/subscriptions/{number}/deliveries", lambda page: page["deliveries"])
    silence = {"department": "traffic", "from_utc": now - 30, "until_utc": now + 3600, "note": "道路施工"}
    would = client.post("/api/silences/preview", json=silence).json()
    assert (would["count"], [one["camera_name"] for one in would["events"]]) == (1, ["北门消防通道"])
    (kept,) = client.post("/api/silences", json=silence).json()
    event = make_event(now)
    city.publish(opened(event))
    wait_for(client, "/api/silences", lambda found: found[0]["hidden"] == 1)
    held = client.get(f"/api/silences/{kept['id']}/hidden").json()
    assert (held["count"], [one["event"] for one in held["events"]]) == (1, [event.id])
    assert client.get("/api/silences/999/hidden").status_code == 404
    seen = client.post(f"/api/events/{event.id}/acknowledgements", json={"department": "traffic", "note": "已派人"})
    assert [(one["who"], one["note"]) for one in seen.json()] == [("admin", "已派人")]
    assert client.delete(f"/api/silences/{kept['id']}").status_code == 200
    assert client.delete(f"/api/silences/{kept['id']}").status_code == 404
    assert client.post(f"/api/events/{'0' * 32}/acknowledgements", json={"department": "x"}).status_code == 404


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("subscriptions", WISH | {"channel": {"kind": "webhook", "url": "https://u:p@x/"}}),
    ("subscriptions", WISH | {"channel": {"kind": "pigeon"}}),
    ("subscriptions", WISH | {"name": "a\u0000b"}),
    ("subscriptions", WISH | {"cooldown_s": 5}),
    ("subscriptions", WISH | {"wanted": {"hours": {"zone": "Mars/Base", "week": [[]] * 7}}}),
    ("silences", SPAN | {"department": "a", "until_utc": 0}),
    ("silences", SPAN | {"department": "a", "until_utc": 1e300}),
    ("silences", SPAN | {"department": "a", "subscription": 12345}),
]


def test_what_is_refused(client: httpx.Client) -> None:
    for path, body in REFUSED:
        answer = client.post(f"/api/{path}", json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert "u:p" not in answer.text
