"""Silences of cases by their doors: what each hides, what one would hide, and who may know."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import CAMERA, THEIRS, World
from tests.contract.evidence_scene import consumed
from tests.e2e.console_city import make_event

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


@pytest.fixture
def centre(world: World) -> httpx.Client:
    return world.clients[Role.DISPATCHER]


def begin(client: httpx.Client, **more: Any) -> int:
    now = time.time()
    body = {"note": "广场集市", "from_utc": now - 3600, "until_utc": now + 3600} | more
    answer = client.post("/api/case-silences", json=body)
    assert answer.status_code == 201, answer.text
    return int(next(one["id"] for one in answer.json() if one["note"] == body["note"]))


def test_what_a_silence_hides_is_named_event_by_event(world: World, centre: httpx.Client) -> None:
    number = begin(centre, types=["crowding"], cameras=[CAMERA])
    event = make_event(time.time() - 30, kind="crowding", camera=CAMERA, department=THEIRS, zone="plaza", subject="s:2")
    consumed(world.city, event)
    found = centre.get(f"/api/case-silences/{number}/hidden").json()
    assert found["count"] == 1
    (one,) = found["events"]
    assert (one["event"], one["camera_name"], one["zone_name"], one["open"]) == (
        event.id,
        "中心广场",
        "广场中央",
        True,
    )
    assert centre.get("/api/case-silences/999/hidden").status_code == 404


def test_what_one_would_hide_is_told_before_it_is_set(world: World, centre: httpx.Client) -> None:
    """Of the last seven days, the events that became cases: those of `world` are one of each department."""

    def preview(**wanted: Any) -> dict[str, Any]:
        answer = centre.post("/api/case-silences/preview", json=wanted)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    assert (preview()["count"], preview()["began"]) == (2, 2)
    (square,) = preview(cameras=[CAMERA])["events"]
    assert (square["event"], square["case"]) == (world.ids["event_id"], int(world.ids["case"]))
    assert preview(types=["waterlogging"])["count"] == 0
    assert preview(grids=["no such grid"])["events"] == []
    # One that joins a case is hidden too, and began none.
    consumed(
        world.city,
        make_event(time.time() - 20, kind="crowding", camera=CAMERA, department=THEIRS, zone="plaza", subject="s:3"),
    )
    joined = preview(cameras=[CAMERA])
    assert (joined["count"], joined["began"]) == (2, 1)


def test_those_that_are_over_are_listed_when_asked_for(centre: httpx.Client) -> None:
    number = begin(centre)
    left = centre.delete(f"/api/case-silences/{number}").json()
    assert number not in [one["id"] for one in left]
    assert number not in [one["id"] for one in centre.get("/api/case-silences").json()]
    listed = centre.get("/api/case-silences", params={"over": True}).json()
    (over,) = [one for one in listed if one["id"] == number]
    assert over["until_utc"] <= time.time()


def test_departments_do_not_learn_what_the_centre_silences(world: World) -> None:
    """Its cameras, grids and reasons are those of all departments."""
    number = begin(world.clients[Role.DISPATCHER], cameras=[CAMERA])
    for address in ("/api/case-silences", f"/api/case-silences/{number}/hidden"):
        assert world.clients[Role.OPERATOR].get(address).status_code == 403
