"""Files → Postgres → the snapshot of the workers, on real services."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cityvision.processes.pool_sync import FileWatch, PoolSync
from contracts.pool import Zone, ZoneKind
from contracts.snapshot import read_snapshot
from pool.load import PoolLoader, load_pool
from pool.store import current_revision, edit_camera_zones
from store.bus import Bus

pytest_plugins = ["tests.embedded"]

HEAD = "version: 1\ndepartments:\n  - {id: city, name: City}\ncameras:\n"


def camera(name: str, **more: object) -> str:
    fields = {"id": name, "name": name, "department": "city", "main": {"url": f"rtsp://127.0.0.1/{name}"}} | more
    return f"  - {json.dumps(fields)}\n"


def write(path: Path, *cameras: str) -> None:
    path.write_text(HEAD + "".join(cameras))


def placed(bus: Bus, *workers: str) -> list[list[str]]:
    return [json.loads(bus.assignment(worker) or "null") for worker in workers]


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.02)


@pytest.fixture
def streams(tmp_path: Path) -> Path:
    path = tmp_path / "streams.yaml"
    write(path, camera("a"), camera("b"), camera("c"), camera("off", enabled=False))
    return path


@pytest.fixture
def sync(engine: Engine, bus: Bus) -> PoolSync:
    return PoolSync(engine, bus, ["worker-1", "worker-2"])


def test_the_first_import_reaches_the_workers(sync: PoolSync, bus: Bus, streams: Path) -> None:
    assert not sync.publish()
    sync.take_in(load_pool(streams), "streams.yaml")
    assert sync.publish()
    found = bus.pool()
    assert found is not None
    assert found.revision == 1
    assert [c.id for c in read_snapshot(found.snapshot).cameras] == ["a", "b", "c", "off"]
    one, two = placed(bus, "worker-1", "worker-2")
    assert sorted(one + two) == ["a", "b", "c"]
    assert abs(len(one) - len(two)) == 1


def test_an_edit_in_the_console_goes_on_and_cameras_stay_where_they_are(
    sync: PoolSync, engine: Engine, bus: Bus, streams: Path
) -> None:
    sync.take_in(load_pool(streams), "streams.yaml")
    sync.publish()
    before = placed(bus, "worker-1", "worker-2")
    zone = Zone(id="gate", kind=ZoneKind.NO_PARKING, polygon=((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)))
    with engine.begin() as connection:
        edit_camera_zones(connection, "b", [zone], 1, "admin")
    sync.publish()
    found = bus.pool()
    assert found is not None
    assert found.revision == 2
    assert read_snapshot(found.snapshot).cameras[1].zones == (zone,)
    assert placed(bus, "worker-1", "worker-2") == before


def test_what_valkey_forgot_is_told_again(sync: PoolSync, bus: Bus, streams: Path) -> None:
    sync.take_in(load_pool(streams), "streams.yaml")
    sync.publish()
    bus.flush()
    assert bus.pool() is None
    sync.publish()
    mark = bus.pool_mark()
    assert mark is not None
    assert mark.revision == 1
    assert sum(len(some) for some in placed(bus, "worker-1", "worker-2")) == 3


def test_workers_that_are_no_more_keep_no_camera(sync: PoolSync, engine: Engine, bus: Bus, streams: Path) -> None:
    sync.take_in(load_pool(streams), "streams.yaml")
    sync.publish()
    for worker in ("worker-1", "worker-2"):
        bus.announce(worker)
    fewer = PoolSync(engine, bus, ["worker-1"])
    fewer.publish()
    assert placed(bus, "worker-1", "worker-2") == [["a", "b", "c"], []]


@pytest.fixture
def files(streams: Path) -> Iterator[FileWatch]:
    stop = threading.Event()
    watch = FileWatch(PoolLoader(streams), stop)
    watch.start()
    yield watch
    stop.set()
    watch.join(5)


def test_file_edits_arrive_and_bad_ones_do_not(
    sync: PoolSync, engine: Engine, bus: Bus, streams: Path, files: FileWatch, caplog: pytest.LogCaptureFixture
) -> None:
    def arrived() -> bool:
        pool = files.take()
        if pool is not None:
            sync.take_in(pool, "streams.yaml")
        sync.publish()
        with engine.connect() as connection:
            return current_revision(connection) == expected

    expected = 1
    until(arrived)
    write(streams, camera("a"), "  - {id: b, nam: b}\n")
    until(lambda: "unknown key" in caplog.text or "nam" in caplog.text)
    assert files.take() is None
    expected = 2
    started = time.monotonic()
    write(streams, camera("a"), camera("d"))
    until(arrived)
    assert time.monotonic() - started < 10
    assert sorted(c for some in placed(bus, "worker-1", "worker-2") for c in some) == ["a", "d"]


def test_no_pool_at_first_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    path = tmp_path / "streams.yaml"
    watch = FileWatch(PoolLoader(path), stop)
    watch.start()
    try:
        assert watch.first_look.wait(30)
        assert watch.trouble is not None
        assert "streams.yaml" in caplog.text
        write(path, camera("a"))
        until(lambda: (pool := watch.take()) is not None and [c.id for c in pool.cameras] == ["a"])
        assert watch.trouble is None
    finally:
        stop.set()
        watch.join(5)


def test_a_disk_that_fails_does_not_end_the_watching(streams: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cityvision.processes.pool_sync._RETRY_S", 0.05)
    loader, stop = PoolLoader(streams), threading.Event()
    good, failures = loader.load, iter([OSError(5, "Input/output error")] * 2)

    def load() -> object:
        for error in failures:
            raise error
        return good()

    monkeypatch.setattr(loader, "load", load)
    files = FileWatch(loader, stop)
    files.start()
    try:
        assert files.first_look.wait(10)
        until(lambda: files.take() is not None)
        assert files.trouble is None
    finally:
        stop.set()
        files.join(5)
    assert not files.is_alive()


def test_a_lane_has_its_cameras_whole_and_no_other_camera_moves_for_it(sync: PoolSync, bus: Bus, streams: Path) -> None:
    sync.take_in(load_pool(streams), "streams.yaml")
    sync.publish()
    before = placed(bus, "worker-1", "worker-2")
    taken = max(before, key=len)[0]
    bus.announce("lane-7")
    bus.hold_lane("lane-7", [taken, "off", "unknown"])
    sync.publish()
    assert placed(bus, "lane-7") == [[taken]], "what is disabled or unknown is nobody's"
    assert placed(bus, "worker-1", "worker-2") == [[name for name in some if name != taken] for some in before]
    bus.drop_lane("lane-7")
    sync.publish()
    assert placed(bus, "lane-7") == [[]]
    assert placed(bus, "worker-1", "worker-2") == before


def test_a_lane_that_nobody_holds_any_more_has_no_cameras(
    sync: PoolSync, bus: Bus, streams: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.lanes.LANE_TTL_S", 0.05)
    sync.take_in(load_pool(streams), "streams.yaml")
    sync.publish()
    before = placed(bus, "worker-1", "worker-2")
    bus.announce("lane-7")
    bus.hold_lane("lane-7", ["a"])
    until(lambda: bus.lanes() == {})
    sync.publish()
    assert placed(bus, "worker-1", "worker-2") == before
    assert bus.assignment("lane-7") in (None, "[]")


def test_a_lane_is_heard_of_by_a_placement_that_starts_again(
    engine: Engine, sync: PoolSync, bus: Bus, streams: Path
) -> None:
    sync.take_in(load_pool(streams), "streams.yaml")
    sync.publish()
    bus.hold_lane("lane-7", ["a"])
    PoolSync(engine, bus, ["worker-1", "worker-2"]).publish()
    one, two = placed(bus, "worker-1", "worker-2")
    assert sorted(one + two) == ["b", "c"]
    assert placed(bus, "lane-7") == [["a"]]
