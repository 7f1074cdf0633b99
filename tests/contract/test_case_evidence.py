"""What those who work on a case see of the events behind it, without a grant and only while it is open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from governance.roles import Role
from governance.tables import evidence_custody
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import OURS, World
from tests.contract.evidence_scene import CLEAR, consumed
from tests.contract.evidence_scene import picture as small_picture
from tests.e2e.console_city import make_event

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def seen(world: World, role: Role) -> httpx.Response:
    """The event behind the other department's case."""
    return world.clients[role].get("/api/cases/{case}/events/{event_id}".format(**world.ids))


def act(world: World, action: str, **facts: Any) -> None:
    answer = world.clients[Role.ADMIN].post(
        f"/api/cases/{world.ids['case']}/actions", json={"action": action, "facts": facts}
    )
    assert answer.status_code == 200, answer.text


def test_the_centre_sees_what_a_case_is_about_and_custody_says_what_for(world: World) -> None:
    dispatcher = world.clients[Role.DISPATCHER]
    event = world.ids["event_id"]
    assert dispatcher.get(f"/api/events/{event}").status_code == 404, "there is no grant"
    told = seen(world, Role.DISPATCHER).json()
    assert told["reason"]["zh"]
    assert told["picture"] == f"/api/cases/{world.ids['case']}/events/{event}/evidence/{world.ids['sha256']}"
    shown = dispatcher.get(told["picture"])
    assert shown.status_code == 200
    assert shown.headers["x-masking"]
    assert shown.headers["x-derived-from"] == world.ids["sha256"]
    masked_again = dispatcher.get(told["picture"] + CLEAR)
    assert masked_again.headers["x-masking"], "this door never shows the original"
    c = evidence_custody.c
    with world.city.engine.connect() as connection:
        lines = connection.execute(select(c.who, c.kind, c.why).where(c.act == "viewed")).all()
    assert [tuple(line) for line in lines] == [("one-dispatcher", "masked", f"case {world.ids['case']}")]


def test_a_department_sees_it_while_the_case_is_with_it_and_open(world: World) -> None:
    assert seen(world, Role.OPERATOR).status_code == 404
    act(world, "return", note="not theirs")
    act(world, "dispatch", department=OURS, note="yours")
    told = seen(world, Role.OPERATOR)
    assert told.status_code == 200
    assert world.clients[Role.OPERATOR].get(told.json()["picture"]).status_code == 200
    assert seen(world, Role.INVESTIGATOR).status_code == 403, "they work on no case"
    act(world, "void", note="nothing there")
    for role in (Role.OPERATOR, Role.DISPATCHER):
        assert seen(world, role).status_code == 404
        assert world.clients[role].get(told.json()["picture"]).status_code == 404


def test_a_case_opens_its_own_events_alone(world: World) -> None:
    """Another event of the same department, which makes no case, cannot be had through this one."""
    now = time.time()
    kept = world.city.keep(small_picture("another"), "decision", "jpg", now)
    other = make_event(now - 40, kind="camera_health", camera="square", department="grid", evidence=(kept,))
    consumed(world.city, other)
    base = f"/api/cases/{world.ids['case']}/events/{other.id}"
    assert world.clients[Role.DISPATCHER].get(base).status_code == 404
    assert world.clients[Role.DISPATCHER].get(f"{base}/evidence/{kept.sha256}").status_code == 404
