"""Shift handover through the real server and Postgres: what is handed on, who may, races, and what stays as it was."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from cases.queries import Sight
from cases.shift import service, store
from cases.shift.tables import case_handover_answers, case_handovers, case_shifts
from cases.shift.types import Answer, Snapshot
from cases.tables import cases
from cases.types import Status
from contracts.errors import CityVisionError
from governance import audit, people
from governance.logins import open_session
from governance.people import NewPerson
from governance.roles import NEEDS_DEPARTMENT, Role
from governance.tables import users
from governance.types import SecondFactor, User
from store.bus import Bus
from store.database import at
from store.valkey import EmbeddedValkey
from tests.contract.test_api_doors import wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, not_watched, opened
from tests.effort import forms

pytest_plugins = ["tests.embedded"]

HOUR = 3600.0


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        yield one


def somebody(city: City, name: str, role: Role = Role.DISPATCHER) -> httpx.Client:
    """Logged in, with this name."""
    with city.engine.begin() as connection:
        wanted = NewPerson(name=name, role=role, department="grid" if role in NEEDS_DEPARTMENT else None)
        person, _ = people.create(connection, wanted, "tests")
        connection.execute(update(users).where(users.c.id == person.id).values(must_change_password=False))
        user = User(person.id, name, role, False, department=person.department)
        session = open_session(connection, user, SecondFactor.NONE, time.time(), HOUR)
    return city.client(cookies={"cityvision_session": session.token})


@pytest.fixture
def zhang(city: City) -> Iterator[httpx.Client]:
    with somebody(city, "zhang") as one:
        yield one


@pytest.fixture
def wang(city: City) -> Iterator[httpx.Client]:
    with somebody(city, "wang") as one:
        yield one


def begin(client: httpx.Client, hours: float = 8) -> int:
    made = client.post("/api/shifts", json={"until_utc": time.time() + hours * HOUR})
    assert made.status_code == 201, made.text
    return int(made.json()["shift"]["id"])


def sign(client: httpx.Client, shift: int, **more: Any) -> httpx.Response:
    return client.post(f"/api/shifts/{shift}/handover", json={"until_utc": time.time() + 16 * HOUR, **more})


def say(client: httpx.Client, handover: int, answer: str, note: str = "") -> httpx.Response:
    return client.post(f"/api/shifts/handovers/{handover}/answer", json={"answer": answer, "note": note})


def on_shift(client: httpx.Client) -> str:
    return str(client.get("/api/shifts/current").json()["shift"]["who"])


def change_case(city: City, number: int, **values: Any) -> None:
    with city.engine.begin() as connection:
        connection.execute(update(cases).where(cases.c.id == number).values(**values))


def make_cases(city: City, client: httpx.Client, count: int) -> list[int]:
    """Cases by events, the oldest first; due two hours from now."""
    city.publish(*(opened(make_event(time.time() - 60, zone=f"z{n}", subject=f"{n}")) for n in range(count)))
    found = wait_for(client, "/api/cases", lambda page: page["total"] == count)
    return sorted(case["id"] for case in found["cases"])


def test_two_people_hand_over(city: City, zhang: httpx.Client, wang: httpx.Client) -> None:
    assert zhang.get("/api/shifts/current").json()["shift"] is None
    late, due, supervised, resumes, calm, looked = make_cases(city, zhang, 6)
    now = time.time()
    change_case(city, late, due=at(now - 60))
    change_case(city, due, due=at(now + 9 * HOUR))
    for number in (supervised, calm, looked):
        change_case(city, number, due=at(now + 90 * HOUR))
    change_case(city, supervised, supervised=True)
    change_case(city, resumes, status=Status.SUSPENDED.value, due=at(now + 10 * HOUR))
    change_case(city, looked, status=Status.VERIFYING.value)
    with city.engine.begin() as connection:
        values = {"id": "a" * 32, "case_id": looked, "asked": at(now - 300), "until": at(now - 120), "request": "{}"}
        statement = "INSERT INTO case_looks (id, case_id, asked, until, request) VALUES (:id, :case_id, :asked, :until,"
        connection.execute(text(f"{statement} CAST(:request AS jsonb))"), values)
    silence = {"note": "道路施工", "until_utc": now + 600, "types": ["crowding"]}
    assert zhang.post("/api/case-silences", json=silence).status_code == 201
    quiet = {"department": "grid", "note": "演练", "from_utc": now, "until_utc": now + 600}
    assert zhang.post("/api/silences", json=quiet).status_code == 201
    city.publish(not_watched("north-gate", now - 500, None))

    shift = begin(zhang)
    draft = wait_for(zhang, f"/api/shifts/draft?until={now + 16 * HOUR}", lambda found: found["cameras"])
    why = {case["id"]: case["marks"] for case in draft["cases"]}
    assert why == {
        late: ["late"],
        due: ["due"],
        supervised: ["supervised"],
        resumes: ["resumes"],
        looked: ["look"],
    }
    assert draft["by_status"] == {"dispatched": 4, "suspended": 1, "verifying": 1}
    assert [(one["kind"], one["note"]) for one in draft["silences"]] == [("cases", "道路施工"), ("deliveries", "演练")]
    assert [(one["camera"], one["cases"]) for one in draft["cameras"]] == [("north-gate", 6)]
    assert next(case for case in draft["cases"] if case["id"] == looked)["look"] == "silent"

    signed = sign(zhang, shift, note="注意北门", cases=[{"case": calm, "note": "居民来电两次"}])
    assert signed.status_code == 201, signed.text
    handover = signed.json()["handover"]
    assert (handover["open"], handover["late"], handover["answer"]) == (6, 1, None)
    noted = next(case for case in signed.json()["snapshot"]["cases"] if case["id"] == calm)
    assert (noted["marks"], noted["note"]) == (["noted"], "居民来电两次")
    assert on_shift(wang) == "zhang"  # until somebody confirms

    assert say(zhang, handover["id"], "confirmed").status_code == 403
    confirmed = say(wang, handover["id"], "confirmed")
    assert confirmed.status_code == 200, confirmed.text
    assert on_shift(zhang) == "wang"
    kept = wang.get(f"/api/shifts/handovers/{handover['id']}").json()
    assert kept["snapshot"] == signed.json()["snapshot"]
    assert (kept["intact"], kept["handover"]["answered_by"], kept["handover"]["late_s"]) == (True, "wang", 0)
    assert kept["handover"]["shift"]["ended_utc"] == kept["handover"]["answered_utc"]
    with city.engine.begin() as connection:
        told = {line.action: line for line in audit.listed(connection, action="shift.")}
        document = connection.execute(select(case_handovers.c.document)).scalar_one()
        audit.verify(connection)
    assert set(told) == {"shift.begun", "shift.signed", "shift.confirmed"}
    assert told["shift.signed"].what["sha256"] == hashlib.sha256(document.encode()).hexdigest()


def test_refused_withdrawn_and_relieved(city: City, zhang: httpx.Client, wang: httpx.Client) -> None:
    shift = begin(zhang)
    first = sign(zhang, shift).json()["handover"]["id"]
    unsaid = say(wang, first, "refused")
    assert (unsaid.status_code, unsaid.json()["detail"]) == (422, "note: a refusal says why")
    assert say(wang, first, "refused", "案件 3 没有说明").json()["handover"]["answer"] == "refused"
    assert on_shift(wang) == "zhang"
    second = sign(zhang, shift).json()["handover"]["id"]
    assert say(wang, second, "withdrawn").status_code == 403
    assert sign(zhang, shift).status_code == 409  # one waits
    relief = {"until_utc": time.time() + HOUR, "note": "x"}
    assert wang.post(f"/api/shifts/{shift}/relief", json=relief).status_code == 409  # it can be confirmed
    assert say(zhang, second, "withdrawn").status_code == 200
    assert sign(wang, shift).status_code == 403
    assert zhang.post(f"/api/shifts/{shift}/relief", json=relief).status_code == 403

    with city.engine.begin() as connection:  # it should have been over an hour ago
        connection.execute(update(case_shifts).values(planned_end=at(time.time() - HOUR)))
    relieved = wang.post(f"/api/shifts/{shift}/relief", json=relief | {"note": "联系不上 zhang"})
    assert relieved.status_code == 201, relieved.text
    handover = relieved.json()["handover"]
    assert (handover["relief"], handover["signed_by"], handover["answer"]) == (True, "wang", "confirmed")
    assert handover["late_s"] == pytest.approx(HOUR, abs=30)
    assert on_shift(zhang) == "wang"
    listed = wang.get("/api/shifts/handovers", params={"limit": 2}).json()
    assert [one["answer"] for one in listed["handovers"]] == ["confirmed", "withdrawn"]
    rest = wang.get("/api/shifts/handovers", params={"before": listed["next_before"]}).json()
    assert [(one["answer"], one["answer_note"]) for one in rest["handovers"]] == [("refused", "案件 3 没有说明")]


def test_what_is_wrong_is_told_with_its_field(zhang: httpx.Client, wang: httpx.Client) -> None:
    past = zhang.post("/api/shifts", json={"until_utc": time.time() - 1})
    assert (past.status_code, past.json()["detail"]) == (422, "until_utc: a shift ends after now")
    shift = begin(zhang)
    again = wang.post("/api/shifts", json={"until_utc": time.time() + HOUR})
    assert again.status_code == 409
    assert "zhang is on shift since" in again.json()["detail"]
    strange = sign(zhang, shift, cases=[{"case": 999, "note": "x"}])
    assert (strange.status_code, strange.json()["detail"]) == (422, "notes: case 999 is not open")
    assert sign(zhang, shift + 1).status_code == 409
    assert say(wang, 999, "confirmed").status_code == 404
    assert wang.get("/api/shifts/handovers/999").status_code == 404


def test_an_auditor_reads_and_does_nothing(city: City, zhang: httpx.Client) -> None:
    handover = sign(zhang, begin(zhang)).json()["handover"]["id"]
    with somebody(city, "sun", Role.AUDITOR) as auditor:
        assert auditor.get("/api/shifts/current").json()["waiting"]["id"] == handover
        assert auditor.get(f"/api/shifts/handovers/{handover}").json()["intact"] is True
        assert auditor.get("/api/shifts/draft", params={"until": 4e9}).status_code == 403
        assert say(auditor, handover, "confirmed").status_code == 403


def test_of_many_who_confirm_at_once_one_wins(city: City, zhang: httpx.Client) -> None:
    handover = sign(zhang, begin(zhang)).json()["handover"]["id"]
    many = [somebody(city, f"d{n}") for n in range(6)]
    with ThreadPoolExecutor(len(many)) as pool:
        answers = list(pool.map(lambda one: say(one, handover, "confirmed"), many))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    winner = next(f"d{n}" for n, answer in enumerate(answers) if answer.status_code == 200)
    lost = {answer.json()["detail"] for answer in answers if answer.status_code == 409}
    assert lost == {f"handover {handover} was confirmed by {winner}"}
    assert on_shift(zhang) == winner
    for one in many:
        one.close()


def test_of_many_who_begin_at_once_one_does(city: City) -> None:
    many = [somebody(city, f"d{n}") for n in range(6)]
    body = {"until_utc": time.time() + HOUR}
    with ThreadPoolExecutor(len(many)) as pool:
        codes = sorted(pool.map(lambda one: one.post("/api/shifts", json=body).status_code, many))
    assert codes == [201, *[409] * 5]
    for one in many:
        one.close()


def test_what_was_handed_over_stays(city: City, zhang: httpx.Client, wang: httpx.Client) -> None:
    handover = sign(zhang, begin(zhang)).json()["handover"]["id"]
    assert say(wang, handover, "confirmed").status_code == 200
    for table in (case_handovers, case_handover_answers):
        note = update(table).values(note="nothing happened")
        for statement in (note, delete(table), text(f"TRUNCATE {table.name} CASCADE")):
            with pytest.raises(DBAPIError, match="cannot be changed"), city.engine.begin() as connection:
                connection.execute(statement)
    with city.engine.begin() as connection:  # somebody with the database's own power
        connection.execute(text("ALTER TABLE case_handovers DISABLE TRIGGER ALL"))
        forged = case_handovers.c.document.regexp_replace('"late":0', '"late":7')
        digest = case_handovers.c.sha256
        connection.execute(update(case_handovers).values(document=forged))
        assert connection.execute(select(digest)).scalar_one()
    assert wang.get(f"/api/shifts/handovers/{handover}").json()["intact"] is False


def drawn(engine: Engine, desk: str, now: float) -> Snapshot:
    with engine.begin() as connection:
        return service.draft(connection, desk, Sight(), now + HOUR, now, lambda case: case.address)[0]


@pytest.mark.parametrize("seed", forms([0], [1, 2]))
def test_at_a_random_walk_every_moment_has_exactly_one_who_is_responsible(engine: Engine, seed: int) -> None:
    dice, now = random.Random(seed), 1_795_000_000.0
    desks, who = ("city", "traffic"), ("zhang", "wang", "li")
    for _ in range(400):
        now += dice.uniform(0, 4 * HOUR)
        desk, name, note = dice.choice(desks), dice.choice(who), dice.choice(["", "说明"])
        snapshot = drawn(engine, desk, now)
        try:
            with engine.begin() as connection:
                match dice.choice(["begin", "sign", "sign", "answer", "answer", "relieve"]):
                    case "begin":
                        service.begin(connection, desk, name, now + HOUR, now)
                    case "sign":
                        service.sign(connection, snapshot.shift or 0, snapshot, name, note, now + HOUR, now, len)
                    case "relieve":
                        service.relieve(connection, snapshot.shift or 0, snapshot, name, note, now + HOUR, now, len)
                    case _:
                        offered = store.waiting(connection, snapshot.shift or 0, now)
                        number = offered.id if offered else 1
                        service.answer(connection, desk, number, dice.choice(list(Answer)), name, note, now)
        except CityVisionError:
            continue
    with engine.begin() as connection:
        for desk in desks:
            query = select(case_shifts).where(case_shifts.c.desk == desk).order_by(case_shifts.c.id)
            rows = connection.execute(query).all()
            assert len(rows) > 3
            assert [row.ended for row in rows] == [*(row.opened for row in rows[1:]), None]
            assert all(one.who != other.who for one, other in pairwise(rows))
