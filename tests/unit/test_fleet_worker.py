"""The real worker on real streams: what happens to one camera leaves the others alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import ModelMissing, RunnerError, ServiceError
from contracts.live import CameraState
from contracts.records import Transition
from contracts.vision import Frame, Look
from fleet.board import Assignment
from models.detector import Detector
from models.runner import Tensors
from pipeline import coverage
from pipeline.chain import CameraChain
from pipeline.eventbook import Clock
from pipeline.perceive import Perception
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.clips import Encoding, render_pattern
from simulator.rtsp.media import load_clip
from tests.unit.fleet_scene import Running, camera, car_detector, drive, make_stack

SECRET = "s3cr:t/@ word"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    path = tmp_path_factory.mktemp("clips") / "pattern.mp4"
    clip = load_clip(render_pattern(path, 4.0, Encoding((320, 180), 10, gop=5)))
    served = [ServedCamera(name, clip) for name in ("a", "b")]
    with ServerThread([*served, ServedCamera("locked", clip, user="admin", password=SECRET)]) as server:
        yield server


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Running]:
    stack = make_stack(tmp_path, secrets=tmp_path / "secrets.yaml")
    with stack:
        yield Running(stack)
        stack.worker.close()


def test_cameras_that_join_leave_and_change_do_not_disturb_another(server: ServerThread, worker: Running) -> None:
    a, b = camera("a", server.url("a")), camera("b", server.url("b"))
    board = worker.stack.board
    board.assign(Assignment(1, (a,)))
    drive([worker], lambda: worker.looks("a") >= 2, "a is looked at")
    board.assign(Assignment(2, (a, b)))
    drive([worker], lambda: worker.looks("b") >= 2, "b joins")
    zones = (*b.zones, b.zones[0].model_copy(update={"id": "kerb-2"}))
    board.assign(Assignment(3, (a, b.model_copy(update={"zones": zones}))))
    before = worker.looks("b")
    drive([worker], lambda: worker.looks("b") >= before + 2, "b goes on with other zones")
    changed = worker.status("b")
    assert changed is not None
    assert changed.reconnects == 0
    board.assign(Assignment(4, (a,)))
    before = worker.looks("a")
    drive([worker], lambda: worker.looks("a") >= before + 2, "a goes on")
    assert worker.status("b") is None
    status = worker.status("a")
    assert status is not None
    assert (status.reconnects, status.state) == (0, CameraState.RUNNING)
    assert worker.stack.spool.last_states().keys() == {"a"}
    assert not (worker.stack.folder / "shelf" / "b").exists()


def test_a_camera_that_fails_does_not_stop_another(
    server: ServerThread, worker: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = CameraChain.look

    def broken(chain: CameraChain, look: Look, frame: Frame, clock: Clock) -> object:
        told = sound(chain, look, frame, clock)
        if chain.camera.id == "b":
            raise OSError(5, f"Input/output error at rtsp://admin:{SECRET}@b")
        return told

    a, b = camera("a", server.url("a")), camera("b", server.url("b"), dwell=3.0)
    worker.stack.board.assign(Assignment(1, (a, b)))
    drive([worker], lambda: worker.looks("a") >= 2 and worker.looks("b") >= 2, "both are looked at")
    monkeypatch.setattr(CameraChain, "look", broken)
    before = worker.looks("a")
    drive([worker], lambda: worker.looks("a") >= before + 4, "a goes on")
    failing = worker.status("b")
    assert failing is not None
    assert "Input/output error" in failing.error
    assert "s3cr" not in failing.error
    monkeypatch.undo()
    drive([worker], lambda: any(event.camera == "b" for event in worker.events()), "b goes on")
    mended = worker.status("b")
    assert mended is not None
    assert (mended.error, mended.reconnects) == ("", 0)
    opened = next(event for event in worker.events() if event.camera == "b")
    # What failed is done again from the kept state: numbers begin with 0, and the clock is the old one.
    assert (opened.seq, opened.transition) == (0, Transition.OPENED)
    assert opened.utc - opened.started_utc < 3.0 + 2.0


def test_a_camera_without_its_secret_appears_when_the_secret_comes(
    server: ServerThread, worker: Running, tmp_path: Path
) -> None:
    locked = camera("locked", server.url("locked"), credentials="vendor")
    worker.stack.board.assign(Assignment(1, (camera("a", server.url("a")), locked)))
    drive([worker], lambda: worker.looks("a") >= 3, "a is looked at")
    failed = worker.status("locked")
    assert failed is not None
    assert failed.state is CameraState.OFFLINE
    assert "secrets" in failed.error
    drive([worker], worker.unwatched, "the time without it is told")
    assert [(u.camera, u.reason, u.end_utc) for u in worker.unwatched()] == [("locked", "error", None)]
    secrets = tmp_path / "secrets.yaml"
    secrets.touch(mode=0o600)
    secrets.write_text(f'vendor: "admin:{SECRET}"\n')
    drive([worker], lambda: worker.looks("locked") >= 2, "it is looked at")
    drive([worker], lambda: len(worker.unwatched()) == 2, "the time without it has ended")
    begun, ended = worker.unwatched()
    assert begun.id == ended.id
    assert ended.end_utc is not None


def test_an_outage_of_the_detector_is_logged_once_and_told_as_not_watched(
    server: ServerThread, worker: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_perception: Perception, _pictures: object) -> Tensors:
        raise RunnerError("the model server is away")

    monkeypatch.setattr(coverage, "GRACE_S", 0.5)
    worker.stack.board.assign(Assignment(1, (camera("a", server.url("a")),)))
    drive([worker], lambda: worker.looks("a") >= 1, "a is looked at")
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO, "fleet"):
        patch.setattr(Perception, "perceive", away)
        drive([worker], worker.unwatched, "told")
    assert [u.reason for u in worker.unwatched()] == ["error"]
    assert sum("model server is away" in line for line in caplog.messages) == 1
    before = worker.looks("a")
    drive([worker], lambda: worker.looks("a") > before, "it goes on")


def test_without_disk_space_looks_are_shed_and_it_is_said(
    server: ServerThread, worker: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(coverage, "GRACE_S", 0.5)
    worker.stack.board.assign(Assignment(1, (camera("a", server.url("a")), camera("b", server.url("b")))))
    drive([worker], lambda: worker.looks("a") >= 1 and worker.looks("b") >= 1, "both are looked at")
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO, "fleet"):
        patch.setattr(worker.stack.spool, "_free_bytes", lambda: 0)
        drive([worker], lambda: all(counts.shed >= 9 for counts in worker.stack.worker.counts()), "shed")
    assert len([line for line in caplog.messages if "no room" in line]) <= 1
    status = worker.status("a")
    assert status is not None
    assert "no room" in status.error
    drive([worker], lambda: {u.camera for u in worker.unwatched() if u.end_utc} == {"a", "b"}, "told with its end")
    assert {u.reason for u in worker.unwatched()} == {"shed"}


def test_a_worker_whose_threads_are_dead_ends(tmp_path: Path) -> None:
    stack = make_stack(tmp_path)  # not entered: its reporter and publisher never ran
    with pytest.raises(ServiceError, match="reporter"):
        stack.worker.run()
    stack.spool.close()


def test_a_camera_may_name_its_own_detector(server: ServerThread, tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(name: str) -> Detector:
        loaded.append(name)
        if name == "missing":
            raise ModelMissing("the detector missing is not on this machine", "fetch it")
        return car_detector("other")

    with make_stack(tmp_path, load=load) as stack:
        worker = Running(stack)
        usual, named = camera("a", server.url("a")), camera("b", server.url("b"))
        named = named.model_copy(update={"model": "other"})
        lost = usual.model_copy(update={"id": "c", "model": "missing"})
        stack.board.assign(Assignment(1, (usual, named, lost)))
        drive([worker], lambda: worker.looks("a") >= 2 and worker.looks("b") >= 2, "both are looked at")
        models = {name: status.model for name in ("a", "b") if (status := worker.status(name)) is not None}
        assert models == {"a": "usual-00000000", "b": "other-00000000"}
        refused = worker.status("c")
        assert refused is not None
        assert "not on this machine" in refused.error
        drive([worker], lambda: len(worker.events()) >= 2, "both raise their event", within=15)
        assert {event.provenance.model for event in worker.events()} == set(models.values())

        # The edit of a camera's detector takes effect at once, and its clock goes on.
        stack.board.assign(Assignment(2, (usual.model_copy(update={"model": "other"}), named, lost)))
        drive([worker], lambda: _model(worker, "a") == "other-00000000", "the other detector looks", within=15)
        assert loaded.count("other") == 1
        assert loaded.count("missing") == 1
        assert len({event.id for event in worker.events() if event.camera == "a"}) == 1
        stack.worker.close()


def _model(worker: Running, name: str) -> str:
    status = worker.status(name)
    return "" if status is None else status.model
