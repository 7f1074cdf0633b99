"""The transition table of cases: no path leaves a case without an owner or a clock; who may; what is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.act import CannotAct, act, begun, offers
from cases.book import read_book
from cases.flow import TABLE, WORDS, office, possible, step_for
from cases.types import FINAL, Action, CaseState, Clock, Duty, Facts, Status
from contracts.errors import Forbidden

BOOK = read_book()
NOW = 1_795_000_000.0
LITTER, PARKING, OTHER = "0102", "0304", "0999"
DONE: dict[str, Any] = {"pictures": ("evidence/aa/picture.jpg",)}


Moved = tuple[Action, Duty, dict[str, Any]]


def run(state: CaseState, *steps: Moved, at: float = NOW) -> CaseState:
    for action, duty, facts in steps:
        state = act(state, action, duty, Facts(**facts), at, BOOK).state
    return state


FILED: Moved = (Action.FILE, Duty.SYSTEM, {})
SENT: Moved = (Action.DISPATCH, Duty.SYSTEM, {"department": "cleaning", "crew": "3"})
REPORTED: Moved = (Action.REPORT, Duty.HANDLER, DONE)
LOOKED: Moved = (Action.VERIFY, Duty.SYSTEM, {})


def test_the_usual_way() -> None:
    state = begun(LITTER, BOOK, NOW)
    assert (state.status, state.owner, state.clock and state.clock.name) == (Status.ACCEPTED, "city", Clock.FILE)
    state = run(state, FILED, SENT)
    assert (state.status, state.owner, state.handler, state.crew) == (Status.DISPATCHED, "cleaning", "cleaning", "3")
    state = run(state, (Action.START, Duty.HANDLER, {"crew": "4"}))
    assert (state.owner, state.crew, state.clock and state.clock.name) == ("cleaning", "4", Clock.HANDLE)
    state = run(state, REPORTED, LOOKED, (Action.CLOSE, Duty.SYSTEM, {"verdict": "gone"}))
    assert (state.status, state.owner, state.clock and state.clock.name) == (Status.CLOSED, "city", Clock.RATE)
    state = run(state, (Action.RATE, Duty.CENTRE, {"stars": 4}))
    assert (state.status, state.owner, state.clock) == (Status.RATED, "", None)


def test_a_person_rates_with_stars_and_the_platform_ends_it_without_once_the_time_is_over() -> None:
    state = run(
        begun(LITTER, BOOK, NOW), FILED, SENT, REPORTED, LOOKED, (Action.CLOSE, Duty.SYSTEM, {"verdict": "gone"})
    )
    assert state.clock is not None
    with pytest.raises(CannotAct, match="lacks stars"):
        act(state, Action.RATE, Duty.CENTRE, Facts(), state.clock.due_utc + 1, BOOK)
    with pytest.raises(CannotAct, match="lacks stars"):
        act(state, Action.RATE, Duty.SYSTEM, Facts(), state.clock.due_utc - 1, BOOK)
    ended = act(state, Action.RATE, Duty.SYSTEM, Facts(), state.clock.due_utc, BOOK)
    assert (ended.state.status, ended.late_s) == (Status.RATED, 0)


def test_what_is_still_there_is_not_closed_unless_somebody_says_why() -> None:
    state = run(begun(LITTER, BOOK, NOW), FILED, SENT, REPORTED, LOOKED)
    for verdict in ("still_there", "unseen"):
        with pytest.raises(CannotAct, match=rf"found: {verdict}; refuse the report, or override with a note"):
            act(state, Action.CLOSE, Duty.SYSTEM, Facts(verdict=verdict), NOW, BOOK)
        with pytest.raises(CannotAct, match="lacks note"):
            act(state, Action.CLOSE, Duty.CENTRE, Facts(verdict=verdict, overridden=True), NOW, BOOK)
        seen_to = run(state, (Action.CLOSE, Duty.CENTRE, {"verdict": verdict, "overridden": True, "note": "我在现场"}))
        assert seen_to.status is Status.CLOSED
    refused = run(state, (Action.REFUSE, Duty.SYSTEM, {"verdict": "still_there", "note": "垃圾仍在"}))
    assert (refused.status, refused.owner, refused.refusals) == (Status.DISPATCHED, "cleaning", 1)


def test_a_category_that_closes_by_report_needs_no_look() -> None:
    state = run(begun(OTHER, BOOK, NOW), FILED, SENT, REPORTED, LOOKED, (Action.CLOSE, Duty.CENTRE, {}))
    assert state.status is Status.CLOSED


def test_lateness_counts_in_working_time() -> None:
    state = run(begun(PARKING, BOOK, NOW), FILED, SENT)  # 2 h, round the clock
    assert act(state, Action.REPORT, Duty.HANDLER, Facts(**DONE), NOW + 7000, BOOK).late_s == 0
    assert act(state, Action.REPORT, Duty.HANDLER, Facts(**DONE), NOW + 7500, BOOK).late_s == 300


def test_a_suspended_case_keeps_what_its_clock_had_left() -> None:
    state = run(begun(PARKING, BOOK, NOW), FILED, SENT)
    later = {"until_utc": NOW + 90_000, "note": "等待道路施工结束"}
    state = act(state, Action.SUSPEND, Duty.CENTRE, Facts(**later), NOW + 3000, BOOK).state
    assert state.clock is not None
    assert (state.clock.name, state.clock.due_utc, state.owner) == (Clock.HOLD, NOW + 90_000, "cleaning")
    state = act(state, Action.RESUME, Duty.SYSTEM, Facts(), NOW + 90_000, BOOK).state
    assert state.clock is not None
    assert (state.clock.name, state.clock.due_utc, state.paused) == (Clock.HANDLE, NOW + 90_000 + 4200, None)


def test_a_suspended_case_that_was_late_is_as_late_when_it_goes_on() -> None:
    """Late by two working hours on Friday evening: these are not gone on Monday morning."""
    monday = datetime(2026, 11, 30, 8, 30, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
    friday = monday - 62.5 * 3600  # 18:00
    state = run(begun(LITTER, BOOK, friday), FILED, SENT, at=friday - 8 * 3600)  # 4 h of work: until 16:00
    late = act(state, Action.REPORT, Duty.HANDLER, Facts(**DONE), friday, BOOK).late_s
    assert late == 2 * 3600
    later = {"until_utc": monday, "note": "等待"}
    state = act(state, Action.SUSPEND, Duty.CENTRE, Facts(**later), friday, BOOK).state
    state = act(state, Action.RESUME, Duty.SYSTEM, Facts(), monday, BOOK).state
    assert act(state, Action.REPORT, Duty.HANDLER, Facts(**DONE), monday, BOOK).late_s == late
    assert act(state, Action.REPORT, Duty.HANDLER, Facts(**DONE), monday + 600, BOOK).late_s == late + 600


def test_an_extension_moves_the_end_and_is_counted() -> None:
    state = run(begun(PARKING, BOOK, NOW), FILED, SENT)
    with pytest.raises(CannotAct, match="lies before the old one"):
        act(state, Action.EXTEND, Duty.CENTRE, Facts(until_utc=NOW + 60, note="x"), NOW, BOOK)
    state = run(state, (Action.EXTEND, Duty.CENTRE, {"until_utc": NOW + 10_000, "note": "拖车在路上"}))
    assert state.clock is not None
    assert (state.clock.due_utc, state.extensions, state.clock.limit_s) == (NOW + 10_000, 1, 10_000)


@pytest.mark.parametrize(
    ("duty", "action", "facts", "error", "says"),
    [
        (Duty.HANDLER, Action.CLOSE, {}, CannotAct, "possible now: start, report, return, extend, suspend, supervise"),
        (Duty.HANDLER, Action.EXTEND, {}, Forbidden, "not for the handler; it is for: centre"),
        (Duty.CENTRE, Action.REPORT, DONE, Forbidden, "it is for: handler"),
        (Duty.HANDLER, Action.REPORT, {}, CannotAct, "lacks pictures; attach a picture"),
        (Duty.HANDLER, Action.RETURN, {"note": "  "}, CannotAct, "lacks note; say why"),
        (Duty.CENTRE, Action.SUSPEND, {"note": "x", "until_utc": NOW - 1}, CannotAct, "lacks until; give a date"),
    ],
)
def test_who_may_not_and_what_is_missing_is_said(
    duty: Duty, action: Action, facts: dict[str, Any], error: type[Exception], says: str
) -> None:
    state = run(begun(PARKING, BOOK, NOW), FILED, SENT)
    with pytest.raises(error, match=says):
        act(state, action, duty, Facts(**facts), NOW, BOOK)


def test_the_table_has_one_row_for_each_action_of_each_status_and_words_for_all() -> None:
    assert len({(step.source, step.action) for step in TABLE}) == len(TABLE)
    assert set(WORDS) == set(Action)
    for status in Status:
        assert bool(possible(status)) == (status is not Status.VOID)
    reached, grown = {Status.ACCEPTED}, True
    while grown:
        further = reached | {step.target for step in TABLE if step.source in reached}
        grown, reached = further != reached, further
    assert reached == set(Status)


FACTS = st.builds(
    Facts,
    note=st.sampled_from(["", "因为"]),
    department=st.sampled_from(["", "cleaning", "traffic"]),
    until_utc=st.one_of(st.none(), st.floats(NOW - 1e5, NOW + 1e7)),
    pictures=st.sampled_from([(), ("evidence/aa/x.jpg",)]),
    verdict=st.sampled_from([None, "gone", "still_there", "unseen"]),
    overridden=st.booleans(),
    stars=st.sampled_from([None, 3]),
)
MOVE = st.tuples(st.sampled_from(Action), st.sampled_from(Duty), FACTS, st.floats(0, 200_000))


@given(category=st.sampled_from([LITTER, PARKING, OTHER]), moves=st.lists(MOVE, max_size=40))
def test_no_path_leaves_a_case_without_an_owner_or_a_clock(
    category: str, moves: list[tuple[Action, Duty, Facts, float]]
) -> None:
    state, now = begun(category, BOOK, NOW), NOW
    for action, duty, facts, wait in moves:
        now += wait
        step = step_for(state.status, action)
        try:
            acted = act(state, action, duty, facts, now, BOOK)
        except (CannotAct, Forbidden):
            continue
        assert step is not None
        assert duty in step.who
        assert acted.late_s >= 0
        state = acted.state
        assert state.status is step.target
        ended = state.status in FINAL
        assert (state.clock is None) == ended
        assert (state.owner == "") == ended
        assert (state.paused is not None) == (state.status is Status.SUSPENDED)
        if state.status in {Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED}:
            assert state.owner == state.handler != ""
        assert CaseState.model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize("facts", [{"department": "elsewhere"}, {"crew": "7"}])
def test_what_hands_nothing_over_names_nobody(facts: dict[str, str]) -> None:
    """The history shows a line with a department as one that sent the case there."""
    sent = run(begun(LITTER, BOOK, NOW), FILED, SENT)
    with pytest.raises(CannotAct, match=f"return takes no {next(iter(facts))}"):
        act(sent, Action.RETURN, Duty.HANDLER, Facts(note="不归我们", **facts), NOW, BOOK)
    with pytest.raises(CannotAct, match="takes no department"):
        act(sent, Action.START, Duty.HANDLER, Facts(crew="7", department="elsewhere"), NOW, BOOK)


def facts_for(needs: tuple[str, ...]) -> Facts:
    """Just what an offer says that it needs."""
    all_of_it: dict[str, dict[str, Any]] = {
        "note": {"note": "why"},
        "department": {"department": "cleaning"},
        "until": {"until_utc": NOW + 30 * 86_400},
        "pictures": DONE,
        "verdict": {"verdict": "gone"},
        "stars": {"stars": 3},
    }
    return Facts(**{name: value for need in needs for name, value in all_of_it[need].items()})


@pytest.mark.parametrize("category", [LITTER, OTHER])
@pytest.mark.parametrize("duty", [Duty.CENTRE, Duty.HANDLER])
def test_what_is_offered_is_what_the_table_takes_and_nothing_else(duty: Duty, category: str) -> None:
    """From every status that can be reached: each offer is taken with what it needs, everything else is refused."""
    queue, known = [begun(category, BOOK, NOW)], dict[Status, CaseState]()
    while queue:
        state = queue.pop()
        if known.setdefault(state.status, state) is not state:
            continue
        can = {offer.action: offer for offer in offers(state, {duty}, BOOK)}
        for action in Action:
            facts = facts_for(can[action].needs if action in can else ())
            if action in can:
                act(state, action, duty, facts, NOW, BOOK)
            else:
                with pytest.raises((CannotAct, Forbidden)):
                    act(state, action, duty, facts, NOW, BOOK)
        for step in possible(state.status):
            anybody = next(iter(step.who))
            queue.append(act(state, step.action, anybody, facts_for(step.needs), NOW, BOOK).state)
    assert set(known) == set(Status)


def test_who_holds_both_offices_is_offered_both() -> None:
    sent = run(begun(LITTER, BOOK, NOW), FILED, SENT)
    both = [offer.action for offer in offers(sent, {Duty.CENTRE, Duty.HANDLER}, BOOK)]
    centre = [offer.action for offer in offers(sent, {Duty.CENTRE}, BOOK)]
    handler = [offer.action for offer in offers(sent, {Duty.HANDLER}, BOOK)]
    assert (handler, sorted(both)) == (["start", "report", "return"], sorted(handler + centre))
    assert offers(sent, (), BOOK) == ()
    assert [office(action, {Duty.CENTRE, Duty.HANDLER}) for action in (Action.VOID, Action.REPORT, Action.RESUME)] == [
        Duty.CENTRE,
        Duty.HANDLER,
        Duty.CENTRE,
    ]
    assert office(Action.VOID, {Duty.HANDLER}) is None
