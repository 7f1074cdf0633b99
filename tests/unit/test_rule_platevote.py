"""Votes over number plate readings, and how the parking rule asks for, tells and stops reading them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from contracts.senses import NOTHING, PlateRead, Senses
from contracts.vision import Look
from pipeline.rules.base import Output, Step
from pipeline.rules.platevote import MOST_GOOD, MOST_TRIES, PlateVotes, vote
from pipeline.rules.registry import build_rules
from tests.unit.scenes import camera, looks, of, parked, rectangle

ZONE = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)}
TRUE = "京A12345"
PLACE = (0.0, 0.0, 1.0, 1.0)
Reader = Callable[[float], tuple[str, float]]


def _run(reader: Reader | None, rate: float = 1.0, **parameters: Any) -> tuple[list[Output], list[float]]:
    """A car parked from 10 s to 90 s, T = 30 s; `reader` answers when a plate is asked for. When it was is returned."""
    rule = build_rules(camera(ZONE, illegal_parking={"dwell": 30, "look_every": 1, **parameters}))[0]
    state, said, asked = rule.initial(), [], []
    for one in looks([parked(1, 0.5, 0.7, 10, 90)], 0, 110, rate):
        ask = rule.asks(state, one.time)
        seen: Look = one
        if ask != NOTHING:
            asked.append(one.time)
        if reader is not None:
            seen = replace(one, senses=Senses(plates=tuple(PlateRead(b, *reader(one.time)) for b in ask.plates)))
        state, outputs = rule.step(state, seen)
        said += outputs
        state = rule.load(rule.dump(state))
    return said, asked


def test_positions_are_voted_on_by_weight() -> None:
    assert vote([]) == ("", 0.0)
    assert vote([(TRUE, 0.8)]) == (TRUE, 0.8)
    text, score = vote([("京A12345", 0.9), ("京A12346", 0.6), ("京B12345", 0.6), ("京A1234", 0.2)])
    assert text == TRUE
    assert 0.55 < score < 0.6


def test_voting_beats_single_readings() -> None:
    noise = Random(5)

    def read() -> tuple[str, float]:
        """Each character is wrong in 8 %, and the score knows only half of it."""
        text = "".join(c if noise.random() > 0.08 else noise.choice("0123456789") for c in TRUE)
        return text, noise.uniform(0.6, 1.0) if text == TRUE else noise.uniform(0.2, 1.0)

    single = sum(read()[0] == TRUE for _ in range(400)) / 400
    voted = sum(vote([read() for _ in range(MOST_GOOD)])[0] == TRUE for _ in range(400)) / 400
    assert single < 0.65
    assert voted > 0.95


def test_readings_are_bounded_and_the_worst_gives_way() -> None:
    votes = PlateVotes()
    for i in range(MOST_TRIES):
        assert votes.due(float(i), 1.0)
        assert not votes.due(i - 0.5, 1.0) or i == 0
        votes = votes.with_read(PlateRead(PLACE, "" if i % 2 else TRUE, 0.4), float(i))
    assert votes.enough
    assert not votes.due(1000.0, 1.0)
    assert len(votes.reads) == MOST_GOOD
    good = PlateVotes()
    for i in range(MOST_GOOD):
        good = good.with_read(PlateRead(PLACE, TRUE, 0.9), float(i))
    assert good.enough
    assert good.plate == TRUE
    assert good.score == 0.9


def test_an_event_carries_its_plate_and_the_reason_does_not() -> None:
    said, asked = _run(lambda _: (TRUE, 0.9))
    opened = of(said, Step.OPENED)[0]
    assert opened.subject.plate == TRUE
    assert opened.subject.plate_score == 0.9
    assert all(TRUE not in o.reason.get(k, "") for o in said for k in ("zh", "en"))
    assert len(asked) == MOST_GOOD
    assert 24 <= min(asked) <= 27  # T/2 after it stopped
    assert of(said, Step.CLOSED)[0].subject.plate == TRUE


def test_a_plate_that_comes_late_is_told_at_once() -> None:
    said, _ = _run(lambda time: (TRUE, 0.9) if time > 44 else ("", 0.0))
    assert of(said, Step.OPENED)[0].subject.plate == ""
    assert "unreadable" in of(said, Step.OPENED)[0].reason["en"]
    told = [o for o in of(said, Step.UPDATED) if o.subject.plate == TRUE]
    assert told[0].time <= 46.5


def test_unreadable_is_said_and_trying_ends() -> None:
    said, asked = _run(lambda _: ("", 0.0))
    assert len(asked) == MOST_TRIES
    closed = of(said, Step.CLOSED)[0]
    assert closed.subject.plate == ""
    assert closed.subject.plate_score is None
    assert "车牌无法识别" in closed.reason["zh"]
    assert len(of(said, Step.UPDATED)) == 1  # 2T alone: nothing new is no news


def test_nobody_reads_without_models_or_where_it_is_not_wanted() -> None:
    said, _ = _run(None)
    assert {o.subject.plate for o in said} == {None}
    said, asked = _run(lambda _: (TRUE, 0.9), read_plates=False)
    assert not asked
    assert {o.subject.plate for o in said} == {None}


def test_readings_keep_their_distance_at_every_rate() -> None:
    for rate in (0.5, 5.0, 25.0):
        _, asked = _run(lambda _: (TRUE, 0.9), rate)
        assert len(asked) == MOST_GOOD
        assert min(b - a for a, b in itertools.pairwise(asked)) >= 0.9
