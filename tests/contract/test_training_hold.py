"""A worker's hold on its job: kept by itself, lost to another or to a database that is away, and what follows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import LeaseLost, TrainingJob
from algorithm_repo.training.folderjob import Reached
from cityvision.training_desk import TrainingDesk
from cityvision.training_hold import Hold
from cityvision.training_worker import work_on
from contracts.errors import DatabaseUnavailable
from models.zoo import Zoo
from store.database import make_engine
from store.objects import DiskObjects
from tests.unit.datasets_scene import item, manifest

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def job(engine: Engine, tmp_path: Path) -> TrainingJob:
    with engine.begin() as connection:
        objects = DiskObjects(tmp_path / "objects")
        digest = archive.keep(connection, objects, manifest(item(1, side="train")), [], "lin").digest
        return service.submit(connection, "cars", digest, {"detect": {"epochs": 3}}, "lin")


def claimed(engine: Engine, token: str, lease_s: float) -> TrainingJob:
    with engine.begin() as connection:
        job = service.claim(connection, token, lease_s)
    assert job is not None
    return job


def desk_of(engine: Engine, tmp_path: Path) -> TrainingDesk:
    objects = DiskObjects(tmp_path / "objects")
    return TrainingDesk(engine, objects, tmp_path / "jobs", Path("python"), Zoo(cache=tmp_path / "zoo"), None)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_lost(hold: Hold) -> bool:
    try:
        hold.cancelled()
    except LeaseLost:
        return True
    return False


@pytest.mark.usefixtures("job")
def test_the_lease_is_kept_though_nobody_asks_and_an_end_that_is_asked_for_is_heard(engine: Engine) -> None:
    mine = claimed(engine, "a", 30)

    def until_utc() -> object:
        with engine.connect() as connection:
            return connection.execute(text("SELECT lease_until FROM training_jobs")).scalar_one()

    with Hold(mine, engine, "a", 30, lambda: False, every_s=0.05) as hold:
        first = until_utc()
        until(lambda: until_utc() != first)
        assert not hold.cancelled()
        with engine.begin() as connection:
            service.cancel(connection, mine.id)
        until(hold.cancelled)
        assert hold.asked


@pytest.mark.usefixtures("job")
def test_who_stood_still_loses_the_job_to_another_and_to_a_database_that_is_away(
    engine: Engine, free_port: int
) -> None:
    mine = claimed(engine, "a", 0)
    claimed(engine, "b", 60)
    with Hold(mine, engine, "a", 30, lambda: False, every_s=0.05) as hold:
        until(lambda: is_lost(hold))
    away = make_engine(f"postgresql+psycopg://nobody@127.0.0.1:{free_port}/none")
    with Hold(mine, away, "a", 0.3, lambda: False, every_s=0.05) as hold, pytest.raises(LeaseLost):
        hold.told(Reached(1, 3, {"loss": 1.0}))  # tried again as long as the lease runs


def test_an_orderly_stop_gives_the_job_to_the_next(engine: Engine, job: TrainingJob, tmp_path: Path) -> None:
    stopping = [False]

    def stop() -> bool:
        stopping.append(True)
        return True

    assert desk_of(engine, tmp_path).work(stop) == job.id
    with engine.connect() as connection:
        left = service.get(connection, job.id)
    assert len(stopping) > 1
    assert (left.state, left.attempts, left.told) == ("waiting", 0, "")


def test_what_the_disk_refuses_fails_the_job_in_words(engine: Engine, tmp_path: Path) -> None:
    version = manifest(item(1, side="train"), item(2, side="val"), task="segment", classes=("water",))
    with engine.begin() as connection:
        digest = archive.keep(connection, DiskObjects(tmp_path / "objects"), version, [], "lin").digest
        number = service.submit(connection, "water", digest, {"segment": {"steps": 3}}, "lin").id
    (tmp_path / "jobs").write_bytes(b"a file where the folders of jobs should be")
    assert desk_of(engine, tmp_path).work() == number
    with engine.connect() as connection:
        ended = service.get(connection, number)
    assert ended.state == "failed"
    assert str(tmp_path / "jobs") in ended.told


def test_what_ended_jobs_were_trained_on_goes(engine: Engine, job: TrainingJob, tmp_path: Path) -> None:
    ended, other = tmp_path / "jobs" / str(job.id), tmp_path / "jobs" / "4711"
    for folder in (ended, other):
        (folder / "data" / "images").mkdir(parents=True)
        for name in ("samples.npz", "checkpoint.npz"):
            (folder / name).write_bytes(b"")
    desk = desk_of(engine, tmp_path)
    desk.sweep()
    assert (ended / "data").is_dir()  # it waits
    with engine.begin() as connection:
        service.cancel(connection, job.id)
    desk = desk_of(engine, tmp_path)
    assert desk.work() is None
    assert [path.name for path in ended.iterdir()] == ["checkpoint.npz"]
    assert (other / "data").is_dir()  # nobody knows whose it is


def test_a_worker_waits_for_a_database_that_is_away(tmp_path: Path, free_port: int) -> None:
    desk = desk_of(make_engine(f"postgresql+psycopg://nobody@127.0.0.1:{free_port}/none"), tmp_path)
    stop, said = threading.Event(), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            stop.set()

    work_on(desk, stop, once=False, say=say, pause_s=0.01)
    assert [line.split(":")[0] for line in said] == ["waiting", "waiting"]
    assert "connection" in said[0]
    with pytest.raises(DatabaseUnavailable):
        work_on(desk, threading.Event(), once=True, say=said.append, pause_s=0.01)
