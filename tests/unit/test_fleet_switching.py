"""Another network on a running worker: no look lost, what was used before unloaded, a bad one left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from algorithm_repo.rollout.keeping import NetworkShelf, drop_network, keep_network
from contracts.errors import ModelMissing, RunnerError
from contracts.records import NetworkUsed
from contracts.rollout import Served, ServedModel, Serving
from fleet.detectors import Detectors
from fleet.switching import ModelSwitch, Port, Switches
from models.served import Reader
from models.zoo import Zoo
from pipeline.senses.engine import Sensing
from pipeline.track import FleetTracker
from store.objects import DiskObjects
from tests.unit.fleet_scene import car_detector

OLD, NEW, BAD = ("0" * 64, "a" * 64, "b" * 64)


class Told:
    """What the bus says, and what it was told."""

    def __init__(self) -> None:
        self.wanted: Serving | None = None
        self.said: list[Served] = []

    def serving(self) -> Serving | None:
        return self.wanted

    def set_served(self, served: Served) -> None:
        if not self.said or self.said[-1] != served:
            self.said.append(served)

    def close(self) -> None: ...


def want(number: int, sha256: str) -> Serving:
    return Serving(number=number, models=(ServedModel(role="detector", name="net", sha256=sha256),))


class Scene:
    """A worker's detectors, and the thread that follows the bus; the test is the compute thread."""

    def __init__(self) -> None:
        self.told, self.remembered = Told(), list[Serving]()
        self.usual, self.loaded = car_detector("usual"), list[Reader]()
        self.detectors = Detectors(self.usual, car_detector, FleetTracker(), Sensing(Zoo()), 2)
        port = Port()
        self.switches = Switches(port, self.detectors, Sensing(Zoo()))
        running = {"detector": NetworkUsed(role="detector", name=self.usual.name, sha256=OLD)}
        self.thread = ModelSwitch("w1", self.told, port, self._load, running, self.remembered.append)
        self.thread.start()

    def _load(self, model: ServedModel) -> Reader:
        if model.sha256 == BAD:
            raise RunnerError("its weights are spoilt")
        detector = car_detector(f"loaded-{len(self.loaded)}")
        self.loaded.append(detector)
        return detector

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, f"not reached: {self.told.said}"
            self.switches.follow()
            time.sleep(0.01)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_compute_thread_decides_when_and_what_was_used_before_is_closed(scene: Scene) -> None:
    scene.told.wanted = want(7, NEW)
    end = time.monotonic() + 30
    while not scene.loaded:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert scene.detectors.usual.detector is scene.usual, "loading changes nothing"
    scene.until(lambda: bool(scene.told.said) and scene.told.said[-1].number == 7)
    assert scene.detectors.usual.detector is scene.loaded[0]
    assert [one.sha256 for one in scene.told.said[-1].models] == [NEW]
    assert scene.remembered == [want(7, NEW)]
    scene.thread.stop()


def test_what_runs_already_is_not_loaded_again(scene: Scene) -> None:
    scene.told.wanted = want(3, OLD)
    scene.until(lambda: bool(scene.told.said) and scene.told.said[-1].number == 3)
    assert scene.loaded == []
    assert scene.detectors.usual.detector is scene.usual
    scene.thread.stop()


def test_what_cannot_be_loaded_is_refused_and_the_worker_goes_on_until_it_is_told_otherwise(scene: Scene) -> None:
    scene.told.wanted = want(8, BAD)
    scene.until(lambda: bool(scene.told.said) and scene.told.said[-1].refused == 8)
    assert scene.told.said[-1].error == "its weights are spoilt"
    assert [one.sha256 for one in scene.told.said[-1].models] == [OLD]
    assert scene.detectors.usual.detector is scene.usual
    assert scene.remembered == []
    scene.told.wanted = want(9, NEW)
    scene.until(lambda: scene.told.said[-1].number == 9)
    assert scene.told.said[-1].refused is None
    scene.thread.stop()


def test_a_worker_that_ends_does_not_wait_for_a_switch(scene: Scene) -> None:
    scene.told.wanted = want(7, NEW)
    end = time.monotonic() + 30
    while not scene.loaded:
        assert time.monotonic() < end
        time.sleep(0.01)
    scene.thread.stop()
    assert not scene.thread.alive


def test_kept_networks_come_from_the_object_store_and_are_checked(tmp_path: Path) -> None:
    objects, zoo = DiskObjects(tmp_path / "objects"), Zoo(cache=tmp_path / "cache", mirror=None)
    like, weights = zoo.artefact("water"), zoo.fetch("water")[0].read_bytes() + b"\x00"
    kept = keep_network(objects, weights, role="water", name="wetter", like=like)
    model = ServedModel(role=kept.role, name=kept.name, sha256=kept.sha256)
    found = NetworkShelf(zoo, objects).zoo_with(model)
    assert found.fetch("wetter")[0].read_bytes() == weights
    assert found.artefact("wetter").segmenter == like.segmenter
    drop_network(objects, kept.sha256)
    with pytest.raises(ModelMissing, match="nobody has kept the network wetter"):
        NetworkShelf(zoo, objects).zoo_with(model)
    built_in = ServedModel(role="water", name="water", sha256=like.digest)
    assert NetworkShelf(zoo, objects).zoo_with(built_in) is zoo
