"""Evidence through the real server: its bytes in ranges, what still waits, who read it, copies that browsers play."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import get_args

import av
import httpx

from contracts.records import EvidenceRef
from events import queries
from governance import audit
from simulator.rtsp.clips import Encoding, render_pattern
from tests.contract.evidence_scene import CLEAR
from tests.contract.test_api_doors import city, client, wait_for  # noqa: F401 - fixtures
from tests.e2e.console_city import PASSWORD, City, make_event, opened

pytest_plugins = ["tests.embedded"]


def test_evidence_in_ranges_and_what_still_waits(city: City, client: httpx.Client) -> None:  # noqa: F811
    data = os.urandom(700_000)
    picture, waiting = city.keep(data, "decision", "jpg", 1.0), city.keep(b"later", "clip", "mp4", 2.0, stored=False)
    event = make_event(time.time() - 60, evidence=(picture, waiting))
    city.publish(opened(event))
    detail = wait_for(client, f"/api/events/{event.id}", lambda body: body["evidence"])
    address = {one["role"]: one["url"] for one in detail["evidence"]}
    assert detail["picture"] == address["decision"]

    address["decision"] += CLEAR
    whole = client.get(address["decision"])
    assert whole.content == data
    assert whole.headers["content-type"] == "image/jpeg"
    assert whole.headers["cache-control"] == "no-store"
    part = client.get(address["decision"], headers={"range": "bytes=1000-300999"})
    assert (part.status_code, part.headers["content-range"]) == (206, "bytes 1000-300999/700000")
    assert part.content == data[1000:301000]
    assert client.get(address["decision"], headers={"range": "bytes=-10"}).content == data[-10:]
    assert client.get(address["decision"], headers={"range": "bytes=700000-"}).status_code == 416
    assert client.get(address["decision"], headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    missing = client.get(address["clip"])
    assert (missing.status_code, missing.json()["code"]) == (404, "evidence_waiting")
    assert "worker still holds" in missing.json()["detail"]
    assert client.get(f"/api/events/{event.id}/evidence/{'0' * 64}").status_code == 404
    with city.client() as nobody:
        assert nobody.get(address["decision"]).status_code == 401


def test_evidence_that_waited_is_marked_when_it_has_arrived(city: City, client: httpx.Client) -> None:  # noqa: F811
    refs = [city.keep(os.urandom(999), role, "jpg", 1.0, stored=False) for role in ("decision", "entry")]
    late = os.urandom(500)
    refs.append(city.keep(late, "latest", "jpg", 2.0, stored=False))
    event = make_event(time.time() - 60, evidence=tuple(refs))
    city.publish(opened(event))
    before = wait_for(client, f"/api/events/{event.id}", lambda body: body["evidence"])
    assert before["picture"] is None
    assert client.get(before["evidence"][0]["url"]).status_code == 404

    city.objects.put(refs[2].key, late, "image/jpeg")
    assert client.get(f"/api/events/{event.id}/evidence/{refs[2].sha256}{CLEAR}").content == late
    with city.engine.connect() as connection:
        found = queries.get_event(connection, event.id)
        assert found is not None
        assert {row.ref.role: row.ref.stored for row in found.evidence} == {
            "decision": False,
            "entry": False,
            "latest": True,
        }
    after = client.get("/api/events").json()["events"][0]
    assert after["picture"].endswith(refs[2].sha256)


def test_reading_evidence_is_noted_once_per_session_and_object(city: City, client: httpx.Client) -> None:  # noqa: F811
    refs = [city.keep(os.urandom(9000), role, "jpg", 1.0) for role in ("decision", "entry")]
    event = make_event(time.time() - 60, evidence=tuple(refs))
    city.publish(opened(event))
    detail = wait_for(client, f"/api/events/{event.id}", lambda body: body["evidence"])
    for start in range(0, 9000, 1000):
        client.get(detail["picture"] + CLEAR, headers={"range": f"bytes={start}-{start + 999}"})
    client.get(f"/api/events/{event.id}/evidence/{refs[1].sha256}{CLEAR}")
    with city.client() as other:
        assert other.post("/api/login", json={"name": "admin", "password": PASSWORD}).status_code == 200
        other.get(detail["picture"] + CLEAR)
    with city.engine.connect() as connection:
        read = [line.what for line in audit.listed(connection, limit=50) if line.action == "evidence.read"]
    assert sorted(str(what["role"]) for what in read) == ["decision", "decision", "entry"]
    assert all((what["event"], what["camera"]) == (event.id, "north-gate") for what in read)


def test_a_clip_in_h265_gets_a_viewing_copy_that_is_kept(city: City, client: httpx.Client, tmp_path: Path) -> None:  # noqa: F811
    encoding = Encoding(size=(320, 180), codec="hevc", gop=25)
    original = render_pattern(tmp_path / "clip.mp4", 2.0, encoding).read_bytes()
    clip, broken = city.keep(original, "clip", "mp4", 1.0), city.keep(os.urandom(5000), "clip", "mp4", 2.0)
    event = make_event(time.time() - 60, evidence=(clip, broken))
    city.publish(opened(event))
    address = f"/api/events/{event.id}/evidence/{clip.sha256}"
    wait_for(client, f"/api/events/{event.id}", lambda body: len(body["evidence"]) == 2)

    copy = client.get(address + "/proxy" + CLEAR, timeout=60)
    assert (copy.status_code, copy.headers["x-derived-from"]) == (200, clip.sha256)
    with av.open(io.BytesIO(copy.content), "r") as film:
        assert film.streams.video[0].codec_context.name == "h264"
        assert len(list(film.decode(video=0))) == 50
    assert client.get(address + CLEAR).content == original
    part = client.get(address + "/proxy" + CLEAR, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, copy.content[10:20])
    assert list(city.objects.keys("derived")) == [f"derived/{clip.sha256[:2]}/{clip.sha256}-h264.mp4"]

    refused = client.get(f"/api/events/{event.id}/evidence/{broken.sha256}/proxy{CLEAR}", timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (422, "viewing_copy_failed")
    with city.client() as nobody:
        assert nobody.get(address + "/proxy").status_code == 401


def test_every_role_of_a_picture_goes_into_the_list(city: City, client: httpx.Client) -> None:  # noqa: F811
    roles = [role for role in get_args(EvidenceRef.model_fields["role"].annotation) if role != "clip"]
    events = []
    for number, role in enumerate(roles):
        picture = city.keep(os.urandom(100), role, "jpg", 1.0)
        events.append(make_event(time.time() - 60, subject=f"track:{number}", evidence=(picture,)))
    city.publish(*(opened(event) for event in events))
    found = wait_for(client, "/api/events", lambda body: len(body["events"]) == len(roles))
    assert all(one["picture"] for one in found["events"])
