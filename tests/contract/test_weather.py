"""The weather as it is told, by its doors; and what is collected under it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from algorithm_repo.collection import report
from algorithm_repo.collection.types import CollectionPolicy, Reason
from cityvision.collecting import Collector
from events.weather import Weather, begin, end, weather_at
from governance.roles import Role
from store.bus import Bus
from store.objects import DiskObjects
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import World
from tests.contract.collection_scene import collecting, moment_of, runs, showing
from tests.contract.test_collection import cameras, items_of  # noqa: F401

pytest_plugins = ["tests.embedded"]

IN_RAIN = CollectionPolicy(pictures=1, shares={Reason.WEATHER: 1}, cameras=("north-gate",))


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def _told(client: httpx.Client) -> list[tuple[str, bool]]:
    return [(one["kind"], one["until_utc"] is None) for one in client.get("/api/weather").json()]


def test_weather_is_told_once_and_ends(world: World) -> None:
    centre = world.clients[Role.DISPATCHER]
    rain = centre.post("/api/weather", json={"kind": "rain"})
    assert rain.status_code == 201, rain.text
    assert centre.post("/api/weather", json={"kind": "rain"}).json() == rain.json(), "it stands already"
    number = rain.json()["id"]
    assert _told(world.clients[Role.AUDITOR]) == [("rain", True)]
    assert centre.post(f"/api/weather/{number}/end").json()["until_utc"] == pytest.approx(time.time(), abs=60)
    assert centre.post(f"/api/weather/{number}/end").status_code == 404
    assert centre.post("/api/weather", json={"kind": "rain"}).json()["id"] != number, "the next shower"
    assert _told(centre) == [("rain", True), ("rain", False)]
    for wrong, field in (
        ({"kind": "hail"}, "kind"),
        ({"kind": "fog", "grids": ["nowhere"]}, "grids.0"),
        ({"kind": "fog", "since_utc": time.time() + 3600}, "since_utc"),
    ):
        refused = centre.post("/api/weather", json=wrong)
        assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, field)


def test_what_began_last_stands_where_it_was_told(engine: Engine) -> None:
    with engine.begin() as connection:
        rain = begin(connection, Weather.RAIN, (), 1000, "duty")
        begin(connection, Weather.FOG, ("G-2", "G-1"), 2000, "duty")
        assert begin(connection, Weather.FOG, ("G-1", "G-2"), 2500, "duty").since_utc == 2000
        found = [weather_at(connection, *one) for one in (("G-1", 999), ("G-1", 1000), ("G-1", 2000), ("G-3", 2000))]
        assert found == [None, Weather.RAIN, Weather.FOG, Weather.RAIN]
        end(connection, rain.id, 3000)
        assert [weather_at(connection, "G-3", utc) for utc in (2999, 3000)] == [Weather.RAIN, None]


@pytest.mark.usefixtures("cameras")
def test_under_weather_alone_a_camera_is_asked_and_its_pictures_say_which(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    objects = DiskObjects(tmp_path / "objects")
    project = collecting(engine, IN_RAIN)
    utc = moment_of(IN_RAIN, project, "north-gate")
    runs(bus, "north-gate")

    def turn(utc: float) -> tuple[int, int]:
        done = Collector(engine, bus, objects, lambda: False, utc - 1).turn(utc + 1)
        return done.asked, len(done.kept)

    with showing(valkey.url, "north-gate", utc):
        assert turn(utc) == (0, 0), "nothing stands there"
        with engine.begin() as connection:
            begin(connection, Weather.SNOW, ("G-1",), utc - 60, "duty")
        assert turn(utc) == (1, 1)
    (item,) = items_of(engine, project)
    assert (item.slices[0], item.slices[2]) == ("collected weather", "weather snow")
    later = moment_of(IN_RAIN, project, "north-gate", 1)
    with showing(valkey.url, "north-gate", later, look=2):
        assert turn(later) == (1, 0), "one a day is wanted"
    with engine.connect() as connection:
        told = report.collected(connection, project, IN_RAIN, None)
    assert (told.weather, told.reasons) == ({Weather.SNOW: 1}, {Reason.WEATHER: 1})
