"""Verdicts through the real server: given, given again, what was missed, rates, and candidates for labels."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, text, update
from sqlalchemy.exc import ProgrammingError

from contracts.records import Event
from events.tables import event_verdicts
from governance.roles import Role
from pool.tables import revisions
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import CAMERA, OURS, World
from tests.contract.evidence_scene import consumed
from tests.contract.evidence_scene import picture as small_picture
from tests.e2e.console_city import make_event

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def key() -> str:
    return uuid.uuid4().hex


def ours(world: World, count: int) -> list[Event]:
    """Events of our own department with a picture each; it has one without one already."""
    now, found = time.time(), []
    for number in range(count):
        kept = world.city.keep(small_picture(f"ours {number}"), "decision", "jpg", now)
        found.append(make_event(now - 600 + number, department=OURS, evidence=(kept,)))
    consumed(world.city, *found)
    return found


def judge(client: httpx.Client, event: str, kind: str, **more: Any) -> httpx.Response:
    return client.post(f"/api/events/{event}/verdicts", json={"kind": kind, "key": key(), **more})


def queue(client: httpx.Client) -> set[str]:
    return {one["id"] for one in client.get("/api/review/events").json()["events"]}


def test_the_newest_verdict_counts_and_none_is_lost(world: World) -> None:
    operator = world.clients[Role.OPERATOR]
    (event,) = ours(world, 1)
    assert event.id in queue(operator)
    wrong = judge(operator, event.id, "false_alarm", reason="light")
    assert wrong.status_code == 201, wrong.text
    assert event.id not in queue(operator), "it is judged"
    judge(world.clients[Role.ADMIN], event.id, "real", note="looked again")
    said = operator.get(f"/api/events/{event.id}/verdicts").json()
    assert [(one["kind"], one["reason"], one["who"]) for one in said] == [
        ("real", None, "one-admin"),
        ("false_alarm", "light", "one-department-operator"),
    ]
    judged = operator.get("/api/events", params={"judged": True}).json()["events"]
    assert [one["id"] for one in judged] == [event.id]
    with world.city.engine.begin() as connection, pytest.raises(ProgrammingError, match="corrected by another"):
        connection.execute(delete(event_verdicts))


def test_a_verdict_sent_again_counts_once(world: World) -> None:
    operator = world.clients[Role.OPERATOR]
    first, second = ours(world, 2)
    body = {"kind": "real", "key": key()}
    answers = [operator.post(f"/api/events/{first.id}/verdicts", json=body).json()["id"] for _ in range(3)]
    assert len(set(answers)) == 1
    assert len(operator.get(f"/api/events/{first.id}/verdicts").json()) == 1
    other = operator.post(f"/api/events/{second.id}/verdicts", json=body)
    assert (other.status_code, "key" in other.text) == (422, True)


def test_what_is_not_whole_is_refused_by_its_field(world: World) -> None:
    (event,) = ours(world, 1)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "false_alarm"}, "reason"),
        ({"kind": "real", "reason": "light"}, "reason"),
        ({"kind": "missed"}, "kind"),
        ({"kind": "real", "key": "x"}, "key"),
    ]
    for body, named in wrong:
        answer = world.clients[Role.OPERATOR].post(f"/api/events/{event.id}/verdicts", json={"key": key(), **body})
        assert (answer.status_code, named in answer.text) == (422, True), body


def missed(**more: Any) -> dict[str, Any]:
    square = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.5], [0.1, 0.5]]
    return {"type": "litter", "camera": "north-gate", "moment_utc": time.time() - 30, "polygon": square, **more} | {
        "key": key()
    }


def test_what_was_missed_is_drawn_and_becomes_a_candidate(world: World) -> None:
    operator, engineer = world.clients[Role.OPERATOR], world.clients[Role.ENGINEER]
    (event,) = ours(world, 1)
    sha = event.evidence[0].sha256
    told = operator.post("/api/misses", json=missed(event=event.id, sha256=sha, note="two bags"))
    assert told.status_code == 201, told.text
    judge(operator, event.id, "false_alarm", reason="object")
    judge(operator, event.id, "real")
    page = engineer.get("/api/label-candidates").json()
    one, other = page["candidates"]
    assert (one["kind"], one["type"], one["note"], len(one["polygon"])) == ("missed", "litter", "two bags", 4)
    assert [ref["sha256"] for ref in one["evidence"]] == [sha]
    assert (other["kind"], other["event"]) == ("real", event.id), "of two verdicts the newest"
    assert other["subject"]["box"]
    assert other["provenance"]["model"]
    assert [ref["url"] for ref in other["evidence"]] == [f"/api/events/{event.id}/evidence/{sha}"]
    first = engineer.get("/api/label-candidates", params={"limit": 1}).json()
    rest = engineer.get("/api/label-candidates", params={"after": first["next_after"]}).json()
    assert [one["id"] for one in first["candidates"] + rest["candidates"]] == [one["id"], other["id"]]


def test_of_other_departments_nothing_can_be_judged_or_reported(world: World) -> None:
    operator = world.clients[Role.OPERATOR]
    (event,) = ours(world, 1)
    assert world.ids["event_id"] not in queue(operator)
    assert judge(operator, world.ids["event_id"], "real").status_code == 404
    assert operator.post("/api/misses", json=missed(camera=CAMERA)).status_code == 404
    theirs = missed(event=world.ids["event_id"], sha256=world.ids["sha256"])
    assert operator.post("/api/misses", json=theirs).status_code == 404
    unknown = operator.post("/api/misses", json=missed(type="ufo"))
    assert (unknown.status_code, unknown.json()["faults"][0]["field"]) == (422, "type")
    judge(world.clients[Role.ADMIN], world.ids["event_id"], "real")
    judge(world.clients[Role.ADMIN], event.id, "real")
    found = world.clients[Role.ENGINEER].get("/api/label-candidates").json()["candidates"]
    assert [one["event"] for one in found] == [event.id]


def test_rates_by_camera_and_rule_with_what_nobody_judged(world: World) -> None:
    operator = world.clients[Role.OPERATOR]
    some = ours(world, 5)
    judge(operator, some[0].id, "false_alarm", reason="short")
    for event in some[1:4]:
        judge(operator, event.id, "real")
    judge(operator, some[1].id, "false_alarm", reason="other")  # thought again
    operator.post("/api/misses", json=missed())
    with world.city.engine.begin() as connection:  # the cameras came ten days ago
        connection.execute(update(revisions).values(created_at=func.now() - text("interval '10 days'")))
    rows = {(row["camera"], row["type"]): row for row in operator.get("/api/review/rates").json()["rows"]}
    parking = rows["north-gate", "illegal_parking"]
    assert (parking["events"], parking["judged"], parking["false_alarms"]) == (6, 4, 2)
    assert parking["rate"] == 0.5
    assert 0.14 < parking["low"] < 0.16
    assert 0.84 < parking["high"] < 0.86
    assert 9.9 < parking["watched_days"] <= 10.1
    assert parking["false_alarms_a_day"] == pytest.approx(2 / parking["watched_days"])
    litter = rows["north-gate", "litter"]
    assert (litter["events"], litter["missed"], litter["rate"]) == (0, 1, None)
    assert (litter["watched_days"], litter["false_alarms_a_day"]) == (0, None), "no such rule was ever set there"
    assert not any(camera == CAMERA for camera, _ in rows), "nothing of the other department"
    everything = world.clients[Role.AUDITOR].get("/api/review/rates").json()["rows"]
    crowds = next(row for row in everything if row["camera"] == CAMERA)
    assert 9 < crowds["watched_days"] < 10 - 90 / 86400, "what nobody watched does not count as watched"
