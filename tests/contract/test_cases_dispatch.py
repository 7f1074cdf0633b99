"""Who sends a case to whom: the dispatch centre to any department, a department to nobody, whatever it calls it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Text, func, literal, update

from cases.tables import cases
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import OURS, THEIRS, World

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def act(client: httpx.Client, world: World, action: str, **facts: Any) -> httpx.Response:
    return client.post(f"/api/cases/{world.ids['case']}/actions", json={"action": action, "facts": facts})


def state(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.clients[Role.ADMIN].get(f"/api/cases/{world.ids['case']}").json()["case"]["state"]
    return found


def test_the_centre_alone_sends_a_case_and_to_departments_that_exist(world: World) -> None:
    centre = world.clients[Role.DISPATCHER]
    assert act(world.clients[Role.ADMIN], world, "return", note="not theirs").status_code == 200
    for client in (world.clients[Role.OPERATOR], world.system):
        for department in (OURS, THEIRS):
            refused = act(client, world, "dispatch", department=department)
            assert refused.status_code == 404, "a case of others, which ours have not"
    unknown = act(centre, world, "dispatch", department="nowhere")
    assert (unknown.status_code, unknown.json()["faults"][0]["field"]) == (422, "facts.department")
    assert act(centre, world, "dispatch", department=OURS).status_code == 200
    assert state(world)["handler"] == OURS
    for far in ("Infinity", "1e12"):
        body = f'{{"action": "suspend", "facts": {{"note": "until then", "until_utc": {far}}}}}'
        door = f"/api/cases/{world.ids['case']}/actions"
        refused = centre.post(door, content=body, headers={"content-type": "application/json"})
        assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "facts.until_utc")


def test_a_department_hands_its_case_to_nobody_not_even_to_its_own(world: World) -> None:
    assert act(world.clients[Role.ADMIN], world, "return", note="not theirs").status_code == 200
    assert act(world.clients[Role.DISPATCHER], world, "dispatch", department=OURS).status_code == 200
    for client in (world.clients[Role.OPERATOR], world.system):
        for department in (OURS, THEIRS):
            said = {
                action: act(client, world, action, department=department, note="go on")
                for action in ("start", "return")
            }
            assert {action: one.status_code for action, one in said.items()} == {"start": 422, "return": 422}
            assert "takes no department" in said["start"].json()["detail"]
        refused = act(client, world, "dispatch", department=OURS)
        assert (refused.status_code, refused.json()["code"]) == (422, "cannot_act"), "it was dispatched"
    assert (state(world)["handler"], state(world)["status"]) == (OURS, "dispatched")
    assert act(world.clients[Role.OPERATOR], world, "start", crew="二班").status_code == 200
    returned = act(world.clients[Role.OPERATOR], world, "return", note="not ours")
    assert (returned.status_code, returned.json()["case"]["state"]["status"]) == (200, "filed"), (
        "out of sight from now on"
    )
    for client in (world.clients[Role.OPERATOR], world.system):
        assert act(client, world, "dispatch", department=OURS).status_code in (403, 404)
    assert state(world)["status"] == "filed"


def offered(client: httpx.Client, world: World) -> list[str]:
    return [one["action"] for one in client.get(f"/api/cases/{world.ids['case']}").json()["offers"]]


def test_everybody_is_offered_what_they_may_do_now_and_nothing_else(world: World) -> None:
    centre, operator = world.clients[Role.DISPATCHER], world.clients[Role.OPERATOR]
    assert offered(centre, world) == ["extend", "suspend", "supervise", "void"]
    returned = act(world.clients[Role.ADMIN], world, "return", note="not theirs").json()
    assert [one["action"] for one in returned["offers"]] == ["dispatch", "supervise", "void"]
    assert returned["offers"][0] == {"action": "dispatch", "needs": ["department"]}
    assert act(centre, world, "dispatch", department=OURS).status_code == 200
    assert offered(operator, world) == offered(world.system, world) == ["start", "report", "return"]
    with world.city.engine.begin() as connection:  # their camera's case is still seen by ours, and with somebody else
        case = cases.c.id == int(world.ids["case"])
        state = func.jsonb_set(cases.c.state, ["handler"], func.to_jsonb(literal(THEIRS, Text)))
        connection.execute(update(cases).where(case).values(department=OURS, handler=THEIRS, state=state))
    assert offered(operator, world) == []
    assert act(operator, world, "start").status_code == 403


def test_the_history_names_people_as_they_are_called(world: World) -> None:
    admin, operator = world.clients[Role.ADMIN], world.clients[Role.OPERATOR]
    act(admin, world, "return", note="not theirs")
    act(world.clients[Role.DISPATCHER], world, "dispatch", department=OURS)
    account, name = {"role": "department_operator", "department": OURS}, "one-department-operator"
    named = admin.put(f"/api/people/{name}", json=account | {"display_name": " 王小明 "})
    assert (named.status_code, named.json()["display_name"]) == (200, "王小明")
    started = act(operator, world, "start")
    assert (started.status_code, started.json()["names"]) == (200, {name: "王小明"}), "and the login goes on"
    assert started.json()["lines"][-1]["who"] == name
    assert admin.put(f"/api/people/{name}", json=account | {"display_name": "王" * 41}).status_code == 422
    ended = admin.put(f"/api/people/{name}", json=account | {"disabled": True})
    assert ended.json()["display_name"] == "王小明", "who does not speak of it leaves it as it is"
    assert admin.put(f"/api/people/{name}", json=account | {"display_name": ""}).json()["display_name"] == ""
    assert act(operator, world, "return", note="not ours").status_code == 401
    assert admin.get(f"/api/cases/{world.ids['case']}").json()["names"] == {}
    body = {"name": "li", "role": "auditor", "display_name": "李雷"}
    assert admin.post("/api/people", json=body).json()["person"]["display_name"] == "李雷"
