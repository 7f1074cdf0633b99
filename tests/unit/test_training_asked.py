"""What a training of the queue may be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from algorithm_repo.training.asked import asked, settings_by_task
from contracts.errors import ConfigError


def test_nothing_given_is_as_usual_for_either_task() -> None:
    assert asked({}) == settings_by_task(None, None)
    assert set(asked({})) == {"detect", "segment"}


def test_what_both_know_goes_to_both_and_what_one_knows_says_which() -> None:
    both = asked({"seed": 7})
    assert (both["detect"]["seed"], both["segment"]["seed"]) == (7, 7)
    assert {task: one["epochs"] for task, one in asked({"epochs": 3, "seed": 7}).items()} == {"detect": 3}
    assert {task: one["steps"] for task, one in asked({"steps": 5}).items()} == {"segment": 5}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"colour": 1}, "colour: no training has it"),
        ({"epochs": 3, "steps": 5}, "epochs is of detectors and steps of decoders"),
        ({"steps": 0}, "steps: 0 is not from 1"),
        ({"seed": -1}, "seed: -1"),
        ({"rate": 2.0}, "rate: 2.0"),
    ],
)
def test_what_is_refused_names_the_setting(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        asked(given)
