"""Every event names all networks it rests on; a network can be replaced between two looks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ConfigError, HashMismatch
from contracts.records import Event, NetworkUsed
from contracts.senses import Ask, Senses, WaterMap
from contracts.vision import Tracks
from models.picture import frame_from_bgr
from models.served import load_served
from models.zoo import Zoo, ZooFile
from pipeline.chain import ModelIdentity
from pipeline.perceive import Perception, Picture
from pipeline.senses.engine import Sensing, Wish
from pipeline.senses.memory import SceneMemory
from pipeline.spool_evidence import EvidenceSpool
from pipeline.track import FleetTracker
from store.objects import DiskObjects
from tests.unit.chain_scene import CLOCK, LEFT, PARKING, Scene, watched
from tests.unit.fleet_scene import car_detector
from tests.unit.scenes import rectangle
from tests.unit.test_sense_water import bright_net

ROAD = {"id": "road", "name": "road", "kind": "road", "polygon": rectangle(0.0, 0.5, 1.0, 1.0)}
WATER = NetworkUsed(role="water", name="water-aaaaaaaa", sha256="a" * 64)
LITTER = NetworkUsed(role="litter", name="litter-bbbbbbbb", sha256="b" * 64)


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[EvidenceSpool]:
    spool = EvidenceSpool(tmp_path / "waiting", DiskObjects(tmp_path / "objects"), min_free_bytes=0)
    yield spool
    spool.close()


def test_an_event_names_the_networks_that_its_own_rule_asked(tmp_path: Path, blobs: EvidenceSpool) -> None:
    camera = watched(LEFT, ROAD, illegal_parking=PARKING, waterlogging={"hold": 5, "look_every": 0.5})
    scene, told = Scene(tmp_path / "shelf", blobs, camera=camera), list[Event]()
    flooded = Senses(water=WaterMap(np.full((24, 40), 255, np.uint8)), networks=(LITTER, WATER))
    while scene.time < 20:
        scene.chain.asks(scene.time + 0.5)
        seen, frame = scene.see(scene.time + 0.5)
        told += scene.chain.look(replace(seen, senses=flooded), frame, CLOCK)
    of = {event.type: [(one.role, one.name) for one in event.provenance.networks] for event in told}
    assert of["waterlogging"][:2] == [("detector", "m"), ("water", WATER.name)]
    assert of["illegal_parking"][0][0] == "detector"
    assert not {"water", "litter"} & {role for role, _ in of["illegal_parking"]}
    for event in told:
        weighed = [one for one in event.provenance.networks if one.role == "confidence"]
        assert len(weighed) == (event.confidence is not None)


def test_after_a_switch_of_the_detector_events_name_the_new_one(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene, told = Scene(tmp_path / "shelf", blobs, camera=watched()), list[Event]()
    while scene.time < 34:
        if scene.time == 20.0:
            scene.chain.detected_by(ModelIdentity("other", "c" * 64))
        scene.chain.asks(scene.time + 0.5)
        seen, frame = scene.see(scene.time + 0.5)
        told += scene.chain.look(seen, frame, CLOCK)
    assert [(told[0].transition, told[0].provenance.model), (told[-1].transition, told[-1].provenance.model)] == [
        ("opened", "m"),
        ("closed", "other"),
    ]
    assert told[-1].provenance.networks[0].sha256 == "c" * 64


def test_a_sense_is_switched_between_two_looks_and_says_so(tmp_path: Path) -> None:
    sensing = Sensing(Zoo(cache=tmp_path, mirror=None))
    frame = frame_from_bgr(np.full((90, 160, 3), 200, np.uint8))
    wish = Wish("cam", frame, Tracks.empty(), Ask(water=True), (), SceneMemory())
    (before,) = sensing.sense([wish])
    bright, _ = bright_net()
    old = sensing.switch("water", bright)
    (after,) = sensing.sense([wish])
    assert old is not None
    assert [one.name for one in before.networks] == [old.name]
    assert [one.name for one in after.networks] == [bright.name]
    assert after.water is not None
    assert after.water.probability.min() > 150, "the new one takes what is bright for water"
    old.close()
    with pytest.raises(ConfigError, match="cannot play the role 'litter'"):
        sensing.switch("litter", bright)


def test_a_detector_is_switched_between_two_batches() -> None:
    one, other = car_detector("one"), car_detector("other")
    perception = Perception(one, FleetTracker(), Sensing(Zoo()), max_batch=2)
    picture = Picture("cam", frame_from_bgr(np.zeros((90, 160, 3), np.uint8)), 0.3)
    perception.perceive([picture])
    assert perception.switch(other) is one
    one.close()
    assert len(perception.perceive([picture])[0].tracks) == 1


def test_a_network_that_is_no_part_of_the_project_is_kept_by_its_hash(tmp_path: Path) -> None:
    zoo = Zoo(cache=tmp_path, mirror=None)
    built_in, weights = zoo.artefact("water"), zoo.fetch("water")[0].read_bytes()
    file = ZooFile(path="models/kept.onnx", sha256=hashlib.sha256(weights).hexdigest())
    kept = zoo.including({"candidate": built_in.model_copy(update={"files": (file,)})})
    assert "candidate" not in zoo.names()
    with pytest.raises(HashMismatch):
        kept.keep(file, weights + b"more")
    assert not kept.at_hand("candidate")
    kept.keep(file, weights)
    network = load_served("water", "candidate", kept)
    assert network.name == f"candidate-{file.sha256[:8]}"
    network.close()


@pytest.mark.parametrize(
    ("role", "name", "wrong"),
    [("detector", "water", "is no detector"), ("litter", "water", "is no classifier"), ("plates", "water", "role")],
)
def test_a_network_is_refused_in_a_role_that_is_not_its_own(role: str, name: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        load_served(role, name, Zoo())
