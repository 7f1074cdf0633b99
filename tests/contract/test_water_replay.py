"""Waterlogging through the whole chain: a clip, its looks, the gate, a network that takes for water what is bright."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.records import Transition
from models.zoo import Zoo
from pipeline.evidence import NoEvidence
from pipeline.replay import replay
from pipeline.senses.engine import Sensing
from pipeline.senses.water import WaterSense
from simulator.rtsp.clips import Encoding, encode_pictures
from tests.unit.fleet_scene import car_detector
from tests.unit.scenes import camera, rectangle
from tests.unit.test_sense_water import bright_net

ROAD = {"id": "road", "kind": "road", "polygon": rectangle(0.05, 0.4, 0.95, 0.95)}
KERB = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.36, 0.05, 0.64, 0.7)}


def _pictures(seconds: int, fps: int) -> Iterator[NDArray[np.uint8]]:
    """A grey road; from second 10 to 40 a bright puddle grows to 18 % of it."""
    noise = np.random.default_rng(0)
    for index in range(seconds * fps):
        picture = noise.normal(70, 3, (360, 640, 3))
        grown = min(1.0, max(0.0, (index / fps - 10) / 30))
        if grown > 0:
            axes = (round(125 * grown**0.5), round(55 * grown**0.5))
            cv2.ellipse(picture, (200, 270), axes, 0, 0, 360, (235, 235, 235), -1)
        yield np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("water") / "puddle.mp4"
    return encode_pictures(path, _pictures(90, 4), Encoding((640, 360), 4, 4))


@pytest.mark.parametrize("gate", [False, True])
def test_a_growing_puddle_beside_another_algorithm(clip: Path, gate: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    net, runner = bright_net()
    monkeypatch.setattr(WaterSense, "of", classmethod(lambda cls, *_: cls(lambda: net)))
    cam = camera(ROAD, KERB, waterlogging={"hold": 20}, illegal_parking={"dwell": 300, "look_every": 1})
    said = list(replay(clip, cam, car_detector(), Sensing(Zoo()), lambda _: NoEvidence(), gate=gate))
    assert {event.type for event in said} == {"waterlogging"}
    assert said[0].transition is Transition.OPENED
    assert {event.id for event in said} == {said[0].id}
    # 8 % of the road is reached when the puddle is 44 % grown, in second 23.
    assert 21 <= said[0].started_utc <= 23 + 2 * 5
    assert 20 <= said[0].utc - said[0].started_utc <= 30
    assert said[0].numbers["share"] > 0.1
    # One water map in five seconds, although the camera is looked at every second.
    assert len(runner.batches) <= 90 / 5 + 2
