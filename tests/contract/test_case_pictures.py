"""Pictures of a case by their doors: masked by default, unmasked for a purpose, and every one with its custody."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from sqlalchemy import update

from cases import verify
from cases.book import read_book
from cases.tables import cases
from contracts.records import EvidenceRef, LookRecord, LookResult
from governance import audit, custody, package
from governance.package import Manifest
from governance.roles import Role
from models.faces import load_faces
from models.zoo import Zoo
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import CAMERA, OURS, World, grant_all
from tests.contract.evidence_scene import CLEAR
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.test_api_doors import wait_for

pytest_plugins = ["tests.embedded"]
pytestmark = pytest.mark.media

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    """The other department's case is with ours, which was granted nothing."""
    with access_world.running(tmp_path, database_url, valkey) as one:
        for action, facts in (("return", {"note": "not theirs"}), ("dispatch", {"department": OURS, "note": "yours"})):
            act(one, Role.ADMIN, action, **facts)
        yield one


def act(world: World, role: Role, action: str, **facts: Any) -> None:
    address = f"/api/cases/{world.ids['case']}/actions"
    answer = world.clients[role].post(address, json={"action": action, "facts": facts})
    assert answer.status_code == 200, answer.text


def reported(world: World, photo: bytes) -> httpx.Response:
    """Our operator reports the case as done with a photo; the answer that took it."""
    client = world.clients[Role.OPERATOR]
    taken = client.post(f"/api/cases/{world.ids['case']}/pictures", content=photo, headers=JPEG)
    assert taken.status_code == 201, taken.text
    act(world, Role.OPERATOR, "report", note="cleared", pictures=[taken.json()["key"]])
    return taken


def packed(world: World, role: Role, folder: Path) -> tuple[set[str], list[dict[str, Any]], Manifest]:
    """Names of what is in the package of the event, its lines of custody about the case's pictures, its manifest."""
    answer = world.clients[role].post(f"/api/events/{world.ids['event_id']}/package", json={"purpose": "appeal 17"})
    assert answer.status_code == 200, answer.text
    path = folder / f"{role}.zip"
    path.write_bytes(answer.content)
    manifest = package.check(path)
    with zipfile.ZipFile(path) as opened:
        handled = json.loads(opened.read("custody.json"))
        if "case.json" in opened.namelist():
            assert str(json.loads(opened.read("case.json"))["case"]["id"]) == world.ids["case"]
        names = {name for name in opened.namelist() if name.startswith(("looks/", "photos/", "case"))}
    return names, [line for line in handled if line["case_id"] is not None], manifest


def looked(world: World) -> EvidenceRef:
    """The camera looks again, and the case is closed; what it saw."""
    with world.city.engine.begin() as connection:
        verify.begin(connection, time.time(), read_book())
        (asked,) = verify.waiting(connection, time.time())
    now = world.city.keep(small_picture("now"), "latest", "jpg", time.time())
    answer = LookResult(
        request=asked.id,
        camera=CAMERA,
        type="crowding",
        zone="plaza",
        utc=time.time(),
        verdict="gone",
        looks=11,
        watched_s=20,
        reason={"zh": "复核时已不在", "en": "It is gone"},
        evidence=(now,),
    )
    world.city.publish(LookRecord(look=answer))
    case = f"/api/cases/{world.ids['case']}"
    wait_for(world.clients[Role.ADMIN], case, lambda found: found["case"]["state"]["status"] == "closed")
    return now


