"""Cases in numbers beside the hours that nobody watched; the board by what is due; cases opened by people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.test_api_cases import act, one_case
from tests.contract.test_api_doors import log_in, wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, not_watched, opened

pytest_plugins = ["tests.embedded"]
HOUR, DAY = 3600.0, 86_400.0
HOTLINE = {"source": "hotline", "category": "0999", "address": "人民路 3 号", "note": "井盖松动"}


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    settings = {"map_link": "maps:{lat},{lon}", "map_search_link": "search:{name}"}
    with console_city.running(tmp_path, database_url, valkey.url, **settings) as one:
        yield one


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    with city.client() as one:
        log_in(one, city)
        yield one


def counted(client: httpx.Client, by: str, **more: Any) -> dict[str, tuple[int, float | None]]:
    found = client.get("/api/cases/statistics", params={"by": by, "since": time.time() - 3 * DAY, **more})
    assert found.status_code == 200, found.text
    hours = {one["value"]: one["unwatched_hours"] for one in found.json()["rows"]}
    return {
        one["value"]: (one["cases"], None if hours[one["value"]] is None else round(hours[one["value"]], 2))
        for one in found.json()["rows"]
    }


def test_hours_that_nobody_watched_stand_beside_every_count(city: City, client: httpx.Client) -> None:
    one_case(client, city)
    now = time.time()
    city.publish(
        not_watched("north-gate", now - 5 * HOUR, now - 3 * HOUR),
        not_watched("square", now - 50 * HOUR, now - 46 * HOUR, "crowding"),
    )
    wait_for(client, "/api/unwatched?since=0", lambda report: len(report["rows"]) == 2)
    whole = client.get("/api/cases/statistics", params={"since": now - 3 * DAY}).json()["unwatched"]
    assert (round(whole["hours"], 2), whole["cameras"]) == (6.0, 2)
    assert counted(client, "grid") == {"": (1, 4.0), "G-0412": (0, 2.0)}, "the event named no grid"
    assert counted(client, "department") == {"traffic": (1, 2.0), "grid": (0, 4.0)}
    assert counted(client, "algorithm") == {"illegal_parking": (1, 2.0), "crowding": (0, 4.0)}
    assert counted(client, "category") == {"0304": (1, 2.0), "0411": (0, 4.0)}
    assert counted(client, "category", category="0304") == {"0304": (1, 2.0)}
    assert counted(client, "source") == {"event": (1, None)}, "a source has no cameras of its own"
    days = counted(client, "day")
    assert sum(cases for cases, _ in days.values()) == 1
    assert sum(hours or 0 for _, hours in days.values()) == pytest.approx(6.0, abs=0.05)
    assert any(cases == 0 and hours for cases, hours in days.values()), "a day without cases that nobody watched"
    board = client.get("/api/cases").json()["unwatched"]
    assert (round(board["hours"], 2), board["cameras"]) == (2.0, 1), "the last 24 hours, where no time is asked for"
    assert client.get("/api/cases", params={"grid": "G-9"}).json()["unwatched"] == {"hours": 0, "cameras": 0}


def test_the_board_by_what_is_due_page_by_page(city: City, client: httpx.Client) -> None:
    first = client.post("/api/cases", json=HOTLINE).json()["case"]["id"]  # half an hour of office time
    second = client.post("/api/cases", json=HOTLINE | {"category": "0411"}).json()["case"]["id"]  # five minutes
    ended = client.post("/api/cases", json=HOTLINE).json()["case"]["id"]
    assert act(client, ended, "void", note="误报").status_code == 200
    order, after = [], None
    while True:
        page = client.get("/api/cases", params={"order": "due", "limit": 1, **({"after": after} if after else {})})
        order += [one["id"] for one in page.json()["cases"]]
        after = page.json()["next_after"]
        if after is None:
            break
    assert order == [second, first, ended], "what has no clock any more comes last"
    newest = [one["id"] for one in client.get("/api/cases").json()["cases"]]
    assert newest == [ended, second, first]


def test_a_case_by_hand_stands_where_its_camera_looks(city: City, client: httpx.Client) -> None:
    body = HOTLINE | {"category": "0304", "camera": "north-gate", "zone": "lane"}
    for wrong, field in (({"camera": "nowhere"}, "camera"), ({"zone": "nowhere"}, "zone"), ({"camera": ""}, "zone")):
        refused = client.post("/api/cases", json=body | wrong)
        assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, field)
    made = client.post("/api/cases", json=body).json()["case"]
    assert (made["grid"], made["department"], made["place"]) == ("G-0412", "traffic", "north-gate/lane")
    city.publish(opened(make_event(time.time() - 60)))
    joined = wait_for(client, f"/api/cases/{made['id']}", lambda found: len(found["events"]) == 1)
    assert joined["events"][0]["kind"] == "join", "what the camera sees there belongs to it"
    elsewhere = client.post("/api/cases", json=body | {"camera": "", "zone": "", "grid": "G-0500"}).json()["case"]
    assert (elsewhere["grid"], elsewhere["department"], elsewhere["place"]) == ("G-0500", "city", "")


def test_a_case_goes_to_departments_that_exist_alone(city: City, client: httpx.Client) -> None:
    number = client.post("/api/cases", json=HOTLINE).json()["case"]["id"]
    assert act(client, number, "file").status_code == 200
    refused = act(client, number, "dispatch", department="nobody")
    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "facts.department")
    assert "traffic" in refused.json()["fix"]
    sent = act(client, number, "dispatch", department="traffic", crew="一中队").json()["case"]["state"]
    assert (sent["owner"], sent["crew"]) == ("traffic", "一中队")
    way = client.get(f"/api/field/cases/{number}").json()
    assert (way["position"], way["way"]) == (None, "search:%E4%BA%BA%E6%B0%91%E8%B7%AF%203%20%E5%8F%B7")
