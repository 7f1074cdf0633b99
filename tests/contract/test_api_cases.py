"""The doors of cases, through the real server: from an event to 结案, by hand, in masses, and what is refused."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import update

from cases import verify
from cases.book import read_book
from cases.tables import cases
from contracts.records import EvidenceRef, LookRecord, LookResult
from governance import audit
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import CLEAR
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.test_api_doors import log_in, wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, opened

pytest_plugins = ["tests.embedded"]

BOOK = read_book()


def photo(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **more: Any) -> bytes:
    """A picture as a telephone makes it."""
    target = io.BytesIO()
    Image.new("RGB", size, (200, 60, 20)).save(target, kind, **more)
    return target.getvalue()


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        yield one


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    with city.client() as one:
        log_in(one, city)
        yield one


def act(client: httpx.Client, number: int, action: str, **facts: Any) -> httpx.Response:
    return client.post(f"/api/cases/{number}/actions", json={"action": action, "facts": facts})


def one_case(client: httpx.Client, city: City, **event: Any) -> dict[str, Any]:
    city.publish(opened(make_event(time.time() - 60, **event)))
    found = wait_for(client, "/api/cases", lambda page: page["total"] == 1)
    (case,) = found["cases"]
    assert isinstance(case, dict)
    return case


def test_from_an_event_to_the_end(city: City, client: httpx.Client) -> None:
    before = city.keep(small_picture("before"), "decision", "jpg", time.time() - 60)
    number = one_case(client, city, evidence=(before,))["id"]
    detail = client.get(f"/api/cases/{number}").json()
    assert detail["case"]["state"]["status"] == "dispatched"
    assert [event["kind"] for event in detail["events"]] == ["new"]

    headers = {"content-type": "image/jpeg"}
    picture = client.post(f"/api/cases/{number}/pictures", content=photo(), headers=headers)
    assert picture.status_code == 201, picture.text
    done = act(client, number, "report", note="已劝离", pictures=[picture.json()["key"]])
    assert done.json()["case"]["state"]["status"] == "reported"
    assert client.get(picture.json()["url"]).headers["x-derived-from"] == picture.json()["sha256"]  # masked
    kept = client.get(picture.json()["url"] + CLEAR).content
    assert hashlib.sha256(kept).hexdigest() == picture.json()["sha256"]

    with city.engine.begin() as connection:  # what the consumer's process does each second
        assert verify.begin(connection, time.time(), BOOK) == 1
        (asked,) = verify.waiting(connection, time.time())
    now = city.keep(small_picture("now"), "latest", "jpg", time.time())
    city.publish(LookRecord(look=answer(asked.id, now)))
    closed = wait_for(client, f"/api/cases/{number}", lambda found: found["case"]["state"]["status"] == "closed")
    assert closed["looks"][0]["result"]["verdict"] == "gone"
    last = closed["lines"][-1]
    assert last["who"] == "system"
    assert (last["facts"]["before"], last["facts"]["pictures"]) == (before.key, [now.key]), "before and after"
    for one in (before, now):  # also now that the case is closed and its event is not shown any more
        seen = client.get(f"/api/cases/{number}/pictures/{one.sha256}")
        assert (seen.status_code, seen.headers["x-derived-from"]) == (200, one.sha256)
    shown = client.get(f"/api/cases/{number}/pictures/{now.sha256}")
    assert (shown.status_code, shown.headers["x-derived-from"]) == (200, now.sha256)  # masked, as all that cameras see

    assert act(client, number, "rate", stars=5).json()["case"]["state"]["status"] == "rated"
    (tally,) = client.get("/api/cases/statistics", params={"by": "category"}).json()["rows"]
    assert (tally["value"], tally["cases"], tally["closed"]) == ("0304", 1, 1)
    with city.engine.begin() as connection:
        said = {line.action for line in audit.listed(connection, limit=20)}
    assert {"case.report", "case.rate", "case.picture"} <= said


def answer(request: str, picture: EvidenceRef) -> LookResult:
    return LookResult(
        request=request,
        camera="north-gate",
        type="illegal_parking",
        zone="lane",
        utc=time.time(),
        verdict="gone",
        looks=11,
        watched_s=20,
        reason={"zh": "复核时已不在", "en": "It is gone"},
        evidence=(picture,),
    )


def test_what_is_refused_says_why(city: City, client: httpx.Client) -> None:
    case = one_case(client, city)
    number = case["id"]
    slipped = act(client, number, "start", before="evidence/aa/" + "0" * 64 + ".jpg")
    assert (slipped.status_code, slipped.json()["faults"][0]["field"]) == (422, "facts")
    missing = act(client, number, "report")
    assert (missing.status_code, missing.json()["code"]) == (422, "cannot_act")
    assert "attach a picture" in missing.json()["fix"]
    wrong = act(client, number, "rate", stars=5)
    assert "possible now: start, report" in wrong.json()["fix"]
    stale = {"action": "start", "revision": case["revision"] - 1}
    assert client.post(f"/api/cases/{number}/actions", json=stale).status_code == 409
    assert client.get("/api/cases/999").status_code == 404
    assert act(client, 999, "start").status_code == 404
    text = client.post(f"/api/cases/{number}/pictures", content=b"<svg>", headers={"content-type": "image/jpeg"})
    assert (text.status_code, text.json()["faults"][0]["field"]) == (422, "body")
    assert client.get(f"/api/cases/{number}/pictures/{'0' * 64}").status_code == 404
    assert client.get("/api/cases", params={"state": "nowhere"}).status_code == 422


def test_by_hand_and_found_by_filters(city: City, client: httpx.Client) -> None:
    one_case(client, city)
    body = {"source": "hotline", "category": "0999", "address": "人民路 3 号", "note": "井盖松动"}
    made = client.post("/api/cases", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["case"]["state"]["status"] == "accepted"
    assert client.post("/api/cases", json=body | {"category": "1"}).json()["code"] == "config_error"
    pages = client.get("/api/cases", params={"limit": 1}).json()
    assert (pages["total"], len(pages["cases"])) == (2, 1)
    rest = client.get("/api/cases", params={"limit": 1, "after": pages["next_after"]}).json()
    assert rest["next_after"] is None
    for wanted, count in (({"source": "hotline"}, 1), ({"state": ["accepted", "dispatched"]}, 2), ({"late": True}, 0)):
        assert client.get("/api/cases", params=wanted).json()["total"] == count
    book = client.get("/api/cases/book").json()
    assert book["words"]["suspend"] == "挂账"
    assert book["steps"]["dispatched"]["report"] == ["pictures"]


def test_statistics_by_every_dimension(city: City, client: httpx.Client) -> None:
    one_case(client, city)
    city.publish(opened(make_event(time.time() - 30, subject="track:18")))  # joins: counted once
    body = {"source": "hotline", "category": "0999", "address": "人民路 3 号", "note": "井盖松动"}
    assert client.post("/api/cases", json=body).status_code == 201
    number = client.get("/api/cases").json()["cases"][-1]["id"]
    wait_for(client, f"/api/cases/{number}", lambda found: len(found["events"]) == 2)

    def by(dimension: str, **more: Any) -> dict[str, int]:
        found = client.get("/api/cases/statistics", params={"by": dimension, **more})
        assert found.status_code == 200, found.text
        return {one["value"]: one["cases"] for one in found.json()["rows"]}

    assert by("algorithm") == {"illegal_parking": 1, "": 1}
    assert by("algorithm", category="0304") == {"illegal_parking": 1}
    assert by("department") == {"traffic": 1, "city": 1}
    assert by("source") == {"event": 1, "hotline": 1}
    assert sum(by("day").values()) == sum(by("grid").values()) == 2
    with city.engine.begin() as connection:
        connection.execute(update(cases).values(opened=datetime(2026, 3, 1, 20, tzinfo=UTC)))
    assert by("day") == {"2026-03-02": 2}, "by the city's clock it was the next day"
    assert client.get("/api/cases/statistics", params={"by": "colour"}).status_code == 422


def test_a_rainstorm_is_handled_at_once(city: City, client: httpx.Client) -> None:
    began = time.time() - 600
    many = [opened(make_event(began + n, kind="waterlogging", zone=f"z{n}", subject=f"{n}")) for n in range(21)]
    city.publish(*many)
    page = wait_for(client, "/api/cases?limit=100", lambda found: found["total"] == 21)
    (incident,) = {case["incident"] for case in page["cases"]}
    facts = {"note": "等待退水", "until_utc": time.time() + 3600}
    whole = client.get(f"/api/incidents/{incident}").json()
    assert (whole["cases"], sum(whole["statuses"].values())) == (21, 21)
    assert {one["action"]: one["cases"] for one in whole["offers"]}["suspend"] == 21
    assert "report" not in {one["action"] for one in whole["offers"]}, "its pictures are of one place"
    twice = {"action": "supervise", "facts": {"note": "暴雨"}, "key": "supervise-all-of-it"}
    for _ in range(2):  # no answer arrived, so it is sent again
        told = client.post(f"/api/incidents/{incident}/actions", json=twice)
        assert (told.status_code, told.json()["total"]) == (200, 21), told.text
    lines = client.get(f"/api/cases/{page['cases'][0]['id']}").json()["lines"]
    assert [line["action"] for line in lines].count("supervise") == 1
    other = client.post(f"/api/incidents/{incident}/actions", json=twice | {"action": "suspend", "facts": facts})
    assert (other.status_code, other.json()["faults"][0]["field"]) == (422, "key")
    done = client.post(f"/api/incidents/{incident}/actions", json={"action": "suspend", "facts": facts})
    assert done.json()["total"] == 21, done.text
    assert {case["state"]["status"] for case in done.json()["cases"]} == {"suspended"}
    nothing = client.post(f"/api/incidents/{incident}/actions", json={"action": "rate", "facts": {"stars": 3}})
    assert nothing.status_code == 404


def test_silences_show_what_they_hide_and_end(city: City, client: httpx.Client) -> None:
    until = time.time() + 600
    body = {"note": "道路施工", "until_utc": until, "types": ["illegal_parking"], "from_utc": time.time() - 3600}
    (made,) = client.post("/api/case-silences", json=body).json()
    city.publish(opened(make_event(time.time() - 60)))
    wait_for(client, "/api/case-silences", lambda found: found[0]["events"] == 1)
    assert client.get("/api/cases").json()["total"] == 0
    assert client.delete(f"/api/case-silences/{made['id']}").json() == []
    assert client.delete(f"/api/case-silences/{made['id']}").status_code == 422
    assert client.post("/api/case-silences", json=body | {"until_utc": time.time() - 7200}).status_code == 422
    city.publish(opened(make_event(time.time() + 1, subject="track:99")))
    wait_for(client, "/api/cases", lambda found: found["total"] == 1)
