"""The pool's revisions in a real Postgres: imports, edits in the console, and both at once."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue

import pytest
from sqlalchemy import Engine, select

from contracts.errors import StaleRevision
from contracts.pool import Camera, Department, Pool, Zone
from pool import store
from pool.export import export
from pool.faults import PoolFaults
from pool.load import load_pool
from pool.reader import PoolReader
from pool.snapshot import pool_digest
from pool.tables import items

pytest_plugins = ["tests.embedded"]

RIGHT = Path(__file__).resolve().parent.parent / "data" / "pool" / "right" / "streams.yaml"


@pytest.fixture(scope="module")
def files() -> Pool:
    return load_pool(RIGHT)


def _with(pool: Pool, camera_id: str, **changes: object) -> Pool:
    """The pool as the files would say it after an edit of one camera."""
    cameras = tuple(camera.model_copy(update=changes) if camera.id == camera_id else camera for camera in pool.cameras)
    return pool.model_copy(update={"cameras": cameras})


def _camera(pool: Pool, camera_id: str) -> Camera:
    return next(camera for camera in pool.cameras if camera.id == camera_id)


def _import(engine: Engine, pool: Pool, expected: int | None = None) -> store.ImportResult:
    with engine.begin() as connection:
        return store.import_pool(connection, pool, "files", expected)


def _current(engine: Engine) -> store.PoolRevision:
    with engine.begin() as connection:
        found = store.current(connection)
    assert found is not None
    return found


def _zones(camera: Camera, name: str) -> list[Zone]:
    return [zone.model_copy(update={"name": name}) for zone in camera.zones]


def _edit(engine: Engine, camera: Camera, name: str, expected: int) -> int:
    with engine.begin() as connection:
        return store.edit_camera_zones(connection, camera.id, _zones(camera, name), expected, "wang")


def test_before_the_first_import_there_is_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        assert store.current(connection) is None
        assert store.current_revision(connection) is None
        with pytest.raises(StaleRevision):
            store.edit_camera_zones(connection, "station-east", [], 1, "wang")


def test_an_import_reads_back_and_again_changes_nothing(engine: Engine, files: Pool) -> None:
    first = _import(engine, files)
    assert (first.revision, len(first.added), first.changed, first.removed) == (1, 4, (), ())
    found = _current(engine)
    assert found.digest == pool_digest(files) == pool_digest(found.pool)
    assert sorted(found.pool.cameras, key=lambda c: c.id) == sorted(files.cameras, key=lambda c: c.id)
    assert _import(engine, files).revision == 1
    assert export(found.pool) == export(files)


def test_an_edit_of_one_camera_is_one_row(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    assert _edit(engine, _camera(files, "station-east"), "改", 1) == 2
    found = _current(engine)
    assert {zone.name for zone in _camera(found.pool, "station-east").zones} == {"改"}
    assert (found.info.author, found.info.parent) == ("wang", 1)
    assert found.digest == pool_digest(found.pool)
    with engine.begin() as connection:
        rows = connection.execute(select(items.c.id, items.c.since, items.c.until).where(items.c.since > 1)).all()
        assert [tuple(row) for row in rows] == [("station-east", 2, None)]
        assert pool_digest(store.at(connection, 1).pool) == pool_digest(files)
        assert [info.revision for info in store.history(connection)] == [2, 1]
        with pytest.raises(StaleRevision):
            store.at(connection, 3)


def test_a_stale_edit_is_refused_and_another_camera_is_not_disturbed(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    east, lake = _camera(files, "station-east"), _camera(files, "lake-gate")
    _edit(engine, east, "one", 1)
    with pytest.raises(StaleRevision, match="since revision 1"):
        _edit(engine, east, "two", 1)
    with pytest.raises(StaleRevision):
        _edit(engine, east, "two", 99)
    assert _edit(engine, lake, "three", 1) == 3
    assert _edit(engine, east, "two", 2) == 4
    assert _edit(engine, east, "two", 4) == 4, "an edit without a difference is no revision"


def test_zones_that_do_not_fit_are_refused_with_every_fault(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    with engine.begin() as connection, pytest.raises(PoolFaults) as caught:
        store.edit_camera_zones(connection, "station-east", [], 1, "wang")
    assert [fault.path for fault in caught.value.faults] == [
        "algorithms.crowding",
        "algorithms.illegal_parking.zones[0]",
    ]
    assert _current(engine).revision == 1


def test_the_files_do_not_undo_the_console(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    _edit(engine, _camera(files, "station-east"), "console", 1)
    result = _import(engine, _with(files, "lake-gate", name="湖"))
    assert (result.revision, result.changed, result.kept, result.conflicts) == (
        3,
        ("lake-gate",),
        ("station-east",),
        (),
    )
    pool = _current(engine).pool
    assert _camera(pool, "lake-gate").name == "湖"
    assert {zone.name for zone in _camera(pool, "station-east").zones} == {"console"}


def test_a_camera_edited_on_both_sides_is_refused_until_somebody_decides(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    _edit(engine, _camera(files, "station-east"), "console", 1)
    both = _with(_with(files, "station-east", name="文件"), "lake-gate", name="湖")
    for _ in range(2):
        result = _import(engine, both)
        assert len(result.conflicts) == 1
        assert "camera 'station-east' was edited in the file and in the console" in result.conflicts[0]
    pool = _current(engine).pool
    assert _camera(pool, "station-east").name == "火车站东广场"
    assert _camera(pool, "lake-gate").name == "湖", "the other camera's edit is taken"
    # The way out: what the console says, with the file's change on top, written to the file.
    decided = _with(pool, "station-east", name="文件")
    assert _import(engine, pool).conflicts == ()
    result = _import(engine, decided)
    assert (result.changed, result.conflicts) == (("station-east",), ())
    assert _camera(_current(engine).pool, "station-east").zones[0].name == "console"


def test_a_camera_leaves_with_the_files_unless_the_console_edited_it(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    _edit(engine, _camera(files, "station-east"), "console", 1)
    kept = tuple(camera for camera in files.cameras if camera.id not in ("station-east", "bridge"))
    result = _import(engine, files.model_copy(update={"cameras": kept}))
    assert result.removed == ("bridge",)
    assert len(result.conflicts) == 1
    assert {camera.id for camera in _current(engine).pool.cameras} == {
        "station-east",
        "lake-gate",
        "34020000001320000001",
    }
    back = _import(engine, files)
    assert back.added == ("bridge",)


def test_an_import_that_would_leave_a_camera_without_department_is_refused(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    _edit(engine, _camera(files, "lake-gate"), "console", 1)
    rest = Pool(
        departments=tuple(one for one in files.departments if one.id != "parks"),
        cameras=tuple(camera for camera in files.cameras if camera.id != "lake-gate"),
    )
    with pytest.raises(PoolFaults, match="no department 'parks'"):
        _import(engine, rest)
    assert _current(engine).revision == 2


def test_an_expected_revision_that_is_not_the_current_one(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    with pytest.raises(StaleRevision):
        _import(engine, files, expected=7)
    more = files.model_copy(update={"departments": (*files.departments, Department(id="extra", name="新"))})
    assert _import(engine, more, expected=1).revision == 2


def test_two_editors_at_once_only_one_wins(engine: Engine, files: Pool) -> None:
    _import(engine, files)
    camera = _camera(files, "station-east")
    outcomes: Queue[str] = Queue()
    start = threading.Barrier(4)

    def edit(name: str) -> None:
        start.wait()
        try:
            outcomes.put(f"{_edit(engine, camera, name, 1)}")
        except StaleRevision:
            outcomes.put("stale")

    threads = [threading.Thread(target=edit, args=(f"editor {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes.get(timeout=1) for _ in threads) == ["2", "stale", "stale", "stale"]
    assert _current(engine).revision == 2


def test_a_reader_follows_every_revision(engine: Engine, files: Pool) -> None:
    reader = PoolReader()

    def read() -> store.PoolRevision | None:
        with engine.begin() as connection:
            return reader.read(connection)

    assert read() is None
    _import(engine, files)
    first = read()
    assert first is not None
    assert first == _current(engine)
    assert read() is first
    _edit(engine, _camera(files, "station-east"), "one", 1)
    _edit(engine, _camera(files, "station-east"), "two", 2)
    fewer = files.model_copy(update={"cameras": files.cameras[:2]})
    department = Department(id="extra", name="新")
    _import(engine, fewer.model_copy(update={"departments": (*files.departments, department)}))
    second = read()
    assert second is not None
    assert second == _current(engine)
    assert second.digest == pool_digest(second.pool)
    assert _camera(second.pool, "34020000001320000001") is _camera(first.pool, "34020000001320000001")
    assert _import(engine, files).added == ("bridge", "lake-gate")
    assert read() == _current(engine)


def test_the_tables_are_those_of_the_migration(engine: Engine) -> None:
    from sqlalchemy import inspect

    found = inspect(engine)
    for table in ("pool_revision", "pool_item"):
        declared = items.metadata.tables[table]
        assert {column["name"] for column in found.get_columns(table)} == {column.name for column in declared.columns}
