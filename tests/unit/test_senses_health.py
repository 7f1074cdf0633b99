"""What the sense of health measures on real pictures that are spoilt from a moment on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.senses import PictureHealth
from contracts.vision import Frame
from pipeline.rules.ailments import ailment_of
from pipeline.scene.offers import offers
from pipeline.senses.health import HealthMemory
from pipeline.senses.memory import SceneMemory
from tests.effort import forms
from tests.unit.scenes import camera

Luma = NDArray[np.uint8]
Spoil = Callable[[Luma], Luma]
MAX_SHIFT = 0.02


def street(time: float, *, width: int = 640, light: float = 1.0) -> Luma:
    """Houses, a road with marks and a car that drives by, with the noise of a sensor."""
    scale = width / 640
    noise = np.random.default_rng(round(time * 1000))
    picture = np.full((360, 640), 150, np.float32)
    fixed = np.random.default_rng(7)
    for _ in range(90):
        x, y, w, h = (int(fixed.integers(*span)) for span in ((0, 600), (0, 320), (8, 60), (6, 40)))
        picture[y : y + h, x : x + w] = fixed.integers(40, 220)
    picture[250:330] = 95
    picture[288:291, ::40] = 230
    car = int(time * 60) % 640
    picture[265:300, car : car + 70] = 30
    sized = cv2.resize(picture, (width, round(360 * scale)), interpolation=cv2.INTER_LINEAR)
    seen = 16 + (sized * light) * 219 / 255 + noise.normal(0, 1.5, sized.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def frame_of(luma: Luma, time: float) -> Frame:
    return Frame(luma, luma[:2, :2], luma[:2, :2], time, time)


def blurred(sigma: float) -> Spoil:
    return lambda y: np.asarray(cv2.GaussianBlur(y, (0, 0), sigma * y.shape[1] / 1280), np.uint8)


def moved(share: float) -> Spoil:
    def spoil(y: Luma) -> Luma:
        matrix = np.array([[1, 0, share * y.shape[1]], [0, 1, share * y.shape[1] / 3]], np.float32)
        shifted = cv2.warpAffine(y, matrix, (y.shape[1], y.shape[0]), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(shifted, np.uint8)

    return spoil


def fog(clear: float) -> Spoil:
    return lambda y: (y * clear + (1 - clear) * 170).astype(np.uint8)


def covered(y: Luma) -> Luma:
    return np.asarray(cv2.GaussianBlur((y * 0.1 + 70).astype(np.uint8), (0, 0), 30), np.uint8)


def night(y: Luma) -> Luma:
    """A tenth of the light, lamps with a glow, and noise."""
    lamps = np.zeros(y.shape, np.float32)
    height, width = y.shape
    for x in range(width // 8, width, width // 4):
        cv2.circle(lamps, (x, height // 3), height // 50, 255.0, -1)
    lamps += 40 * cv2.GaussianBlur(lamps, (0, 0), height / 30) / 255
    noise = np.random.default_rng(int(y[0, 0])).normal(0, 2, y.shape)
    return np.clip(16 + (y.astype(np.float32) - 16) * 0.1 + lamps + noise, 0, 235).astype(np.uint8)


SPOILT: dict[str, tuple[Spoil, str | None]] = {
    "as it is": (lambda y: y, None),
    "black": (lambda y: np.full_like(y, 16), "black"),
    "blown out": (lambda y: np.clip(y.astype(np.float32) * 1.2 + 150, 0, 235).astype(np.uint8), "overexposed"),
    "blurred": (blurred(5.0), "blurred"),
    "covered": (covered, "covered"),
    "moved": (moved(0.04), "moved"),
    "moved far": (moved(0.3), "moved"),
    "upside down": (lambda y: np.ascontiguousarray(y[::-1, ::-1]), "moved"),
    "mist": (fog(0.6), None),
    "thick fog": (fog(0.3), None),
    "night": (night, None),
    "swaying": (moved(0.008), None),
}


def ailments(pictures: list[tuple[float, Luma]], spoil: Spoil, memory: HealthMemory | None = None) -> list[str | None]:
    """Of the second half, which is spoilt."""
    memory, half = memory or HealthMemory(), len(pictures) // 2
    measured = [
        memory.sense(frame_of(luma if i < half else spoil(luma), time)) for i, (time, luma) in enumerate(pictures)
    ]
    return [ailment_of(health, MAX_SHIFT) for health in measured[half:]]


def usually(found: list[str | None]) -> str | None:
    """What shows in nine looks of ten."""
    often = [name for name in set(found) if found.count(name) >= 0.9 * len(found)]
    assert len(often) == 1, found
    return often[0]


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("light", forms([1.0], [0.4]))
def test_a_spoilt_street_is_recognised(spoilt: str, light: float) -> None:
    spoil, expected = SPOILT[spoilt]
    pictures = [(2.0 * i, street(2.0 * i, light=light)) for i in range(24)]
    assert usually(ailments(pictures, spoil)) == expected


@cache
def clip(path: Path, every: float) -> list[tuple[float, Luma]]:
    """Luma of a clip, a picture every so many seconds."""
    pictures: list[tuple[float, Luma]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            time = float(frame.time or 0.0)
            if not pictures or time >= pictures[-1][0] + every - 1e-6:
                luma = frame.reformat(format="yuv420p").to_ndarray()[: frame.height]
                pictures.append((time, np.asarray(luma, np.uint8).copy()))
    return pictures


@pytest.mark.media
@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("name", forms(["residential_street.mp4"], ["motorway.avi"]))
def test_real_footage_that_is_spoilt_is_recognised(mirror: Path, name: str, spoilt: str) -> None:
    spoil, expected = SPOILT[spoilt]
    assert usually(ailments(clip(mirror / "footage" / name, 1.0), spoil)) == expected


@pytest.mark.media
@pytest.mark.parametrize("every", forms([1.0], [0.2, 2.0]))
def test_footage_as_it_is_shows_no_ailment(mirror: Path, every: float) -> None:
    for path in sorted((mirror / "footage").iterdir()):
        memory = HealthMemory()
        found = [ailment_of(memory.sense(frame_of(luma, time)), MAX_SHIFT) for time, luma in clip(path, every)]
        # Headlights that pass close by may fill a picture or two.
        assert found.count(None) >= 0.97 * len(found), path.name


def test_day_that_becomes_night_and_day_again_is_no_ailment() -> None:
    """An hour of dusk, lamps that are switched on, dawn."""
    memory = HealthMemory()
    found: list[PictureHealth] = []
    for i in range(900):
        light = 0.06 + 0.94 * abs(1 - i / 450)
        luma = street(10.0 * i, width=320, light=light)
        if light < 0.3:
            for x in range(40, 300, 60):
                luma[40:46, x : x + 6] = 235
        found.append(memory.sense(frame_of(luma, 10.0 * i)))
    assert {ailment_of(health, MAX_SHIFT) for health in found} == {None}


def test_only_the_very_same_picture_has_not_changed() -> None:
    memory = HealthMemory()
    picture = street(0.0, width=1280)
    assert memory.sense(frame_of(picture, 0.0)).changed is None
    assert memory.sense(frame_of(picture.copy(), 2.0)).changed == 0.0
    nearly = picture.copy()
    nearly[8, 5] += 1
    assert memory.sense(frame_of(nearly, 4.0)).changed != 0.0
    assert (memory.sense(frame_of(street(6.0, width=1280), 6.0)).changed or 0.0) > 0.5


def coded(pictures: list[Luma]) -> list[Luma]:
    """The pictures through H.264 of a camera's bit rate, a keyframe each."""
    file = BytesIO()
    height, width = pictures[0].shape
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "veryfast", "g": "1", "b": "400k"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            grey = np.full((height // 2, width), 128, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.vstack((picture, grey)), format="yuv420p")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as container:
        return [np.asarray(frame.to_ndarray()[:height], np.uint8).copy() for frame in container.decode(video=0)]


def test_a_picture_that_is_coded_anew_is_the_same_again_and_a_calm_street_is_not() -> None:
    live = [street(2.0 * i) for i in range(12)]
    still = live[-1]
    # Something at the encoder's limits: what its rate control does to a picture that stands still.
    told = coded(live + [still] * 12)
    memory = HealthMemory()
    seen = [memory.sense(frame_of(picture, 2.0 * i)) for i, picture in enumerate(told)]
    assert not any(one.recoded or one.changed == 0.0 for one in seen[:12])
    assert all(one.recoded or one.changed == 0.0 for one in seen[13:])
    assert any(one.recoded for one in seen[13:])
    calm = HealthMemory()
    parked = [np.clip(still + np.random.default_rng(i).normal(0, 1.5, still.shape), 0, 255) for i in range(20)]
    for i, picture in enumerate(coded(live + [one.astype(np.uint8) for one in parked])):
        assert not calm.sense(frame_of(picture, 2.0 * i)).recoded


def test_usual_detail_is_known_where_the_light_lay_between_two_levels() -> None:
    memory = HealthMemory()
    for i in range(4):
        memory.sense(frame_of(street(4.0 * i, light=1.0 if i % 2 else 0.8), 4.0 * i))
    assert ailment_of(memory.sense(frame_of(covered(street(20.0)), 20.0)), MAX_SHIFT) == "covered"


def test_a_view_that_is_accepted_is_learnt_anew_and_one_that_did_not_move_is_kept() -> None:
    memory = HealthMemory()
    pictures = [(2.0 * i, street(2.0 * i)) for i in range(24)]
    assert usually(ailments(pictures, SPOILT["upside down"][0], memory)) == "moved"
    memory.accept()
    spoil = SPOILT["upside down"][0]
    later = [memory.sense(frame_of(spoil(street(100.0 + 2 * i)), 100.0 + 2 * i)) for i in range(10)]
    assert ailment_of(later[-1], MAX_SHIFT) is None
    assert later[-1].likeness is not None
    memory.accept()
    assert memory.sense(frame_of(spoil(street(200.0)), 200.0)).likeness is not None


def test_memory_goes_to_bytes_and_back_and_damage_begins_anew() -> None:
    memory = SceneMemory()
    for i in range(10):
        memory.health.sense(frame_of(street(2.0 * i), 2.0 * i))
    kept = memory.dump()
    assert kept == memory.dump()
    again = SceneMemory()
    assert again.load(kept) == []
    assert again.dump() == kept
    shown = [one.health.sense(frame_of(moved(0.05)(street(40.0)), 40.0)) for one in (memory, again)]
    assert [ailment_of(health, MAX_SHIFT) for health in shown] == ["moved", "moved"]
    for damaged in (b"", kept[:100], kept[:50] + b"x" + kept[51:], b"\0" * 200):
        with pytest.raises(ValueError, match="scene memory"):
            SceneMemory().load(damaged)


def test_what_is_sensed_goes_into_a_state_of_plain_numbers() -> None:
    """A number of NumPy's own would end the worker at its next checkpoint."""
    memory = HealthMemory()
    for time in range(40):
        health = memory.sense(frame_of(street(float(time)), float(time)))
    assert health.usual_detail is not None
    for name in health.__slots__:
        value = getattr(health, name)
        for number in value if isinstance(value, tuple) else (value,):
            assert number is None or type(number) in {float, bool}, name


def test_a_camera_that_has_moved_a_little_is_registered_and_another_view_is_not() -> None:
    memory = HealthMemory()
    for i in range(12):
        memory.sense(frame_of(street(2.0 * i), 2.0 * i))
    spoil = moved(0.05)
    for i in range(12, 16):
        memory.sense(frame_of(spoil(street(2.0 * i)), 2.0 * i))
    found = memory.registration
    assert found is not None
    (x, y), *_ = found.moved([(0.4, 0.5)])
    assert abs(x - 0.45) < 0.004
    assert abs(y - (0.5 + 0.05 / 3 * 640 / 360)) < 0.006
    memory.sense(frame_of(street(40.0), 40.0))
    assert memory.registration is None
    turned = SPOILT["upside down"][0]
    for i in range(30, 36):
        memory.sense(frame_of(turned(street(2.0 * i)), 2.0 * i))
    assert memory.registration is None


@pytest.mark.media
def test_zones_of_a_real_street_are_offered_where_they_have_gone(mirror: Path) -> None:
    """The camera is turned a little and comes nearer: every corner lands within a hundredth of the picture."""
    memory = SceneMemory()
    pictures = clip(mirror / "footage" / "residential_street.mp4", 1.0)
    height, width = pictures[0][1].shape
    matrix = np.array([[1.03, 0.02, 0.03 * width], [-0.02, 1.03, -0.04 * height], [0, 0, 1]])
    for time, luma in pictures[:20]:
        memory.health.sense(frame_of(luma, time))
    for time, luma in pictures[20:26]:
        turned = cv2.warpPerspective(luma, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        memory.health.sense(frame_of(np.asarray(turned, np.uint8), time))
    assert memory.health.elsewhere
    polygon = [[0.3, 0.4], [0.6, 0.4], [0.6, 0.7], [0.3, 0.7]]
    cam = camera({"id": "kerb", "kind": "no_parking", "polygon": polygon}, illegal_parking={})
    (offer,) = offers(cam, memory, 1.0).proposals
    assert offer.replaces is not None
    assert (offer.replaces.id, offer.replaces.polygon, offer.kind.value) == ("kerb", offer.polygon, "no_parking")
    assert offer.support >= 20
    expected = [matrix @ (x * width, y * height, 1.0) for x, y in polygon]
    wanted = np.array([[x / w / width, y / w / height] for x, y, w in expected])
    for corner in offer.polygon:
        assert np.abs(wanted - corner).max(axis=1).min() < 0.01
