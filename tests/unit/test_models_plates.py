"""Reading number plates: real weights on real plates, and what must not be read at all.

Plates are personal data: no test prints one, and failures show counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import ConfigError
from contracts.vision import ByteArray
from models.fake_runner import FakeRunner
from models.picture import frame_from_bgr
from models.plates import PlateFinder, PlateReader, load_plates
from models.runner import TensorSpec
from models.zoo import PlateFinderSpec, PlateReaderSpec, Zoo
from pipeline.rules.platevote import vote

_F32 = np.dtype(np.float32)


@pytest.fixture(scope="module")
def plates(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PlateFinder, PlateReader]]:
    finder, reader = load_plates(Zoo(cache=tmp_path_factory.mktemp("zoo"), mirror=mirror))
    yield finder, reader
    finder.close()
    reader.close()


def _samples(mirror: Path, step: int) -> list[tuple[ByteArray, str]]:
    found = sorted((mirror / "truth" / "plates").glob("*.jpg"))[::step]
    if not found:
        pytest.skip("no plates beside the mirror's models")
    return [(np.asarray(cv2.imdecode(np.fromfile(p, np.uint8), 1), np.uint8), p.stem) for p in found]


@pytest.mark.media
def test_real_plates_are_read_and_a_high_score_means_it(plates: tuple[PlateFinder, PlateReader], mirror: Path) -> None:
    reads = [(plates[1].read_picture(bgr), label) for bgr, label in _samples(mirror, 9)]
    exact = float(np.mean([text == label for (text, _), label in reads]))
    sure = [text == label for (text, score), label in reads if score == 1.0]
    share, right = len(sure) / len(reads), float(np.mean(sure))
    assert exact >= 0.85
    assert share >= 0.7
    assert right >= 0.95


@pytest.mark.media
def test_voting_over_noisy_readings_beats_single_ones(plates: tuple[PlateFinder, PlateReader], mirror: Path) -> None:
    noise = np.random.default_rng(3)
    single, voted, tries = 0, 0, 0
    samples = _samples(mirror, 30)
    for bgr, label in samples:
        reads = []
        for _ in range(5):
            small = cv2.resize(bgr, (72, 18), interpolation=cv2.INTER_AREA)
            noisy = np.clip(small + noise.normal(0, 12, small.shape), 0, 255).astype(np.uint8)
            reads.append(plates[1].read_picture(noisy))
        single += sum(text == label for text, _ in reads)
        tries += len(reads)
        voted += vote(reads)[0] == label
    assert voted / len(samples) > single / tries


@pytest.mark.media
def test_a_plate_is_found_on_its_vehicle_and_nowhere_else(
    plates: tuple[PlateFinder, PlateReader], mirror: Path
) -> None:
    picture = cv2.imread(str(mirror / "images" / "license_plate.jpg"))
    assert picture is not None
    frame = frame_from_bgr(np.asarray(picture, np.uint8))
    found = plates[0].find(frame, (0.43, 0.25, 0.97, 0.74))
    assert found is not None
    assert found.box == pytest.approx((0.72, 0.61, 0.82, 0.65), abs=0.02)
    assert plates[0].find(frame, (0.0, 0.0, 0.2, 0.15)) is None


@pytest.mark.media
def test_plates_on_vehicles_are_read_from_the_frame(plates: tuple[PlateFinder, PlateReader], mirror: Path) -> None:
    """Real plates pasted onto a real car, the whole way from frame and vehicle box to text."""
    car = cv2.imread(str(mirror / "images" / "license_plate.jpg"))
    assert car is not None
    place, found, right = (1382, 774, 1572, 836), 0, 0
    samples = _samples(mirror, 30)
    for bgr, label in samples:
        scene = car.copy()
        scene[place[1] : place[3], place[0] : place[2]] = cv2.resize(bgr, (place[2] - place[0], place[3] - place[1]))
        frame = frame_from_bgr(np.asarray(scene, np.uint8))
        plate = plates[0].find(frame, (0.43, 0.25, 0.97, 0.74))
        found += plate is not None
        right += plate is not None and plates[1].read(frame, plate.box)[0] == label
    found_share, right_share = found / len(samples), right / len(samples)
    assert found_share >= 0.85
    assert right_share >= 0.65


def _reader(texts: list[str]) -> PlateReader:
    """Says the given texts, one a cut."""
    alphabet = "0123456789京AB"
    image, output = TensorSpec("input", (-1, 3, 24, 94), _F32), TensorSpec("out", (-1, 8), np.dtype(np.int32))
    rows = np.full((len(texts), 8), -1, np.int32)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = [alphabet.index(c) for c in text]
    return PlateReader(FakeRunner((image,), (output,), lambda _: {"out": rows}), PlateReaderSpec(alphabet=alphabet))


def test_the_score_is_what_the_cuts_agree_on() -> None:
    picture = np.zeros((30, 100, 3), np.uint8)
    assert _reader(["京A12345"] * 4 + ["京A12346"]).read_picture(picture) == ("京A12345", 0.8)
    assert _reader(["1A"] * 5).read_picture(picture) == ("", 0.0)  # no plate reads like this
    assert _reader(["京A12345", "京A1234", "京B12345", "", "京A12"]).read_picture(picture) == ("京A12345", 0.2)


def test_a_plate_too_small_to_read_is_not_guessed() -> None:
    frame = frame_from_bgr(np.zeros((360, 640, 3), np.uint8))
    assert _reader(["京A12345"] * 5).read(frame, (0.5, 0.5, 0.56, 0.53)) == ("", 0.0)


def test_models_of_another_shape_are_refused() -> None:
    image = TensorSpec("input", (-1, 3, 24, 94), _F32)
    with pytest.raises(ConfigError, match="no plate finder"):
        PlateFinder(FakeRunner((image,), (image,), lambda _: {}), PlateFinderSpec(label=2))
    with pytest.raises(ConfigError, match="no plate reader"):
        PlateReader(FakeRunner((image,), (image,), lambda _: {}), PlateReaderSpec(alphabet="0123456789"))
