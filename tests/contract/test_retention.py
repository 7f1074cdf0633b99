"""Evidence goes when its days are over, not before, never under a hold, and leaves a proof, whatever is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from cases import pictures
from cases.types import Facts
from cityvision.retention import Sweeper, Swept, due
from contracts.errors import StoreError
from contracts.records import EvidenceRef
from events import queries
from events.review import Kind
from governance import audit, custody, deletions, holds
from governance.access import Viewer
from governance.proofs import ProofFault, SignedProof, check
from governance.retention import Policy
from governance.roles import Role
from store.objects import DiskObjects, derived_key, is_there
from tests.contract.retention_scene import (
    DAY,
    RULES,
    SIGNER,
    in_case,
    judged,
    keep,
    over,
    policy_in,
    set_status,
)
from tests.effort import forms

pytest_plugins = ["tests.embedded"]

ADMIN = Viewer("admin", Role.ADMIN)


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return policy_in(tmp_path)


def sweep(engine: Engine, objects: DiskObjects, policy: Policy) -> Swept:
    return Sweeper(engine, objects, SIGNER, policy, lambda: False).sweep(time.time())


def there(objects: DiskObjects, ref: EvidenceRef) -> bool:
    return is_there(objects, ref.key)


def verified(engine: Engine) -> int:
    with engine.connect() as connection:
        audit.verify(connection)
        custody.verify(connection)
        return deletions.verify(connection)


def test_each_class_goes_after_its_own_days(engine: Engine, objects: DiskObjects, policy: Policy) -> None:
    now = time.time()
    refs = {
        name: keep(objects, name.encode(), now - 300 * DAY)
        for name in ("old", "young", "open", "crowd", "void", "closed 99", "closed 101", "case goes on", "shared")
    }
    old = over(engine, refs["old"], 31, "1")
    over(engine, refs["young"], 29, "2")
    over(engine, refs["open"], 200, "3", closed=False)
    over(engine, refs["crowd"], 200, "4", kind="crowding")
    in_case(engine, over(engine, refs["void"], 200, "5"), "void", 8)
    in_case(engine, over(engine, refs["closed 99"], 200, "6"), "closed", 99)
    in_case(engine, over(engine, refs["closed 101"], 200, "7"), "rated", 101)
    in_case(engine, over(engine, refs["case goes on"], 200, "8"), "handling", 200)
    over(engine, refs["shared"], 200, "9")
    over(engine, refs["shared"], 1, "10")  # the same bytes, evidence of a younger event
    objects.put(derived_key(refs["old"].sha256, "h264.mp4"), b"a copy", "video/mp4")

    done = sweep(engine, objects, policy)
    assert {name for name, ref in refs.items() if not there(objects, ref)} == {"old", "void", "closed 101"}
    assert (done.deleted, done.bytes, done.absent, done.kept) == (3, 3 + 4 + 10, [], 0)
    assert list(objects.keys("derived")) == []
    with engine.connect() as connection:
        signed = deletions.proofs_of(connection, [refs["old"].key])[refs["old"].key]
        found = queries.get_event(connection, old.id)
        lines = custody.of_event(connection, old.id)
    proof = check(signed)
    assert (proof.sha256, proof.size, proof.events) == (refs["old"].sha256, 3, (old.id,))
    assert (proof.rule, proof.policy_sha256) == ("unconfirmed: any event, case any: 30 days", policy.sha256)
    assert proof.public_key == SIGNER.public
    assert found is not None
    assert found.evidence[0].deleted_utc == pytest.approx(proof.deleted_utc, abs=1e-5)
    assert [(line.act, line.who, line.why) for line in lines] == [
        ("captured", "north-gate", "litter"),
        ("deleted", "retention", proof.rule),
    ]
    assert verified(engine) == 3
    assert sweep(engine, objects, policy).deleted == 0


def test_what_people_said_of_an_event_decides_how_long(engine: Engine, objects: DiskObjects, tmp_path: Path) -> None:
    """Labels stay for good, false alarms go soon; the newest verdict counts, and days begin at it."""
    rules = """
rules:
  - {class: labels, verdict: [real], days: forever}
  - {class: struck_out, verdict: [false_alarm], days: 7}
  - {class: unjudged, verdict: [none], events: [litter], days: 90}
  - {class: rest, days: 30}
