"""What a simulated suite is made of, and the ordinary street as it is watched."""

from __future__ import annotations

from collections import Counter

import pytest

from algorithm_repo.evaluation.job import Setup
from algorithm_repo.evaluation.outcome import holding_time
from algorithm_repo.evaluation.quiet import as_shipped, blocks
from algorithm_repo.evaluation.simulated import FOUR, clip_of_scenario, mixture
from contracts.algorithms import ALGORITHMS
from simulator.street import KINDS, scenario

SMALL = (640, 360)


def test_four_hundred_clips_hold_fifty_of_each() -> None:
    plans = mixture(3, 400)
    counts = Counter((KINDS[plan.kind].about, KINDS[plan.kind].positive) for plan in plans)
    assert all(counts[kind, positive] >= 50 for kind in FOUR for positive in (True, False))
    assert {plan.kind for plan in plans} >= {name for name, kind in KINDS.items() if kind.about in FOUR}
    assert len({plan.seed for plan in plans}) == len(plans)
    assert [plan.number for plan in plans] == list(range(1, len(plans) + 1))


def test_a_suite_follows_from_its_seed() -> None:
    assert mixture(3, 16) == mixture(3, 16)
    assert not {plan.seed for plan in mixture(3, 16)} & {plan.seed for plan in mixture(4, 16)}


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.about in FOUR])
def test_every_kind_becomes_a_clip_whose_truth_can_be_found(kind: str) -> None:
    about, positive = KINDS[kind].about, KINDS[kind].positive
    street = scenario(1, kind, size=SMALL)
    clip = clip_of_scenario(1, street, f"{kind}.mp4")
    assert bool(clip.truth) is positive
    hold = holding_time(clip, about)
    assert hold is not None
    for truth in clip.truth:
        assert truth.type == about
        assert truth.zone in {zone.id for zone in clip.camera.zones}
        assert truth.end is not None
        assert truth.end - truth.start > hold + 5, "it lasts for T and some looks more"


def test_the_ordinary_street_is_watched_by_everything_as_it_ships() -> None:
    clip = as_shipped(clip_of_scenario(1, scenario(1, "ordinary", size=SMALL, duration=60), "street"))
    assert {*FOUR, "camera_health"} <= set(clip.camera.algorithms)
    for kind, parameters in clip.camera.algorithms.items():
        assert parameters == ALGORITHMS[kind](zones=parameters.zones)
    assert not clip.truth


def test_quiet_hours_are_cut_into_streets_of_an_hour() -> None:
    made = blocks(5, 2.5, Setup("yolox_nano"))
    assert [block.seconds for block in made] == [3600, 3600, 1800]
    assert len({block.seed for block in made}) == 3
