"""Evidence by door: masked unless somebody may see more and says what for; never clear because something is missing."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cityvision.masking import MaskingProcess
from cityvision.settings import Settings
from contracts.errors import StreamCorrupt
from governance import audit, custody
from governance.roles import Role
from models.faces import FaceFinder, load_faces
from models.zoo import Zoo
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import OURS, World
from tests.contract.evidence_scene import CLEAR, consumed, picture
from tests.contract.live_scene import sending
from tests.e2e.console_city import make_event

pytest_plugins = ["tests.embedded"]
pytestmark = pytest.mark.media


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


@pytest.fixture(scope="module")
def faces(mirror: Path) -> FaceFinder:
    return load_faces(Zoo(mirror=mirror))


def count(faces: FaceFinder, jpeg: bytes) -> int:
    return len(faces.find(np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)))


def test_bystanders_are_masked_and_unmasking_is_recorded(world: World, faces: FaceFinder, mirror: Path) -> None:
    city, operator = world.city, world.clients[Role.OPERATOR]
    original = (mirror / "images" / "pedestrians.jpg").read_bytes()
    kept = city.keep(original, "decision", "jpg", time.time())
    event = make_event(time.time() - 60, department=OURS, evidence=(kept,))
    consumed(city, event)
    address = f"/api/events/{event.id}/evidence/{kept.sha256}"

    shown = operator.get(address)
    assert (shown.status_code, shown.headers["x-masking"]) == (200, "fine")
    assert shown.headers["x-derived-from"] == kept.sha256
    assert count(faces, original) >= 10
    assert count(faces, shown.content) == 0
    (copy,) = city.objects.keys("derived")
    assert city.objects.get(copy) == shown.content
    assert operator.get(address, headers={"if-none-match": shown.headers["etag"]}).status_code == 304
    assert operator.get(address, headers={"range": "bytes=2-9"}).content == shown.content[2:10]
    assert hashlib.sha256(city.objects.get(kept.key)).hexdigest() == kept.sha256

    why = operator.get(f"{address}?unmasked=1")
    assert (why.status_code, why.json()["faults"][0]["field"]) == (422, "purpose")
    for role in (Role.DISPATCHER, Role.ENGINEER):
        refused = world.clients[role].get(address + CLEAR)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert world.clients[role].get(address).headers["x-masking"] == "fine"
    clear = operator.get(address + CLEAR)
    assert (clear.content, clear.headers["cache-control"]) == (original, "no-store")
    with city.engine.connect() as connection:
        custody.verify(connection)
        lines = [line for line in custody.of_event(connection, event.id) if line.who == "one-department-operator"]
        read = audit.listed(connection, who="one-department-operator", action="evidence.read")
    assert [(line.kind, line.why) for line in lines] == [("masked", ""), ("original", "tests")]
    assert [line.what.get("purpose") for line in read] == ["tests", None]


def test_a_live_picture_is_masked_and_unmasking_is_recorded(world: World, faces: FaceFinder, mirror: Path) -> None:
    operator, address = world.clients[Role.OPERATOR], "/api/cameras/north-gate/snapshot.jpg"
    original = (mirror / "images" / "pedestrians.jpg").read_bytes()
    with sending(world.city, "north-gate", original, 5.0):
        shown, clear = operator.get(address), operator.get(address + CLEAR)
    assert (shown.status_code, shown.headers["x-masking"]) == (200, "fine")
    assert count(faces, shown.content) == 0
    assert (clear.content, clear.headers["cache-control"]) == (original, "no-store")
    for client in (world.clients[Role.DISPATCHER], world.clients[Role.ENGINEER], world.system):
        assert client.get(address + CLEAR).status_code == 403
    with world.city.engine.connect() as connection:
        taken = audit.listed(connection, who="one-department-operator", action="snapshot.taken")
    assert [line.what.get("purpose") for line in taken] == ["tests", None]
    assert not list(world.city.objects.keys("derived")), "it is no evidence"


def test_a_clip_is_masked_too(world: World, mirror: Path) -> None:
    from tests.e2e.console_city import Clip

    city, operator = world.city, world.clients[Role.OPERATOR]
    original = Clip(mirror / "footage" / "oxford_street_1080p.mp4", 1).mp4(0.2)
    clip, broken = (city.keep(data, "clip", "mp4", time.time()) for data in (original, b"no clip at all"))
    event = make_event(time.time() - 60, department=OURS, evidence=(clip, broken))
    consumed(city, event)
    address = f"/api/events/{event.id}/evidence/{clip.sha256}"
    shown = operator.get(address, timeout=60)
    assert (shown.headers["content-type"], shown.headers["x-masking"]) == ("video/mp4", "fine")
    assert shown.content != original
    assert operator.get(f"{address}/proxy").content == shown.content
    assert operator.get(address + CLEAR).content == original
    refused = operator.get(f"/api/events/{event.id}/evidence/{broken.sha256}")
    assert (refused.status_code, refused.json()["code"]) == (422, "masking_failed")


def test_what_cannot_be_masked_is_not_shown(world: World) -> None:
    city, operator = world.city, world.clients[Role.OPERATOR]
    damaged = city.keep(b"\xff\xd8\xffno picture", "decision", "jpg", time.time())
    event = make_event(time.time() - 60, department=OURS, evidence=(damaged,))
    consumed(city, event)
    refused = operator.get(f"/api/events/{event.id}/evidence/{damaged.sha256}")
    assert (refused.status_code, refused.json()["code"]) == (422, "masking_failed")
    assert b"no picture" not in refused.content


def test_without_the_networks_it_is_masked_coarsely_and_says_so(
    tmp_path: Path, mirror: Path, faces: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("CITYVISION_MIRROR", raising=False)
    masking = MaskingProcess(Settings(cache=tmp_path))
    original = (mirror / "images" / "pedestrians.jpg").read_bytes()
    made = masking.mask("picture", original, None)
    assert (made.how, count(faces, made.data) < count(faces, original) / 2) == ("coarse", True)
    masking.close()


def test_a_process_that_dies_is_started_again(mirror: Path) -> None:
    masking = MaskingProcess(Settings(mirror=mirror))
    with pytest.raises(StreamCorrupt, match="cannot be decoded"):
        masking.mask("picture", b"", None)
    assert masking.mask("picture", picture(), None).how == "fine"
    pid = masking._children["picture"].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert masking.mask("picture", picture(), None).how == "fine"
    masking.close()
