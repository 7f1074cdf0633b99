"""`cityvision subscriptions`, on a database with some history."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from cityvision.cli import cli
from store.valkey import EmbeddedValkey
from tests.contract.subscription_scene import happen, subscribed
from tests.contract.test_events_store import event

pytest_plugins = ["tests.embedded"]


def test_the_command(
    engine: Engine, database_url: str, valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", valkey.url)
    number = str(subscribed(engine, channel={"kind": "stream"}))
    happen(engine, event(1), event(3))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["subscriptions", "--data", str(tmp_path), *arguments])

    (found,) = json.loads(run("list", "--json").output)
    assert (found["waiting"], found["channel"]["kind"]) == (2, "stream")
    assert "well" in run("list").output
    assert [one["number"] for one in json.loads(run("log", number, "--state", "pending", "--json").output)] == [2, 1]
    assert "pending" in run("log", number).output
    assert run("redrive", number).output == "0 deliveries wait again\n"
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d")
    assert run("replay", number, "--since", "2020-01-01", "--until", tomorrow).output == "2 deliveries wait\n"
    tested = run("test", number)
    assert (tested.exit_code, tested.output[:14]) == (0, "test_delivered")
    away = str(subscribed(engine, channel={"kind": "webhook", "url": "http://127.0.0.1:9/"}))
    refused = run("test", away)
    assert refused.exit_code == 1
    assert "cannot be opened" in refused.output  # sealed with the key of another folder
    missing = run("log", "999")
    assert missing.exit_code == 2
    assert "there is no subscription 999" in missing.output
