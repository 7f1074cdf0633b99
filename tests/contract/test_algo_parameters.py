"""Parameters of a rule as a version: entered, judged, on copies of cameras, on a canary's, on all, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from algorithm_repo.entering import service as entering
from algorithm_repo.registry import judged, tuning
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import AlgorithmVersion, Office, Stage
from algorithm_repo.rollout import in_force, lanes, service
from cityvision.cli import cli
from cityvision.processes.pool_sync import PoolSync
from cityvision.shipped import shipped
from contracts.errors import ConfigError
from contracts.snapshot import read_snapshot
from pool.load import load_pool
from store.bus import Bus
from store.objects import DiskObjects
from tests.contract.test_pool_sync import camera, write

pytest_plugins = ["tests.embedded"]

WATER: dict[str, dict[str, str]] = {"waterlogging": {}}
ROAD = {"id": "road", "kind": "road", "polygon": [[0, 0], [1, 0], [1, 1]]}


@pytest.fixture
def connected(engine: Engine) -> Engine:
    with engine.begin() as connection:
        ensure_shipped(connection, shipped("street"), "0.1")
    return engine


@pytest.fixture
def sync(connected: Engine, bus: Bus, tmp_path: Path) -> PoolSync:
    """Two cameras with the algorithm as released, one with a parameter of its own, one without the algorithm."""
    path = tmp_path / "streams.yaml"
    own = {"waterlogging": {"hold": "30s"}}
    write(
        path,
        camera("a", zones=[ROAD], algorithms=WATER),
        camera("b", zones=[ROAD], algorithms=WATER),
        camera("own", zones=[ROAD], algorithms=own),
        camera("none"),
    )
    one = PoolSync(connected, bus, ["worker-1"])
    one.take_in(load_pool(path), "streams.yaml")
    return one


def holds(bus: Bus) -> dict[str, float]:
    """What workers are told, by camera."""
    found = bus.pool()
    assert found is not None
    told = json.loads(found.snapshot)
    assert len(read_snapshot(found.snapshot).cameras) == 4
    return {one["id"]: one["algorithms"]["waterlogging"]["hold"] for one in told["cameras"] if one["algorithms"]}


def entered(engine: Engine, **given: str | float | None) -> AlgorithmVersion:
    with engine.begin() as connection:
        return tuning.enter(connection, "waterlogging", "1.1.0", given, "lin")


def registered(engine: Engine, tmp_path: Path, version: AlgorithmVersion) -> AlgorithmVersion:
    with engine.begin() as connection:
        objects = DiskObjects(tmp_path / "objects")
        entering.evaluated(connection, objects, version, b"{}", b"<p>", (True, None), "gate", Office.SYSTEM)
        return judged.register(connection, registry.get(connection, version.id), "lin")


def test_from_a_parameter_to_production_and_back(sync: PoolSync, connected: Engine, bus: Bus, tmp_path: Path) -> None:
    sync.publish()
    before = bus.pool_mark()
    assert holds(bus) == {"a": 60, "b": 60, "own": 30}
    version = entered(connected, hold="90s")
    assert (version.stage, version.parameters) == (Stage.TRAINED, {"hold": 90.0})
    version = registered(connected, tmp_path, version)
    with connected.begin() as connection:
        pool = {one.id: one for one in load_pool(tmp_path / "streams.yaml").cameras}
        version = service.shadow(connection, version, ["a"], pool, "lin")
        (lane,) = lanes.wanted(connection)
        assert lane.parameters == {"hold": 90.0}
        lanes.begin(connection, lane)
        version = service.canary(connection, version, ["a"], pool, "chen")
        (lane,) = lanes.wanted(connection)
        lanes.begin(connection, lane)
    sync.publish()
    assert bus.pool_mark() == before, "its lane does not hold the camera yet"
    bus.hold_lane(lane.worker, lane.cameras)
    sync.publish()
    assert holds(bus) == {"a": 90, "b": 60, "own": 30}
    mark = bus.pool_mark()
    assert before is not None
    assert mark is not None
    assert (mark.revision, mark.digest != before.digest) == (before.revision, True)
    with connected.begin() as connection:
        service.promote(connection, version, "chen", looks=lambda _: 0, too_soon="a test")
    bus.drop_lane(lane.worker)
    sync.publish()
    assert holds(bus) == {"a": 90, "b": 90, "own": 30}, "what was written for one camera stays"
    with connected.begin() as connection:
        registry.roll_back(connection, "waterlogging", "chen", Office.PROMOTER, "floods", present=version.id)
    sync.publish()
    assert holds(bus) == {"a": 60, "b": 60, "own": 30}
    assert bus.pool_mark() == before


def test_nothing_is_published_anew_while_nothing_changes(
    sync: PoolSync, connected: Engine, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.publish()
    with connected.begin() as connection:
        first = in_force.read(connection)
        assert in_force.read(connection, first) is first
    published: list[object] = []
    monkeypatch.setattr(bus, "set_pool", published.append)
    sync.publish()
    entered(connected, hold=90)
    sync.publish()
    bus.hold_lane("lane-7", ["b"])
    sync.publish()
    assert published == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hold": "soon"}, "parameters.hold: not a duration"),
        ({"min_share": 2}, "parameters.min_share: Input should be less than or equal to 1"),
        ({"zones": "road"}, "parameters.zones: it is of a single camera"),
        ({"dwell": 9}, "parameters.dwell: waterlogging has none of that name"),
        ({"hold": 60}, "waterlogging 1.0.0 has just these"),
        ({"hold": None}, "waterlogging 1.0.0 has just these"),
    ],
)
def test_what_is_no_change_or_no_parameter_names_it(
    connected: Engine, given: dict[str, str | float | None], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        entered(connected, **given)
    with connected.begin() as connection:
        assert len(registry.listed(connection, "waterlogging")) == 1


def test_by_command_and_the_ledger_tells_the_change(
    connected: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CITYVISION_DATA", str(tmp_path))

    def run(*arguments: str) -> str:
        return CliRunner().invoke(cli, ["algo", *arguments]).output

    given = ("--set", "hold=90s", "--set", "min_share=0.1", "--set", "look_every=2s")
    said = run("enter", "waterlogging", "1.1.0", *given)
    assert "waterlogging 1.1.0 is trained" in said
    assert "hold=90.0, look_every=2.0, min_share=0.1" in said
    assert "hold: as released → 90" in run("history", "waterlogging", "--version", "1.1.0")
    with connected.begin() as connection:
        version = registry.listed(connection, "waterlogging")[0]
    assert version.needs.look_every_s == 2.0
    assert "no NAME=VALUE" in run("enter", "waterlogging", "1.2.0", "--set", "hold")
    both = run("enter", "waterlogging", "1.2.0", "--set", "hold=1s", "--training", "1")
    assert "name one of --training, --model, --set" in both
