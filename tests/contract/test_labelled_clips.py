"""Clips on a real Postgres and the real server: in, labelled, reviewed, measured, out as a suite and as CVAT's XML."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from click.testing import CliRunner, Result

from algorithm_repo.evaluation.suite import TruthEvent, read_suite
from cityvision.cli import cli
from cityvision.clip_looks import look
from cityvision.viewing_copy import convert
from events.weather import Weather, begin
from governance import audit
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.clips import small_clip
from tests.contract.access_world import client_of
from tests.contract.evidence_scene import consumed
from tests.contract.labelling_scene import labellers, picture
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event

pytest_plugins = ["tests.embedded"]

INTERVAL = {"kind": "interval", "label": "illegal_parking", "zone": "lane", "start": 0.5, "end": 2.5}
TRACK: dict[str, Any] = {
    "kind": "track",
    "label": "car",
    "keys": [
        {"at": 0.5, "box": [0.1, 0.3, 0.3, 0.6], "outside": False},
        {"at": 1.5, "box": [0.4, 0.3, 0.6, 0.6], "outside": True},
        {"at": 2.0, "box": [0.5, 0.3, 0.7, 0.6], "outside": False},
    ],
}
PROJECT = {"name": "parking", "classes": ["illegal_parking", "car"], "kinds": ["interval", "track"]}


@pytest.fixture
def city(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> Iterator[City]:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", valkey.url)
    monkeypatch.setenv("CITYVISION_DATA", str(tmp_path))
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        with one.engine.begin() as connection:
            labellers(connection)
        yield one


@pytest.fixture
def people(city: City) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with city.engine.begin() as connection:
        one, other = (client_of(city.url, connection, role) for role in (Role.ENGINEER, Role.ADMIN))
    with one, other:
        yield one, other


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["label", *map(str, arguments), "--who", "lin"])


def took(folder: Path, *more: str, project: str = "parking") -> Result:
    return run("import", project, folder, "--source", "clips", "--licence", "CC0-1.0", *more)


def labelled(client: httpx.Client, item: int, *labels: dict[str, Any], key: str = "labels-of-one") -> httpx.Response:
    return client.post(f"/api/labelling/items/{item}/answers", json={"labels": labels, "key": key})


def accepted(client: httpx.Client, item: int, answer: int) -> None:
    said = {"answer": answer, "accepted": True, "key": f"review-{item:06}"}
    done = client.post(f"/api/labelling/items/{item}/reviews", json=said)
    assert done.status_code == 201, done.text


def test_a_clip_of_a_verdict_becomes_an_entry_of_a_suite(
    city: City, people: tuple[httpx.Client, httpx.Client], tmp_path: Path
) -> None:
    engineer, admin = people
    now = time.time()
    ref = city.keep(small_clip(1), "clip", "mp4", now)
    event = make_event(now - 60, evidence=(ref,))
    consumed(city, event)
    judged = admin.post(f"/api/events/{event.id}/verdicts", json={"kind": "real", "key": "verdict-01"})
    assert judged.status_code == 201, judged.text
    made = admin.post("/api/labelling/projects", json=PROJECT).json()["id"]
    with city.engine.begin() as connection:
        begin(connection, Weather.RAIN, (), now - 3600, "duty")
    taken = admin.post(f"/api/labelling/projects/{made}/candidates", json={}).json()
    again = admin.post(f"/api/labelling/projects/{made}/candidates", json={}).json()
    assert (taken["added"], taken["without"], again["known"]) == (1, 0, 1)
    (task,) = engineer.get(f"/api/labelling/projects/{made}/queue").json()
    item = task["item"]
    assert item["slices"] == ["verdict real", event.type, "weather rain"]
    assert item["clip"] == {"duration_s": 3.0, "fps": 10.0, "frames": 30, "start_s": 0.0}
    assert (item["width"], item["height"], item["zones"]) == (160, 90, [{"id": "lane", "name": "消防通道"}])
    shown = engineer.get(item["picture"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "video/mp4")
    assert shown.headers["x-derived-from"] == ref.sha256, "a masked copy"
    assert shown.headers["x-masking"] in ("fine", "coarse")

    draft = engineer.put(f"/api/labelling/items/{item['id']}/draft", json={"labels": [TRACK], "stamp": 1})
    assert draft.json() == {"kept": True}
    (task,) = engineer.get(f"/api/labelling/projects/{made}/queue").json()
    assert task["draft"] == [TRACK]
    answer = labelled(engineer, item["id"], INTERVAL, TRACK)
    assert answer.status_code == 201, answer.text
    assert answer.json()["labels"] == [INTERVAL, TRACK]
    accepted(admin, item["id"], answer.json()["id"])
    (agreed,) = admin.get(f"/api/labelling/projects/{made}/agreement").json()
    assert (agreed["of"], agreed["iou"], agreed["f1"]) == ("review", 1.0, 1.0)

    done = run("export", "parking", tmp_path / "suite", "--format", "suite")
    assert done.exit_code == 0, done.output
    (clip,) = read_suite(tmp_path / "suite").clips
    assert clip.truth == (TruthEvent(type="illegal_parking", zone="lane", start=0.5, end=2.5),)
    assert (clip.camera.id, clip.camera.main.url, list(clip.camera.algorithms)) == (
        "north-gate",
        "file:///north-gate",
        ["illegal_parking"],
    )
    assert clip.camera.algorithms["illegal_parking"].model_dump()["dwell"] == 30
    assert (tmp_path / "suite" / clip.file).read_bytes() == city.objects.get(ref.key)
    with city.engine.connect() as connection:
        (line,) = audit.listed(connection, action="labels.exported")
    assert line.what == {"project": made, "format": "suite", "pictures": True}
    city.objects.delete(ref.key)  # as retention does
    gone = run("export", "parking", tmp_path / "later", "--format", "suite")
    assert "each accepted clip was deleted" in gone.output
    frozen = admin.post(f"/api/labelling/projects/{made}/freeze", json={})
    assert frozen.status_code == 422, "pictures alone are frozen"


def test_clips_of_a_folder_come_in_and_their_tracks_go_to_cvat_and_back(
    city: City, people: tuple[httpx.Client, httpx.Client], tmp_path: Path
) -> None:
    engineer, admin = people
    made = admin.post("/api/labelling/projects", json=PROJECT).json()["id"]
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "street.mp4").write_bytes(small_clip(2))
    (folder / "no.mp4").write_bytes(b"GIF89a, and no clip")
    refused = took(folder, "--public")
    assert (refused.exit_code != 0, "no.mp4: no MP4" in refused.output) == (True, True), refused.output
    (folder / "no.mp4").unlink()
    assert "1 added" in took(folder, "--public").output
    assert "1 there already" in took(folder, "--public").output
    (item,) = engineer.get(f"/api/labelling/projects/{made}/items").json()
    assert (item["name"], item["zones"]) == ("street.mp4", [])
    shown = engineer.get(item["picture"])
    assert (shown.status_code, shown.content[4:8]) == (200, b"ftyp")

    late = {**INTERVAL, "end": 9}
    backwards = {**INTERVAL, "start": 2, "end": 1}
    twice = {**TRACK, "keys": [TRACK["keys"][0], TRACK["keys"][0]]}
    box = {"kind": "box", "label": "car", "box": [0.1, 0.1, 0.2, 0.2]}
    for label, told in (
        (late, "labels[0].end: 9 s lies past the clip's end at 3 s"),
        (backwards, "an interval ends after it has begun"),
        (twice, "keys[1].at: two key frames at 0.5 s"),
        (box, "labels[0].kind: parking takes no box"),
    ):
        answer = labelled(engineer, item["id"], label)
        assert (answer.status_code, told in answer.text) == (422, True), answer.text

    labels = ({**INTERVAL, "zone": ""}, TRACK)
    accepted(admin, item["id"], labelled(engineer, item["id"], *labels).json()["id"])
    nobodys = run("export", "parking", tmp_path / "suite", "--format", "suite")
    assert "belongs to no camera, so its zones are not known" in nobodys.output
    assert "--camera ID" in nobodys.output
    assert not (tmp_path / "suite").exists()
    done = run("export", "parking", tmp_path / "suite", "--format", "suite", "--camera", "north-gate")
    assert done.exit_code == 0, done.output
    assert read_suite(tmp_path / "suite").clips[0].truth[0].zone == "lane", "the only one that can be meant"

    out = run("export", "parking", tmp_path / "cvat", "--format", "cvat-video", "--pictures")
    assert out.exit_code == 0, out.output
    assert "intervals left out" in out.output
    assert admin.get(f"/api/labelling/projects/{made}/export?format=cvat-video").status_code == 200
    again = admin.post("/api/labelling/projects", json={**PROJECT, "name": "again"}).json()["id"]
    assert "1 added" in took(tmp_path / "cvat", project="again").output
    (xml,) = (tmp_path / "cvat").rglob("annotations.xml")
    xml.write_text(xml.read_text().replace('occluded="0"', 'occluded="1"', 1))
    back = took(tmp_path / "cvat", "--format", "cvat-video", project="again")
    assert "0 added, 1 there already, 1 of them labelled" in back.output, back.output
    assert "occluded: said of 1 shape, left out" in back.output
    (task,) = engineer.get(f"/api/labelling/projects/{again}/queue?work=review").json()
    assert task["answers"][0]["labels"] == [TRACK]
    wrong = {**INTERVAL, "label": "car"}
    said = {"answer": task["answers"][0]["id"], "accepted": True, "labels": [wrong], "key": "corrected"}
    assert admin.post(f"/api/labelling/items/{task['item']['id']}/reviews", json=said).status_code == 201
    strange = run("export", "again", tmp_path / "no", "--format", "suite", "--camera", "north-gate")
    assert "'car' is no event type" in strange.output
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(picture(1))
    assert "a.jpg: parking labels clips alone" in took(tmp_path / "pictures").output


def test_what_is_no_clip_or_more_than_is_taken_is_refused() -> None:
    for data, told in (
        (b"", "no clip that can be read"),
        (small_clip(3)[:900], "no clip that can be read|cannot be decoded"),
        (small_clip(4, seconds=0.1), "frames: a clip has two pictures"),
        (small_clip(5, seconds=320, fps=1), "duration: longer than 300 s"),
    ):
        with pytest.raises(ValueError, match=told):
            look(data)


def test_a_clip_that_begins_late_is_labelled_from_its_first_picture_on() -> None:
    late = small_clip(6, start=0.5)
    facts = look(late).facts
    assert (facts.start_s, facts.duration_s, facts.frames) == (0.5, 3.0, 30)
    with av.open(io.BytesIO(convert(late)), "r") as copy:
        assert next(copy.decode(video=0)).time == 0.5, "where the page looks for it"
