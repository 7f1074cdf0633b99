"""The life of an algorithm version, as properties of its one table."""

from __future__ import annotations

import pytest

from algorithm_repo.registry.table import TABLE, allowed, possible
from algorithm_repo.registry.types import Grounds, Move, Office, Stage
from contracts.errors import ConfigError, Forbidden

M, S = Move, Stage
_ALL = Grounds(
    run="r",
    report="a" * 64,
    evaluation="b" * 64,
    passed=True,
    card="c" * 64,
    cameras=(),
    comparison="d" * 64,
    other=1,
    why="w",
)


def test_each_action_leads_to_one_place() -> None:
    assert len({(step.source, step.move) for step in TABLE}) == len(TABLE)


def test_every_state_is_reached_and_can_be_left() -> None:
    reached, ways = {S.DRAFT}, {step.source: {one.target for one in possible(step.source)} for step in TABLE}
    while more := {target for source in reached for target in ways.get(source, set())} - reached:
        reached |= more
    assert reached == set(Stage)
    for stage in set(Stage) - {S.RETIRED}:
        seen = {stage}
        while more := {target for source in seen for target in ways[source]} - seen:
            seen |= more
        assert S.RETIRED in seen, stage


def test_nothing_raises_alarms_before_a_person_said_so() -> None:
    """Shadow raises nothing; canary and production are entered by a promoter, but for what takes a step back, and for
    what came with the release."""
    for step in TABLE:
        if step.target in {S.CANARY, S.PRODUCTION} and step.move not in {M.RESTORE, M.SHIP}:
            assert step.offices == {Office.PROMOTER}
            assert "comparison" in step.needs
    assert {step.source for step in TABLE if step.move is M.PROMOTE} == {S.CANARY}


def test_what_takes_a_step_back_says_why_and_needs_no_person() -> None:
    for step in TABLE:
        if step.move in {M.ABORT, M.ROLL_BACK, M.RESTORE}:
            assert "why" in step.needs
            assert Office.SYSTEM in step.offices


def test_refusals_name_what_is_wrong_and_what_would_do() -> None:
    assert allowed(S.CANARY, M.PROMOTE, Office.PROMOTER, _ALL).target is S.PRODUCTION
    with pytest.raises(
        ConfigError, match=r"draft cannot be given promote; possible: train, receive, tune, ship, refuse"
    ):
        allowed(S.DRAFT, M.PROMOTE, Office.PROMOTER, _ALL)
    with pytest.raises(Forbidden, match="promote is not for the system; it is for the promoter"):
        allowed(S.CANARY, M.PROMOTE, Office.SYSTEM, _ALL)
    with pytest.raises(ConfigError, match="evaluate needs evaluation, passed"):
        allowed(S.TRAINED, M.EVALUATE, Office.ENGINEER, Grounds())
