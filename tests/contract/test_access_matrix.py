"""Every route of the API × every role × in and out of grant, over the real server.

The routes come from the OpenAPI document: one that is not declared here fails the test, so nobody adds a door without
saying who may open it. What belongs to another department must neither open nor show in any answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import true, update
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from api.key_scopes import KEY_SCOPES
from governance.access import TERMS
from governance.roles import RIGHTS, Right, Role
from governance.tables import grants
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_doors import COMMON_KNOWLEDGE, DOORS, OPEN, Door
from tests.contract.access_world import CAMERA, OURS, ROLES, THEIRS, World, grant_all, nearly
from tests.e2e.console_city import make_event, opened

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


# Where a case is, and its own silences, the centre hands on, and an auditor may read; not a word of events, or of
# others' silences.
HANDED_ON = {"中心广场", f'"{CAMERA}"', "their market day"}


def address_of(world: World, path: str, which: Door) -> str:
    """The path with what belongs to the other department in it."""
    number = world.ids.get({"nothing": "any"}.get(which.of, which.of), "1")
    for name, value in {**world.ids, "number": number, "hold": "1", "name": "nobody"}.items():
        path = path.replace(f"{{{name}}}", value)
    return path + which.query


def routes(world: World) -> dict[str, str]:
    """Every route, with the name of its operation."""
    paths = world.clients[Role.ADMIN].get("/api/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def send(client: httpx.Client, route: str, address: str, body: dict[str, Any] | bytes | None) -> tuple[int, str]:
    """Status and text; of a stream what comes at once."""
    method = route.split(" ", maxsplit=1)[0]
    content: dict[str, Any] = {} if body is None else {"json": body}
    if isinstance(body, bytes):
        content = {"content": body, "headers": {"content-type": "image/jpeg"}}
    if not route.endswith("/stream"):
        answer = client.request(method, address, **content)
        return answer.status_code, answer.text
    text, end = "", time.monotonic() + 1.5
    with client.stream(method, address) as answer:
        if answer.status_code != 200:
            return answer.status_code, answer.read().decode()
        for piece in answer.iter_text():
            text += piece
            if time.monotonic() > end or text.count("data:") >= 2:
                break
    return answer.status_code, text


def allowed(role: Role, which: Door, granted: bool) -> bool:
    """Whether what belongs to the other department opens for this role."""
    if role is Role.ADMIN or which.of == "nothing":
        return True
    if which.of in ("case", "incident"):
        return Right.DISPATCH in RIGHTS[role]
    return granted and which.of in ("camera", "live", "event", "evidence", "label item", "missed")


@dataclass(frozen=True)
class Caller:
    """Who knocks. An API key of a department sees what its operators see, at the doors that take one."""

    name: str
    client: httpx.Client
    role: Role
    key: bool = False


def callers(world: World) -> list[Caller]:
    people = [Caller(role.value, world.clients[role], role) for role in ROLES]
    return [*people, Caller("an API key", world.system, Role.OPERATOR, key=True)]


def expected(caller: Caller, operation: str, may: bool, opens: bool) -> int:
    if not may or (caller.key and operation not in KEY_SCOPES):
        return 403
    return 200 if opens else 404


def knocked(
    at_door: list[Caller], route: str, address: str, body: dict[str, Any] | bytes | None
) -> list[tuple[int, str]]:
    """What each is answered: one after the other, as they may change things; at a stream all listen together."""
    with ThreadPoolExecutor(len(at_door) if route.endswith("/stream") else 1) as pool:
        return list(pool.map(lambda one: send(one.client, route, address, body), at_door))


def leaks(world: World, granted: bool) -> list[str]:
    """What opened or showed that must not, and what did not open that must."""
    found = []
    for route, operation in routes(world).items():
        if route in OPEN:
            continue
        which = DOORS[route]
        address = address_of(world, route.split(" ")[1], which)
        knocking = []
        for caller in callers(world):
            may = bool(RIGHTS[caller.role] & which.rights)
            opens = may and allowed(caller.role, which, granted)
            right = expected(caller, operation, may, opens)
            if not (opens and which.asks and right == 200):
                knocking.append((caller, right))
        answers = knocked([caller for caller, _ in knocking], route, address, which.body)
        for (caller, right), (status, text) in zip(knocking, answers, strict=True):
            role = caller.role
            if status != right:
                found.append(f"{route} as {caller.name}: {status}, not {right}")
            sees_all = role is Role.ADMIN or (granted and Right.SEE in RIGHTS[role]) or route in COMMON_KNOWLEDGE
            centre = Right.DISPATCH in RIGHTS[role] and "/case" in route
            numbers = ("GET /api/audit", "GET /api/unwatched", "GET /api/review/rates")
            auditor = role is Role.AUDITOR and route in numbers
            handed = HANDED_ON if "/api/shifts/" in route else set()
            shown = [mark for mark in world.marks if mark in text and mark not in address and mark not in handed]
            if shown and not (sees_all or centre or auditor):
                found.append(f"{route} as {caller.name} shows {shown}")
    return found


def test_every_door_is_declared_and_needs_a_login(world: World) -> None:
    told = routes(world).keys()
    assert told - set(DOORS) - OPEN == set(), "say in DOORS who may open it"
    assert set(DOORS) - told == set()
    with world.city.client() as nobody:
        for route, which in DOORS.items():
            path = route.split(" ")[1]
            status, _ = send(nobody, route, address_of(world, path, which), which.body)
            assert status == 401, route


def test_nothing_leaks_out_of_grant_and_everything_opens_within(world: World) -> None:
    assert "\n".join(leaks(world, granted=False)) == ""
    grant_all(world)
    assert "\n".join(leaks(world, granted=True)) == ""
    operator = world.clients[Role.OPERATOR]
    assert world.ids["event_id"] in operator.get("/api/events").text
    assert f'"{CAMERA}"' in operator.get("/api/cameras").text
    assert operator.get("/api/events/counts").json()["total"] == 2
    assert world.clients[Role.AUDITOR].get("/api/events/counts").json()["total"] == 2


READING = tuple(
    route for route, which in DOORS.items() if which.of in ("camera", "event", "evidence") and route.startswith("GET ")
)


def opened_to(world: World) -> list[str]:
    """The readings of the other department's camera, event and evidence that our operator gets, and lists that name
    them."""
    client, found = world.clients[Role.OPERATOR], []
    for route in (*READING, "GET /api/events", "GET /api/cameras", "GET /api/map/events", "GET /api/review/events"):
        which = DOORS[route]
        if which.asks:
            continue
        address = address_of(world, route.split(" ")[1], which)
        status, text = send(client, route, address, None)
        if (status == 200 and which.of != "nothing") or any(
            mark in text and mark not in address for mark in world.marks
        ):
            found.append(route)
    return found


def test_a_grant_that_lacks_one_condition_opens_no_door_and_every_condition_is_needed(world: World) -> None:
    """The conditions taken away one at a time: each lets somebody through a door that the matrix holds shut."""
    nearly(world.city)
    assert opened_to(world) == []
    for term in TERMS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(TERMS, term, lambda _department, _place, _action: true())
            assert opened_to(world), f"nothing needs {term}"
    assert opened_to(world) == []


def test_live_pictures_and_deliveries_follow_the_grant(world: World) -> None:
    operator, city = world.clients[Role.OPERATOR], world.city
    cookie = {"Cookie": f"cityvision_session={operator.cookies['cityvision_session']}"}
    live = city.url.replace("http", "ws") + f"/api/cameras/{CAMERA}/live"
    made = operator.post("/api/subscriptions", json={"department": OURS, "name": "ours", "channel": {"kind": "sse"}})
    number = made.json()["subscription"]["id"]

    def deliveries() -> dict[str, int]:
        counts: dict[str, int] = operator.get(f"/api/subscriptions/{number}/deliveries").json()["counts"]
        return counts

    def happens(n: int) -> None:
        event = make_event(time.time() - 40 + n, kind="crowding", camera=CAMERA, department=THEIRS, zone="plaza")
        city.publish(opened(event), opened(make_event(time.time() - 40 + n)))

    with connect(live, additional_headers=cookie) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404
    happens(1)
    wait_until(lambda: deliveries()["pending"] == 1)  # of one's own camera alone

    grant_all(world)
    with connect(live, additional_headers=cookie) as socket:
        happens(2)
        wait_until(lambda: deliveries()["pending"] == 3)
        with city.engine.begin() as connection:
            connection.execute(update(grants).values(state="revoked"))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404
    told = send(operator, "GET /stream", f"/api/subscriptions/{number}/stream", None)[1]
    assert told.count("data:") == 2
    assert CAMERA not in told
    assert deliveries()["withheld"] == 1


def wait_until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)
