"""Two departments for tests of access: what belongs to the other one, and somebody of each role who asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import Connection, insert, select, update

from algorithm_repo.archive import service as archive
from algorithm_repo.labelling import candidates, projects
from algorithm_repo.labelling.types import NewItem, NewProject, Taken
from cases.tables import case_incidents, cases
from contracts.records import EvidenceRef
from contracts.trace import TracedCondition, TraceLine, ZoneCount
from events.review import Missed, report_missed
from governance import api_keys, people
from governance.access import Access, Viewer
from governance.api_keys import NewKey, Scope
from governance.grants import NewGrant, ask, decide
from governance.logins import open_session
from governance.people import NewPerson
from governance.roles import NEEDS_DEPARTMENT, Role
from governance.tables import grants, users
from governance.types import SecondFactor, User
from store.database import at
from store.valkey import EmbeddedValkey
from subscriptions import service as subscription_service
from subscriptions.types import NewSilence, NewSubscription, Sse
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.subscription_scene import SEALER
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, not_watched, opened
from tests.unit.datasets_scene import item, manifest

OURS, THEIRS = "traffic", "grid"
CAMERA = "square"  # theirs
ROLES = tuple(Role)


@dataclass
class World:
    """What there is of the other department, and who asks."""

    city: City
    ids: dict[str, str]
    marks: tuple[str, ...]  # what no answer may show
    clients: dict[Role, httpx.Client] = field(default_factory=dict)
    system: httpx.Client = field(default_factory=httpx.Client)
    """Another system, with an API key of our department that is good for everything a key can be."""


def logged_in(city: City, connection: Connection, role: Role) -> httpx.Client:
    """A client of this role, of our department where the role needs one."""
    return client_of(city.url, connection, role)


def client_of(url: str, connection: Connection, role: Role) -> httpx.Client:
    """The same for any server on this database."""
    name = f"one-{role.value.replace('_', '-')}"
    wanted = NewPerson(name=name, role=role, department=OURS if role in NEEDS_DEPARTMENT else None)
    person, _ = people.create(connection, wanted, "tests")
    connection.execute(update(users).where(users.c.id == person.id).values(must_change_password=False))
    user = User(person.id, name, role, False, department=person.department)
    session = open_session(connection, user, SecondFactor.NONE, time.time(), 3600.0)
    session_cookie = {"cityvision_session": session.token}
    return httpx.Client(base_url=url, timeout=60, cookies=session_cookie, verify=False)


@contextmanager
def running(tmp_path: Path, database_url: str, valkey: EmbeddedValkey) -> Iterator[World]:
    """The whole server, with an event (judged, traced, of a mass incident), a case, a subscription, silences and a
    grant of the other department."""
    with console_city.running(tmp_path, database_url, valkey.url, session_check_s=0.5, keep_alive_s=1.0) as city:
        now = time.time()
        picture = city.keep(small_picture("theirs"), "decision", "jpg", now)
        theirs = make_event(
            now - 60, kind="crowding", camera=CAMERA, department=THEIRS, zone="plaza", evidence=(picture,)
        )
        city.publish(opened(theirs), opened(make_event(now - 50)), not_watched(CAMERA, now - 500, now - 400))
        with city.engine.begin() as connection:
            wish = NewSubscription(department=THEIRS, name="their feed", channel=Sse())
            subscription = subscription_service.create(connection, wish, "li", SEALER)[0].id
            held = NewSilence(department=THEIRS, note="their silence", from_utc=now, until_utc=now + 3600)
            silence = subscription_service.silence(connection, held, "li")
            asked = NewGrant(grantee="grid", owner="traffic", purpose="tests", expires_utc=now + 3600)
            to_label = picture_to_label(connection, picture)
            seen = city.keep(small_picture("missed by theirs"), "decision", "jpg", now)
            lost = missed_there(connection, seen)
            version = version_with(connection, city, picture)
            clients = {role: logged_in(city, connection, role) for role in ROLES}
            key = api_keys.create(connection, NewKey(name="ours", department=OURS, scopes=tuple(Scope)), "li", now)[1]
        case = wait_for_case(clients[Role.ADMIN], CAMERA)
        city.bus.add_traces({CAMERA: [traced()]})
        judged(clients[Role.ADMIN], theirs.id)
        silenced(clients[Role.DISPATCHER], now)
        hand_over(clients[Role.DISPATCHER], now)
        ids = {
            "camera_id": CAMERA,
            "event_id": theirs.id,
            "sha256": picture.sha256,
            "subscription": str(subscription),
            "silence": str(silence),
            "case": str(case),
            "incident": incident_of(city, case),
            "grant": foreign_grant(city, asked),
            "label item": str(to_label),
            "missed": str(lost),
            "missed sha256": seen.sha256,
            "digest": version,
            "content": picture.sha256,
        }
        marks = ("中心广场", f'"{CAMERA}"', "plaza", theirs.id, picture.sha256, "their feed", "their silence")
        more = ("their verdict", "their trace", "their market day")
        with httpx.Client(base_url=city.url, timeout=60, headers={"Authorization": f"Bearer {key}"}) as system:
            yield World(city, ids, marks + more, clients, system)
        for client in clients.values():
            client.close()


def traced() -> TraceLine:
    """What the other department's camera saw in the first second of 1970."""
    waited = TracedCondition("crowding", "plaza", "their trace", "lasted_s", 1.0, 20.0)
    return TraceLine(
        time=1.0, utc=1.0, why="rule", every=2.0, zones=(ZoneCount("plaza", 9, 0, 0),), conditions=(waited,)
    )


