"""Keys of other systems: on a real Postgres, and at every door of the real server."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, text

from api.contract import contract
from api.key_scopes import KEY_SCOPES
from contracts.errors import NotAuthenticated
from contracts.redact import redact
from governance import api_keys, audit
from governance.api_keys import ApiKey, NewKey, Scope
from governance.tables import api_keys as table
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import CLEAR
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.test_api_doors import log_in, wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, opened

pytest_plugins = ["tests.embedded"]

NOW = 1_800_000_000.0


def make(engine: Engine, *scopes: Scope, days: int = 30) -> tuple[ApiKey, str]:
    with engine.begin() as connection:
        return api_keys.create(connection, NewKey(name="城管平台", scopes=scopes, days=days), "admin", NOW)


def hold(engine: Engine, key: str, now: float) -> ApiKey:
    with engine.begin() as connection:
        return api_keys.holder(connection, key, now)


def test_a_key_is_kept_as_a_hash_and_ends_by_time(engine: Engine) -> None:
    made, key = make(engine, Scope.EVENTS_READ, Scope.CASES_READ, Scope.EVENTS_READ)
    assert re.fullmatch(r"cvk_[\w-]{43}", key)
    assert made.scopes == (Scope.CASES_READ, Scope.EVENTS_READ)
    assert key.startswith(made.start)
    assert len(made.start) < 12
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT string_agg(k::text, '') FROM api_keys k")).scalar_one()
        kept += connection.execute(text("SELECT string_agg(a::text, '') FROM audit_log a")).scalar_one()
    assert key[len(made.start) :] not in kept
    assert hold(engine, key, NOW + 30 * 86_400 - 1).id == made.id
    with pytest.raises(NotAuthenticated):
        hold(engine, key, NOW + 30 * 86_400)
    for other in (key[:-1], key + "A", "cvk_", ""):
        with pytest.raises(NotAuthenticated):
            hold(engine, other, NOW)
    assert redact(f"refused {key} at the door") == "refused *** at the door"


def test_use_is_written_once_a_minute(engine: Engine) -> None:
    made, key = make(engine, Scope.EVENTS_READ)

    def used() -> float:
        with engine.begin() as connection:
            return float(connection.execute(select(table.c.last_used)).scalar_one().timestamp())

    assert made.last_used_utc is None
    hold(engine, key, NOW + 10)
    hold(engine, key, NOW + 69)
    assert used() == NOW + 10
    hold(engine, key, NOW + 71)
    assert used() == NOW + 71


def test_a_revoked_key_is_good_for_nothing(engine: Engine) -> None:
    made, key = make(engine, Scope.EVENTS_READ)
    with engine.begin() as connection:
        first = api_keys.revoke(connection, made.id, "wang", NOW + 5)
        again = api_keys.revoke(connection, made.id, "li", NOW + 9)
        assert api_keys.revoke(connection, made.id + 1, "li", NOW) is None
    assert first == again
    assert first is not None
    assert (first.revoked_by, first.revoked_utc) == ("wang", NOW + 5)
    with pytest.raises(NotAuthenticated):
        hold(engine, key, NOW + 6)
    with engine.begin() as connection:
        assert [e.action for e in audit.listed(connection, limit=9)] == ["api_key.revoked", "api_key.created"]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, session_check_s=0.5, keep_alive_s=1.0) as one:
        yield one


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    with city.client() as one:
        log_in(one, city)
        yield one


def made_by(client: httpx.Client, *scopes: Scope, department: str | None = None) -> tuple[int, dict[str, str]]:
    answer = client.post("/api/keys", json={"name": "平台", "scopes": scopes, "department": department})
    assert answer.status_code == 201, answer.text
    return answer.json()["key"]["id"], {"Authorization": f"Bearer {answer.json()['text']}"}


def operations() -> Iterator[tuple[str, str, str]]:
    """Name, method and address of every door, with something in the place of its parameters."""
    for path, methods in json.loads(contract())["paths"].items():
        address = path
        for part, value in (("number", "1"), ("event_id", "0" * 32), ("sha256", "0" * 64), ("camera_id", "north-gate")):
            address = address.replace(f"{{{part}}}", value)
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), re.sub(r"{\w+}", "x", address)


def test_every_door_takes_the_keys_it_names_and_no_others(city: City, client: httpx.Client) -> None:
    keys = {scope: made_by(client, scope)[1] for scope in Scope}
    doors = list(operations())
    assert {name for name, _, _ in doors} >= KEY_SCOPES.keys()
    assert set(KEY_SCOPES.values()) == set(Scope)
    with city.client() as system:

        def knock(method: str, address: str, scope: Scope) -> tuple[int, str]:
            with system.stream(method, address, headers=keys[scope]) as answer:
                if "event-stream" in answer.headers.get("content-type", ""):
                    return answer.status_code, ""
                answer.read()
                is_problem = "problem" in answer.headers.get("content-type", "")
                return answer.status_code, answer.json()["code"] if is_problem else ""

        for name, method, address in doors:
            needed = KEY_SCOPES.get(name)
            for scope in Scope:
                status, code = knock(method, address, scope)
                if scope is needed:
                    assert status not in (401, 403), (name, scope, code)
                elif needed is not None:
                    assert (status, code) == (403, "scope_missing"), (name, scope)
                elif system.request(method, address).status_code == 401:  # a door that asks who it is
                    assert (status, code) == (403, "key_not_taken"), (name, scope)
                    break


def test_what_a_key_reads_stands_in_the_audit_chain(city: City, client: httpx.Client) -> None:
    picture = city.keep(small_picture(), "decision", "jpg", 1000.0)
    event = make_event(1000.0, evidence=(picture,))
    city.publish(opened(event))
    number, key = made_by(client, Scope.EVENTS_READ, Scope.EVIDENCE_READ)
    with city.client(headers=key) as system:
        wait_for(system, f"/api/events/{event.id}", lambda found: found["evidence"])
        shown = system.get(f"/api/events/{event.id}/evidence/{picture.sha256}")
        assert (shown.status_code, shown.headers["x-derived-from"]) == (200, picture.sha256)
        assert "x-masking" in shown.headers
        clear = system.get(f"/api/events/{event.id}/evidence/{picture.sha256}{CLEAR}")
        assert (clear.status_code, clear.json()["detail"]) == (403, "no API key unmasks evidence")
    with city.engine.connect() as connection:
        line = next(e for e in audit.listed(connection, limit=5) if e.action == "evidence.read")
    assert line.who == f"key {number} 平台"


def test_a_key_of_a_department_sees_what_that_sees(city: City, client: httpx.Client) -> None:
    picture = city.keep(small_picture(), "decision", "jpg", 1000.0)
    theirs = make_event(1000.0, evidence=(picture,))  # of the traffic police
    city.publish(opened(theirs))
    wait_for(client, f"/api/events/{theirs.id}", lambda found: found["evidence"])
    reading = (Scope.EVENTS_READ, Scope.EVIDENCE_READ, Scope.CASES_READ, Scope.SUBSCRIPTIONS_READ)
    wish = {"department": "traffic", "name": "交警", "channel": {"kind": "sse"}}
    number = client.post("/api/subscriptions", json=wish).json()["subscription"]["id"]
    doors = (
        f"/api/events/{theirs.id}",
        f"/api/events/{theirs.id}/evidence/{picture.sha256}",
        f"/api/subscriptions/{number}",
    )
    for department, status, events in (("traffic", 200, 1), ("grid", 404, 0), (None, 200, 1)):
        _, key = made_by(client, *reading, department=department)
        with city.client(headers=key) as system:
            assert [system.get(door).status_code for door in doors] == [status] * 3, department
            assert len(system.get("/api/events").json()["events"]) == events
            assert system.get("/api/events/counts").json()["total"] == events


def test_an_open_stream_ends_with_the_key(city: City, client: httpx.Client) -> None:
    number, key = made_by(client, Scope.EVENTS_READ)
    ended, got = threading.Event(), list[Any]()

    def listen() -> None:
        with httpx.stream("GET", f"{city.url}/api/events/stream?after=0", headers=key, timeout=20) as answer:
            got.append(answer.status_code)
            for line in answer.iter_lines():
                got.append(line)
        ended.set()

    listening = threading.Thread(target=listen)
    listening.start()
    city.publish(opened(make_event(time.time())))
    while not any("event" in str(line) for line in got):
        assert not ended.wait(0.05)
    assert client.post(f"/api/keys/{number}/revoke").json()["revoked_by"] == "admin"
    listening.join(15)
    assert ended.is_set()
    assert httpx.get(f"{city.url}/api/events", headers=key).status_code == 401


def test_the_same_origin_check_is_for_cookies(city: City, client: httpx.Client) -> None:
    _, key = made_by(client, Scope.CASES_WRITE)
    elsewhere = {"origin": "https://platform.example", "sec-fetch-site": "cross-site"}
    case = {"category": "illegal_parking", "description": "热线", "grid": "G-0412"}
    with city.client(headers=key | elsewhere) as system:
        assert system.post("/api/cases", json=case).status_code in (201, 422)
    for headers in (elsewhere, key | elsewhere, {"authorization": "Bearer cvk_none"} | elsewhere):
        refused = client.post("/api/logout", headers=headers)  # with a cookie
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site"), headers
    assert client.get("/api/me").status_code == 200
    with city.client(headers=elsewhere) as nobody:  # a login from elsewhere is refused as before
        assert nobody.post("/api/login", json={"name": "a", "password": "b"}).json()["code"] == "cross_site"


def test_a_key_counts_alone_and_is_listed_without_its_text(city: City, client: httpx.Client) -> None:
    number, key = made_by(client, Scope.EVENTS_READ)
    assert client.get("/api/events", headers={"Authorization": "Bearer cvk_wrong"}).status_code == 401
    assert client.get("/api/keys", headers=key).json()["code"] == "key_not_taken"
    rows = client.get("/api/keys").json()
    assert rows[0]["id"] == number
    assert key["Authorization"].removeprefix("Bearer ") not in str(rows)
    unknown = client.post("/api/keys", json={"name": "x", "scopes": ["events:read"], "department": "nowhere"})
    assert (unknown.status_code, unknown.json()["faults"][0]["field"]) == (422, "department")
    refused: list[dict[str, Any]] = [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["events:read"], "days": 9999},
    ]
    for wrong in refused:
        assert client.post("/api/keys", json={"name": "x"} | wrong).status_code == 422
    assert client.post("/api/keys/999/revoke").status_code == 404
