"""The doors of the exchange: how it goes, trying again what was refused, and holding both lists against each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from cases.exchange.tables import exchange_outbox
from cases.types import Status
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.access_world import client_of
from tests.contract.exchange_scene import CITY, Scene, running, wait_until

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def scene(tmp_path: Path, engine: Engine, valkey: EmbeddedValkey, bus: Bus) -> Iterator[Scene]:
    with running(tmp_path, engine, valkey.url, calls=False) as one:
        one.start("api")
        yield one


@pytest.fixture
def centre(scene: Scene) -> httpx.Client:
    with scene.engine.begin() as connection:
        return client_of(f"http://127.0.0.1:{scene.settings.api_port}", connection, Role.ADMIN)


def test_a_queue_that_waits_says_since_when_and_why(scene: Scene, centre: httpx.Client) -> None:
    quiet = centre.get("/api/exchange").json()
    assert (quiet["platform"], quiet["outlook"]["waiting"], quiet["outlook"]["oldest_utc"]) == (CITY, 0, None)
    scene.happen(2)
    scene.start("exchange")  # to a platform that is not there
    wait_until(lambda: bool(centre.get("/api/exchange").json()["outlook"]["error"]))
    away = centre.get("/api/exchange").json()["outlook"]
    assert (away["waiting"], away["told"], away["last_told_utc"]) == (4, 0, None)
    assert away["oldest_utc"] > 0
    answer = centre.post("/api/exchange/reconciliation", json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "platform_away")
    scene.platform.start()
    wait_until(lambda: bool(centre.get("/api/exchange").json()["outlook"]["waiting"] == 0))
    assert centre.get("/api/exchange").json()["outlook"]["last_told_utc"] > 0


def test_what_was_refused_is_told_again_as_it_stands_now(scene: Scene, centre: httpx.Client) -> None:
    scene.platform.start()
    first, second = scene.happen(2)
    with scene.engine.begin() as connection:
        broken = exchange_outbox.update().where(exchange_outbox.c.case_id == first).values(body={"sourceId": "x"})
        connection.execute(broken)
    scene.start("exchange")
    wait_until(lambda: scene.outlook().waiting == 0)
    refused = centre.get("/api/exchange").json()["outlook"]["turned_down"]
    assert sorted((one["case"], one["revision"], one["superseded"]) for one in refused) == [
        (first, 1, True),
        (first, 2, False),
    ]
    assert all("HTTP 422" in one["error"] for one in refused)
    assert centre.post(f"/api/exchange/cases/{second}/retry").status_code == 404, "nothing of it was refused"
    assert centre.post(f"/api/exchange/cases/{first}/retry").status_code == 200
    wait_until(lambda: len(scene.platform.book.tasks) == 2)
    wait_until(lambda: scene.outlook().waiting == 0)
    assert centre.post(f"/api/exchange/cases/{first}/retry").status_code == 404, "they have it"
    left = centre.get("/api/exchange").json()["outlook"]["turned_down"]
    assert [(one["revision"], one["superseded"]) for one in left] == [(1, True)]


def test_both_lists_are_compared_and_repaired_where_that_is_safe(scene: Scene, centre: httpx.Client) -> None:
    scene.platform.start()
    forgotten, newer, _same = scene.happen(3)
    scene.start("exchange")
    wait_until(lambda: scene.outlook().waiting == 0)
    tasks = scene.platform.book.tasks
    scene.platform.book.forget(str(forgotten))
    tasks[str(newer)].state, tasks[str(newer)].seq = "4", 2

    found = centre.post("/api/exchange/reconciliation", json={}).json()
    assert found["listed"] == 2
    assert [(one["case"], one["kind"], one["outcome"]) for one in found["differences"]] == [
        (forgotten, "missing_there", "found"),
        (newer, "newer_there", "found"),
    ]
    assert scene.case(newer)[0].state.status is Status.DISPATCHED, "looking changes nothing"

    done = centre.post("/api/exchange/reconciliation", json={"repair": True}).json()
    assert {one["outcome"] for one in done["differences"]} == {"done"}
    wait_until(lambda: scene.outlook().waiting == 0)
    assert centre.post("/api/exchange/reconciliation", json={}).json()["differences"] == []
    assert scene.case(newer)[0].state.status is Status.REPORTED
    lines = centre.get("/api/audit", params={"limit": 50}).text
    assert lines.count("exchange.reconciled") == 3
    assert lines.count("exchange.repaired") == 2
