"""A package of real evidence: out through the door, checked with nothing but the file."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance import package
from governance.package import PackageFault
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import CLEAR
from tests.contract.test_api_doors import log_in, wait_for
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event, opened

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        yield one


def test_a_package_leaves_with_all_there_is_and_holds_anywhere(city: City, tmp_path: Path) -> None:
    now = time.time()
    entry, decision = (city.keep(data, role, "jpg", now) for data, role in ((b"first", "entry"), (b"2nd", "decision")))
    waiting = city.keep(b"still at the worker", "clip", "mp4", now, stored=False)
    event = make_event(now - 60, evidence=(entry, decision, waiting))
    city.publish(opened(event))
    with city.client() as client:
        log_in(client, city)
        wait_for(client, f"/api/events/{event.id}", lambda _: True)
        assert client.get(f"/api/events/{event.id}/evidence/{entry.sha256}{CLEAR}").content == b"first"
        refused = client.post(f"/api/events/{event.id}/package", json={"purpose": ""})
        assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "purpose")
        answer = client.post(f"/api/events/{event.id}/package", json={"purpose": "复议 2026-17"})
        assert answer.status_code == 200
        lines = client.get("/api/audit", params={"action": "evidence."}).json()["lines"]
    path = tmp_path / "package.zip"
    path.write_bytes(answer.content)
    manifest = package.check(path)
    assert (manifest.event, manifest.exported_by, manifest.purpose) == (event.id, "admin", "复议 2026-17")
    with zipfile.ZipFile(path) as packed:
        assert {packed.read(name) for name in packed.namelist() if name.startswith("evidence/")} == {b"first", b"2nd"}
        custody, audited = (json.loads(packed.read(name)) for name in ("custody.json", "audit.json"))
        assert json.loads(packed.read("event.json"))["id"] == event.id
        signed = hashlib.sha256(packed.read("manifest.json")).hexdigest()
    assert lines[0]["what"]["manifest"] == signed
    assert [(one.sha256, one.role) for one in manifest.absent] == [(waiting.sha256, "clip")]
    assert [line["action"] for line in audited] == ["event.read", "evidence.read"]
    assert [(line["act"], line["role"]) for line in custody] == [
        ("captured", "entry"),
        ("captured", "decision"),
        ("captured", "clip"),
        ("viewed", "entry"),
    ]
    assert [line["action"] for line in lines] == ["evidence.exported", "evidence.read"]
    stored = next(city.folder.rglob(f"*{entry.sha256}*"))
    stored.chmod(0o644)
    stored.write_bytes(b"forged")
    with city.client() as client:
        client.post("/api/login", json={"name": "admin", "password": console_city.PASSWORD})
        forged = client.post(f"/api/events/{event.id}/package", json={"purpose": "复议 2026-17"})
    assert (forged.status_code, forged.json()["code"]) == (500, "package_fault")
    assert "not what was captured" in forged.json()["detail"]
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("evidence/planted.jpg", b"planted")
    with pytest.raises(PackageFault, match=r"evidence/planted\.jpg was added"):
        package.check(path)
