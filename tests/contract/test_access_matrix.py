"""Every route of the API × every role × in and out of grant, over the real server.

The routes come from the OpenAPI document: one that is not declared here fails the test, so nobody adds a door without
saying who may open it. What belongs to another department must neither open nor show in any answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
from tests.contract.access_world import CAMERA, OURS, ROLES, THEIRS, World, grant_all, nearly
from tests.e2e.console_city import make_event, opened

pytest_plugins = ["tests.embedded"]

Mine = Literal["subscription", "silence", "case", "incident", "grant", "label item"]
Of = Literal["nothing", "camera", "live", "own camera", "event", "evidence"] | Mine


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


@dataclass(frozen=True)
class Door:
    """Who may open it: any of these rights; `of` what it shows or changes."""

    rights: frozenset[Right]
    of: Of = "nothing"
    body: dict[str, Any] | bytes | None = None
    query: str = ""
    asks: bool = False  # opening it changes something or waits: only who must not is tried


def door(*rights: Right, of: Of = "nothing", **more: Any) -> Door:
    return Door(frozenset(rights), of, **more)


SEE, COUNT, SUBSCRIBE, ASK = Right.SEE, Right.COUNT, Right.SUBSCRIBE, Right.ASK
CASES = (Right.DISPATCH, Right.HANDLE)
ANYBODY = tuple(Right)
HOUR = {"from_utc": 1e9, "until_utc": 1e9 + 3600}
NEW_GRANT = {"grantee": OURS, "owner": THEIRS, "purpose": "tests", "expires_utc": 4e9}
SUBSCRIPTION = {"department": THEIRS, "name": "n", "channel": {"kind": "sse"}}
REASON = {"reason": "tests"}
ACTION = {"action": "supervise", "facts": {}}
MISSED = {
    "type": "crowding",
    "camera": CAMERA,
    "moment_utc": 1e9,
    "polygon": [[0, 0], [1, 0], [1, 1]],
    "key": "access-matrix",
}
DOORS: dict[str, Door] = {
    "GET /api/second-factor": door(*ANYBODY),
    "POST /api/second-factor": door(*ANYBODY, asks=True),
    "POST /api/second-factor/confirm": door(*ANYBODY, asks=True),
    "POST /api/second-factor/recovery-codes": door(*ANYBODY, asks=True),
    "POST /api/second-factor/disable": door(*ANYBODY, asks=True),
    "GET /api/keys": door(Right.PEOPLE),
    "POST /api/keys": door(Right.PEOPLE, asks=True, body={"name": "k", "scopes": ["events:read"]}),
    "POST /api/keys/{number}/revoke": door(Right.PEOPLE, asks=True),
    "GET /api/people": door(Right.PEOPLE),
    "POST /api/people": door(Right.PEOPLE, asks=True, body={"name": "new", "role": "auditor"}),
    "PUT /api/people/{name}": door(Right.PEOPLE, asks=True, body={"role": "auditor"}),
    "POST /api/people/{name}/password": door(Right.PEOPLE, asks=True),
    "GET /api/departments": door(*ANYBODY),
    "GET /api/grants": door(ASK, Right.DECIDE),
    "POST /api/grants": door(ASK, asks=True, body=NEW_GRANT),
    "POST /api/grants/{number}/decision": door(Right.DECIDE, of="grant", asks=True, body={"approve": True}),
    "POST /api/grants/{number}/revocation": door(ASK, Right.DECIDE, of="grant", asks=True, body={}),
    "GET /api/gallery": door(*ANYBODY),
    "POST /api/gallery/{algorithm}/trials": door(*ANYBODY, asks=True, query="?kind=picture", body=b"no picture"),
    "GET /api/gallery/requests": door(*ANYBODY),
    "POST /api/gallery/requests": door(ASK, asks=True, body={"algorithm": "litter", "cameras": [CAMERA]}),
    "POST /api/gallery/requests/{number}/answer": door(
        Right.LABEL, asks=True, body={"answer": "refused", "note": "tests"}
    ),
    "GET /api/algorithms": door(Right.LABEL, Right.AUDIT),
    "GET /api/algorithms/ledger": door(Right.LABEL, Right.AUDIT, query="?algorithm=waterlogging"),
    "POST /api/algorithms/ledger/verification": door(Right.LABEL, Right.AUDIT),
    "GET /api/algorithms/lanes": door(Right.LABEL, Right.AUDIT),
    "POST /api/algorithms/{number}/shadow": door(Right.LABEL, asks=True, body={"cameras": [CAMERA]}),
    "POST /api/algorithms/{number}/canary": door(Right.PROMOTE, asks=True, body={"cameras": [CAMERA]}),
    "POST /api/algorithms/{number}/promotion": door(Right.PROMOTE, asks=True),
    "POST /api/algorithms/{number}/abort": door(Right.PROMOTE, Right.LABEL, asks=True, body={"why": "tests"}),
    "POST /api/algorithms/rollback": door(Right.PROMOTE, asks=True, body={"algorithm": "crowding", "why": "tests"}),
    "GET /api/audit": door(Right.AUDIT),
    "POST /api/audit/verification": door(Right.AUDIT),
    "GET /api/cameras": door(SEE),
    "GET /api/cameras/tallies": door(SEE, COUNT),
    "GET /api/cameras/{camera_id}": door(SEE, of="camera"),
    "PUT /api/cameras/{camera_id}/zones": door(Right.ZONES, of="own camera", asks=True, body={"zones": []}),
    "GET /api/cameras/{camera_id}/explain": door(SEE, of="camera", query="?at=1&type=crowding"),
    "GET /api/cameras/{camera_id}/snapshot.jpg": door(SEE, of="live", asks=True),
    "GET /api/cameras/{camera_id}/zone-proposals": door(Right.ZONES, of="own camera"),
    "GET /api/map/cameras": door(SEE),
    "GET /api/map/states": door(SEE),
    "GET /api/map/events": door(SEE),
    "GET /api/map/cases": door(*CASES),
    "GET /api/events/stream": door(SEE, query="?after=0"),
    "GET /api/events": door(SEE),
    "GET /api/events/counts": door(SEE, COUNT),
    "GET /api/events/{event_id}": door(SEE, of="event"),
    "GET /api/events/{event_id}/evidence/{sha256}": door(SEE, of="evidence"),
    "GET /api/events/{event_id}/evidence/{sha256}/proxy": door(SEE, of="evidence", asks=True),
    "GET /api/events/{event_id}/custody": door(SEE, of="evidence"),
    "GET /api/events/{event_id}/holds": door(SEE, of="evidence"),
    "POST /api/events/{event_id}/holds": door(Right.HOLD, of="evidence", asks=True, body=REASON),
    "POST /api/events/{event_id}/holds/{number}/release": door(Right.HOLD, of="evidence", asks=True, body=REASON),
    "POST /api/events/{event_id}/package": door(Right.UNMASK, of="evidence", asks=True, body={"purpose": "tests"}),
    "GET /api/events/{event_id}/acknowledgements": door(SEE, of="event"),
    "POST /api/events/{event_id}/acknowledgements": door(SUBSCRIBE, of="event", asks=True, body={"department": OURS}),
    "GET /api/events/{event_id}/verdicts": door(SEE, of="evidence"),
    "POST /api/events/{event_id}/verdicts": door(
        Right.JUDGE, of="evidence", asks=True, body={"kind": "real", "key": "access-matrix"}
    ),
    "POST /api/misses": door(Right.JUDGE, of="camera", asks=True, body=MISSED),
    "GET /api/review/events": door(Right.JUDGE),
    "GET /api/review/rates": door(SEE, COUNT),
    "GET /api/label-candidates": door(Right.LABEL),
    "GET /api/labelling/projects": door(Right.LABEL),
    "POST /api/labelling/projects": door(Right.LABEL, asks=True, body={"name": "n", "classes": ["car"]}),
    "GET /api/labelling/projects/{number}": door(Right.LABEL),
    "POST /api/labelling/projects/{number}/candidates": door(Right.LABEL, asks=True, body={}),
    "GET /api/labelling/projects/{number}/items": door(Right.LABEL),
    "GET /api/labelling/projects/{number}/queue": door(Right.LABEL),
    "GET /api/labelling/projects/{number}/agreement": door(Right.LABEL),
    "GET /api/labelling/projects/{number}/export": door(Right.LABEL, asks=True),
    "POST /api/labelling/projects/{number}/freeze": door(Right.LABEL, asks=True, body={}),
    "GET /api/labelling/items/{number}": door(Right.LABEL, of="label item"),
    "GET /api/labelling/items/{number}/picture": door(Right.LABEL, of="label item"),
    "PUT /api/labelling/items/{number}/draft": door(
        Right.LABEL, of="label item", asks=True, body={"labels": [], "stamp": 1}
    ),
    "POST /api/labelling/items/{number}/answers": door(
        Right.LABEL, of="label item", asks=True, body={"labels": [], "key": "access-matrix"}
    ),
    "POST /api/labelling/items/{number}/reviews": door(
        Right.LABEL, of="label item", asks=True, body={"answer": 1, "accepted": True, "key": "access-matrix"}
    ),
    "PUT /api/labelling/items/{number}/hidden": door(Right.LABEL, of="label item", asks=True, body={"hidden": True}),
    "GET /api/unwatched": door(SEE, COUNT),
    "GET /api/subscriptions": door(SUBSCRIBE),
    "POST /api/subscriptions": door(SUBSCRIBE, asks=True, body=SUBSCRIPTION),
    "GET /api/subscriptions/{number}": door(SUBSCRIBE, of="subscription"),
    "PUT /api/subscriptions/{number}": door(
        SUBSCRIBE, of="subscription", asks=True, body={"subscription": SUBSCRIPTION, "revision": 1}
    ),
    "DELETE /api/subscriptions/{number}": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/pause": door(SUBSCRIBE, of="subscription", asks=True, body={"why": "x"}),
    "POST /api/subscriptions/{number}/resume": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/secret": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/secret/settle": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/test": door(SUBSCRIBE, of="subscription", asks=True),
    "GET /api/subscriptions/{number}/deliveries": door(SUBSCRIBE, of="subscription"),
    "GET /api/subscriptions/{number}/attempts": door(SUBSCRIBE, of="subscription"),
    "POST /api/subscriptions/{number}/redrive": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/replay": door(
        SUBSCRIBE, of="subscription", asks=True, body={"since_utc": 1e9, "until_utc": 1e9 + 60}
    ),
    "GET /api/subscriptions/{number}/stream": door(SUBSCRIBE, of="subscription", asks=True),
    "GET /api/silences": door(SUBSCRIBE),
    "POST /api/silences": door(SUBSCRIBE, asks=True, body={"department": THEIRS, **HOUR}),
    "POST /api/silences/preview": door(SUBSCRIBE, asks=True, body={"department": THEIRS, **HOUR}),
    "GET /api/silences/{number}/hidden": door(SUBSCRIBE, of="silence"),
    "DELETE /api/silences/{number}": door(SUBSCRIBE, of="silence", asks=True),
    "GET /api/cases": door(*CASES),
    "POST /api/cases": door(Right.DISPATCH, asks=True, body={"source": "manual", "category": "x"}),
    "GET /api/cases/book": door(*ANYBODY),
    "GET /api/cases/statistics": door(SEE, COUNT),
    "GET /api/cases/{number}": door(*CASES, of="case"),
    "POST /api/cases/{number}/actions": door(*CASES, of="case", asks=True, body=ACTION),
    "POST /api/cases/{number}/pictures": door(*CASES, of="case", asks=True, body=b"\xff\xd8\xff"),
    "GET /api/cases/{number}/pictures/{sha256}": door(*CASES, of="case", asks=True),
    "GET /api/cases/{number}/custody": door(*CASES, of="case"),
    "GET /api/cases/{number}/events/{event_id}": door(*CASES, of="case"),
    "GET /api/cases/{number}/events/{event_id}/evidence/{sha256}": door(*CASES, of="case"),
    "GET /api/cases/{number}/holds": door(Right.HOLD, of="case"),
    "POST /api/cases/{number}/holds": door(Right.HOLD, of="case", asks=True, body=REASON),
    "POST /api/cases/{number}/holds/{hold}/release": door(Right.HOLD, of="case", asks=True, body=REASON),
    "GET /api/shifts/current": door(Right.DISPATCH, Right.AUDIT),
    "POST /api/shifts": door(Right.DISPATCH, asks=True, body={"until_utc": 4e9}),
    "GET /api/shifts/draft": door(Right.DISPATCH, query="?until=4e9"),
    "POST /api/shifts/{number}/handover": door(Right.DISPATCH, asks=True, body={"until_utc": 4e9}),
    "POST /api/shifts/{number}/relief": door(Right.DISPATCH, asks=True, body={"until_utc": 4e9, "note": "x"}),
    "GET /api/shifts/handovers": door(Right.DISPATCH, Right.AUDIT),
    "GET /api/shifts/handovers/{number}": door(Right.DISPATCH, Right.AUDIT),
    "POST /api/shifts/handovers/{number}/answer": door(Right.DISPATCH, asks=True, body={"answer": "confirmed"}),
    "GET /api/field/cases": door(Right.HANDLE),
    "GET /api/field/cases/{number}": door(Right.HANDLE, of="case"),
    "POST /api/incidents/{number}/actions": door(*CASES, of="incident", asks=True, body=ACTION),
    "GET /api/case-silences": door(Right.DISPATCH),
    "POST /api/case-silences/preview": door(Right.DISPATCH, body={}),
    "GET /api/case-silences/{number}/hidden": door(Right.DISPATCH),
    "POST /api/case-silences": door(Right.DISPATCH, asks=True, body={"note": "x", "until_utc": 4e9}),
    "DELETE /api/case-silences/{number}": door(Right.DISPATCH, asks=True),
    "GET /api/exchange": door(Right.DISPATCH),
    "POST /api/exchange/cases/{number}/retry": door(Right.DISPATCH, asks=True),
    "POST /api/exchange/reconciliation": door(Right.DISPATCH, asks=True, body={}),
    "GET /api/pool/schema": door(*ANYBODY),
    "GET /api/health/detectors": door(Right.OPERATE),
}
OPEN = {  # without a login, or about oneself alone
    "POST /api/login",
    "POST /api/login/second-factor",
    "POST /api/logout",
    "GET /api/oidc",
    "GET /api/oidc/login",
    "GET /api/oidc/callback",
    "GET /api/me",
    "POST /api/password",
    "GET /api/health/live",
    "GET /api/health/ready",
    "POST /api/exchange/callbacks",  # by signature; there is none here
}
# Answers that name every department or show the shape of all pools, and nothing that happened.
COMMON_KNOWLEDGE = {"GET /api/departments", "GET /api/cases/book", "GET /api/pool/schema"}


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
    return granted and which.of in ("camera", "live", "event", "evidence", "label item")


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


def leaks(world: World, granted: bool) -> list[str]:
    """What opened or showed that must not, and what did not open that must."""
    found = []
    for route, operation in routes(world).items():
        if route in OPEN:
            continue
        which = DOORS[route]
        address = address_of(world, route.split(" ")[1], which)
        for caller in callers(world):
            role = caller.role
            may = bool(RIGHTS[role] & which.rights)
            opens = may and allowed(role, which, granted)
            right = expected(caller, operation, may, opens)
            if opens and which.asks and right == 200:
                continue
            status, text = send(caller.client, route, address, which.body)
            if status != right:
                found.append(f"{route} as {caller.name}: {status}, not {right}")
            sees_all = role is Role.ADMIN or (granted and SEE in RIGHTS[role]) or route in COMMON_KNOWLEDGE
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
