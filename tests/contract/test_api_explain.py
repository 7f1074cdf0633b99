"""The door that says why and why not: a trace on the real bus, read through the real server."""

from __future__ import annotations

import httpx

from contracts.trace import TracedCondition, TracedStep, TraceLine, ZoneCount
from tests.contract.test_api_doors import city, client  # noqa: F401
from tests.e2e.console_city import City

T0 = 1_700_000_000.0


def _parking(at: float, still: float, *, opened: bool = False) -> TraceLine:
    return TraceLine(
        time=at,
        utc=T0 + at,
        why="rule",
        every=2.0,
        zones=(ZoneCount("lane", 0, 1, 0),),
        conditions=(TracedCondition("illegal_parking", "lane", "track:17", "still_s", still, 30.0),),
        steps=(TracedStep("illegal_parking", "lane", "track:17", "opened", "e" * 32),) if opened else (),
    )


def test_why_and_why_not(city: City, client: httpx.Client) -> None:  # noqa: F811
    lines = [_parking(float(t), float(t), opened=t == 30) for t in range(0, 40, 2)]
    city.bus.add_traces({"north-gate": lines})
    address = "/api/cameras/north-gate/explain"
    why = client.get(address, params={"at": T0 + 30, "type": "illegal_parking", "utc_offset": 480}).json()
    assert why["verdict"]["outcome"] == "opened"
    assert why["verdict"]["event"] == "e" * 32
    assert "06:13:50" in why["verdict"]["text"]["zh"]
    assert [span["holds"] for span in why["courses"][0]["spans"]] == [False, True]
    why_not = client.get(address, params={"at": T0 + 10, "type": "illegal_parking", "window": 30}).json()
    assert why_not["verdict"]["failure"]["name"] == "still_s"
    other = client.get(address, params={"at": T0 + 10, "type": "crowding"}).json()
    assert other["verdict"]["outcome"] == "nothing"
    long_ago = client.get(address, params={"at": T0 - 9000, "type": "illegal_parking"}).json()
    assert long_ago["verdict"]["outcome"] == "unknown"


def test_what_cannot_be_asked(city: City, client: httpx.Client) -> None:  # noqa: F811
    assert client.get("/api/cameras/nowhere/explain", params={"at": T0, "type": "crowding"}).status_code == 404
    wrong = client.get("/api/cameras/north-gate/explain", params={"at": T0, "type": "crowding", "window": -1})
    assert wrong.status_code == 422
    client.cookies.clear()
    assert client.get("/api/cameras/north-gate/explain", params={"at": T0, "type": "crowding"}).status_code == 401
