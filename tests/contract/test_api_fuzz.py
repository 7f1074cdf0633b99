"""The API under schemathesis: whatever is sent, no 5xx, every answer as the document says, and nothing that leaks.

`CITYVISION_FUZZ_S` lengthens it (soak: 600).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import World
from tests.soak import Soak

pytest_plugins = ["tests.embedded"]

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("CITYVISION_FUZZ_S", "60"))
# Streams never end, a snapshot waits for a picture that no worker sends here, and a logout ends the run's own session.
LEFT_OUT = "/stream$|/snapshot.jpg$|/logout$"
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,ignored_auth"


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


@pytest.mark.timeout(SECONDS + 160)
def test_whatever_is_sent(world: World, tmp_path: Path, soak: Soak) -> None:
    token = world.clients[Role.OPERATOR].cookies["cityvision_session"]
    report = tmp_path / "requests.har"
    ran = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{world.city.url}/api/openapi.json"),
            *("--header", f"Cookie: cityvision_session={token}"),
            *("--checks", CHECKS, "--exclude-path-regex", LEFT_OUT, "--phases", "examples,coverage,fuzzing"),
            *("--max-time", str(SECONDS), "--request-timeout", "20", "--warnings", "off", "--seed", "1"),
            *("--report", "har", "--report-har-path", str(report), "--output-sanitize", "false"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.contract.fuzz_hooks", "PYTHONPATH": str(ROOT)},
        timeout=SECONDS + 120,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    entries = json.loads(report.read_text())["log"]["entries"]
    statuses = Counter(f"{one['response']['status'] // 100}xx" for one in entries)
    assert min(statuses["2xx"], statuses["4xx"]) > 20, f"it has hardly begun: {statuses}"
    told = [one["response"]["content"].get("text", "") for one in entries]
    assert any("north-gate" in text for text in told), "nothing of one's own was seen either"
    # A word that was sent comes back in the complaint about it.
    unasked = [
        (one["request"]["url"], mark)
        for one, text in zip(entries, told, strict=True)
        for mark in world.marks
        if mark in text and "/departments" not in one["request"]["url"] and "/pool/schema" not in one["request"]["url"]
    ]
    assert unasked == []
    figures = {"seconds": SECONDS, "requests": len(entries), "statuses": dict(statuses), "leaks": len(unasked)}
    soak.keep("api-fuzz", figures)
