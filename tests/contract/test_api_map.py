"""The map's doors: places, states, what goes on and open cases, as far as one may see them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.settings import Tiles
from contracts.live import CameraState
from contracts.records import Severity
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.access_world import logged_in
from tests.contract.exchange_scene import wait_until
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, not_watched, opened

pytest_plugins = ["tests.embedded"]

TILES = Tiles(url="https://tiles.example/{z}/{x}/{y}.png", datum="gcj02", credit="somebody")


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, tiles=TILES) as one:
        yield one


def person(city: City, role: Role) -> httpx.Client:
    """Of the traffic police, where the role has a department."""
    with city.engine.begin() as connection:
        return logged_in(city, connection, role)


def test_cameras_come_with_their_place_and_those_without_are_not_left_out(city: City) -> None:
    answer = person(city, Role.ADMIN).get("/api/map/cameras")
    found = {one["id"]: one for one in answer.json()["cameras"]}
    assert len(found) == 6
    assert (found["north-gate"]["lon"], found["north-gate"]["lat"]) == (121.4737, 31.2304)
    assert found["north-gate"]["grid"] == "G-0412"
    assert found["square"]["lon"] is None
    assert answer.json()["tiles"] == {"url": TILES.url, "datum": "gcj02", "credit": "somebody"}


def test_the_page_may_load_pictures_from_the_tile_server_alone(city: City) -> None:
    policy = person(city, Role.ADMIN).get("/api/map/cameras").headers["content-security-policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["img-src"] == "'self' blob: data: https://tiles.example"
    assert parts["connect-src"] == "'self'"
    assert policy.count("tiles.example") == 1


def test_states_name_those_that_are_not_as_most_are(city: City) -> None:
    client = person(city, Role.ADMIN)
    for n in range(1, 5):
        city.report(f"street-{n}")
    city.report("north-gate", CameraState.OFFLINE)
    states = client.get("/api/map/states").json()
    assert states["usual"] == "running"
    assert states["others"] == {"north-gate": "offline", "square": "unknown"}
    assert states["revision"] == client.get("/api/map/cameras").json()["revision"]


def test_events_and_cases_of_ones_own_cameras_alone(city: City) -> None:
    now = time.time()
    ours = [make_event(now - 60 - n, subject=f"track:{n}") for n in range(7)]
    ended = make_event(now - 500, subject="track:99")
    theirs = make_event(now - 50, kind="crowding", camera="square", department="grid", zone="plaza")
    city.publish(*(opened(one) for one in (*ours, theirs)))
    city.publish(opened(ended), opened(make_event(now - 500, 1, subject="track:99", closed=True)))
    admin, operator = person(city, Role.ADMIN), person(city, Role.OPERATOR)
    wait_until(lambda: sum(one["count"] for one in admin.get("/api/map/events").json()["events"]) == 8)
    wait_until(lambda: admin.get("/api/map/cases").json()["total"] == 2)

    (parking,) = operator.get("/api/map/events").json()["events"]
    assert (parking["camera"], parking["type"], parking["count"]) == ("north-gate", "illegal_parking", 7)
    assert parking["newest"] == ours[0].id
    assert abs(parking["since_utc"] - (now - 66)) < 0.01

    (case,) = operator.get("/api/map/cases").json()["cases"]
    assert (case["camera"], case["types"]) == ("north-gate", ["illegal_parking"])
    assert (case["position"], case["place"]) == ({"lon": 121.4737, "lat": 31.2304}, "北门消防通道")
    other = next(one for one in admin.get("/api/map/cases").json()["cases"] if one["camera"] == "square")
    assert other["position"] is None
    assert [one["id"] for one in operator.get("/api/map/cameras").json()["cameras"]].count("square") == 0
    assert "square" not in operator.get("/api/map/states").json()["others"]


def test_the_gravest_counts(city: City) -> None:
    now = time.time()
    grave = [(Severity.MINOR, 1), (Severity.CRITICAL, 2), (Severity.INFO, 3)]
    for severity, n in grave:
        event = make_event(now - 60 - n, subject=f"track:{n}")
        city.publish(opened(event.model_copy(update={"severity": severity})))
    client = person(city, Role.ADMIN)
    wait_until(lambda: [one["count"] for one in client.get("/api/map/events").json()["events"]] == [3])
    assert client.get("/api/map/events").json()["events"][0]["severity"] == "critical"


def test_hours_not_watched_of_the_last_day_by_camera_and_by_the_types_asked_for(city: City) -> None:
    now, hour = time.time(), 3600.0
    city.publish(
        not_watched("north-gate", now - 30 * hour, now - 22 * hour),  # two of these hours are of the last day
        not_watched("street-1", now - 3 * hour, None),
        not_watched("street-2", now - 5 * hour, now - 4 * hour, "crowding"),
        not_watched("square", now - 2 * hour, now - 1 * hour),  # another department's
    )
    admin, operator = person(city, Role.ADMIN), person(city, Role.OPERATOR)
    wait_until(lambda: "square" in admin.get("/api/map/unwatched").json()["hours"])
    told = operator.get("/api/map/unwatched").json()
    assert told["hours"] == pytest.approx({"north-gate": 2.0, "street-1": 3.0, "street-2": 1.0}, abs=0.02)
    assert told["until"] - told["since"] == pytest.approx(24 * hour)
    parking = operator.get("/api/map/unwatched", params={"type": ["illegal_parking"]}).json()["hours"]
    assert set(parking) == {"north-gate", "street-1"}
    assert set(admin.get("/api/map/unwatched").json()["hours"]) == {"north-gate", "street-1", "street-2", "square"}
