"""Who is responsible at a desk: never nobody, never two, and nobody takes over from themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.act import CannotAct
from cases.shift.rota import LONGEST_S, Desk, Duty, Offer, answer, begin, late_s, relieve, sign
from cases.shift.types import Answer
from contracts.errors import CityVisionError, Forbidden, StaleRevision

NOW = 1_795_000_000.0
HOUR = 3600.0
PEOPLE = ("zhang", "wang", "li")


def on_shift() -> Desk:
    return begin(Desk(), "zhang", NOW + 8 * HOUR, NOW)


def offered() -> Desk:
    return sign(on_shift(), "zhang", NOW + 16 * HOUR, NOW + 7.9 * HOUR)


def test_the_usual_way() -> None:
    desk = offered()
    assert desk.duty == Duty("zhang", NOW, NOW + 8 * HOUR)  # until it is confirmed
    desk = answer(desk, Answer.CONFIRMED, "wang", "", NOW + 8 * HOUR)
    assert desk == Desk(Duty("wang", NOW + 8 * HOUR, NOW + 16 * HOUR))


def test_a_refusal_says_why_and_leaves_the_shift_where_it_was() -> None:
    with pytest.raises(CannotAct, match="note: a refusal says why"):
        answer(offered(), Answer.REFUSED, "wang", "  ", NOW + 8 * HOUR)
    desk = answer(offered(), Answer.REFUSED, "wang", "案件 12 未说明", NOW + 8 * HOUR)
    assert desk == on_shift()
    assert sign(desk, "zhang", NOW + 16 * HOUR, NOW + 9 * HOUR).offer is not None


def test_who_may() -> None:
    with pytest.raises(Forbidden, match="nobody takes over from themselves"):
        answer(offered(), Answer.CONFIRMED, "zhang", "", NOW + 8 * HOUR)
    with pytest.raises(Forbidden, match="zhang signed it"):
        answer(offered(), Answer.WITHDRAWN, "wang", "", NOW + 8 * HOUR)
    with pytest.raises(Forbidden, match="it is zhang's shift"):
        sign(on_shift(), "wang", NOW + 16 * HOUR, NOW)
    with pytest.raises(Forbidden, match="it is your own shift"):
        relieve(on_shift(), "zhang", "x", NOW + 16 * HOUR, NOW)
    assert answer(offered(), Answer.WITHDRAWN, "zhang", "", NOW + 8 * HOUR) == on_shift()


def test_what_has_moved_on_is_told() -> None:
    with pytest.raises(StaleRevision, match="zhang is on shift since"):
        begin(on_shift(), "wang", NOW + HOUR, NOW)
    with pytest.raises(StaleRevision, match="nobody is on shift"):
        sign(Desk(), "wang", NOW + HOUR, NOW)
    with pytest.raises(StaleRevision, match="a handover waits to be confirmed"):
        sign(offered(), "zhang", NOW + 16 * HOUR, NOW)
    with pytest.raises(StaleRevision, match="no handover waits"):
        answer(on_shift(), Answer.CONFIRMED, "wang", "", NOW)
    with pytest.raises(StaleRevision, match="zhang has signed a handover"):
        relieve(offered(), "wang", "生病", NOW + 16 * HOUR, NOW + 8 * HOUR)


def test_a_shift_that_does_not_hand_over_is_relieved_with_a_reason() -> None:
    with pytest.raises(CannotAct, match="without a handover says why"):
        relieve(on_shift(), "wang", "", NOW + 16 * HOUR, NOW + 9 * HOUR)
    desk = relieve(on_shift(), "wang", "联系不上张", NOW + 16 * HOUR, NOW + 9 * HOUR)
    assert desk == Desk(Duty("wang", NOW + 9 * HOUR, NOW + 16 * HOUR))


@pytest.mark.parametrize("until", [NOW, NOW - 1, NOW + LONGEST_S + 1, float("nan")])
def test_every_shift_ends(until: float) -> None:
    with pytest.raises(CannotAct, match="until_utc"):
        begin(Desk(), "zhang", until, NOW)


def test_confirmed_much_too_late_the_next_shift_still_lasts() -> None:
    desk = answer(offered(), Answer.CONFIRMED, "wang", "", NOW + 20 * HOUR)
    assert desk.duty is not None
    assert desk.duty.planned_end_utc == pytest.approx(NOW + (20 + 16 - 7.9) * HOUR)
    assert late_s(NOW + 8 * HOUR, NOW + 20 * HOUR) == 12 * HOUR
    assert late_s(NOW + 8 * HOUR, NOW + 7 * HOUR) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "sign", "relieve", *Answer]),
        st.sampled_from(PEOPLE),
        st.sampled_from(["", "说明"]),
        st.floats(-600.0, 90_000.0),  # later; clocks of two processes differ by a little
    ),
    max_size=60,
)


def step(desk: Desk, what: str, who: str, note: str, now: float) -> Desk:
    until = now + 8 * HOUR
    match what:
        case "begin":
            return begin(desk, who, until, now)
        case "sign":
            return sign(desk, who, until, now)
        case "relieve":
            return relieve(desk, who, note, until, now)
    return answer(desk, Answer(what), who, note, now)


@given(STEPS)
def test_from_the_first_shift_on_exactly_one_person_is_responsible(steps: list[tuple[str, str, str, float]]) -> None:
    desk, now = Desk(), NOW
    shifts: list[Duty] = []
    for what, who, note, later in steps:
        now += later
        before = desk
        try:
            desk = step(desk, what, who, note, now)
        except CityVisionError:
            continue
        assert desk.duty is not None
        if desk.duty != before.duty:
            shifts.append(desk.duty)
            assert desk.offer is None
            if before.duty is not None:
                assert desk.duty.who == who != before.duty.who
                assert what == "relieve" or before.offer is not None
        if isinstance(desk.offer, Offer):
            assert desk.offer.signed_by == desk.duty.who
    for former, following in pairwise(shifts):
        assert former.since_utc <= following.since_utc < following.planned_end_utc
