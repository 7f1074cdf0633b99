"""What a training of the queue may be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from algorithm_repo.training.asked import asked, settings_by_task
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.ultra_settings import SegmentSettings
from contracts.errors import ConfigError


def test_nothing_given_is_as_usual_for_every_task() -> None:
    assert asked({}) == settings_by_task(None, None)
    assert set(asked({})) == {"detect", "classify", "segment"}


def test_what_all_know_goes_to_all_and_what_some_know_says_which() -> None:
    assert {task: one["seed"] for task, one in asked({"seed": 7}).items()} == {"detect": 7, "classify": 7, "segment": 7}
    both = asked({"epochs": 3, "seed": 7})
    assert {task: one["epochs"] for task, one in both.items()} == {"detect": 3, "classify": 3, "segment": 3}
    assert {task: one["size"] for task, one in both.items()} == {"detect": 320, "classify": 224, "segment": 320}
    assert set(asked({"mosaic": 3})) == {"detect", "segment"}
    assert {task: one["steps"] for task, one in asked({"steps": 5}).items()} == {"segment": 5}


def test_a_network_says_which_it_is_for() -> None:
    assert {task: one["network"] for task, one in asked({"network": "yolo11s", "size": 96}).items()} == {
        "detect": "yolo11s"
    }
    assert set(asked({"network": "yolo11s-cls"})) == {"classify"}
    assert {task: one["network"] for task, one in asked({"network": "yolo11m-seg"}).items()} == {
        "segment": "yolo11m-seg"
    }


def test_of_a_mask_a_decoder_is_the_usual_and_two_at_once_are_refused() -> None:
    assert "steps" in asked({"batch": 4})["segment"]
    assert "network" in settings_by_task(SegmentSettings())["segment"]
    with pytest.raises(ConfigError, match="settings of decoders and segmenters are for the same versions"):
        settings_by_task(HeadSettings(), SegmentSettings())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"colour": 1}, "colour: no training has it"),
        ({"epochs": 3, "steps": 5}, "epochs is of detectors, classifiers, segmenters; steps is of decoders"),
        (
            {"seed": 1, "mosaic": 3, "network": "yolo11n-cls"},
            "mosaic is of detectors, segmenters; network is of classifiers",
        ),
        ({"network": "yolo26x"}, "network: 'yolo26x' is not known"),
        ({"steps": 0}, "steps: 0 is not from 1"),
        ({"seed": -1}, "seed: -1"),
        ({"rate": 2.0}, "rate: 2.0"),
    ],
)
def test_what_is_refused_names_the_setting(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        asked(given)