def judged(client: httpx.Client, event: str) -> None:
    body = {"kind": "real", "note": "their verdict", "key": "their-verdict"}
    assert client.post(f"/api/events/{event}/verdicts", json=body).status_code == 201


def silenced(client: httpx.Client, now: float) -> None:
    """No cases of litter on their camera, for a reason that is nobody else's business."""
    body = {"note": "their market day", "until_utc": now + 3600, "types": ["litter"], "cameras": [CAMERA]}
    assert client.post("/api/case-silences", json=body).status_code == 201


def incident_of(city: City, case: int) -> str:
    """A mass incident with that case in it."""
    with city.engine.begin() as connection:
        category = connection.execute(select(cases.c.category).where(cases.c.id == case)).scalar_one()
        made = insert(case_incidents).values(category=category).returning(case_incidents.c.id)
        number: int = connection.execute(made).scalar_one()
        connection.execute(update(cases).where(cases.c.id == case).values(incident=number))
    return str(number)


def missed_there(connection: Connection, seen: EvidenceRef) -> int:
    """Somebody of theirs saw on their camera what no event told."""
    lost = Missed(
        type="crowding",
        camera=CAMERA,
        department=THEIRS,
        zone="plaza",
        grid="",
        moment_utc=seen.utc,
        polygon=((0.1, 0.1), (0.4, 0.1), (0.4, 0.5)),
        drawn_on=(),
        frame=seen,
        note="",
        who="li",
        key="their-missed",
    )
    return report_missed(connection, lost).id


def picture_to_label(connection: Connection, picture: EvidenceRef) -> int:
    """A project, number 1, with one picture: theirs."""
    made = projects.create(connection, NewProject(name="squares", classes=("crowding",)), "li")
    assert made.id == 1
    taken = Taken(camera=CAMERA, department=THEIRS, zone="plaza", type="crowding", utc=picture.utc)
    name = f"{CAMERA} 1"
    new = NewItem(
        content=picture.sha256,
        name=name,
        key=picture.key,
        media_type=picture.media_type,
        width=64,
        height=36,
        source=candidates.CITY,
        taken=taken,
    )
    number = projects.add(connection, made.id, new, projects.looks(small_picture("theirs")).signature, "li")
    assert number is not None
    return number


