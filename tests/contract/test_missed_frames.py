"""What was missed keeps the picture that somebody drew on: taken by the server, by hash, in custody, until its days
are over."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api import snapshots
from cityvision.retention import Sweeper, Swept
from events.tables import missed_frames
from governance import audit, custody, deletions
from governance.proofs import check
from governance.roles import Role
from store.bus import Bus
from store.objects import is_there
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import World
from tests.contract.evidence_scene import CLEAR
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.live_scene import sending
from tests.contract.retention_scene import DAY, SIGNER, policy_in

pytest_plugins = ["tests.embedded"]

MINE = "one-department-operator"


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def look(world: World, client: httpx.Client, jpeg: bytes, utc: float, camera: str = "north-gate") -> str:
    """Somebody sees what the camera shows now; the name of that picture."""
    with sending(world.city, camera, jpeg, utc):
        shown = client.get(f"/api/cameras/{camera}/snapshot.jpg")
    assert shown.status_code == 200, shown.text
    name: str = shown.headers["x-picture-sha256"]
    return name


def missed(sha256: str, utc: float, **more: Any) -> dict[str, Any]:
    square = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.5], [0.1, 0.5]]
    body = {"type": "litter", "camera": "north-gate", "moment_utc": utc, "polygon": square, "sha256": sha256}
    return body | {"key": uuid.uuid4().hex} | more


def swept(world: World, folder: Path, now: float) -> Swept:
    rules = "rules: [{class: missed, verdict: [missed], events: [litter], days: 50}, {class: rest, days: 30}]"
    city = world.city
    return Sweeper(city.engine, city.objects, SIGNER, policy_in(folder, rules), lambda: False).sweep(now)


def test_the_picture_that_somebody_saw_is_kept_and_becomes_a_candidate(world: World) -> None:
    operator, city, jpeg = world.clients[Role.OPERATOR], world.city, small_picture("a bag")
    utc = time.time() - 20
    name = look(world, operator, jpeg, utc)
    assert name == hashlib.sha256(jpeg).hexdigest()
    told = operator.post("/api/misses", json=missed(name, utc - 3))
    assert told.status_code == 201, told.text
    number = told.json()["id"]

    key = f"missed/{name[:2]}/{name}.jpg"
    assert city.objects.get(key) == jpeg, "as the camera sent it, not as it was shown"
    engineer, door = world.clients[Role.ENGINEER], f"/api/misses/{number}/picture"
    (one,) = engineer.get("/api/label-candidates").json()["candidates"]
    assert one["moment_utc"] == pytest.approx(utc, abs=1e-3), "when the picture was taken"
    assert [(ref["sha256"], ref["url"], ref["key"]) for ref in one["evidence"]] == [(name, door, key)]

    masked, clear = engineer.get(door), operator.get(door + CLEAR)
    assert masked.headers["x-derived-from"] == name
    assert masked.content != jpeg
    assert clear.content == jpeg
    assert engineer.get(door + CLEAR).status_code == 403
    lines = operator.get(f"/api/misses/{number}/custody").json()["lines"]
    assert [(line["act"], line["who"], line["kind"], line["why"]) for line in lines[::-1]] == [
        ("captured", "north-gate", "", "litter"),
        ("viewed", "one-algorithm-engineer", "masked", ""),
        ("viewed", MINE, "original", "tests"),
    ]
    with city.engine.connect() as connection:
        audit.verify(connection)
        custody.verify(connection)
        said = audit.listed(connection, action="event.missed")
    assert [line.what["sha256"] for line in said] == [name]

    project = {"name": "bags", "classes": ["litter"], "kinds": ["box"]}
    made = engineer.post("/api/labelling/projects", json=project).json()["id"]
    taken = engineer.post(f"/api/labelling/projects/{made}/candidates", json={}).json()
    assert (taken["added"], taken["without"]) == (1, 0)
    (item,) = engineer.get(f"/api/labelling/projects/{made}/items").json()
    assert item["suggested"][0]["label"]["box"] == [0.1, 0.1, 0.4, 0.5]


def test_only_a_picture_that_this_person_was_shown_of_this_camera_counts(world: World) -> None:
    operator, other = world.clients[Role.OPERATOR], world.clients[Role.ADMIN]
    name = look(world, operator, small_picture("seen"), 5.0)
    for client, body in (
        (other, missed(name, 5.0)),
        (operator, missed("ab" * 32, 5.0)),
        (operator, missed(name, 5.0, camera="street-1")),
    ):
        refused = client.post("/api/misses", json=body)
        assert (refused.status_code, refused.json()["code"]) == (410, "snapshot_gone"), refused.text
    assert [key for key in world.city.objects.keys("missed") if world.ids["missed sha256"] not in key] == []
    assert world.clients[Role.ENGINEER].get("/api/label-candidates").json()["candidates"] == []


def test_sent_again_it_counts_once_also_when_the_picture_is_no_longer_at_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = world.clients[Role.OPERATOR]
    body = missed(look(world, operator, small_picture("seen"), 5.0), 5.0)
    first = operator.post("/api/misses", json=body)
    again = operator.post("/api/misses", json=body)
    monkeypatch.setattr(snapshots, "KEPT_S", 0.0)
    late = operator.post("/api/misses", json=body)
    assert [one.status_code for one in (first, again, late)] == [201] * 3, late.text
    assert len({one.json()["id"] for one in (first, again, late)}) == 1
    assert operator.post("/api/misses", json=body | {"key": uuid.uuid4().hex}).status_code == 410
    lines = operator.get(f"/api/misses/{first.json()['id']}/custody").json()["lines"]
    assert [line["act"] for line in lines] == ["captured"]


def test_others_do_not_see_it(world: World) -> None:
    admin, operator = world.clients[Role.ADMIN], world.clients[Role.OPERATOR]
    name = look(world, admin, small_picture("theirs"), 5.0, "square")
    number = admin.post("/api/misses", json=missed(name, 5.0, camera="square", type="crowding")).json()["id"]
    bare = operator.post("/api/misses", json=missed("", 5.0) | {"sha256": None}).json()["id"]
    for door in ("picture", "custody"):
        assert operator.get(f"/api/misses/{number}/{door}").status_code == 404
        assert admin.get(f"/api/misses/{number}/{door}").status_code == 200
        assert admin.get(f"/api/misses/{bare}/{door}").status_code == 404, "it has no picture"


def test_it_goes_when_its_days_are_over_and_leaves_a_proof(world: World, tmp_path: Path) -> None:
    operator, city, now = world.clients[Role.OPERATOR], world.city, time.time()
    name = look(world, operator, small_picture("seen"), now)
    number, again = (operator.post("/api/misses", json=missed(name, now)).json()["id"] for _ in range(2))
    key, door = f"missed/{name[:2]}/{name}.jpg", f"/api/misses/{number}/picture"
    assert operator.get(door).status_code == 200
    swept(world, tmp_path, now + 49 * DAY)
    assert is_there(city.objects, key)
    done = swept(world, tmp_path, now + 51 * DAY)
    assert not is_there(city.objects, key)
    assert not [one for one in city.objects.keys("derived") if name in one], "nor what was made of it"
    assert done.deleted >= 1
    gone = operator.get(door)
    assert (gone.status_code, "missed: litter" in gone.text) == (410, True), gone.text
    for one in (number, again):
        lines = operator.get(f"/api/misses/{one}/custody").json()["lines"]
        assert (lines[0]["act"], lines[0]["who"]) == ("deleted", "retention")
    (candidate, _) = world.clients[Role.ENGINEER].get("/api/label-candidates").json()["candidates"]
    assert candidate["evidence"][0]["deleted_utc"]
    with city.engine.connect() as connection:
        custody.verify(connection)
        deletions.verify(connection)
        (signed,) = deletions.proofs_of(connection, [key]).values()
        rows = connection.execute(select(missed_frames.c.deleted).where(missed_frames.c.key == key)).scalars().all()
    assert check(signed).verdicts == (number, again)
    assert len(rows) == 2
    assert all(rows)
