"""Waterlogging on simulated streets: first with the truth as a poor network would tell it, then with the network."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from contracts.pool import Camera
from contracts.senses import Senses, WaterMap
from contracts.vision import Look, Tracks
from models.zoo import Zoo
from pipeline.rules.base import Output, Step
from pipeline.rules.registry import build_rules
from pipeline.senses.water import WaterSense
from simulator.street import KINDS, Picture, Scenario, TruthBox, as_frame, scenario
from tests.unit.scenes import check_protocol, of

WET = [name for name, kind in KINDS.items() if kind.about == "waterlogging"]
Sensed = Callable[[Picture, float], WaterMap]


def poorly(seed: int) -> Sensed:
    """The truth with its edges gone, coarse doubts that come and go, and noise."""

    def sense(picture: Picture, time: float) -> WaterMap:
        random = np.random.default_rng([seed, round(time * 1000)])
        height, width = picture.bgr.shape[0] // 4, picture.bgr.shape[1] // 4
        water = np.zeros((height, width), np.float32)
        if picture.water is not None:
            water[:] = picture.water
        coarse = random.normal(0, 0.22, (height // 6 + 1, width // 6 + 1))
        doubts = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        seen = cv2.GaussianBlur(water, (0, 0), 1.5) + doubts + random.normal(0, 0.08, (height, width))
        return WaterMap(np.clip(seen * 255, 0, 255).astype(np.uint8))

    return sense


def tracked(boxes: tuple[TruthBox, ...], time: float) -> Tracks:
    """What a tracker makes of the actors that can be seen."""
    seen = [box for box in boxes if box.visible > 0.3]
    return Tracks(
        ids=np.array([box.id for box in seen], np.int64),
        boxes=np.array([box.box for box in seen], np.float32).reshape(-1, 4),
        scores=np.full(len(seen), 0.8, np.float32),
        classes=np.array([int(box.object_class) for box in seen], np.int64),
        first_seen=np.full(len(seen), time),
        velocity=np.zeros((len(seen), 2), np.float32),
    )


def watched(scene: Scenario, sense: Sensed, every: float = 5.0) -> list[Output]:
    """What the rule says of the scene at a look every `every` seconds."""
    parameters = {"waterlogging": {**scene.algorithms["waterlogging"], "look_every": every}}
    (rule,) = build_rules(Camera.model_validate({**scene.camera, "algorithms": parameters}))
    state, said, looks = rule.initial(), [], int(scene.duration / every)
    for time in (index * every for index in range(looks + 1)):
        picture = scene.picture(time)
        tracks, senses = tracked(picture.boxes, time), Senses(water=sense(picture, time))
        state, outputs = rule.step(state, Look("cam", time, time, tracks, scene.size[0] / scene.size[1], senses=senses))
        said += outputs
    check_protocol(said)
    return said


def assert_as_told(scene: Scenario, said: list[Output], late: float = 12.0) -> None:
    """As many events as the truth tells, overlapping them, begun at most `late` seconds late."""
    truth = [event for event in scene.truth if event.type == "waterlogging"]
    opened = of(said, Step.OPENED)
    assert len(opened) == len(truth)
    for told, true in zip(opened, truth, strict=True):
        assert true.start - 5 <= told.started <= true.start + late
        assert told.time <= true.end


@pytest.mark.parametrize("kind", WET)
def test_the_rule_with_a_poor_network(kind: str) -> None:
    scene = scenario(7001, kind, size=(480, 270))
    assert_as_told(scene, watched(scene, poorly(7001)))


@pytest.mark.parametrize(("every", "size"), [(1.0, (480, 270)), (2.0, (960, 540))])
def test_one_scene_at_other_rates_and_sizes(every: float, size: tuple[int, int]) -> None:
    usual = of(watched(scenario(7003, "water_grow", size=(640, 360)), poorly(1)), Step.OPENED)
    other = of(watched(scenario(7003, "water_grow", size=size), poorly(1), every), Step.OPENED)
    assert len(usual) == len(other) == 1
    assert abs(usual[0].started - other[0].started) <= 5 + 1e-6
    assert abs(usual[0].time - other[0].time) <= 5 + 1e-6


@pytest.mark.parametrize("kind", WET)
def test_the_rule_with_the_network(kind: str) -> None:
    sense = WaterSense.of(Zoo())
    scene = scenario(7001, kind, size=(640, 360))
    said = watched(scene, lambda picture, time: sense.sense([as_frame(picture.bgr, time)])[0])
    assert_as_told(scene, said, late=20.0)
