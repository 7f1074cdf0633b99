"""The queue of trainings on a real Postgres: claimed once, gone on with after a kill, cancelled, given up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint, LeaseLost, TrainingJob
from contracts.errors import ConfigError
from store.objects import DiskObjects
from tests.unit.datasets_scene import item, manifest

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def dataset(engine: Engine, tmp_path: Path) -> str:
    version = manifest(item(1, side="train"), item(2, side="val"))
    with engine.begin() as connection:
        return archive.keep(connection, DiskObjects(tmp_path / "objects"), version, [], "lin").digest


def submitted(engine: Engine, dataset: str, name: str = "cars") -> TrainingJob:
    with engine.begin() as connection:
        return service.submit(connection, name, dataset, {"detect": {"epochs": 3}}, "lin")


def claimed(engine: Engine, token: str, lease_s: float = 60) -> TrainingJob | None:
    with engine.begin() as connection:
        return service.claim(connection, token, lease_s)


def test_a_job_waits_runs_tells_and_ends(engine: Engine, dataset: str) -> None:
    job = submitted(engine, dataset)
    assert (job.state, job.step, job.of, job.settings) == ("waiting", 0, 0, {"epochs": 3})
    mine = claimed(engine, "a")
    assert mine is not None
    assert (mine.id, mine.state, mine.attempts) == (job.id, "running", 1)
    assert claimed(engine, "b") is None
    points = [CurvePoint(step=step, of=3, figures={"loss": 1 / step}) for step in (1, 2, 3)]
    with engine.begin() as connection:
        for point in (points[0], points[1], points[1], points[2]):  # whoever goes on tells a line again
            service.tell(connection, job.id, "a", point)
        assert service.renew(connection, job.id, "a", 60) is False
    with engine.begin() as connection:
        assert service.curve(connection, job.id) == points
        assert (service.get(connection, job.id).step, service.get(connection, job.id).of) == (3, 3)
        service.end(connection, job.id, "a", "done", result={"detector.onnx": "e" * 64})
        done = service.get(connection, job.id)
    assert (done.state, done.result) == ("done", {"detector.onnx": "e" * 64})
    assert done.ended_utc is not None
    assert claimed(engine, "c") is None


def test_many_workers_at_once_get_each_job_once(engine: Engine, dataset: str) -> None:
    numbers = {submitted(engine, dataset, f"job {n}").id for n in range(6)}
    got: list[int] = []
    start = threading.Barrier(8)

    def work(worker: int) -> None:
        start.wait()
        while (job := claimed(engine, f"{worker}")) is not None:
            got.append(job.id)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(numbers)


def test_whose_worker_is_gone_is_claimed_again_and_the_old_one_changes_nothing(engine: Engine, dataset: str) -> None:
    job = submitted(engine, dataset)
    assert claimed(engine, "killed", lease_s=0) is not None
    again = claimed(engine, "next")
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 2)
    point = CurvePoint(step=1, of=3, figures={})
    for late in (
        lambda connection: service.renew(connection, job.id, "killed", 60),
        lambda connection: service.tell(connection, job.id, "killed", point),
        lambda connection: service.end(connection, job.id, "killed", "done"),
    ):
        with engine.begin() as connection, pytest.raises(LeaseLost):
            late(connection)
    with engine.connect() as connection:
        assert service.get(connection, job.id).state == "running"
        assert service.curve(connection, job.id) == []


def test_a_job_that_takes_its_worker_with_it_is_given_up(engine: Engine, dataset: str) -> None:
    job = submitted(engine, dataset)
    for attempt in range(service.MOST_ATTEMPTS):
        assert claimed(engine, f"{attempt}", lease_s=0) is not None
    assert claimed(engine, "one more") is None
    with engine.connect() as connection:
        ended = service.get(connection, job.id)
    assert (ended.state, ended.told) == ("failed", "its worker ended 5 times without getting on")


def test_a_job_that_gets_on_is_never_given_up(engine: Engine, dataset: str) -> None:
    job = submitted(engine, dataset)
    for step in range(1, 2 * service.MOST_ATTEMPTS):
        assert claimed(engine, f"{step}", lease_s=60) is not None
        with engine.begin() as connection:
            service.tell(connection, job.id, f"{step}", CurvePoint(step=step, of=99, figures={}))
            service.renew(connection, job.id, f"{step}", lease_s=0)  # killed
    for attempt in range(service.MOST_ATTEMPTS):
        assert claimed(engine, f"again {attempt}", lease_s=60) is not None
        with engine.begin() as connection:  # what was told before is no progress
            service.tell(connection, job.id, f"again {attempt}", CurvePoint(step=1, of=99, figures={"loss": 1}))
            service.renew(connection, job.id, f"again {attempt}", lease_s=0)
    assert claimed(engine, "one more") is None
    with engine.connect() as connection:
        ended = service.get(connection, job.id)
    assert (ended.state, ended.attempts, ended.step) == ("failed", 3 * service.MOST_ATTEMPTS - 1, 9)


def test_a_worker_that_is_stopped_gives_its_job_back(engine: Engine, dataset: str) -> None:
    job = submitted(engine, dataset)
    for _ in range(2 * service.MOST_ATTEMPTS):
        assert claimed(engine, "stopped") is not None
        with engine.begin() as connection:
            assert service.give_back(connection, job.id, "stopped") == "waiting"
    again = claimed(engine, "next")
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 1)
    with engine.begin() as connection, pytest.raises(LeaseLost):
        service.give_back(connection, job.id, "stopped")
    with engine.begin() as connection:
        service.cancel(connection, job.id)
        assert service.give_back(connection, job.id, "next") == "cancelled"
    assert claimed(engine, "one more") is None


def test_a_cancelled_job_whose_worker_is_gone_ends_at_once(engine: Engine, dataset: str) -> None:
    before, after = submitted(engine, dataset), submitted(engine, dataset)
    assert claimed(engine, "killed", lease_s=0) is not None
    with engine.begin() as connection:
        assert service.cancel(connection, before.id).state == "cancelled"
    assert claimed(engine, "killed as well") is not None
    with engine.begin() as connection:
        assert service.cancel(connection, after.id).state == "running"
        service.renew(connection, after.id, "killed as well", lease_s=0)
    assert claimed(engine, "next") is None
    with engine.connect() as connection:
        ended = service.get(connection, after.id)
    assert (ended.state, ended.told) == ("cancelled", "")
    assert ended.ended_utc is not None


def test_what_a_job_is_trained_with_is_the_newest_start(engine: Engine, dataset: str) -> None:
    job = submitted(engine, dataset)
    assert job.made_with is None
    assert claimed(engine, "a") is not None
    starts = [
        service.MadeWith(code=f"{n}" * 64, environment={"python": "3.12", "torch": "2.9"}, starts=n) for n in (1, 2)
    ]
    with engine.begin() as connection:
        for start in starts:
            service.started(connection, job.id, "a", start)
        assert service.get(connection, job.id).made_with == starts[1]
        with pytest.raises(LeaseLost):
            service.started(connection, job.id, "b", starts[0])


def test_cancelled_while_it_waits_it_ends_at_once_and_while_it_runs_the_worker_hears_of_it(
    engine: Engine, dataset: str
) -> None:
    waiting, running = submitted(engine, dataset), None
    with engine.begin() as connection:
        assert service.cancel(connection, waiting.id).state == "cancelled"
        with pytest.raises(ConfigError, match="it is cancelled"):
            service.cancel(connection, waiting.id)
    running = submitted(engine, dataset)
    mine = claimed(engine, "a")
    assert mine is not None
    assert mine.id == running.id
    with engine.begin() as connection:
        assert service.cancel(connection, running.id).state == "running"
        assert service.renew(connection, running.id, "a", 60) is True
        service.end(connection, running.id, "a", "cancelled")
        assert [one.id for one in service.listed(connection)] == [running.id, waiting.id]


def test_what_is_refused(engine: Engine, dataset: str, tmp_path: Path) -> None:
    masks = manifest(item(1, side="train"), task="segment", classes=("water",))
    with engine.begin() as connection:
        segment = archive.keep(connection, DiskObjects(tmp_path / "objects"), masks, [], "lin").digest
        with pytest.raises(ConfigError, match="there is no version"):
            service.submit(connection, "cars", "f" * 64, {}, "lin")
        with pytest.raises(ConfigError, match="of task segment"):
            service.submit(connection, "cars", segment, {"detect": {}}, "lin")
        with pytest.raises(ConfigError, match="name: '' is not a name"):
            service.submit(connection, "", dataset, {}, "lin")
        with pytest.raises(ConfigError, match="training 7: there is none"):
            service.get(connection, 7)
        assert connection.execute(text("SELECT count(*) FROM training_jobs")).scalar_one() == 0
