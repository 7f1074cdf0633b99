"""`cityvision evidence export`: a package from the command line, the same as the door makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cityvision.cli import cli
from governance import audit
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import consumed
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def city(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> Iterator[City]:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", valkey.url)
    monkeypatch.setenv("CITYVISION_DATA", str(tmp_path))
    monkeypatch.setenv("CITYVISION_SEAL_KEY", "a key for this test alone")
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        yield one


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["evidence", *arguments])


def export(event: str, out: Path, by: str = "wang", purpose: str = "复议 2026-17") -> Result:
    return run("export", event, "--out", str(out), "--by", by, "--purpose", purpose)


def actions(city: City) -> list[str]:
    with city.engine.connect() as connection:
        return [line.action for line in audit.listed(connection, action="evidence.")]


def test_a_package_by_command_holds_and_is_in_the_audit_chain(city: City, tmp_path: Path) -> None:
    now = time.time()
    clip = city.keep(b"clip" * 3_000_000, "clip", "mp4", now)  # more than is read at once
    event = make_event(now - 60, evidence=(city.keep(b"first", "entry", "jpg", now), clip))
    consumed(city, event)
    out = tmp_path / "evidence.zip"
    done = export(event.id, out)
    assert done.exit_code == 0, done.output
    checked = run("verify", str(out), "--key", run("key").output.strip())
    assert (checked.exit_code, "exported" in checked.output, "by wang for: 复议 2026-17" in checked.output) == (
        0,
        True,
        True,
    )
    with city.engine.connect() as connection:
        line = audit.listed(connection, action="evidence.exported")[0]
    assert (line.who, line.what["event"], line.what["purpose"]) == ("wang", event.id, "复议 2026-17")
    assert str(line.what["manifest"]) in done.output
    assert str(line.what["via"]).startswith("command line of ")
    again = export(event.id, out)
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert actions(city) == ["evidence.exported"]


def test_what_cannot_be_taken_out_is_told_and_leaves_nothing(city: City, tmp_path: Path) -> None:
    now = time.time()
    bare = make_event(now - 60)
    entry = city.keep(b"first", "entry", "jpg", now)
    lost = make_event(now - 50, subject="track:18", evidence=(entry,))
    consumed(city, bare, lost)
    out = tmp_path / "evidence.zip"
    told = {
        "is no id of an event": export("5f0c", out),
        "event " + "0" * 32 + " has no evidence": export("0" * 32, out),
        f"event {bare.id} has no evidence": export(bare.id, out),
        "--purpose: 1 characters; write 4 to 500": export(lost.id, out, purpose=" x "),
        "--by: 0 characters": export(lost.id, out, by=" "),
        "cannot be written": export(lost.id, tmp_path / "nowhere" / "evidence.zip"),
    }
    for words, result in told.items():
        assert (result.exit_code, words in result.output) == (2, True), result.output
    city.objects.delete(entry.key)
    gone = export(lost.id, out)
    assert (gone.exit_code, f"no object {entry.key}" in gone.output) == (2, True)
    assert not [path for path in tmp_path.iterdir() if "evidence.zip" in path.name]
    assert actions(city) == []


def test_nothing_is_signed_in_the_name_of_a_folder_without_a_key(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYVISION_SEAL_KEY")
    refused = export("0" * 32, tmp_path / "evidence.zip")
    assert (refused.exit_code, "the installation's key cannot be read" in refused.output) == (2, True)
    assert not (tmp_path / "seal.key").exists()
