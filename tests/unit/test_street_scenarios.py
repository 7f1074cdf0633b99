"""Every kind of scenario: it renders, its camera is valid, its truth lies in the clip."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.pool import Camera
from simulator.street import KINDS, SLICES, frames, scenario
from tests.effort import forms

SIZE = (320, 180)
_SOME = list(KINDS)[::3]


@pytest.mark.parametrize("kind", forms(_SOME, [kind for kind in KINDS if kind not in _SOME]))
def test_kind_renders_with_valid_camera_and_truth(kind: str) -> None:
    made = scenario(3, kind, size=SIZE)
    camera = Camera.model_validate(made.camera | {"algorithms": made.algorithms})
    zones = {zone.id for zone in camera.zones} | {""}
    about = KINDS[kind].about
    assert made.duration <= 150
    assert set(made.slices) <= set(SLICES)
    assert bool(made.truth) == KINDS[kind].positive
    for event in made.truth:
        assert event.type == about
        assert event.zone in zones
        assert 0 <= event.start < event.end <= made.duration
        assert event.type in made.algorithms
    for time in (0.0, made.duration * 0.6):
        picture = made.picture(time)
        assert picture.bgr.shape == (180, 320, 3)
        assert picture.bgr.dtype == np.uint8
        for box in picture.boxes:
            x1, y1, x2, y2 = box.box
            assert 0 <= x1 < x2 <= 1
            assert 0 <= y1 < y2 <= 1
            assert 0 <= box.visible <= 1


@pytest.mark.parametrize("kind", forms(["water_rain", "ordinary"], ["parking_occluded", "crowd_dusk", "litter_bin"]))
def test_same_moment_gives_same_pixels_in_any_order(kind: str) -> None:
    one, other = scenario(11, kind, size=SIZE), scenario(11, kind, size=SIZE)
    forth = [one.picture(t) for t in (2.0, 40.0, 61.3)]
    back = [other.picture(t) for t in (61.3, 2.0, 40.0)]
    for a, b in zip(forth, [back[1], back[2], back[0]], strict=True):
        assert np.array_equal(a.bgr, b.bgr)
        assert a.boxes == b.boxes
        assert a.litter == b.litter


def test_seeds_differ() -> None:
    assert not np.array_equal(
        scenario(1, "parking_kerb", size=SIZE).picture(5).bgr, scenario(2, "parking_kerb", size=SIZE).picture(5).bgr
    )


def test_frames_come_at_the_rate_asked_for() -> None:
    made = scenario(4, "litter_bag", size=SIZE)
    looks = list(frames(made, 2.0, end=10.0))
    assert [look.time for look in looks] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert looks[0].y.shape == (180, 320)
    assert looks[0].u.shape == (90, 160)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="no kind"):
        scenario(1, "parking_on_the_moon")
    with pytest.raises(ValueError, match="no slice"):
        scenario(1, "parking_kerb", slices=["snow"])
