"""What people see of retention: holds, a deleted picture told as such, the package with its proof, the command."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from cases import pictures
from cases.tables import cases
from cityvision.cli import cli
from governance import package
from governance.roles import Role
from store.bus import Bus
from store.database import at
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import World, grant_all
from tests.contract.evidence_scene import consumed, picture
from tests.contract.retention_scene import CASE_RULES, DAY, RULES, SECRET, photo
from tests.e2e.console_city import City, make_event

PICTURE = picture("old")

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    policy = tmp_path / "retention.yaml"
    policy.write_text(RULES + CASE_RULES)
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey.url,
        "DATA": str(tmp_path),
        "SEAL_KEY": SECRET,
        "RETENTION": str(policy),
    }.items():
        monkeypatch.setenv(f"CITYVISION_{name}", value)
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["evidence", "retention", *arguments])


def old_event(city: City) -> tuple[str, str]:
    """An event of our department that ended 40 days ago, of no case; and the SHA-256 of its picture."""
    then = time.time() - 40 * DAY
    kept = city.keep(PICTURE, "decision", "jpg", then)
    event = make_event(then - 34, kind="wrong_way", evidence=(kept,), closed=True)
    consumed(city, event)
    return event.id, kept.sha256


def test_what_was_deleted_by_policy_is_told_with_its_proof(world: World, tmp_path: Path) -> None:
    admin = world.clients[Role.ADMIN]
    event, sha256 = old_event(world.city)
    address, shown_at = f"/api/events/{event}", f"/api/events/{event}/evidence/{sha256}"
    tried = run("--dry-run")
    assert f"unconfirmed     {time.strftime('%Y-%m-%d', time.gmtime(time.time() - 40 * DAY))}" in tried.output
    assert f"1 objects of {len(PICTURE)} bytes would go: unconfirmed 1; a hold keeps 0" in tried.output
    assert admin.get(shown_at).status_code == 200

    done = run("--json")
    assert json.loads(done.output) == {"deleted": 1, "bytes": len(PICTURE), "absent": [], "kept": 0}
    gone = admin.get(shown_at)
    assert (gone.status_code, gone.json()["code"]) == (410, "evidence_deleted")
    assert "(unconfirmed: any event, case any: 30 days)" in gone.json()["detail"]
    assert admin.get(f"{shown_at}/proxy").status_code == 410
    assert world.clients[Role.AUDITOR].get(shown_at).status_code == 403
    (evidence,) = admin.get(address).json()["evidence"]
    assert evidence["deleted_utc"] == pytest.approx(time.time(), abs=60)
    assert admin.get(address).json()["picture"] is None
    shown = {one["id"]: one["picture"] for one in admin.get("/api/events").json()["events"]}
    assert shown[event] is None

    path = tmp_path / "package.zip"
    path.write_bytes(admin.post(f"{address}/package", json={"purpose": "tests"}).content)
    manifest = package.check(path)
    assert [(one.sha256, one.why) for one in manifest.absent] == [(sha256, gone.json()["detail"])]
    assert package.DELETIONS in [file.name for file in manifest.files]
    assert admin.post("/api/audit/verification").json()["holds"]
    assert run("--dry-run", "--json").output.count("key") == 0


def test_a_picture_of_a_case_that_was_deleted_is_told_with_its_rule(world: World, tmp_path: Path) -> None:
    admin, city, case = world.clients[Role.ADMIN], world.city, int(world.ids["case"])
    key = photo(city.engine, city.objects, case, picture("from the place"), 60)
    sha256 = pictures.digest_of(key)
    shown_at = f"/api/cases/{case}/pictures/{sha256}"
    with city.engine.begin() as connection:
        ended = {"status": "closed", "closed": at(time.time() - 60 * DAY)}
        connection.execute(update(cases).where(cases.c.id == case).values(ended))
    assert admin.get(shown_at).status_code == 200
    tried = json.loads(run("--dry-run", "--json").output)
    assert [(one["class"], one["events"], one["cases"]) for one in tried["going"]] == [("case_pictures", [], [case])]
    assert f"  case {case}" in run("--dry-run").output
    hold = admin.post(f"/api/cases/{case}/holds", json={"reason": "a court asked"}).json()
    assert json.loads(run("--json").output)["deleted"] == 0
    admin.post(f"/api/cases/{case}/holds/{hold['id']}/release", json={"reason": "it is done"})
    assert json.loads(run("--json").output)["deleted"] == 1

    gone = admin.get(shown_at)
    assert (gone.status_code, gone.json()["code"]) == (410, "evidence_deleted")
    assert "(case_pictures: pictures of a case, case any: 50 days)" in gone.json()["detail"]
    (shown,) = admin.get(f"/api/cases/{case}").json()["pictures"]
    assert (shown["sha256"], shown["deleted_utc"]) == (sha256, pytest.approx(time.time(), abs=60))
    acts = [line["act"] for line in admin.get(f"/api/cases/{case}/custody").json()["lines"]]
    assert acts == ["deleted", "released", "held", "viewed", "captured"]
    path = tmp_path / "package.zip"
    path.write_bytes(admin.post(f"/api/events/{world.ids['event_id']}/package", json={"purpose": "tests"}).content)
    manifest = package.check(path)
    assert (sha256, gone.json()["detail"]) in [(one.sha256, one.why) for one in manifest.absent]
    assert package.DELETIONS in [file.name for file in manifest.files]
    assert admin.post("/api/audit/verification").json()["holds"]


def test_a_hold_is_set_and_released_by_those_who_may(world: World) -> None:
    investigator, operator = world.clients[Role.INVESTIGATOR], world.clients[Role.OPERATOR]
    event, _ = old_event(world.city)
    address = f"/api/events/{event}/holds"
    assert operator.post(address, json={"reason": "a court asked"}).status_code == 403
    assert investigator.post(address, json={"reason": ""}).json()["faults"][0]["field"] == "reason"
    made = investigator.post(address, json={"reason": "a court asked"})
    assert (made.status_code, made.json()["set_by"], made.json()["may_release"]) == (201, "one-investigator", True)
    assert "0 objects of 0 bytes would go; a hold keeps 1" in run("--dry-run").output
    assert operator.get(address).json()[0]["may_release"] is False
    number = made.json()["id"]
    released = investigator.post(f"{address}/{number}/release", json={"reason": "it is done"})
    assert (released.status_code, released.json()["released_by"]) == (200, "one-investigator")
    again = investigator.post(f"{address}/{number}/release", json={"reason": "it is done"})
    assert again.status_code == 404
    lines = investigator.get(f"/api/events/{event}/custody").json()["lines"]
    assert [(line["act"], line["why"]) for line in lines[:2]] == [("released", "it is done"), ("held", "a court asked")]

    # Of another department's event: what may be seen may be held, but not released against whoever set it.
    grant_all(world)
    theirs = f"/api/events/{world.ids['event_id']}/holds"
    set_by_them = world.clients[Role.ADMIN].post(theirs, json={"reason": "their own case"}).json()["id"]
    refused = investigator.post(f"{theirs}/{set_by_them}/release", json={"reason": "not ours"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    case = f"/api/cases/{world.ids['case']}/holds"
    held = world.clients[Role.DISPATCHER].post(case, json={"reason": "the whole case"})
    assert held.status_code == 201
    assert [one["case_id"] for one in investigator.get(theirs).json()] == [int(world.ids["case"]), None]
    assert investigator.get(case).status_code == 404
    ended = world.clients[Role.DISPATCHER].post(f"{case}/{held.json()['id']}/release", json={"reason": "closed"})
    assert ended.json()["released_by"] == "one-dispatcher"


def test_without_a_policy_nothing_is_deleted(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old_event(world.city)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("rules: [{class: a, days: 0}]")
    refused = run("--dry-run", "--policy", str(wrong))
    assert (refused.exit_code, "rules[a].days" in refused.output) == (2, True)
    assert "only with --dry-run" in run("--policy", str(wrong)).output
    monkeypatch.delenv("CITYVISION_RETENTION")
    for arguments in (["--dry-run"], []):
        kept = run(*arguments)
        assert (kept.exit_code, "no policy of retention is set: everything is kept" in kept.output) == (2, True)
