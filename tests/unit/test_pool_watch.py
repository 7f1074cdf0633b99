"""Edits while running: picked up, told apart by value, refused when bad, and never taken half written."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue

import pytest

from pool.cache import CameraCache
from pool.faults import Fault, PoolFaults
from pool.load import PoolLoader
from pool.watch import PoolChange, watch_pool

RIGHT = Path(__file__).resolve().parent.parent / "data" / "pool" / "right"


class Watching:
    """A watch in a thread of its own."""

    def __init__(self, file: Path, cache: CameraCache | None = None) -> None:
        self.changes: Queue[PoolChange] = Queue()
        self.refused: Queue[Sequence[Fault]] = Queue()
        self.stop = threading.Event()
        self.loader = PoolLoader(file, cache)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for change in watch_pool(self.loader, self.refused.put, self.stop):
            self.changes.put(change)

    def next(self) -> PoolChange:
        return self.changes.get(timeout=10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    shutil.copytree(RIGHT, tmp_path / "pool")
    return tmp_path / "pool" / "streams.yaml"


@pytest.fixture
def watching(file: Path) -> Iterator[Watching]:
    watch = Watching(file)
    try:
        yield watch
    finally:
        watch.stop.set()
        watch.thread.join(10)
        assert not watch.thread.is_alive()


def _edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_edits_join_leave_and_change_only_what_they_touch(file: Path, watching: Watching) -> None:
    first = watching.next()
    assert first.added == ("station-east", "34020000001320000001", "lake-gate", "bridge")
    before = {camera.id: camera for camera in first.pool.cameras}

    began = time.monotonic()
    _edit(file, "[0.1, 0.9]]", "[0.15, 0.9]]")
    change = watching.next()
    assert time.monotonic() - began < 2
    assert (change.added, change.removed, change.changed) == ((), (), ("station-east",))
    untouched = [camera for camera in change.pool.cameras if camera.id != "station-east"]
    assert all(camera is before[camera.id] for camera in untouched), "the others are the very same objects"

    part = file.parent / "streams.d" / "new.yaml"
    part.write_text("cameras:\n  - {id: pier, name: 码头, department: parks, main: {url: 'rtsp://h/m'}}\n")
    assert watching.next().added == ("pier",)
    part.unlink()
    assert watching.next().removed == ("pier",)


def test_streams_d_may_come_into_being_and_go(file: Path) -> None:
    shutil.rmtree(file.parent / "streams.d")
    watch = Watching(file)
    try:
        assert len(watch.next().added) == 2
        shutil.copytree(RIGHT / "streams.d", file.parent / "streams.d")
        assert watch.next().added == ("lake-gate", "bridge")
        shutil.rmtree(file.parent / "streams.d")
        assert watch.next().removed == ("lake-gate", "bridge")
        file.write_text(file.read_text().replace("name: 高点云台", "name: 高点"))
        assert watch.next().changed == ("34020000001320000001",)
    finally:
        watch.stop.set()
        watch.thread.join(10)


def test_a_rewrite_that_changes_no_value_is_no_change(file: Path, watching: Watching) -> None:
    watching.next()
    text = file.read_text()
    file.write_text("# a remark\n" + text.replace("dwell: 3min", "dwell: 180s").replace("    enabled: false", ""))
    with pytest.raises(Empty):
        watching.changes.get(timeout=1.5)
    assert watching.refused.empty()
    _edit(file, "name: 火车站东广场", "name: 东广场")
    assert watching.next().changed == ("station-east",)


def test_a_bad_edit_is_refused_once_and_the_last_good_pool_stays(file: Path, watching: Watching) -> None:
    watching.next()
    _edit(file, "dwell: 3min", "dwel: 3min")
    faults = watching.refused.get(timeout=10)
    assert [fault.path for fault in faults] == ["cameras[0].algorithms.illegal_parking.dwel"]
    with pytest.raises(Empty):
        watching.refused.get(timeout=1.5)
    assert watching.changes.empty()
    _edit(file, "dwel: 3min", "dwell: 4min")
    change = watching.next()
    assert change.changed == ("station-east",)
    assert change.pool.cameras[0].algorithms["illegal_parking"].model_dump()["dwell"] == 240


def test_a_file_written_slowly_is_waited_for(file: Path, watching: Watching) -> None:
    watching.next()
    text = file.read_text().replace("id: station-east", "id: station-west")
    with file.open("w") as handle:
        for start in range(0, len(text), 200):
            handle.write(text[start : start + 200])
            handle.flush()
            time.sleep(0.1)
    change = watching.next()
    assert (change.added, change.removed) == (("station-west",), ("station-east",))
    assert watching.refused.empty()


def test_an_editor_that_renames_into_place(file: Path, watching: Watching) -> None:
    watching.next()
    draft = file.with_name(".streams.yaml.swp")
    draft.write_text(file.read_text().replace("name: 高点云台", "name: 高点"))
    file.unlink()
    time.sleep(0.2)
    draft.rename(file)
    assert watching.next().changed == ("34020000001320000001",)
    assert watching.refused.empty()


def test_a_bad_pool_at_the_start_is_an_error(file: Path) -> None:
    _edit(file, "dwell: 3min", "dwel: 3min")
    with pytest.raises(PoolFaults):
        next(watch_pool(PoolLoader(file), print, threading.Event()))


def test_the_cache_serves_the_next_start_and_a_damaged_one_is_not_used(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = CameraCache(folder)
    pool = PoolLoader(file, cache).load()
    cache.save()
    assert CameraCache(folder).loaded == 4
    assert PoolLoader(file, CameraCache(folder)).load() == pool
    (stored,) = folder.iterdir()
    stored.write_bytes(stored.read_bytes().replace(b"station-east", b"station-easy"))
    assert CameraCache(folder).loaded == 0
    assert PoolLoader(file, CameraCache(folder)).load() == pool
