"""A scene in which nothing moves is no frozen camera: what is parked there is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from algorithm_repo.evaluation.job import tools
from algorithm_repo.evaluation.simulated import clip_of_scenario
from contracts.pool import Camera
from contracts.vision import ByteArray
from pipeline.evidence import NoEvidence
from pipeline.replay import replay
from simulator.rtsp.clips import Encoding, encode_pictures
from simulator.street import scenario

FPS = 2
SIZE = (640, 360)


@pytest.fixture(scope="module")
def scene() -> tuple[Camera, ByteArray, ByteArray, tuple[int, int, int, int]]:
    """A camera, its square before a car came and with it parked there, and the car's box, pixels."""
    street = scenario(3, "parking_kerb", size=SIZE)
    camera = clip_of_scenario(1, street, "still").camera
    begun = int(street.truth[0].start) + 4
    for time in range(begun, int(street.duration)):
        picture = street.picture(float(time))
        if len(picture.boxes) == 1:
            break
    else:
        pytest.fail("the car is never alone in this scene")
    before = [street.picture(float(time)).bgr for time in range(begun - 6)]
    empty = np.asarray(np.median(before, axis=0), np.uint8)
    x1, y1, x2, y2 = np.array(picture.boxes[0].box) * (*SIZE, *SIZE)
    return camera, empty, picture.bgr, (int(x1) - 8, int(y1) - 8, int(x2) + 8, int(y2) + 8)


def kinds(path: Path, camera: Camera) -> list[str]:
    detector, sensing = tools("street", None)
    events = replay(path, camera, detector, sensing, lambda _ring: NoEvidence())
    return [f"{event.type} {event.subject.object_class}" for event in events if event.transition.value == "opened"]


@pytest.mark.parametrize(("gop", "bitrate"), [(250, None), (20, None), (4, 60_000)])
def test_a_still_picture_made_into_a_clip_shows_its_parked_car(
    tmp_path: Path, scene: tuple[Camera, ByteArray, ByteArray, tuple[int, int, int, int]], gop: int, bitrate: int | None
) -> None:
    camera, _, parked, _ = scene
    clip = encode_pictures(tmp_path / "a.mp4", [parked] * (80 * FPS), Encoding(SIZE, FPS, gop, bitrate=bitrate))
    assert kinds(clip, camera) == ["illegal_parking car"]


def arriving(empty: ByteArray, parked: ByteArray, box: tuple[int, int, int, int]) -> Iterator[ByteArray]:
    """Without any noise: the car comes from the left, 10 s, and stays for 70."""
    x1, y1, x2, y2 = box
    ground = parked.copy()
    ground[y1:y2, x1:x2] = empty[y1:y2, x1:x2]
    for step in range(10 * FPS, 0, -1):
        shift = min(x1, step * x1 // (10 * FPS))
        picture = ground.copy()
        picture[y1:y2, x1 - shift : x2 - shift] = parked[y1:y2, x1:x2]
        yield picture
    yield from [parked] * (70 * FPS)


def test_an_almost_noiseless_clip_in_which_a_car_comes_and_stays_shows_it(
    tmp_path: Path, scene: tuple[Camera, ByteArray, ByteArray, tuple[int, int, int, int]]
) -> None:
    camera, empty, parked, box = scene
    pictures: Sequence[ByteArray] = list(arriving(empty, parked, box))
    clip = encode_pictures(tmp_path / "a.mp4", pictures, Encoding(SIZE, FPS, 50))
    assert kinds(clip, camera) == ["illegal_parking car"]