def version_with(connection: Connection, city: City, picture: EvidenceRef) -> str:
    """A version of training data to which that picture of theirs was added."""
    first = manifest(item(1, side="train"))
    parent = archive.keep(connection, city.objects, first, [], "li").digest
    fields = {"content": picture.sha256, "name": f"{CAMERA} 1", "camera": CAMERA, "utc": picture.utc, "side": "train"}
    both = manifest(*first.items, item(2, **fields), parent=parent)
    return archive.keep(connection, city.objects, both, [], "li").digest


def hand_over(client: httpx.Client, now: float) -> None:
    """A shift of ours with a handover that waits: both are number 1."""
    assert client.post("/api/shifts", json={"until_utc": now + 3600}).json()["shift"]["id"] == 1
    signed = client.post("/api/shifts/1/handover", json={"until_utc": now + 7200})
    assert signed.json()["handover"]["id"] == 1, signed.text


def wait_for_case(client: httpx.Client, camera: str) -> int:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = [one for one in client.get("/api/cases").json()["cases"] if one["camera"] == camera]
        if found:
            return int(found[0]["id"])
        time.sleep(0.1)
    raise AssertionError("no case")


def foreign_grant(city: City, like: NewGrant) -> str:
    """One between two departments that are none of ours."""
    values = {
        "grantee": "grid",
        "owner": "elsewhere",
        "cameras": [],
        "zones": [],
        "grids": [],
        "types": [],
        "actions": ["event"],
        "purpose": like.purpose,
        "state": "asked",
        "asked_by": "li",
        "note": "",
    }
    with city.engine.begin() as connection:
        moments = {"starts": at(1e9), "expires": at(4e9), "asked": at(1e9)}
        return str(connection.execute(insert(grants).values(values | moments).returning(grants.c.id)).scalar_one())


def grant_all(world: World) -> None:
    now = time.time()
    wanted = NewGrant(
        grantee=OURS, owner=THEIRS, cameras=(CAMERA,), actions=tuple(Access), purpose="tests", expires_utc=now + 600
    )
    admin = Viewer("admin", Role.ADMIN)
    with world.city.engine.begin() as connection:
        asked = ask(connection, admin, wanted)
        assert decide(connection, admin, asked.id, True, "") is not None


def nearly(city: City) -> None:
    """Grants of the other department's camera to ours, each of which lacks one condition to count."""
    now = time.time()
    past = (time.gmtime(now + 8 * 3600).tm_hour + 12) % 24 * 60  # half a day off, by the clock of Shanghai
    never = {"zone": "Asia/Shanghai", "week": [[[past, past + 1]]] * 7, "holidays": [], "workdays": []}
    whole: dict[str, object] = {"grantee": OURS, "owner": THEIRS, "state": "approved", "hours": None}
    whole |= {"cameras": [], "zones": [], "grids": [], "types": [], "actions": ["event", "evidence"]}
    whole |= {"purpose": "tests", "asked_by": "li", "note": ""}
    moments = {"starts": at(now - 60), "expires": at(now + 3600), "asked": at(now - 60)}
    lacking: tuple[dict[str, object], ...] = (
        {"grantee": "elsewhere"},
        {"owner": "elsewhere"},
        {"state": "revoked"},
        {"starts": at(now + 1800)},
        {"expires": at(now - 1)},
        {"cameras": ["north-gate"]},
        {"zones": [f"{CAMERA}/kerb"]},
        {"grids": ["G-none"]},
        {"types": ["litter"], "zones": [f"{CAMERA}/plaza"]},  # of a zone nobody gets the camera itself
        {"hours": never | {"workday_hours": []}},
        {"actions": ["live"], "zones": [f"{CAMERA}/plaza"]},
    )
    with city.engine.begin() as connection:
        for one in lacking:
            connection.execute(insert(grants).values(whole | moments | one))
