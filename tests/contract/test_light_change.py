"""A parked car stays the same car with the same clock when the light changes at once, even unseen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from algorithm_repo.evaluation.job import tools
from algorithm_repo.evaluation.outcome import raised_events
from algorithm_repo.evaluation.simulated import clip_of_scenario
from contracts.vision import ByteArray, Frame
from pipeline.evidence import NoEvidence
from pipeline.replay import replay_frames
from simulator.street import as_frame, scenario
from tests.effort import forms

SIZE = (640, 360)
DWELL, UNTIL = 20.0, 40.0  # s after the car stopped
DAY, NIGHT = (scenario(7, "parking_kerb", size=SIZE, slices=(light,)) for light in ("day", "night"))


def underexposed(bgr: ByteArray) -> ByteArray:
    return np.asarray(bgr * 0.3, np.uint8)


def in_sodium_light(bgr: ByteArray) -> ByteArray:
    return np.asarray(bgr * np.array([0.2, 0.45, 0.7]), np.uint8)


def shown(change: str, at: float, blind: float) -> Iterator[Frame]:
    """A look a second from 8 s before the car stops; `at` s after it the light changes, blown out for `blind` s."""
    start = DAY.truth[0].start
    for since in np.arange(-8.0, UNTIL, 1.0):
        time = start + float(since)
        picture = (NIGHT if change == "night" and since >= at else DAY).picture(time).bgr
        if at <= since < at + blind:
            picture = np.full_like(picture, 252)
        elif since >= at and change != "night":
            picture = underexposed(picture) if change == "underexposed" else in_sodium_light(picture)
        yield as_frame(picture, time)


@pytest.mark.parametrize("at", forms([26.0], [8.0]))
@pytest.mark.parametrize(
    ("change", "blind"), [("night", 0.0), ("night", 5.0), ("underexposed", 5.0), ("sodium light", 0.0)]
)
def test_a_sudden_change_of_light_before_or_after_the_event_opens_keeps_one_event_and_one_clock(
    change: str, blind: float, at: float
) -> None:
    assert DAY.truth == NIGHT.truth
    camera = clip_of_scenario(1, DAY, "light").camera
    ((name, given),) = camera.algorithms.items()
    quicker = given.model_copy(update={"look_every": 1.0, "dwell": DWELL})
    camera = camera.model_copy(update={"algorithms": {name: quicker}})
    events = replay_frames(shown(change, at, blind), camera, *tools("street", None), NoEvidence())
    (event,) = [one for one in raised_events(events) if one.type == name]
    assert abs(event.started - DAY.truth[0].start) <= 2.0
    assert abs(event.opened - event.started - DWELL) <= 1.0 + (blind if at < DWELL else 0.0)
    assert event.ended is None
