"""The doors, through the real server: Postgres, Valkey and objects behind it, HTTP and WebSockets before it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from contracts.live import CameraState, LiveHeader, decode_live, encode_live
from contracts.snapshot import read_snapshot
from events.store import write_event
from governance import audit
from pool import store as pool_store
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import CLEAR
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.live_scene import sending
from tests.e2e import console_city
from tests.e2e.console_city import PASSWORD, City, make_event, not_watched, opened

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, session_check_s=0.5, keep_alive_s=1.0) as one:
        yield one


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    """Logged in, with a password of one's own."""
    with city.client() as one:
        log_in(one, city)
        yield one


def log_in(client: httpx.Client, city: City) -> None:
    assert client.post("/api/login", json={"name": "admin", "password": city.first_password}).status_code == 200
    changed = client.post("/api/password", json={"old": city.first_password, "new": PASSWORD})
    assert not changed.json()["must_change_password"]


def wait_for(client: httpx.Client, address: str, ready: Any) -> Any:
    """Asks until the answer satisfies `ready`; the consumer commits a moment after the record was published."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = client.get(address)
        if answer.status_code == 200 and ready(answer.json()):
            return answer.json()
        time.sleep(0.05)
    raise AssertionError(f"{address}: {answer.status_code} {answer.text[:300]}")


def test_first_login_must_change_the_password(city: City) -> None:
    with city.client() as client:
        assert client.get("/api/me").status_code == 401
        refused = client.get("/api/cameras")
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "not_authenticated"

        for _ in range(40):  # on a busy machine attempts come so slowly that some are allowed again
            nobody = client.post("/api/login", json={"name": "nobody", "password": "wrong"})
            if nobody.status_code == 429:
                break
        assert (nobody.status_code, nobody.json()["code"]) == (429, "too_many_attempts")
        assert nobody.headers["retry-after"] == "1"

        wrong = client.post("/api/login", json={"name": "admin", "password": "wrong"})
        assert wrong.status_code == 401
        assert "set-cookie" not in wrong.headers

        answer = client.post("/api/login", json={"name": "admin", "password": city.first_password})
        told = answer.json()
        assert (told["name"], told["role"], told["must_change_password"]) == ("admin", "admin", True)
        assert {"people", "audit"} <= set(told["rights"])
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie

        for address in ("/api/cameras", "/api/events", "/api/unwatched", "/api/pool/schema", "/api/events/stream"):
            locked = client.get(address)
            assert (locked.status_code, locked.json()["code"]) == (403, "password_change_required"), address

        short = client.post("/api/password", json={"old": city.first_password, "new": "short"})
        assert (short.status_code, short.json()["faults"][0]["field"]) == (422, "new")
        mistaken = client.post("/api/password", json={"old": "mistaken", "new": PASSWORD})
        assert (mistaken.status_code, mistaken.json()["faults"][0]["field"]) == (422, "old")
        assert client.post("/api/password", json={"old": city.first_password, "new": PASSWORD}).status_code == 200
        assert client.get("/api/cameras").status_code == 200

        assert client.post("/api/logout").status_code == 204
        assert client.get("/api/me").status_code == 401


def test_another_site_cannot_act_and_headers_guard_the_page(city: City, client: httpx.Client) -> None:
    for sent in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        refused = client.post("/api/logout", headers=sent)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site"), sent
    assert (
        client.post("/api/login", headers={"origin": city.url}, json={"name": "x", "password": "y"}).status_code == 401
    )
    headers = client.get("/api/me").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    big = client.post("/api/login", content=b"x" * (2 << 20), headers={"content-type": "application/json"})
    assert big.status_code == 413


def test_cameras_show_what_workers_said_lately_and_no_credentials(city: City, client: httpx.Client) -> None:
    city.report("north-gate")
    city.report("square", CameraState.OFFLINE)
    city.report("street-1", at=time.time() - 60)
    listed = client.get("/api/cameras").json()
    states = {camera["id"]: camera["status"]["state"] for camera in listed["cameras"]}
    assert states["north-gate"] == "running"
    assert states["square"] == "offline"
    assert states["street-1"] == states["street-2"] == "unknown"
    tallies = client.get("/api/cameras/tallies").json()
    assert tallies["states"] == {"running": 1, "offline": 1, "unknown": 4}
    assert tallies["departments"][0] == {"id": "traffic", "name": "交通警察支队", "cameras": 5}
    worst = client.get("/api/cameras", params={"sort": "worst", "limit": 2}).json()
    assert (worst["total"], [one["id"] for one in worst["cameras"]]) == (6, ["square", "street-1"])
    second = client.get("/api/cameras", params={"q": "和平路", "page": 2, "limit": 3}).json()
    assert (second["total"], [one["id"] for one in second["cameras"]]) == (4, ["street-4"])
    chosen = client.get("/api/cameras", params={"id": ["square", "north-gate", "nowhere"]}).json()
    assert [one["id"] for one in chosen["cameras"]] == ["square", "north-gate"]
    running = client.get("/api/cameras", params={"state": "running"}).json()
    assert [one["id"] for one in running["cameras"]] == ["north-gate"]
    one = client.get("/api/cameras/north-gate")
    assert one.json()["main"] == {"address": "rtsp://10.0.0.8:554/main", "transport": "tcp", "has_credentials": True}
    assert "vendor-a" not in one.text
    assert one.headers["etag"] == f'"{listed["revision"]}"'
    missing = client.get("/api/cameras/nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert len(client.get("/api/cameras", params={"department": "grid"}).json()["cameras"]) == 1


def test_zones_are_edited_against_a_revision(city: City, client: httpx.Client) -> None:
    camera = client.get("/api/cameras/north-gate").json()
    etag = f'"{camera["revision"]}"'
    zones = camera["zones"]
    zones[0]["name"] = "新消防通道"
    address = "/api/cameras/north-gate/zones"

    assert client.put(address, json={"zones": zones}).status_code == 428
    saved = client.put(address, json={"zones": zones}, headers={"if-match": etag})
    assert saved.status_code == 200
    assert saved.json()["zones"][0]["name"] == "新消防通道"
    assert saved.json()["revision"] > camera["revision"]

    published = city.bus.pool()
    assert published is not None
    assert published.revision == saved.json()["revision"]
    assert any(z.name == "新消防通道" for c in read_snapshot(published.snapshot).cameras for z in c.zones)

    zones[0]["name"] = "晚到的修改"
    stale = client.put(address, json={"zones": zones}, headers={"if-match": etag})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")

    bow = [dict(zones[0], polygon=[[0, 0], [1, 1], [1, 0], [0, 1]])]
    crossing = client.put(address, json={"zones": bow}, headers={"if-match": saved.headers["etag"]})
    assert crossing.status_code == 422
    fault = crossing.json()["faults"][0]
    assert fault["field"].startswith("zones[0].polygon")
    assert fault["fix"]
    with city.engine.connect() as connection:
        assert pool_store.current_revision(connection) == saved.json()["revision"]
        assert [line.action for line in audit.listed(connection, limit=1)] == ["zones.changed"]
        audit.verify(connection)


def test_events_with_cursor_detail_counts_and_hours_not_watched(city: City, client: httpx.Client) -> None:
    now = time.time()
    for n in range(5):
        city.publish(opened(make_event(now - 1000 * n - 100, subject=f"track:{n}")))
    city.publish(opened(make_event(now - 100, seq=1, subject="track:0", closed=True)))
    city.publish(opened(make_event(now - 500, kind="crowding", camera="square", department="grid", zone="plaza")))
    city.publish(not_watched("square", now - 7200, now - 3600), not_watched("street-1", now - 1800, None))
    wait_for(client, "/api/unwatched", lambda body: len(body["rows"]) == 2)

    first = client.get("/api/events", params={"type": "illegal_parking", "limit": 3}).json()
    assert [e["state"] for e in first["events"]] == ["closed", "open", "open"]
    assert first["events"][0]["camera_name"] == "北门消防通道"
    assert first["events"][0]["zone_name"] == "消防通道"
    rest = client.get("/api/events", params={"type": "illegal_parking", "cursor": first["next_cursor"]}).json()
    assert len(rest["events"]) == 2
    assert rest["next_cursor"] is None
    assert client.get("/api/events", params={"cursor": "nonsense"}).status_code == 422

    counts = client.get("/api/events/counts", params={"since": now - 86400}).json()
    assert (counts["total"], counts["open"]) == (6, 5)
    assert counts["by_type"] == {"illegal_parking": 5, "crowding": 1}
    assert counts["unwatched"]["cameras"] == 2
    assert counts["unwatched"]["hours"] == pytest.approx(1.5, abs=0.01)
    grid = client.get("/api/events/counts", params={"since": now - 86400, "department": "grid"}).json()
    assert (grid["total"], grid["unwatched"]["cameras"]) == (1, 1)

    detail = client.get(f"/api/events/{first['events'][0]['id']}").json()
    assert [t["transition"] for t in detail["transitions"]] == ["opened", "closed"]
    assert detail["provenance"]["model"] == "yolox_nano"
    assert detail["reason"]["zh"]
    assert client.get("/api/events/" + "0" * 32).status_code == 404


def read_stream(client: httpx.Client, count: int, **asked: Any) -> list[tuple[int, str]]:
    """(position, event id) of the next messages of the stream."""
    found: list[tuple[int, str]] = []
    with client.stream("GET", "/api/events/stream", timeout=10, **asked) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        position = 0
        for line in answer.iter_lines():
            if line.startswith("id:"):
                position = int(line[3:])
            elif line.startswith("data:"):
                message = json.loads(line[5:])
                assert message["position"] == position
                found.append((position, message["event"]["id"]))
                if len(found) == count:
                    break
    return found


def test_stream_catches_up_then_goes_on_live_without_loss_or_repeat(city: City, client: httpx.Client) -> None:
    start = time.time() - 5000
    events = [make_event(start + 10 * n, subject=f"track:{n}") for n in range(30)]
    city.publish(*map(opened, events[:10]))
    wait_for(client, "/api/events", lambda body: len(body["events"]) == 10)

    def later() -> None:
        for event in events[10:]:
            time.sleep(0.01)
            city.publish(opened(event))

    thread = threading.Thread(target=later)
    thread.start()
    found = read_stream(client, 30, params={"after": 0})
    thread.join()
    assert [event for _, event in found] == [event.id for event in events]
    assert [position for position, _ in found] == sorted({position for position, _ in found})
    again = read_stream(client, 5, headers={"last-event-id": str(found[24][0])})
    assert again == found[25:]
    odd = {b"last-event-id": "²".encode("latin-1")}  # a digit, but no number
    assert read_stream(client, 5, params={"after": found[24][0]}, headers=odd) == found[25:]


def test_stream_survives_a_bus_that_was_wiped(city: City, client: httpx.Client) -> None:
    city.publish(opened(make_event(1000.0)))
    wait_for(client, "/api/events", lambda body: body["events"])
    late = make_event(2000.0)
    found: list[tuple[int, str]] = []
    reader = threading.Thread(target=lambda: found.extend(read_stream(client, 1)))
    reader.start()
    time.sleep(0.5)
    # Committed, but the note never reaches the bus: what is left is Postgres.
    with city.engine.begin() as connection:
        write_event(connection, "worker-2", late)
    reader.join(12)
    assert [event for _, event in found] == [late.id]


def test_live_pictures_only_while_watched_newest_first(city: City, client: httpx.Client) -> None:
    url = city.url.replace("http", "ws") + "/api/cameras/north-gate/live?fps=25"
    cookie = {"Cookie": f"cityvision_session={client.cookies['cityvision_session']}"}

    def picture(n: int) -> bytes:
        return encode_live(LiveHeader(camera="north-gate", utc=float(n), width=4, height=3), b"\xff\xd8" + bytes(9000))

    assert city.bus.watched(["north-gate"]) == frozenset()
    with connect(url, additional_headers=cookie) as socket:
        _until(lambda: city.bus.watched(["north-gate"]) and city.bus.publish_live("north-gate", picture(0)))
        assert decode_live(_bytes(socket.recv(5)))[0].utc == 0
        for n in range(1, 200):
            city.bus.publish_live("north-gate", picture(n))
        seen = [decode_live(_bytes(socket.recv(5)))[0].utc]
        while seen[-1] != 199:
            seen.append(decode_live(_bytes(socket.recv(5)))[0].utc)
        assert seen == sorted(seen)
        assert len(seen) < 100
        client.post("/api/logout")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
    _until(lambda: not city.bus.watched(["north-gate"]))
    with city.engine.connect() as connection:
        actions = [line.action for line in audit.listed(connection, limit=3)]
    assert {"live.watched", "live.left"} <= set(actions)


def test_live_is_refused_without_login_or_camera(city: City, client: httpx.Client) -> None:
    base = city.url.replace("http", "ws") + "/api/cameras"
    cookie = {"Cookie": f"cityvision_session={client.cookies['cityvision_session']}"}
    for url, headers, code in ((f"{base}/square/live", {}, 4401), (f"{base}/nowhere/live", cookie, 4404)):
        with connect(url, additional_headers=headers) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
    with pytest.raises(Exception, match="403"):
        connect(f"{base}/square/live", additional_headers=cookie | {"Origin": "https://evil.example"}).close()


def test_snapshot_metrics_health_and_schema(city: City, client: httpx.Client) -> None:
    city.report("north-gate")
    address = "/api/cameras/north-gate/snapshot.jpg"
    with sending(city, "north-gate", small_picture("now"), 5.0):
        masked, bare, clear = (client.get(address + how) for how in ("", "?unmasked=1", CLEAR))
    assert (masked.status_code, masked.headers["x-picture-utc"]) == (200, "5.0")
    assert masked.headers["x-masking"]
    assert masked.content != small_picture("now")
    assert (bare.status_code, bare.json()["faults"][0]["field"]) == (422, "purpose")
    assert clear.content == small_picture("now")
    assert masked.headers["x-picture-sha256"] == hashlib.sha256(clear.content).hexdigest()
    with city.engine.connect() as connection:
        taken = [line.what.get("purpose") for line in audit.listed(connection, action="snapshot.taken")]
    assert taken == ["tests", None]

    text = client.get("/metrics").text
    assert 'cityvision_cameras{state="running"} 1.0' in text
    assert 'cityvision_looks_total{worker="worker-1"} 1800.0' in text
    assert 'route="/api/cameras/{camera_id}/snapshot.jpg"' in text
    assert client.get("/api/health/live").json() == {"status": "live"}
    assert client.get("/api/health/ready").json()["ready"] is True
    assert "cameras" in client.get("/api/pool/schema").json()["properties"]


def test_stores_away_are_said_plainly(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> None:
    with console_city.running(tmp_path, database_url, valkey.url) as city, city.client() as client:
        log_in(client, city)
        # As after a fail-over: every connection of the database is cut, and the next ones are refused.
        city.cut_database()
        answer = client.get("/api/cameras")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        ready = client.get("/api/health/ready")
        assert ready.status_code == 503
        assert ready.json()["bus"] == "ok"
        assert "password" not in ready.text + answer.text
        city.restore_database()
        assert client.get("/api/cameras").status_code == 200


def _bytes(message: str | bytes) -> bytes:
    assert isinstance(message, bytes)
    return message


def _until(holds: Any, timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
