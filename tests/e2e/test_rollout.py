"""Candidates on real RTSP: from a shadow to production and back, and broken ones that end themselves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from algorithm_repo.registry.types import AlgorithmVersion, Move, Office, Stage
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.media import load_clip
from store.database import make_engine
from store.postgres import EmbeddedPostgres
from store.valkey import EmbeddedValkey
from tests.candidates import WELL
from tests.e2e import test_up
from tests.e2e.rollout_city import ALGORITHM, CAMERAS, PATIENCE_S, City, pool_text, street_clip
from tests.effort import forms

pytest_plugins = ["tests.embedded"]
FIRST, SECOND, THIRD = CAMERAS


def until(condition: Callable[[], bool]) -> None:
    test_up.until(condition, PATIENCE_S)


@pytest.fixture(scope="module")
def city(
    tmp_path_factory: pytest.TempPathFactory, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("rollout")
    admin = make_engine(postgres.url.rsplit("/", 1)[0] + "/postgres").execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE rollout TEMPLATE cityvision"))
    admin.dispose()
    clip = load_clip(street_clip(folder / "street.mp4"))
    with ServerThread([ServedCamera(name, clip) for name in CAMERAS]) as server:
        (folder / "streams.yaml").write_text(pool_text(server.url))
        running = City(folder, postgres.url.rsplit("/", 1)[0] + "/rollout", valkey.url)
        try:
            running.start()
            until(lambda: all(running.runs_on(name, "worker-1") for name in CAMERAS))
            yield running
        finally:
            running.close()


def on_canary(city: City, version: AlgorithmVersion) -> str:
    """The version on the first camera in canary; its worker."""
    city.algo("shadow", ALGORITHM, FIRST, "--version", version.version)
    until(lambda: city.lane(version) is not None)
    city.algo("canary", ALGORITHM, FIRST, "--version", version.version)
    until(lambda: city.lane(version) is not None)
    return f"lane-{city.lane(version)}"


def over(city: City, version: AlgorithmVersion) -> None:
    """The version is where it began, its cameras are production's again, and nothing of it is left."""
    until(lambda: city.stage(version) is Stage.REGISTERED)
    until(lambda: city.runs_on(FIRST, "worker-1"))
    until(lambda: not city.left_over())


def test_from_a_shadow_to_production_and_back(city: City) -> None:
    version = city.registered(WELL, "9.1.0")
    network = version.models[0].sha256
    before = city.detector_of("worker-1")

    assert "is shadow" in city.algo("shadow", ALGORITHM, FIRST, SECOND)
    until(lambda: city.lane(version) is not None)
    shadow = city.lane(version)
    assert shadow is not None
    until(lambda: city.shadow_events(shadow) > 0)
    assert city.runs_on(FIRST, "worker-1"), "production has its cameras as before"
    assert not city.opened_by(f"lane-{shadow}"), "nobody is told what a shadow sees"
    assert "both" in city.algo("compare", ALGORITHM)

    assert "is canary" in city.algo("canary", ALGORITHM, FIRST)
    until(lambda: city.lane(version) not in (None, shadow))
    worker = f"lane-{city.lane(version)}"
    until(lambda: city.runs_on(FIRST, worker))
    assert city.runs_on(SECOND, "worker-1"), "whole cameras, and no others"
    until(lambda: bool(city.opened_by(worker)))
    assert [one.sha256 for one in city.opened_by(worker)[0].provenance.networks if one.role == "detector"] == [network]

    assert "is production" in city.algo("promote", ALGORITHM, "--too-soon", "a test has no half an hour")
    until(lambda: city.detector_of("worker-1") == network)
    until(lambda: city.runs_on(FIRST, "worker-1"))
    assert "is registered" in city.algo("rollback", ALGORITHM, "--why", "for the test")
    until(lambda: city.detector_of("worker-1") == before)
    over(city, version)
    assert [city.status(name).looks_failed for name in CAMERAS if city.status(name)] == [0, 0, 0]  # type: ignore[union-attr]
    assert "the chain holds" in city.algo("verify")


@pytest.mark.parametrize(
    ("kind", "number", "reason"),
    forms(
        [("hangs", "9.5.0", "hangs")],
        [("floods", "9.4.0", "floods events"), ("fails", "9.2.0", "looks fail"), ("slow", "9.3.0", "too slow")],
    ),
)
def test_a_broken_candidate_is_ended_and_the_ledger_says_why(city: City, kind: str, number: str, reason: str) -> None:
    version = city.registered(kind, number)
    on_canary(city, version)
    over(city, version)
    last = city.lines(version)[-1]
    assert (last.move, last.source, last.office) == (Move.ABORT, Stage.CANARY, Office.SYSTEM)
    assert reason in (last.grounds.why or "")
    for name in (SECOND, THIRD):
        status = city.status(name)
        assert status is not None
        assert (status.worker, status.looks_failed) == ("worker-1", 0)


def test_a_candidate_that_crashes_is_ended(city: City) -> None:
    version = city.registered(WELL, "9.6.0")
    worker = on_canary(city, version)
    until(lambda: city.runs_on(FIRST, worker))
    os.kill(_process(worker).pid, signal.SIGSEGV)
    over(city, version)
    assert "crashed: killed by SIGSEGV" in (city.lines(version)[-1].grounds.why or "")


def test_a_roll_out_that_is_killed_goes_on_and_leaves_nothing(city: City) -> None:
    version = city.registered(WELL, "9.7.0")
    worker = on_canary(city, version)
    until(lambda: city.runs_on(FIRST, worker))
    lane = _process(worker)
    os.kill(city.pid("rollout"), signal.SIGKILL)
    lane.wait(10)
    city.begin("rollout", "rollout")
    until(lambda: _runs_anew(city, worker, lane.pid))
    assert city.stage(version) is Stage.CANARY
    city.algo("abort", ALGORITHM, "--why", "enough seen")
    over(city, version)


def _process(worker: str) -> psutil.Process:
    return next(iter(_processes(worker)))


def _processes(worker: str) -> list[psutil.Process]:
    """Those of a lane's worker."""
    return [one for one in psutil.process_iter(["cmdline"]) if worker in (one.info["cmdline"] or ())]


def _runs_anew(city: City, worker: str, before: int) -> bool:
    now = _processes(worker)
    return bool(now) and now[0].pid != before and city.runs_on(FIRST, worker)


@pytest.mark.thorough
def test_what_a_shadow_kept_goes_with_its_version(city: City) -> None:
    version = city.registered(WELL, "9.8.0")
    city.algo("shadow", ALGORITHM, SECOND, "--version", version.version)
    until(lambda: city.lane(version) is not None)
    number = city.lane(version)
    assert number is not None
    kept: Path = city.data / "objects" / "shadow" / f"lane-{number}"
    until(lambda: city.shadow_events(number) > 0 and any(kept.rglob("*.jpg")))
    city.algo("abort", ALGORITHM, "--why", "enough seen")
    over(city, version)
    assert city.shadow_events(number) > 0, "what it said can be compared as long as the version may come back"
    city.retire(version)
    until(lambda: city.shadow_events(number) == 0 and not any(kept.rglob("*.*")))
