"""A lane is watched also where the bus is away, and by a clock that nobody sets."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from algorithm_repo.rollout.types import Guardrails, Lane, LaneKind
from cityvision.lane_process import LaneProcess
from cityvision.settings import load_settings
from contracts.rollout import Serving
from store.bus import Bus

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaneProcess:
    monkeypatch.setenv("CITYVISION_REDIS_URL", AWAY)
    lane = Lane(
        number=17,
        version_id=1,
        algorithm="litter",
        version="1.0.0",
        kind=LaneKind.CANARY,
        cameras=("a",),
        serving=Serving(number=16, models=()),
        began_utc=time.time(),
    )
    return LaneProcess(lane, load_settings(data=tmp_path), Bus(AWAY), Guardrails())


def test_a_crash_is_seen_while_the_bus_is_away(process: LaneProcess) -> None:
    process.start()
    seen = process.observed(None)
    assert (seen.ended, seen.ready, seen.silent_s) == (None, False, None)
    pid = process._child.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while process._child.alive():
        time.sleep(0.01)
    assert "SIGKILL" in (process.observed(None).ended or "")
    process.stop()


def test_an_hour_that_did_not_pass_has_no_events(process: LaneProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    before = process.now
    monkeypatch.setattr(time, "time", lambda: before + 3600)
    assert before <= process.now < before + 600
