"""A worker of the queue, killed in the middle of a real training: the next one goes on to the same curve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.training.asked import settings_by_task
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.tracking import Tracking, tracking_of
from algorithm_repo.training.ultra_settings import ClassifySettings, DetectSettings, SegmentSettings
from cityvision.training_courses import Course, Heads, Segmenters, course_of
from cityvision.training_desk import TrainingDesk
from contracts.errors import ConfigError
from models.zoo import Zoo
from store.objects import DiskObjects
from tests.contract.classify_scene import days_and_nights
from tests.contract.detect_scene import ROOT, photos, training_python
from tests.contract.lakes_scene import lakes
from tests.contract.test_training_tracking import read, until

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.media, pytest.mark.timeout(1200)]

_WORKER = """
import sys
from pathlib import Path
from algorithm_repo.training.tracking import Tracking, tracking_of
from cityvision.training_courses import Course, Heads, Segmenters, course_of
from cityvision.training_desk import TrainingDesk
from models.zoo import Zoo
from store.database import make_engine
from store.objects import DiskObjects
url, objects, folder, python = sys.argv[1:]
TrainingDesk(make_engine(url), DiskObjects(Path(objects)), Path(folder), Path(python), Zoo(), None, lease_s=3).work()
"""


@pytest.mark.thorough
def test_a_worker_is_killed_and_the_next_goes_on(engine: Engine, mirror: Path, tmp_path: Path) -> None:
    scene = photos(mirror, 8, 8)
    objects = DiskObjects(tmp_path / "objects")
    for one in scene.manifest.items:
        key = f"labelling/{one.content[:2]}/{one.content}.jpg"
        objects.put(key, scene.read(one.content), "image/jpeg")
    settings = DetectSettings(size=64, epochs=4, batch=4, mosaic=1, threads=1, calibrate=0)
    with engine.begin() as connection:
        digest = archive.keep(connection, objects, scene.manifest, [], "lin").digest
        job = service.submit(connection, "eight", digest, settings_by_task(settings, None), "lin")
    url = engine.url.render_as_string(hide_password=False)
    arguments = [url, str(tmp_path / "objects"), str(tmp_path / "jobs"), str(training_python())]
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, *arguments], cwd=ROOT)
    try:
        before: list[service.CurvePoint] = []
        while not before:
            assert worker.poll() is None
            time.sleep(0.1)
            with engine.connect() as connection:
                before = service.curve(connection, job.id)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert before[-1].step < 4
    desk = TrainingDesk(engine, objects, tmp_path / "jobs", training_python(), Zoo(mirror=mirror), None, lease_s=60)
    while desk.work() is None:  # until the lease of the killed one has run out
        time.sleep(0.2)
    with engine.connect() as connection:
        done, points = service.get(connection, job.id), service.curve(connection, job.id)
    assert (done.state, done.attempts, done.told) == ("done", 2, "")
    assert [point.step for point in points] == [1, 2, 3, 4]
    assert points[: len(before)] == before
    assert set(done.result) == {"detector.npz", "detector.onnx", "detector.xml", "detector.bin"}
    onnx = done.result["detector.onnx"]
    kept = objects.get(f"training/{onnx[:2]}/{onnx}.onnx")
    assert kept == (tmp_path / "jobs" / str(job.id) / "detector.onnx").read_bytes()


def test_a_picture_that_is_gone_fails_the_job_with_its_reason(engine: Engine, mirror: Path, tmp_path: Path) -> None:
    scene, objects = photos(mirror, 8, 8), DiskObjects(tmp_path / "objects")
    with engine.begin() as connection:
        digest = archive.keep(connection, objects, scene.manifest, [], "lin").digest
        job = service.submit(connection, "eight", digest, settings_by_task(None, None), "lin")
    desk = TrainingDesk(engine, objects, tmp_path / "jobs", training_python(), Zoo(mirror=mirror), None)
    assert desk.work() == job.id
    with engine.connect() as connection:
        ended = service.get(connection, job.id)
    assert ended.state == "failed"
    assert "is not in the store" in ended.told
    assert desk.work() is None


@pytest.mark.thorough  # the loop's trainings are such
def test_a_mask_trains_a_decoder_on_frozen_features(engine: Engine, mirror: Path, tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects")
    manifest, places = lakes(tmp_path)
    for path in places.values():
        media.keep(objects, path.read_bytes(), path.suffix, "image/png", "labelling")
    settings = HeadSettings(steps=4, batch=2, variations=1, every=2, threads=1)
    with engine.begin() as connection:
        digest = archive.keep(connection, objects, manifest, [], "lin").digest
        with pytest.raises(ConfigError, match="is of task segment"):
            service.submit(connection, "lakes", digest, settings_by_task(DetectSettings(), None), "lin")
        job = service.submit(connection, "lakes", digest, settings_by_task(None, settings), "lin")
    desk = TrainingDesk(engine, objects, tmp_path / "jobs", training_python(), Zoo(mirror=mirror), None)
    assert desk.work() == job.id
    with engine.connect() as connection:
        done, points = service.get(connection, job.id), service.curve(connection, job.id)
    assert (done.state, done.told, set(done.result)) == ("done", "", {"water.npz", "water.onnx"})
    assert [(point.step, set(point.figures)) for point in points] == [(2, {"loss"}), (4, {"loss"})]


def test_a_mask_trains_what_its_settings_are_of(tmp_path: Path) -> None:
    heads, segmenters = Heads(lambda: tmp_path), Segmenters()
    courses: dict[str, Course] = {"segment": segmenters, "decode": heads}
    for settings, course in ((HeadSettings(), heads), (SegmentSettings(), segmenters)):
        assert course_of(courses, "segment", settings_by_task(settings)["segment"]) is course
    with pytest.raises(ConfigError, match="nothing trains a version of task events"):
        course_of(courses, "events", {})


@pytest.mark.thorough
def test_tags_train_a_classifier(engine: Engine, mirror: Path, tmp_path: Path) -> None:
    scene, objects = days_and_nights(mirror, 8, 4), DiskObjects(tmp_path / "objects")
    for one in scene.manifest.items:
        media.keep(objects, scene.read(one.content), ".jpg", "image/jpeg", "labelling")
    settings = ClassifySettings(size=64, epochs=2, batch=4, threads=1, calibrate=4)
    with engine.begin() as connection:
        digest = archive.keep(connection, objects, scene.manifest, [], "lin").digest
        job = service.submit(connection, "hours", digest, settings_by_task(settings), "lin")
    tracking = tracking_of(tmp_path, None)
    desk = TrainingDesk(engine, objects, tmp_path / "jobs", training_python(), Zoo(mirror=mirror), tracking)
    assert desk.work() == job.id
    with engine.connect() as connection:
        done, points = service.get(connection, job.id), service.curve(connection, job.id)
    # Two epochs teach nothing, so the gate keeps no INT8.
    kept = {f"classifier{suffix}" for suffix in (".npz", ".onnx", ".xml", ".bin")}
    assert (done.state, done.told, set(done.result)) == ("done", "", kept)
    assert [(point.step, set(point.figures)) for point in points] == [
        (epoch, {"loss", "val_loss", "top1", "rate"}) for epoch in (1, 2)
    ]
    (run,) = read(tracking)
    assert (run["status"], [step for step, _ in run["curve"]["top1"]]) == ("FINISHED", [1, 2])


@pytest.mark.thorough
def test_mlflow_is_told_while_a_job_runs_and_that_it_was_cancelled(
    engine: Engine, mirror: Path, tmp_path: Path
) -> None:
    job, desk = submitted(engine, mirror, tmp_path, epochs=5000, tracking=tracking_of(tmp_path, None))
    worker = threading.Thread(target=desk.work)
    worker.start()
    try:
        running = until(tracking_of(tmp_path, None), 2)
    finally:
        with engine.begin() as connection:
            service.cancel(connection, job.id)
        worker.join(300)
    assert running["status"] == "RUNNING"
    (run,) = read(tracking_of(tmp_path, None))
    assert (run["id"], run["status"]) == (running["id"], "KILLED")
    with engine.connect() as connection:
        points = service.curve(connection, job.id)
    assert [step for step, _ in run["curve"]["box_loss"]] == [point.step for point in points]


@pytest.mark.thorough
def test_a_server_that_is_down_costs_a_training_nothing(
    engine: Engine, mirror: Path, tmp_path: Path, free_port: int
) -> None:
    nobody = tracking_of(tmp_path, f"http://127.0.0.1:{free_port}")
    job, desk = submitted(engine, mirror, tmp_path, epochs=2, tracking=nobody)
    assert desk.work() == job.id
    with engine.connect() as connection:
        done = service.get(connection, job.id)
    assert (done.state, done.told, done.attempts, done.step) == ("done", "", 1, 2)


def submitted(
    engine: Engine, mirror: Path, tmp_path: Path, epochs: int, tracking: Tracking
) -> tuple[service.TrainingJob, TrainingDesk]:
    """A job on eight photos a side, and a worker that tells every half second."""
    scene, objects = photos(mirror, 8, 8), DiskObjects(tmp_path / "objects")
    for one in scene.manifest.items:
        objects.put(f"labelling/{one.content[:2]}/{one.content}.jpg", scene.read(one.content), "image/jpeg")
    settings = DetectSettings(size=64, epochs=epochs, batch=4, mosaic=1, threads=1, calibrate=0)
    with engine.begin() as connection:
        digest = archive.keep(connection, objects, scene.manifest, [], "lin").digest
        job = service.submit(connection, "eight", digest, settings_by_task(settings, None), "lin")
    desk = TrainingDesk(
        engine, objects, tmp_path / "jobs", training_python(), Zoo(mirror=mirror), tracking, track_every_s=0.5
    )
    return job, desk
