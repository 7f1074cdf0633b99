"""Reading what is about one event, one case or one camera's trace is a line of the audit chain, once for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance import audit
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import CAMERA, World

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def lines(world: World, role: Role) -> list[tuple[str, dict[str, object]]]:
    """Readings by somebody of this role, the oldest first."""
    who = f"one-{role.value.replace('_', '-')}"
    with world.city.engine.connect() as connection:
        found = audit.listed(connection, who=who, limit=50)
    return [(line.action, dict(line.what)) for line in reversed(found) if line.action.endswith(".read")]


def test_pages_of_events_cases_and_traces_are_noted_once_for_a_while(world: World) -> None:
    admin, event, case = world.clients[Role.ADMIN], world.ids["event_id"], int(world.ids["case"])
    for _ in range(2):  # a page that is refreshed by itself is one reading
        assert admin.get(f"/api/events/{event}").status_code == 200
        assert admin.get(f"/api/cases/{case}").status_code == 200
        assert admin.get(f"/api/cameras/{CAMERA}/explain?at=1&type=crowding").status_code == 200
    assert lines(world, Role.ADMIN) == [
        ("event.read", {"event": event, "camera": CAMERA}),
        ("case.read", {"case": case}),
        ("trace.read", {"camera": CAMERA, "type": "crowding"}),
    ]
    with world.city.engine.connect() as connection:
        audit.verify(connection)


def test_what_is_not_shown_leaves_no_line(world: World) -> None:
    operator = world.clients[Role.OPERATOR]
    for address in (f"/api/events/{world.ids['event_id']}", f"/api/cases/{world.ids['case']}"):
        assert operator.get(address).status_code == 404
    assert lines(world, Role.OPERATOR) == []