def test_photos_from_the_place_are_masked_and_unmasking_is_recorded(world: World, mirror: Path) -> None:
    operator, case = world.clients[Role.OPERATOR], int(world.ids["case"])
    taken = reported(world, (mirror / "images" / "pedestrians.jpg").read_bytes()).json()
    faces = load_faces(Zoo(mirror=mirror))

    def count(jpeg: bytes) -> int:
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        return len(faces.find(np.asarray(bgr, np.uint8)))

    shown = operator.get(taken["url"])
    assert (shown.status_code, shown.headers["x-masking"], count(shown.content)) == (200, "fine", 0)
    refused = operator.get(f"{taken['url']}?unmasked=1")
    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "purpose")
    assert world.clients[Role.DISPATCHER].get(taken["url"] + CLEAR).status_code == 403
    assert world.clients[Role.DISPATCHER].get(taken["url"]).headers["x-masking"] == "fine"
    clear = operator.get(taken["url"] + CLEAR)
    assert clear.headers["cache-control"] == "no-store"
    assert hashlib.sha256(clear.content).hexdigest() == taken["sha256"]
    assert count(clear.content) >= 10
    with world.city.engine.connect() as connection:
        custody.verify(connection)
        read = audit.listed(connection, who="one-department-operator", action="evidence.read")
        lines = [(line.act, line.who, line.kind, line.why) for line in custody.of_case(connection, case)]
    assert [line.what.get("purpose") for line in read] == ["tests", None]
    assert lines == [
        ("captured", "one-department-operator", "", ""),
        ("viewed", "one-department-operator", "masked", ""),
        ("viewed", "one-dispatcher", "masked", ""),
        ("viewed", "one-department-operator", "original", "tests"),
    ]


def test_what_a_camera_saw_again_has_its_custody_and_its_original_takes_a_grant(world: World) -> None:
    operator, case = world.clients[Role.OPERATOR], int(world.ids["case"])
    reported(world, small_picture("done"))
    seen = looked(world)
    address = f"/api/cases/{case}/pictures/{seen.sha256}"
    assert operator.get(address).headers["x-derived-from"] == seen.sha256
    assert operator.get(address + CLEAR).status_code == 404, "the camera is another department's"
    grant_all(world)
    assert operator.get(address + CLEAR).content == small_picture("now")
    told = operator.get(f"/api/cases/{case}/custody").json()["lines"]
    assert [
        (line["act"], line["who"], line["role"], line["kind"]) for line in told if line["sha256"] == seen.sha256
    ] == [
        ("viewed", "one-department-operator", "latest", "original"),
        ("viewed", "one-department-operator", "latest", "masked"),
        ("captured", CAMERA, "latest", ""),
    ]
    with world.city.engine.connect() as connection:
        custody.verify(connection)
        assert audit.listed(connection, action="custody.read")[0].what == {"case": case}


def test_a_package_holds_what_was_photographed_and_seen_again(world: World, tmp_path: Path) -> None:
    photo = reported(world, small_picture("done")).json()["sha256"]
    seen = looked(world).sha256
    whole = {"case.json", f"looks/latest-{seen}.jpg", f"photos/photo-{photo}.jpg"}
    names, handled, _ = packed(world, Role.ADMIN, tmp_path)
    assert names == whole
    assert {(line["act"], line["sha256"]) for line in handled} == {("captured", photo), ("captured", seen)}
    with world.city.engine.connect() as connection:
        custody.verify(connection)
        lines = custody.of_case(connection, int(world.ids["case"]))
    assert {(line.sha256, line.why) for line in lines if line.act == "exported"} == {
        (photo, "appeal 17"),
        (seen, "appeal 17"),
    }


def test_who_has_no_part_in_the_case_gets_what_the_camera_saw_alone(world: World, tmp_path: Path) -> None:
    reported(world, small_picture("done"))
    seen = looked(world)
    grant_all(world)
    with world.city.engine.begin() as connection:
        connection.execute(update(cases).values(handler="elsewhere", owner="elsewhere"))
    names, handled, _ = packed(world, Role.INVESTIGATOR, tmp_path)
    assert names == {f"looks/latest-{seen.sha256}.jpg"}
    assert {line["sha256"] for line in handled} == {seen.sha256}


def test_a_picture_whose_bytes_are_gone_is_named_as_absent(world: World, tmp_path: Path) -> None:
    reported(world, small_picture("done"))
    seen = looked(world)
    world.city.objects.delete(seen.key)
    names, _, manifest = packed(world, Role.ADMIN, tmp_path)
    assert f"looks/latest-{seen.sha256}.jpg" not in names
    assert [(one.sha256, one.why) for one in manifest.absent] == [(seen.sha256, "not in the object store")]
