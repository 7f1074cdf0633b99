"""What somebody on the street needs: the cases of their department, the way there, and a report that arrives once."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from api import pictures
from api.pictures import keep
from api.problems import Invalid
from governance.roles import Role
from store.bus import Bus
from store.objects import DiskObjects
from store.valkey import EmbeddedValkey
from tests.contract.access_world import logged_in
from tests.contract.test_api_cases import act, photo
from tests.contract.test_api_doors import log_in, wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, opened

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, map_link="maps:{lat},{lon}?n={name}") as one:
        yield one


@pytest.fixture
def centre(city: City) -> Iterator[httpx.Client]:
    with city.client() as one:
        log_in(one, city)
        yield one


@pytest.fixture
def worker(city: City) -> Iterator[httpx.Client]:
    """Of the traffic police."""
    with city.engine.begin() as connection:
        one = logged_in(city, connection, Role.OPERATOR)
    yield one
    one.close()


def by_hand(centre: httpx.Client, department: str, crew: str = "") -> int:
    """A case that the centre has sent to a department; its number."""
    body = {"category": "0999", "address": "人民路 3 号", "note": "井盖松动"}
    number: int = centre.post("/api/cases", json=body).json()["case"]["id"]
    assert act(centre, number, "file").status_code == 200
    assert act(centre, number, "dispatch", department=department, crew=crew).status_code == 200
    return number


def test_the_cases_of_ones_own_the_soonest_due_first(city: City, centre: httpx.Client, worker: httpx.Client) -> None:
    theirs = by_hand(centre, "grid")
    second = by_hand(centre, "traffic", "一中队")
    city.publish(opened(make_event(time.time() - 60)))
    found = wait_for(worker, "/api/field/cases", lambda page: page["total"] == 2)
    first, last = found["cases"]
    assert (first["case"]["camera"], last["case"]["id"]) == ("north-gate", second)
    assert first["case"]["state"]["clock"]["due_utc"] < last["case"]["state"]["clock"]["due_utc"]
    assert (first["place"], last["place"]) == ("北门消防通道 · 消防通道", "人民路 3 号")
    assert first["position"] == {"lon": 121.4737, "lat": 31.2304}
    assert first["way"].startswith("maps:31.230400,121.473700?n=%E5%8C%97")
    assert last["position"] is None
    assert last["way"].startswith("geo:0,0?q=%E4%BA%BA"), "an address alone is looked for"
    assert found["crews"] == ["一中队"]
    of_crew = worker.get("/api/field/cases", params={"crew": "一中队"}).json()
    assert [one["case"]["id"] for one in of_crew["cases"]] == [second]
    assert worker.get(f"/api/field/cases/{second}").json() == last
    assert worker.get(f"/api/field/cases/{theirs}").status_code == 404
    assert centre.get("/api/field/cases").json()["total"] == 3


def test_a_report_that_is_sent_again_is_done_once(city: City, centre: httpx.Client, worker: httpx.Client) -> None:
    number = by_hand(centre, "traffic")
    headers = {"content-type": "image/jpeg"}
    sent = [worker.post(f"/api/cases/{number}/pictures", content=photo(), headers=headers).json() for _ in range(2)]
    assert sent[0] == sent[1]
    revision = worker.get(f"/api/cases/{number}").json()["case"]["revision"]
    body: dict[str, Any] = {"action": "report", "key": "one-report-1", "revision": revision}
    body["facts"] = {"note": "已复位", "pictures": [sent[0]["key"]]}
    for _ in range(3):
        done = worker.post(f"/api/cases/{number}/actions", json=body)
        assert (done.status_code, done.json()["case"]["state"]["status"]) == (200, "reported")
    lines = done.json()["lines"]
    assert [line["key"] for line in lines if line["action"] == "report"] == ["one-report-1"]
    other = worker.post(f"/api/cases/{number}/actions", json=body | {"action": "start"})
    assert (other.status_code, "report was done under it" in other.json()["detail"]) == (422, True)
    assert worker.get("/api/field/cases").json()["total"] == 0
    assert worker.get("/api/field/cases", params={"which": "reported"}).json()["total"] == 1


def test_a_report_shows_pictures_of_cases_alone(city: City, centre: httpx.Client, worker: httpx.Client) -> None:
    number = by_hand(centre, "traffic")
    hidden = city.keep(photo(), "decision", "jpg", time.time())
    refused = act(worker, number, "report", pictures=[hidden.key])
    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "facts")
    assert worker.get(f"/api/cases/{number}/pictures/{hidden.sha256}").status_code == 404


def test_a_report_shows_pictures_that_were_sent_to_this_very_case(centre: httpx.Client, worker: httpx.Client) -> None:
    """Else a place would be closed with a proof that is not there, or of another place; and whoever may see this case
    could be shown a picture of any other."""
    number, other = by_hand(centre, "traffic"), by_hand(centre, "traffic")
    there = worker.post(f"/api/cases/{other}/pictures", content=photo(), headers={"content-type": "image/jpeg"}).json()
    for key in (there["key"], f"cases/aa/{'0' * 64}.jpg"):
        refused = act(worker, number, "report", pictures=[key])
        assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "facts.pictures[0]")
    assert worker.get(f"/api/cases/{number}/pictures/{there['sha256']}").status_code == 404
    assert act(worker, other, "report", pictures=[there["key"]]).status_code == 200


def test_what_is_kept_of_a_picture_are_its_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)  # where it was taken
    objects = DiskObjects(tmp_path)
    sent = photo(size=(3000, 1000), exif=exif) + b"<script>alert(1)</script>"
    kept = keep(objects, sent, "body")
    data = objects.get(kept.key)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert image.size == (853, 2560)
        assert not image.getexif()
    assert b"script" not in data
    assert (kept.key, kept.size) == (f"cases/{kept.sha256[:2]}/{kept.sha256}.jpg", len(data))
    assert keep(objects, sent, "body") == kept
    assert keep(objects, photo("PNG"), "body").key.endswith(".jpg")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8\xff\xe0" + bytes(2000), photo("GIF"), photo()[:300], b"<svg/>", photo("PNG")[:60]],
    ids=["nothing", "only its beginning", "another kind", "cut", "text", "cut png"],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Invalid, match="no picture"):
        keep(DiskObjects(tmp_path), content, "body")


def test_a_picture_made_to_fill_memory_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(Invalid, match="no picture"):
        keep(DiskObjects(tmp_path), photo(), "body")
