"""The rules at the end of the whole chain, on real footage."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.pool import Camera
from contracts.records import Event, Transition
from models.detector import Detector, load_detector
from models.zoo import Zoo
from pipeline.evidence import NoEvidence
from pipeline.replay import replay
from pipeline.senses.engine import Sensing
from tests.unit.scenes import camera, rectangle

pytestmark = pytest.mark.media

DRIVE = {"id": "drive", "kind": "no_parking", "polygon": rectangle(0.9, 0.4, 1.0, 0.6)}
JUNCTION = {"id": "junction", "kind": "no_parking", "polygon": rectangle(0.4, 0.3, 0.7, 0.5)}


@pytest.fixture(scope="module")
def detector(mirror: Path) -> Detector:
    return load_detector("yolox_nano", Zoo(mirror=mirror), precision="f32")


def events(clip: Path, cam: Camera, detector: Detector, *, gate: bool) -> list[Event]:
    return list(replay(clip, cam, detector, Sensing(Zoo()), lambda _: NoEvidence(), gate=gate))


@pytest.mark.parametrize("every", [1.0, 2.0])
@pytest.mark.parametrize("gate", [False, True])
def test_the_parked_car_fires_and_the_queue_at_the_lights_does_not(
    mirror: Path, detector: Detector, every: float, gate: bool
) -> None:
    cam = camera(DRIVE, JUNCTION, illegal_parking={"dwell": 15, "look_every": every})
    said = events(mirror / "footage" / "residential_street.mp4", cam, detector, gate=gate)
    assert {event.zone for event in said} == {"drive"}
    assert [event.transition for event in said] == [Transition.OPENED, Transition.UPDATED]
    assert len({event.id for event in said}) == 1
    opened = said[0]
    assert opened.started_utc <= every
    assert 15 <= opened.stream_time <= 15 + 2 * every
    assert opened.numbers["moved_body_lengths"] < 0.1
    assert opened.subject.object_class == "car"


def test_pedestrians_crowd_a_small_limit_and_not_a_large_one(mirror: Path, detector: Detector) -> None:
    clip = mirror / "footage" / "oxford_street_1080p.mp4"
    for capacity, fires in ((5, True), (20, False)):
        zone = {"id": "pavement", "kind": "square", "polygon": rectangle(0, 0, 1, 1), "capacity": capacity}
        cam = camera(zone, crowding={"hold": 4, "look_every": 1, "linger": 1})
        said = events(clip, cam, detector, gate=False)
        assert bool(said) is fires
        if fires:
            assert 6 <= said[0].numbers["peak"] <= 15
