"""The card of a candidate judged by events: what refuses it, what differs with pictures, and nothing that runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.judging.comparison import Comparison, Report, compared
from algorithm_repo.judging.event_card import event_card, text
from algorithm_repo.judging.events import EventLimits
from algorithm_repo.judging.networks import of_zoo
from algorithm_repo.judging.replays import Pair, Replayed
from algorithm_repo.judging.speed import Taken, speed
from models.zoo import Zoo
from tests.unit.judged_clips import Said, clip, outcome

FLOOD = (20.0, 80.0)


def pair(before: Outcome, after: Outcome) -> Pair:
    quick, slow = ([Taken(ms * times, ms * times / 2) for ms in (4.0, 6.0, 8.0)] for times in (1, 10))
    return Pair(
        before.number,
        before.file,
        before=Replayed(before, 1.0, tuple(quick)),
        after=Replayed(after, 1.5, tuple(slow)),
    )


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Five floods that only production finds, one that only the candidate does, a false alarm of each, a bad clip."""
    wet = [clip(number, FLOOD, slices=("<night>",)) for number in range(1, 6)]
    pairs = [pair(outcome(one, Said(30)), outcome(one)) for one in wet]
    pairs.append(pair(outcome(clip(6, FLOOD)), outcome(clip(6, FLOOD), Said(30))))
    pairs.append(pair(outcome(clip(7), Said(10, 15)), outcome(clip(7), Said(50, 60))))
    pairs.append(Pair(8, "8.mp4", failed="8.mp4: its replay crashed"))
    network = of_zoo("water", Zoo())
    other = replace(network, name="drier", sha256="0" * 64)
    return compared("clips", None, (network, other), pairs, EventLimits())


def test_the_card_says_why_it_is_refused(found: Comparison) -> None:
    card = event_card(found)
    assert "The gate refuses it" in card
    assert "waterlogging, slice &lt;night&gt;: recall fell by 1.000" in card
    assert "<night>" not in card
    assert "8.mp4: 8.mp4: its replay crashed" in card
    assert not re.search(r"<(script|link)|(src|href)=\"?http", card), "nothing is fetched or run"


def test_the_card_shows_what_got_worse_and_better(found: Comparison) -> None:
    worse, better = event_card(found).split("<h2>Better")
    worse = worse.split("<h2>Worse")[1]
    assert worse.startswith(": 6 events")
    assert worse.count("missed, which production finds") == 5
    assert worse.count("raised falsely, which production does not") == 1
    assert worse.count("data:image/jpeg;base64,") == 6
    assert better.startswith(": 2 events")
    assert better.count("data:image/jpeg;base64,") == 2
    assert "It was said: it shines &lt;wet&gt;" in worse


def test_speeds_are_those_of_the_replays(found: Comparison) -> None:
    before, after = found.report.speed_before, found.report.speed_after
    # Seven clips of two seconds for twenty looks.
    assert (before.inferences, before.ms_p50, before.cpu_ms_p50) == (21, 6.0, 3.0)
    assert (before.looks, before.look_ms, before.look_cpu_ms) == (140, 100.0, 50.0)
    assert (after.ms_p50, after.ms_p95, after.look_cpu_ms) == (60.0, 80.0, 75.0)
    assert "60.00" in event_card(found)
    nothing = speed([])
    assert (nothing.inferences, nothing.ms_p50, nothing.cpu_ms_p50, nothing.look_ms) == (0, None, None, None)


def test_the_report_reads_back_equal_and_names_each_change(found: Comparison, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text(found.report.model_dump_json())
    assert Report.model_validate_json(file.read_text()) == found.report
    told = json.loads(file.read_text())["changes"]
    assert [one["kind"] for one in told if one["clip"] >= 6] == ["calm", "alarm", "found"]
    assert {one["clip"] for one in told if one["kind"] == "missed"} == {1, 2, 3, 4, 5}


def test_the_table_for_a_terminal_has_a_line_a_row(found: Comparison) -> None:
    lines = text(found.report).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["all", "illegal_parking", "·", "waterlogging"]
    assert lines[-1].startswith("candidate: drier-")
