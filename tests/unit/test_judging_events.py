"""Two versions on the same clips: what differs is told, a sure fall refuses, and the order of clips says nothing."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithm_repo.evaluation.metrics import Score
from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.judging.changes import changed
from algorithm_repo.judging.events import EventLimits, EventVerdict, Row, judged_events, paired
from tests.unit.judged_clips import KERB, KIND, LONG, Said, clip, outcome

FLOOD = (20.0, 80.0)
SLICES = ("day", "night", "rain")
_SAID = st.builds(
    Said,
    opened=st.integers(5, 60).map(float),
    ended=st.one_of(st.none(), st.integers(60, 99).map(float)),
    type=st.sampled_from((KIND, "illegal_parking")),
    zone=st.sampled_from(("road", "kerb")),
)
# Whether a flood is in the clip, its slices, and what each version says.
Case = tuple[bool, list[str], list[Said], list[Said]]
_EACH = st.lists(_SAID, max_size=3)
_BOTH = st.tuples(st.booleans(), st.lists(st.sampled_from(SLICES), unique=True), _EACH, _EACH)


def both(clips: list[Case]) -> tuple[list[Outcome], list[Outcome]]:
    made = [
        (clip(number, *([FLOOD] if wet else []), slices=slices), old, new)
        for number, (wet, slices, old, new) in enumerate(clips, 1)
    ]
    return [outcome(one, *old) for one, old, _ in made], [outcome(one, *new) for one, _, new in made]


def same(
    count: int, *slices: str, wet: bool = True, old: tuple[Said, ...] = (), new: tuple[Said, ...] = ()
) -> list[Case]:
    return [(wet, list(slices), list(old), list(new)) for _ in range(count)]


def row(verdict: EventVerdict, kind: str, name: str = "") -> Row:
    (found,) = [one for one in verdict.rows if (one.type, one.slice) == (kind, name)]
    return found


@settings(max_examples=30)
@given(st.lists(_BOTH, min_size=1, max_size=6))
def test_beside_itself_a_version_differs_in_nothing(
    clips: list[Case],
) -> None:
    before, _ = both(clips)
    verdict = judged_events(before, before, EventLimits(clips=1, fall=0, alarms=0, later_s=0))
    assert (verdict.passed, verdict.reasons) == (True, ())
    for one in (verdict.whole, *verdict.rows):
        assert one.before == one.after
        assert {(grown.by, grown.low, grown.high) for grown in (one.f1, one.recall, one.alarms) if grown} <= {(0, 0, 0)}
        assert one.later_s in (None, 0)
    assert changed(paired(before, before)) == []


@settings(max_examples=30)
@given(st.lists(_BOTH, min_size=1, max_size=6), st.integers(0, 1000))
def test_the_order_of_clips_says_nothing(clips: list[Case], seed: int) -> None:
    before, after = both(clips)
    told = judged_events(before, after, EventLimits(clips=1))
    old, new = (Random(seed + side).sample(one, len(one)) for side, one in enumerate((before, after)))
    assert judged_events(old, new, EventLimits(clips=1)) == told
    assert changed(paired(old, new)) == changed(paired(before, after))


@settings(max_examples=30)
@given(st.lists(_BOTH, min_size=1, max_size=6))
def test_turned_around_gains_are_losses(clips: list[Case]) -> None:
    before, after = both(clips)
    there, back = (judged_events(*pair, EventLimits()) for pair in ((before, after), (after, before)))
    for one, other in zip((there.whole, *there.rows), (back.whole, *back.rows), strict=True):
        assert (one.before, one.after) == (other.after, other.before)
        for grown, shrunk in ((one.f1, other.f1), (one.recall, other.recall), (one.alarms, other.alarms)):
            assert (grown is None) == (shrunk is None)
            if grown is not None and shrunk is not None:
                assert (grown.by, grown.low, grown.high) == pytest.approx((-shrunk.by, -shrunk.high, -shrunk.low))
    gained = [(len(one.better), len(one.worse)) for one in changed(paired(before, after))]
    lost = [(len(one.worse), len(one.better)) for one in changed(paired(after, before))]
    assert gained == lost


def test_what_both_see_of_each_type_and_slice() -> None:
    clips = same(3, "night", old=(Said(30),), new=(Said(36),)) + same(1, "day", old=(Said(30),)) + same(1, wet=False)
    verdict = judged_events(*both(clips), EventLimits())
    flooded = row(verdict, KIND)
    assert (flooded.clips, flooded.before.found, flooded.after.found, flooded.before.truths) == (5, 4, 3, 4)
    assert (flooded.before.recall, flooded.after.recall) == (1.0, 0.75)
    assert (flooded.before.time_to_detect_p50, flooded.after.time_to_detect_p50) == (10.0, 16.0)
    assert flooded.later_s == 6.0
    assert row(verdict, KIND, "night").recall is not None
    parking = row(verdict, "illegal_parking")
    assert (parking.f1, parking.recall, parking.before.f1) == (None, None, None)
    assert verdict.whole.before.truths == 4


def test_a_type_that_surely_fell_refuses() -> None:
    clips = same(6, old=(Said(30),)) + same(2, wet=False)
    verdict = judged_events(*both(clips), EventLimits())
    assert not verdict.passed
    assert [reason.partition(" fell by")[0] for reason in verdict.reasons] == [
        "waterlogging: F1",
        "waterlogging: recall",
    ]
    assert "recall fell by 1.000 (1.000 to 1.000), on 8 clips" in verdict.reasons[1]


def test_a_slice_that_fell_refuses_though_the_whole_grew() -> None:
    clips = same(40, "day", new=(Said(30),)) + same(5, "night", old=(Said(30),))
    verdict = judged_events(*both(clips), EventLimits())
    assert verdict.whole.f1 is not None
    assert verdict.whole.f1.low > 0
    assert {reason.partition(":")[0] for reason in verdict.reasons} == {"waterlogging, slice night"}
    assert judged_events(*both(clips), EventLimits(clips=6)).passed, "too few clips are told, not judged"


def test_a_suite_that_is_too_small_lets_nothing_go_on() -> None:
    well = judged_events(*both(same(3, "night", old=(Said(30),), new=(Said(30),))), EventLimits())
    assert well.reasons == ("no type is watched on 4 clips or more: too few to judge by",)
    blind = judged_events(*both(same(3, "night", old=(Said(30),))), EventLimits())
    assert {reason.partition(":")[0] for reason in blind.reasons[1:]} == {"waterlogging"}
    assert blind.reasons[-1].endswith("on 3 clips, too few to tell whether by chance")


def test_a_type_on_few_clips_is_held_back_by_any_fall_beside_others_that_are_well() -> None:
    before, after = both(same(6, old=(Said(30),), new=(Said(30),)))
    bag = replace(before[0].scores[0], type="litter", truths=1, waits=(5.0,), delays=())
    missed = replace(bag, waits=())

    def with_bags(outcomes: list[Outcome], *bags: Score) -> list[Outcome]:
        first = [replace(one, scores=(*one.scores, litter)) for one, litter in zip(outcomes, bags, strict=False)]
        return [*first, *outcomes[len(bags) :]]

    assert judged_events(with_bags(before, bag, bag), with_bags(after, bag, bag), EventLimits()).passed
    verdict = judged_events(with_bags(before, bag, bag), with_bags(after, bag, missed), EventLimits())
    assert [reason.partition(" (")[0] for reason in verdict.reasons] == [
        "litter: F1 fell by 0.333",
        "litter: recall fell by 0.500",
    ]


def test_one_miss_among_many_is_told_and_refuses_nothing() -> None:
    clips = same(20, old=(Said(30),), new=(Said(30),)) + same(1, old=(Said(30),))
    verdict = judged_events(*both(clips), EventLimits())
    assert verdict.passed
    assert row(verdict, KIND).after.found == 20
    ((worse,),) = [one.worse for one in changed(paired(*both(clips)))]
    assert (worse.kind, worse.better, worse.finding.verdict, worse.finding.clip) == ("missed", False, "missed", 21)


def test_false_alarms_that_surely_grew_refuse_where_no_event_is_true() -> None:
    verdict = judged_events(*both(same(6, wet=False, new=(Said(40, 60),))), EventLimits())
    (reason,) = verdict.reasons
    # One in each clip of 100 s.
    assert reason.startswith("waterlogging: 864.00 false alarms a camera-day more (864.00 to 864.00)")
    assert judged_events(*both(same(6, wet=False, new=(Said(40, 60),))), EventLimits(alarms=900)).passed


def test_what_is_opened_much_later_refuses() -> None:
    clips = same(4, old=(Said(30),), new=(Said(50),))
    assert judged_events(*both(clips), EventLimits()).reasons == (
        "waterlogging: events are opened 20.0 s later, on 4 clips",
    )
    assert judged_events(*both(clips), EventLimits(later_s=20)).passed


def test_a_gain_that_was_asked_for_has_to_be_sure() -> None:
    limits = EventLimits(least_gain=0)
    assert judged_events(*both(same(6, new=(Said(30),))), limits).passed
    (none,) = judged_events(*both(same(6, old=(Said(30),), new=(Said(30),))), limits).reasons
    assert none == "the gain of F1 of +0.000 (+0.000 to +0.000) is not surely above 0"
    (untold,) = judged_events(*both(same(6, wet=False)), limits).reasons
    assert untold.startswith("no event is true")


def test_a_clip_on_which_the_candidate_breaks_refuses_and_is_in_no_figure() -> None:
    before, after = both(same(5, old=(Said(30),), new=(Said(30),)))
    broken = Outcome(5, "5.mp4", failed="inference failed")
    verdict = judged_events(before, [*after[:4], broken], EventLimits())
    assert verdict.reasons == ("5.mp4 cannot be run with it: inference failed",)
    assert (verdict.whole.clips, verdict.failed) == (4, ("5.mp4: inference failed",))
    other = judged_events([*before[:4], broken], after, EventLimits())
    assert (other.passed, other.failed) == (True, ("5.mp4: inference failed",))


def test_only_the_same_clips_are_compared() -> None:
    before, after = both(same(2, old=(Said(30),)))
    for one, other in ((before, after[:1]), (before, [after[0], outcome(clip(3))]), ([before[0]] * 2, after)):
        with pytest.raises(ValueError, match="same clips"):
            judged_events(one, other, EventLimits())
    with pytest.raises(ValueError, match="no clip could be run"):
        judged_events(before[:1], [Outcome(1, "1.mp4", failed="broken")], EventLimits())


def test_false_alarms_that_share_a_moment_are_the_same_one() -> None:
    old, new = (Said(20, 40), Said(70)), (Said(38, 50), Said(90))
    before, after = both(same(1, wet=False, old=old, new=new))
    assert changed(paired(before, after)) == [], "what is still open lasts to the clip's end"
    elsewhere = outcome(clip(1), Said(20, 40, zone=str(KERB["id"])))
    ((better, worse),) = [(one.better, one.worse) for one in changed(paired(before, [elsewhere]))]
    assert [one.kind for one in better] == ["calm", "calm"]
    assert [(one.kind, one.finding.zone) for one in worse] == [("alarm", "kerb")]
    assert before[0].seconds == LONG
