"""Pictures of cases go when the days since its closing are over, not before, never under a hold, with a proof."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from cases import pictures
from cases.tables import case_lines, case_looks, cases
from cases.types import Action, Duty, Facts, Line, Status
from cityvision.retention import Swept, due
from contracts.records import EvidenceRef
from governance import custody, deletions, holds
from governance.proofs import check
from governance.retention import Policy
from store.database import at
from store.migrate import downgrade, upgrade
from store.objects import DiskObjects, derived_key, is_there
from tests.contract.retention_scene import CASE_RULES, DAY, RULES, in_case, keep, over, photo, policy_in, set_status
from tests.contract.test_retention import ADMIN, killed, sweep, verified
from tests.effort import forms

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return policy_in(tmp_path, RULES + CASE_RULES)


def case_of(engine: Engine, objects: DiskObjects, subject: str, status: str, days: float) -> int:
    """A case that was last touched so many days ago, of an event whose own evidence is young."""
    ref = keep(objects, f"evidence {subject}".encode(), time.time())
    return in_case(engine, over(engine, ref, 1, subject), status, days)


def closed_before(engine: Engine, number: int, days: float) -> None:
    with engine.begin() as connection:
        closing = at(time.time() - days * DAY)
        connection.execute(update(cases).where(cases.c.id == number).values(closed=closing))


def seen_again(engine: Engine, number: int, ref: EvidenceRef) -> None:
    with engine.begin() as connection:
        pictures.seen(connection, number, [ref])
        custody.captured_of_case(connection, number, [ref], "north-gate", "litter")


def swept(engine: Engine, objects: DiskObjects, policy: Policy) -> Swept:
    done = sweep(engine, objects, policy)
    verified(engine)
    return done


def test_days_count_from_the_closing_and_open_cases_keep_all(
    engine: Engine, objects: DiskObjects, policy: Policy
) -> None:
    found = {
        name: case_of(engine, objects, str(number), status, days)
        for number, (name, status, days) in enumerate(
            (
                ("open", "handling", 300),
                ("closed 49", "closed", 49),
                ("closed 51", "closed", 51),
                ("rated", "rated", 1),
                ("void", "void", 8),
                ("photo later", "closed", 51),
            )
        )
    }
    closed_before(engine, found["rated"], 51)  # the rating came later: it is the closing that counts
    closed_before(engine, found["open"], 100)  # it was closed once, and goes on
    keys = {
        name: photo(engine, objects, case, name.encode(), 40 if name == "photo later" else 300)
        for name, case in found.items()
    }
    sha256 = pictures.digest_of(keys["closed 51"])
    objects.put(derived_key(sha256, "masked1-all.jpg"), b"a masked copy", "image/jpeg")
    done = swept(engine, objects, policy)
    gone = {"closed 51", "rated", "void"}
    assert {name for name, key in keys.items() if not is_there(objects, key)} == gone
    assert (done.deleted, done.bytes) == (3, sum(map(len, gone)))
    assert list(objects.keys("derived")) == []
    with engine.connect() as connection:
        proof = check(deletions.proofs_of(connection, keys.values())[keys["closed 51"]])
        lines = custody.of_case(connection, found["closed 51"])
        (picture,) = pictures.of_case(connection, found["closed 51"])
        (void,) = deletions.proofs_of(connection, [keys["void"]]).values()
    assert (proof.cases, proof.events, proof.sha256, proof.size) == ((found["closed 51"],), (), sha256, 9)
    assert proof.rule == "case_pictures: pictures of a case, case any: 50 days"
    assert check(void).rule == "struck_out_pictures: pictures of a case, case void: 7 days"
    assert picture.deleted_utc == pytest.approx(proof.deleted_utc, abs=1e-5)
    assert [(line.act, line.who, line.why) for line in lines] == [
        ("captured", "operator", ""),
        ("deleted", "retention", proof.rule),
    ]
    assert swept(engine, objects, policy).deleted == 0


def test_a_hold_on_the_case_or_on_its_event_keeps_its_pictures(
    engine: Engine, objects: DiskObjects, policy: Policy
) -> None:
    event = over(engine, keep(objects, b"evidence 1", time.time()), 1, "1")
    first = in_case(engine, event, "closed", 60)
    second = case_of(engine, objects, "2", "closed", 60)
    keys = {photo(engine, objects, case, data, 60) for case, data in ((first, b"first"), (second, b"second"))}
    with engine.begin() as connection:
        placed = [
            holds.place(connection, ADMIN, "a court asked", [], event_id=event.id),
            holds.place(connection, ADMIN, "a court asked", [], case_id=second),
        ]
    assert swept(engine, objects, policy).deleted == 0
    with engine.connect() as connection:
        assert {one.key for one in due(connection, policy, time.time(), held=True)[0]} == keys
    with engine.begin() as connection:
        for hold in placed:
            holds.release(connection, ADMIN, hold, "the court is done", [])
    assert swept(engine, objects, policy).deleted == 2


def test_what_is_evidence_and_a_picture_of_a_case_goes_when_nothing_needs_it(
    engine: Engine, objects: DiskObjects, policy: Policy
) -> None:
    now = time.time()
    both, needed = keep(objects, b"both", now - 300 * DAY), keep(objects, b"needed", now - 300 * DAY)
    event = over(engine, both, 40, "1")  # 30 days, and of no case itself
    case = case_of(engine, objects, "2", "closed", 10)
    seen_again(engine, case, both)
    over(engine, needed, 1, "3")
    ended = case_of(engine, objects, "4", "closed", 300)
    seen_again(engine, ended, needed)
    assert swept(engine, objects, policy).deleted == 0, "one is kept by its case, the other by its event"
    closed_before(engine, case, 60)
    assert swept(engine, objects, policy).deleted == 1
    assert (is_there(objects, both.key), is_there(objects, needed.key)) == (False, True)
    with engine.connect() as connection:
        (signed,) = deletions.proofs_of(connection, [both.key]).values()
        of_event = [line.act for line in custody.of_event(connection, event.id)]
        of_case = [line.act for line in custody.of_case(connection, case)]
    assert (check(signed).events, check(signed).cases) == ((event.id,), (case,))
    assert of_event == of_case == ["captured", "deleted"]


@pytest.mark.parametrize("where", forms(["behind"], ["before"]))
def test_a_sweep_of_them_that_is_killed_is_ended_by_the_next(
    where: str, engine: Engine, objects: DiskObjects, policy: Policy, tmp_path: Path, database_url: str
) -> None:
    key = photo(engine, objects, case_of(engine, objects, "1", "closed", 60), b"first", 60)
    killed(where, tmp_path, database_url, RULES + CASE_RULES)
    assert (is_there(objects, key), verified(engine)) == (where == "before", 0)
    done = sweep(engine, objects, policy)
    assert (done.deleted, done.kept, is_there(objects, key), verified(engine)) == (1, 0, False, 1)


def test_a_policy_that_says_nothing_of_them_keeps_them(engine: Engine, objects: DiskObjects, tmp_path: Path) -> None:
    case = case_of(engine, objects, "1", "closed", 900)
    key = photo(engine, objects, case, b"first", 900)
    shown = keep(objects, b"shown", time.time() - 300 * DAY)
    over(engine, shown, 40, "2")
    seen_again(engine, case, shown)
    assert swept(engine, objects, policy_in(tmp_path)).deleted == 1
    assert (is_there(objects, key), is_there(objects, shown.key)) == (True, False)


def test_a_photo_that_comes_again_is_there_again(engine: Engine, objects: DiskObjects, policy: Policy) -> None:
    case = case_of(engine, objects, "1", "closed", 60)
    photo(engine, objects, case, b"first", 60)
    assert swept(engine, objects, policy).deleted == 1
    set_status(engine, case, "handling")
    key = photo(engine, objects, case, b"first", 0)
    with engine.connect() as connection:
        assert [one.deleted_utc for one in pictures.of_case(connection, case)] == [None]
    assert (swept(engine, objects, policy).deleted, is_there(objects, key)) == (0, True)


def test_what_was_there_before_is_taken_over(engine: Engine, objects: DiskObjects) -> None:
    case = case_of(engine, objects, "1", "closed", 60)
    photo(engine, objects, case, b"only sent", 60)
    seen = keep(objects, b"seen", time.time() - 60 * DAY, "latest")
    before, now = keep(objects, b"before", time.time()), keep(objects, b"now", time.time(), "latest")
    look = {"evidence": [now.model_dump(mode="json")], "type": "litter", "camera": "north-gate"}
    facts = Facts(pictures=(seen.key, now.key), before=before.key)
    line = Line(
        utc=time.time() - 60 * DAY,
        who="system",
        duty=Duty.SYSTEM,
        action=Action.CLOSE,
        before=Status.VERIFYING,
        after=Status.CLOSED,
        facts=facts,
    )
    with engine.begin() as connection:
        asked = {"id": "1", "case_id": case, "asked": at(1), "until": at(2), "request": {}, "result": look}
        connection.execute(insert(case_looks).values(asked))
        body = line.model_dump(mode="json")
        connection.execute(insert(case_lines).values(case_id=case, revision=0, at=at(line.utc), body=body))
        pictures.seen(connection, case, [now])
        pictures.named(connection, case, facts, line.utc)
        known = pictures.of_case(connection, case)
    downgrade(engine, "0028-1")
    upgrade(engine)
    with engine.begin() as connection:
        found = pictures.of_case(connection, case)
    told = {(one.key, one.role, one.sha256, one.media_type, round(one.utc, 3)) for one in found}
    assert told == {(one.key, one.role, one.sha256, one.media_type, round(one.utc, 3)) for one in known}
    assert {one.role for one in found} == {"photo", "before", "latest"}