"""
    now = time.time()
    names = ("real", "false", "false but young", "thought again", "unjudged", "unjudged long")
    refs = {name: keep(objects, name.encode(), now - 300 * DAY) for name in names}
    found = {
        name: over(engine, refs[name], 100 if name == "unjudged long" else 60, str(number))
        for number, name in enumerate(names)
    }
    judged(engine, found["real"], Kind.REAL, 59)
    judged(engine, found["false"], Kind.FALSE_ALARM, 8)
    judged(engine, found["false but young"], Kind.FALSE_ALARM, 6)
    judged(engine, found["thought again"], Kind.FALSE_ALARM, 50)
    judged(engine, found["thought again"], Kind.REAL, 40)
    sweep(engine, objects, policy_in(tmp_path, rules))
    assert {name for name, ref in refs.items() if not there(objects, ref)} == {"false", "unjudged long"}
    verified(engine)


def test_what_a_hold_keeps_stays(engine: Engine, objects: DiskObjects, policy: Policy) -> None:
    one, two = (keep(objects, data, time.time() - 300 * DAY) for data in (b"of an event", b"of a case"))
    event, other = over(engine, one, 31, "1"), over(engine, two, 200, "2")
    case = in_case(engine, other, "closed", 200)
    with engine.begin() as connection:
        placed = [
            holds.place(connection, ADMIN, "a court asked", [], event_id=event.id),
            holds.place(connection, ADMIN, "a court asked", [], case_id=case),
        ]
    assert sweep(engine, objects, policy).deleted == 0
    with engine.connect() as connection:
        kept, _ = due(connection, policy, time.time(), held=True)
    assert {found.key for found in kept} == {one.key, two.key}
    with engine.begin() as connection:
        for hold in placed:
            assert holds.release(connection, ADMIN, hold, "the court is done", []) is not None
            assert holds.release(connection, ADMIN, hold, "again", []) is None
    assert sweep(engine, objects, policy).deleted == 2


def killed(where: str, tmp_path: Path, database_url: str, rules: str = RULES) -> None:
    command = [sys.executable, "-m", "tests.contract.sweep_killed", where, str(tmp_path), database_url, rules]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL


@pytest.mark.parametrize("where", forms(["before"], ["behind"]))
def test_a_sweep_that_is_killed_is_ended_by_the_next(
    where: str, engine: Engine, objects: DiskObjects, policy: Policy, tmp_path: Path, database_url: str
) -> None:
    first, second = (keep(objects, data, time.time() - 300 * DAY) for data in (b"first", b"second"))
    over(engine, first, 40, "1")
    over(engine, second, 31, "2")
    killed(where, tmp_path, database_url)
    assert there(objects, first) is (where == "before")
    assert verified(engine) == 0
    done = sweep(engine, objects, policy)
    assert (done.deleted, done.kept) == (2, 0)
    assert (there(objects, first), there(objects, second)) == (False, False)
    assert verified(engine) == 2


@pytest.mark.parametrize("where", forms(["behind"], ["before"]))
def test_a_hold_after_the_kill_keeps_what_is_still_there(
    where: str, engine: Engine, objects: DiskObjects, policy: Policy, tmp_path: Path, database_url: str
) -> None:
    ref = keep(objects, b"first", time.time() - 300 * DAY)
    event = over(engine, ref, 40, "1")
    killed(where, tmp_path, database_url)
    with engine.begin() as connection:
        holds.place(connection, ADMIN, "a court asked", [], event_id=event.id)
    done = sweep(engine, objects, policy)
    if where == "before":
        assert (done.deleted, done.kept, there(objects, ref)) == (0, 1, True)
    else:  # the bytes were gone before the hold came: that has to be told
        assert (done.deleted, done.kept, there(objects, ref)) == (1, 0, False)
    assert verified(engine) == done.deleted
    assert sweep(engine, objects, policy).deleted == 0


def test_bytes_that_are_not_there_get_no_proof(engine: Engine, objects: DiskObjects, policy: Policy) -> None:
    ref = keep(objects, b"lost", time.time() - 300 * DAY)
    over(engine, ref, 40, "1")
    objects.delete(ref.key)
    done = sweep(engine, objects, policy)
    assert (done.deleted, done.absent) == (0, [ref.key])
    assert verified(engine) == 0


def test_pictures_that_an_open_case_shows_stay(engine: Engine, objects: DiskObjects, policy: Policy) -> None:
    ref = keep(objects, b"shown", time.time() - 300 * DAY)
    over(engine, ref, 40, "1")
    elsewhere = keep(objects, b"elsewhere", time.time())
    case = in_case(engine, over(engine, elsewhere, 1, "2"), "handling", 1)
    with engine.begin() as connection:
        pictures.named(connection, case, Facts(before=ref.key), time.time())
    assert sweep(engine, objects, policy).deleted == 0
    set_status(engine, case, "closed")
    assert sweep(engine, objects, policy).deleted == 1


def test_a_proof_cannot_be_changed_and_what_is_forced_shows(
    engine: Engine, objects: DiskObjects, policy: Policy
) -> None:
    over(engine, keep(objects, b"first", time.time() - 300 * DAY), 40, "1")
    assert sweep(engine, objects, policy).deleted == 1
    for statement in (
        "UPDATE evidence_deletions SET size = 9",
        "DELETE FROM evidence_deletions",
        "TRUNCATE evidence_deletions",
    ):
        with pytest.raises(ProgrammingError, match="cannot be changed"), engine.begin() as connection:
            connection.execute(text(statement))
    forced = {
        "UPDATE evidence_deletions SET size = 9": "does not fit its row",
        "UPDATE evidence_deletions SET proof = replace(proof, 'unconfirmed', 'confirmed')": "signature does not fit",
        "DELETE FROM evidence_deletions": "was removed",
    }
    for statement, words in forced.items():
        with engine.connect() as connection:
            connection.execute(text("ALTER TABLE evidence_deletions DISABLE TRIGGER USER"))
            connection.execute(text(statement))
            with pytest.raises(StoreError, match=words):
                deletions.verify(connection)
            connection.rollback()


def test_a_proof_that_nobody_signed_is_told() -> None:
    for signed in (SignedProof(proof="{}", signature=""), SignedProof(proof="", signature="?")):
        with pytest.raises(ProofFault, match="cannot be read"):
            check(signed)
