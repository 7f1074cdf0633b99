"""Who may see what, against an oracle in plain Python; and that every condition of a grant is needed for it."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, true

from api.sight import of_events
from contracts.errors import ConfigError, NotAuthenticated
from contracts.hours import Hours
from contracts.pool import Pool
from contracts.records import ClockSource, Event, Provenance, Severity, Subject, Transition
from events import queries
from events.store import lock_ingest, write_event
from events.types import EventFilter
from governance import access, grants, people, service
from governance.access import TERMS, Access, Viewer
from governance.grants import NewGrant
from governance.roles import NEEDS_DEPARTMENT, RIGHTS, Right, Role
from governance.tables import grants as grant_table
from pool.store import import_pool

pytest_plugins = ["tests.embedded"]

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC).timestamp()  # 12:00 in Shanghai, a Wednesday
NIGHT = NOON + 12 * 3600
FAR = datetime(2099, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)
BY_DAY = Hours(week=(((480, 1200),),) * 7)
TREE = {"city": None, "traffic": "city", "traffic-east": "traffic", "grid": "city", "grid-north": "grid", "river": None}
CAMERAS = {"t1": "traffic", "e1": "traffic-east", "g1": "grid", "g2": "grid", "n1": "grid-north", "r1": "river"}
ZONES, GRIDS, TYPES = ("a", "b"), ("G-1", "G-2"), ("crowding", "litter")
GRID_OF = {camera: GRIDS[i % 2] for i, camera in enumerate(CAMERAS)}
BASE = {
    "grantee": "traffic",
    "owner": "grid",
    "cameras": [],
    "zones": [],
    "grids": [],
    "types": [],
    "hours": None,
    "actions": ["event", "evidence", "live"],
    "purpose": "tests",
    "starts": PAST,
    "expires": FAR,
    "state": "approved",
    "asked_by": "x",
    "asked": PAST,
    "note": "",
}
# Each but the first lets less through, by one condition.
GRANTS: dict[str, dict[str, Any]] = {
    "all of it": {},
    "one camera": {"cameras": ["g1"]},
    "one zone": {"zones": ["g1/a"]},
    "one grid": {"grids": ["G-1"]},
    "one type": {"types": ["litter"]},
    "by day": {"hours": BY_DAY.model_dump(mode="json")},
    "events alone": {"actions": ["event"]},
    "asked for": {"state": "asked"},
    "refused": {"state": "refused"},
    "revoked": {"state": "revoked"},
    "over": {"expires": datetime(2021, 1, 1, tzinfo=UTC)},
    "yet to begin": {"starts": datetime(2098, 1, 1, tzinfo=UTC)},
    "somebody else's": {"grantee": "river"},
    "below it only": {"grantee": "traffic-east"},
    "from above": {"grantee": "city"},
    "of another": {"owner": "river"},
    "of one below": {"owner": "grid-north"},
}


def pool() -> Pool:
    square = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
    return Pool.model_validate(
        {
            "departments": [{"id": one, "name": one, "parent": above} for one, above in TREE.items()],
            "cameras": [
                {
                    "id": camera,
                    "name": camera,
                    "department": department,
                    "class": 1,
                    "grid": GRID_OF[camera],
                    "main": {"url": "rtsp://10.0.0.1/1"},
                    "zones": [{"id": zone, "kind": "area", "polygon": square} for zone in ZONES],
                    "algorithms": {"crowding": {"max_people": 5}, "litter": {}},
                }
                for camera, department in CAMERAS.items()
            ],
        }
    )


def happened() -> Iterator[Event]:
    for camera, zone, kind, utc in itertools.product(CAMERAS, ZONES, TYPES, (NOON, NIGHT)):
        yield Event(
            id=hashlib.md5(f"{camera} {zone} {kind} {utc}".encode(), usedforsecurity=False).hexdigest(),
            seq=0,
            transition=Transition.OPENED,
            type=kind,
            severity=Severity.MINOR,
            camera=camera,
            department=CAMERAS[camera],
            zone=zone,
            grid=GRID_OF[camera],
            started_utc=utc,
            utc=utc,
            stream_time=0.0,
            clock_source=ClockSource.ARRIVAL,
            clock_error_ms=0.0,
            subject=Subject(object_class="person"),
            numbers={},
            reason={"zh": "", "en": ""},
            provenance=Provenance(
                algorithm=kind, algorithm_version="1", model="m", model_sha256="0" * 64, config_digest="0" * 64
            ),
        )


def above(department: str) -> set[str]:
    """Itself and all above it."""
    found: set[str] = set()
    one: str | None = department
    while one is not None:
        found.add(one)
        one = TREE[one]
    return found


def expected(department: str, event: Event, action: Access, grant: dict[str, Any]) -> bool:
    """The oracle."""
    if department in above(event.department):
        return True
    day = 8 <= (event.started_utc / 3600 + 8) % 24 < 20
    return (
        grant["state"] == "approved"
        and grant["starts"] <= datetime.now(UTC) < grant["expires"]
        and grant["grantee"] in above(department)
        and grant["owner"] in above(event.department)
        and (not grant["cameras"] or event.camera in grant["cameras"])
        and (not grant["zones"] or f"{event.camera}/{event.zone}" in grant["zones"])
        and (not grant["grids"] or event.grid in grant["grids"])
        and (not grant["types"] or event.type in grant["types"])
        and (grant["hours"] is None or day)
        and action.value in grant["actions"]
    )


@pytest.fixture
def city(engine: Engine) -> Engine:
    with engine.begin() as connection:
        import_pool(connection, pool(), "tests")
        lock_ingest(connection)
        for event in happened():
            assert write_event(connection, "w", event) is not None
    return engine


def wrong(connection: Connection) -> Iterator[tuple[str, int]]:
    """Where the predicate and the oracle differ, in words, with how many events leaked; one grant at a time."""
    events = {event.id: event for event in happened()}
    for name, narrower in GRANTS.items():
        grant = {**BASE, **narrower}
        with connection.begin_nested() as undone:
            connection.execute(insert(grant_table).values(grant))
            for department, action in itertools.product(TREE, (Access.EVENT, Access.EVIDENCE)):
                sight = of_events(Viewer("x", Role.OPERATOR, department))
                condition = sight.seen if action is Access.EVENT else sight.evidence
                asked = dataclasses.replace(sight, seen=condition)
                page = queries.list_events(connection, EventFilter(), None, 500, asked)
                seen = {item.event.id for item in page.items}
                right = {key for key, event in events.items() if expected(department, event, action, grant)}
                if seen != right:
                    yield f"{name}: {department} {action}: hidden {len(right - seen)}", len(seen - right)
            undone.rollback()


def test_what_is_seen_is_what_the_oracle_says(city: Engine) -> None:
    with city.connect() as connection:
        assert list(wrong(connection)) == []


def test_every_condition_of_a_grant_is_needed(city: Engine) -> None:
    """Taken away one at a time, each lets something through that the oracle forbids."""
    with city.connect() as connection:
        for term in TERMS:
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(TERMS, term, lambda _department, _place, _action: true())
                assert any(leaked for _, leaked in wrong(connection)), f"nothing needs {term}"


def seen(connection: Connection, viewer: Viewer, action: Access = Access.EVENT) -> set[str]:
    found = access.cameras(connection, viewer, action)
    assert found is not None
    return set(found)


def test_of_a_granted_zone_nobody_may_watch_the_camera(city: Engine) -> None:
    viewer = Viewer("x", Role.OPERATOR, "traffic")
    with city.connect() as connection, connection.begin():
        assert seen(connection, viewer, Access.LIVE) == {"t1", "e1"}
        connection.execute(insert(grant_table).values({**BASE, "zones": ["g1/a"]}))
        assert seen(connection, viewer, Access.LIVE) == {"t1", "e1"}
        connection.execute(insert(grant_table).values({**BASE, "cameras": ["g2"]}))
        assert seen(connection, viewer, Access.LIVE) == {"t1", "e1", "g2"}
        assert set(access.own_cameras(connection, viewer) or ()) == {"t1", "e1"}
        connection.rollback()


def test_a_grant_is_asked_for_decided_by_its_owner_and_ends_at_once(city: Engine) -> None:
    traffic, north = Viewer("wang", Role.OPERATOR, "traffic"), Viewer("li", Role.OPERATOR, "grid-north")
    owner, other = Viewer("zhao", Role.OPERATOR, "grid"), Viewer("sun", Role.OPERATOR, "river")
    wanted = NewGrant(grantee="traffic", owner="grid", cameras=("g1",), purpose="festival", expires_utc=4e9)
    with city.connect() as connection, connection.begin():
        wanted = wanted.model_copy(update={"expires_utc": datetime.now(UTC).timestamp() + 3600})
        asked = grants.ask(connection, traffic, wanted)
        assert seen(connection, traffic) == {"t1", "e1"}
        for nobody in (other, north):  # one below the owner may not give away what is above it
            assert grants.decide(connection, nobody, asked.id, True, "") is None
            assert asked.id not in [one.id for one in grants.listed(connection, nobody)]
        approved = grants.decide(connection, owner, asked.id, True, "festival days")
        assert approved is not None
        assert approved.in_force
        assert seen(connection, traffic) == {"t1", "e1", "g1"}
        assert seen(connection, Viewer("x", Role.INVESTIGATOR, "traffic-east")) == {"e1", "g1"}
        assert seen(connection, Viewer("x", Role.AUDITOR)) == set()
        revoked = grants.revoke(connection, owner, asked.id, "over")
        assert revoked is not None
        assert seen(connection, traffic) == {"t1", "e1"}
        connection.rollback()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"grantee": "river"}, "grantee"),
        ({"owner": "nobody"}, "owner"),
        ({"cameras": ("t1",)}, "cameras"),
        ({"zones": ("g1",)}, "zones"),
        ({"expires_utc": 1.0}, "expires_utc"),
        ({"expires_utc": 9e9}, "expires_utc"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(city: Engine, changed: dict[str, Any], field: str) -> None:
    soon = datetime.now(UTC).timestamp() + 3600
    wanted = NewGrant(grantee="traffic", owner="grid", purpose="festival", expires_utc=soon)
    with city.connect() as connection, pytest.raises(ConfigError, match=f"^{field}: "):
        grants.ask(connection, Viewer("wang", Role.OPERATOR, "traffic"), wanted.model_copy(update=changed))


def test_accounts_act_for_a_department_and_the_last_administrator_stays(city: Engine) -> None:
    wang = people.NewPerson(name="wang", role=Role.DISPATCHER, department="city")
    with city.begin() as connection:
        service.ensure_admin(connection)
        _, password = people.create(connection, wang, "admin")
    with city.begin() as connection:
        assert service.authenticate(connection, "wang", password, 1e9).department == "city"
    for role, department in ((Role.OPERATOR, None), (Role.OPERATOR, "nowhere"), (Role.AUDITOR, "city")):
        with city.begin() as connection, pytest.raises(ConfigError, match=r"^department: "):
            people.create(connection, people.NewPerson(name="li", role=role, department=department), "admin")
    with city.begin() as connection, pytest.raises(ConfigError, match="no administrator would be left"):
        people.change(connection, "admin", people.Account(role=Role.ADMIN, disabled=True), "admin")
    with city.begin() as connection:
        gone = people.Account(role=Role.DISPATCHER, department="city", disabled=True)
        assert people.change(connection, "wang", gone, "admin") is not None
    with city.begin() as connection, pytest.raises(NotAuthenticated, match="wrong"):
        service.authenticate(connection, "wang", password, 1e9 + 60)


def test_only_roles_that_see_nothing_need_no_department() -> None:
    for role in Role:
        assert (role in NEEDS_DEPARTMENT) == (Right.SEE in RIGHTS[role] and role is not Role.ADMIN)
