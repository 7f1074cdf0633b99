"""Faces and plates in real pictures are made unrecognisable, and little else is."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from contracts.vision import ByteArray
from models.detector import load_detector
from models.faces import FaceFinder, load_faces
from models.plates import load_plate_finder
from models.zoo import Zoo
from pipeline.masking import Finders, mask, whole
from pipeline.masking_clip import mask_clip

pytestmark = pytest.mark.media

# In images/license_plate.jpg: the nearest car and its plate.
CAR, PLATE = (0.4, 0.28, 0.92, 0.86), (0.726, 0.613, 0.824, 0.648)


@pytest.fixture(scope="module")
def finders(mirror: Path) -> Finders:
    zoo = Zoo(mirror=mirror)
    return Finders(load_detector("yolox_nano", zoo), load_faces(zoo), load_plate_finder(zoo))


@pytest.fixture(scope="module")
def faces(mirror: Path) -> FaceFinder:
    return load_faces(Zoo(mirror=mirror))


@pytest.fixture(scope="module")
def street(mirror: Path) -> list[ByteArray]:
    """Frames of a shopping street, 1080p."""
    frames = []
    with av.open(str(mirror / "footage" / "oxford_street_1080p.mp4")) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if number in (0, 120, 240):
                frames.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            if number == 240:
                break
    return frames


def image(mirror: Path, name: str) -> ByteArray:
    return np.asarray(cv2.imread(str(mirror / "images" / name)), np.uint8)


def detail(bgr: ByteArray, box: tuple[float, float, float, float]) -> float:
    """How much structure a box of the picture shows."""
    height, width = bgr.shape[:2]
    region = bgr[int(box[1] * height) : int(box[3] * height), int(box[0] * width) : int(box[2] * width)]
    return float(cv2.Laplacian(cv2.cvtColor(region, cv2.COLOR_BGR2GRAY), cv2.CV_64F).std())


def test_no_face_is_found_any_more_on_real_streets(
    finders: Finders, faces: FaceFinder, street: list[ByteArray], mirror: Path
) -> None:
    pictures = [*street, *(image(mirror, f"{name}.jpg") for name in ("crowd", "pedestrians", "zidane", "bus"))]
    before = 0
    for picture in pictures:
        kept = picture.copy()
        copy, how = mask(picture, finders)
        found = faces.find(picture)
        before += len(found)
        assert (how, faces.find(copy)) == ("fine", [])
        assert np.array_equal(picture, kept), "the picture itself is never changed"
        left = [detail(copy, box) / detail(picture, box) for box in found]
        assert np.median(left) < 0.35, "what was in the faces is gone, not only what the network looks for"
    assert before >= 50, "these pictures show faces"
    for picture in street:
        same = (mask(picture, finders)[0] == picture).all(axis=2).mean()
        assert same > 0.85, "the street itself is still to be seen"


def test_the_plate_of_the_events_own_vehicle_stays(finders: Finders, mirror: Path) -> None:
    picture = image(mirror, "license_plate.jpg")
    hidden, shown = mask(picture, finders)[0], mask(picture, finders, CAR)[0]
    assert detail(hidden, PLATE) < 0.3 * detail(picture, PLATE)
    assert detail(shown, PLATE) == detail(picture, PLATE)


def test_without_the_networks_persons_and_vehicles_are_masked_whole(
    finders: Finders, faces: FaceFinder, street: list[ByteArray], mirror: Path
) -> None:
    bare = Finders(finders.detector, None, None)
    copy, how = mask(street[0], bare)
    assert (how, len(faces.find(copy)) < len(faces.find(street[0])) / 3) == ("coarse", True)
    car = image(mirror, "license_plate.jpg")
    copy, how = mask(car, bare, CAR)
    assert (how, detail(copy, PLATE) < 0.3 * detail(car, PLATE)) == ("coarse", True)
    assert detail(whole(car), (0.0, 0.0, 1.0, 1.0)) < 0.1 * detail(car, (0.0, 0.0, 1.0, 1.0))


def test_what_cannot_be_looked_at_is_masked_as_one(finders: Finders, street: list[ByteArray]) -> None:
    class Stubborn:
        """Sees a face whatever is done."""

        def find(self, bgr: ByteArray) -> list[tuple[float, float, float, float]]:
            return [(0.4, 0.4, 0.5, 0.5)]

    copy, how = mask(street[0], Finders(finders.detector, Stubborn(), finders.plates))
    assert how == "whole"
    everything = (0.0, 0.0, 1.0, 1.0)
    assert detail(copy, everything) < 0.2 * detail(street[0], everything)


def test_a_face_that_shows_only_in_what_is_sent_is_masked_too(finders: Finders, street: list[ByteArray]) -> None:
    """Compression may make a face of a mask that was none."""
    place = (0.4, 0.4, 0.5, 0.5)
    sent: list[ByteArray] = []

    class Wary:
        """Sees a face in the first copy as it is sent, and in nothing else."""

        def find(self, bgr: ByteArray) -> list[tuple[float, float, float, float]]:
            return [place] if len(sent) == 1 and bgr is sent[0] else []

    def shown(bgr: ByteArray) -> ByteArray:
        sent.append(bgr.copy())
        return sent[-1]

    copy, how = mask(street[0], Finders(finders.detector, Wary(), finders.plates), shown=shown)
    assert (how, len(sent)) == ("fine", 2)
    assert detail(copy, place) < 0.2 * detail(street[0], place)


def test_a_clip_is_masked_from_its_first_picture_to_its_last(
    finders: Finders, faces: FaceFinder, mirror: Path, tmp_path: Path
) -> None:
    from tests.e2e.console_city import Clip

    original = Clip(mirror / "footage" / "oxford_street_1080p.mp4", 1).mp4(0.4)
    copy, how = mask_clip(original, finders)
    (tmp_path / "copy.mp4").write_bytes(copy)
    (tmp_path / "original.mp4").write_bytes(original)
    counts = []
    for name in ("original.mp4", "copy.mp4"):
        with av.open(str(tmp_path / name)) as film:
            assert film.streams.video[0].codec_context.name == "h264"
            found = [len(faces.find(np.asarray(f.to_ndarray(format="bgr24"), np.uint8))) for f in film.decode(video=0)]
            counts.append((len(found), sum(found)))
    (pictures, before), (copied, left) = counts
    assert (how, copied, before > 5 * pictures) == ("fine", pictures, True)
    assert left <= 0.02 * before
