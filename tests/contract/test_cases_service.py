"""Cases on a real Postgres: events become cases in the transaction that writes them; clocks; a mass incident."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from cases import store
from cases.book import Book, read_book
from cases.queries import CaseFilter, Sight, Tally, tallies
from cases.service import SYSTEM, CaseHook, accept, bulk, perform, watch_clocks
from cases.tables import case_decisions, case_lines, case_silences, cases
from cases.types import Action, Clock, Duty, Facts, NewCase, Status
from cases.verify import begin
from contracts.errors import ConfigError, StaleRevision
from contracts.records import Event, EventRecord, Severity, Transition
from events.consumer import Consumer
from events.hooks import Hooks
from store.bus import Bus
from store.database import at
from tests.contract.test_events_store import entry, send
from tests.unit.test_cases_decide import NOW, event

pytest_plugins = ["tests.embedded"]

BOOK = read_book()
PARKING, RAIN = "illegal_parking", "waterlogging"
PICTURE = ("evidence/aa/after.jpg",)


def see(engine: Engine, *found: Event) -> None:
    hook = CaseHook(BOOK)
    for one in found:
        with engine.begin() as connection:
            hook(connection, one)


def numbers(engine: Engine) -> list[int]:
    with engine.begin() as connection:
        return list(connection.execute(select(cases.c.id).order_by(cases.c.id)).scalars())


def test_an_event_becomes_a_case_on_its_way_through_the_consumer(engine: Engine, bus: Bus) -> None:
    found = event()
    send(bus, [entry(0, EventRecord(event=found))])
    assert Consumer(engine, bus, Hooks([CaseHook(BOOK)])).step() == 1
    with engine.begin() as connection:
        (number,) = numbers(engine)
        case = store.read(connection, number)
        told = [(line.action, line.who, line.after) for line in store.lines(connection, number)]
    assert case is not None
    assert (case.state.status, case.state.owner, case.place) == (Status.DISPATCHED, "traffic", "a/kerb")
    assert case.state.clock is not None
    assert (case.state.clock.name, case.state.clock.due_utc) == (Clock.HANDLE, found.utc + 7200)
    assert told == [
        (Action.ACCEPT, SYSTEM, Status.ACCEPTED),
        (Action.FILE, SYSTEM, Status.FILED),
        (Action.DISPATCH, SYSTEM, Status.DISPATCHED),
    ]


def test_one_event_is_decided_once_and_another_joins(engine: Engine) -> None:
    first = event()
    later = first.model_copy(update={"seq": 1, "transition": Transition.UPDATED, "severity": Severity.MAJOR})
    see(engine, first, later, event(at=NOW + 300))
    (number,) = numbers(engine)
    with engine.begin() as connection:
        case = store.read(connection, number)
        kinds = connection.execute(select(case_decisions.c.kind).order_by(case_decisions.c.at)).scalars().all()
    assert case is not None
    assert case.severity is Severity.MAJOR
    assert kinds == ["new", "join"]


def test_it_happens_again(engine: Engine) -> None:
    see(engine, event())
    (number,) = numbers(engine)
    with engine.begin() as connection:
        perform(connection, number, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 600, BOOK)
        perform(connection, number, Action.VERIFY, Duty.SYSTEM, SYSTEM, Facts(), NOW + 601, BOOK)
        perform(connection, number, Action.CLOSE, Duty.SYSTEM, SYSTEM, Facts(verdict="gone"), NOW + 660, BOOK)
    see(engine, event(at=NOW + 1200))
    with engine.begin() as connection:
        case = store.read(connection, number)
    assert case is not None
    assert (case.state.status, case.state.reopened, case.state.owner) == (Status.DISPATCHED, 1, "traffic")
    see(engine, event(at=NOW + 900_000))
    assert numbers(engine) == [number], "it is open again, so it takes what comes"


def test_an_event_that_becomes_severe_enough_makes_its_case_then(engine: Engine) -> None:
    category = BOOK.category("0304").model_copy(update={"min_severity": Severity.MAJOR})
    book = BOOK.model_copy(update={"categories": (category, *(c for c in BOOK.categories if c.code != "0304"))})
    hook = CaseHook(Book.model_validate(book.model_dump()))
    first = event()

    def goes_on(seq: int, severity: Severity, transition: Transition = Transition.UPDATED) -> list[str]:
        change = {"seq": seq, "transition": transition, "severity": severity, "utc": NOW + 60 * seq}
        with engine.begin() as connection:
            hook(connection, first.model_copy(update=change))
            return list(connection.execute(select(case_decisions.c.kind)).scalars())

    assert goes_on(0, Severity.MINOR, Transition.OPENED) == ["none"]
    assert goes_on(1, Severity.MINOR) == ["none"]
    assert numbers(engine) == []
    assert goes_on(2, Severity.MAJOR) == ["new"]
    assert goes_on(3, Severity.MINOR) == ["new"]
    assert len(numbers(engine)) == 1


def test_an_event_does_not_join_a_case_that_is_just_being_closed(engine: Engine) -> None:
    see(engine, event())
    (number,) = numbers(engine)
    with engine.begin() as connection:
        perform(connection, number, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 600, BOOK)
        perform(connection, number, Action.VERIFY, Duty.SYSTEM, SYSTEM, Facts(), NOW + 601, BOOK)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as closing:
            perform(closing, number, Action.CLOSE, Duty.SYSTEM, SYSTEM, Facts(verdict="gone"), NOW + 660, BOOK)
            coming = pool.submit(see, engine, event(at=NOW + 1200))
            wait((coming,), timeout=1)
        coming.result()
    with engine.begin() as connection:
        case = store.read(connection, number)
    assert case is not None
    assert (case.state.status, case.state.reopened) == (Status.DISPATCHED, 1)


def test_a_silence_is_counted_and_ends(engine: Engine) -> None:
    with engine.begin() as connection:
        span = {"from": at(NOW - 60), "until": at(NOW + 60)}
        what = {"who": "wang", "note": "施工", "types": [PARKING], "cameras": [], "grids": []}
        connection.execute(insert(case_silences).values(what | span))
    see(engine, event(), event(at=NOW + 61))
    assert len(numbers(engine)) == 1
    with engine.begin() as connection:
        hidden = select(func.count()).where(case_decisions.c.silence_id.is_not(None))
        assert connection.execute(hidden).scalar_one() == 1


def test_a_rainstorm_is_one_incident_with_bulk_actions(engine: Engine) -> None:
    see(engine, *(event(f"cam{n}", RAIN, at=NOW + 30 * n) for n in range(25)), event("far", RAIN, at=NOW + 90_000))
    with engine.begin() as connection:
        found = connection.execute(select(cases.c.camera, cases.c.incident, cases.c.id)).all()
    together = {row.incident for row in found if row.camera != "far"}
    assert len(together) == 1
    assert together != {None}
    assert {row.incident for row in found if row.camera == "far"} == {None}
    members = [row.id for row in found if row.incident is not None]
    facts = Facts(note="暴雨，等待退水", until_utc=NOW + 20_000)
    with engine.begin() as connection:
        bulk(connection, members, Action.SUSPEND, Duty.CENTRE, "zhao", facts, NOW + 2000, BOOK)
    with pytest.raises(ConfigError, match="there is no case 999999"), engine.begin() as connection:
        bulk(connection, [*members, 999_999], Action.RESUME, Duty.CENTRE, "zhao", Facts(), NOW + 3000, BOOK)
    with engine.begin() as connection:
        states = {case.state.status for n in members if (case := store.read(connection, n)) is not None}
        assert states == {Status.SUSPENDED}, "all of them or none"
        assert watch_clocks(connection, NOW + 20_001, BOOK) == 25
        assert watch_clocks(connection, NOW + 20_001, BOOK) == 0
        states = {case.state.status for n in members if (case := store.read(connection, n)) is not None}
    assert states == {Status.DISPATCHED}


def test_what_is_late_is_supervised_once(engine: Engine) -> None:
    see(engine, event())
    (number,) = numbers(engine)
    with engine.begin() as connection:
        assert watch_clocks(connection, NOW + 7000, BOOK) == 0
        assert watch_clocks(connection, NOW + 7300, BOOK) == 1
        assert watch_clocks(connection, NOW + 9000, BOOK) == 0
        case = store.read(connection, number)
        assert case is not None
        assert case.state.supervised
        assert store.lines(connection, number)[-1].action is Action.SUPERVISE


def test_each_clock_that_runs_out_is_told_once_also_where_somebody_spoke_before(engine: Engine) -> None:
    see(engine, event())
    (number,) = numbers(engine)

    def supervised() -> int:
        with engine.begin() as connection:
            return [line.action for line in store.lines(connection, number)].count(Action.SUPERVISE)

    with engine.begin() as connection:
        perform(connection, number, Action.SUPERVISE, Duty.CENTRE, "zhao", Facts(note="急"), NOW + 60, BOOK)
        assert watch_clocks(connection, NOW + 7300, BOOK) == 1, "said before, but not that it is late"
        assert watch_clocks(connection, NOW + 7400, BOOK) == 0
    assert supervised() == 2
    with engine.begin() as connection:
        perform(connection, number, Action.RETURN, Duty.HANDLER, "li", Facts(note="不归我们"), NOW + 7500, BOOK)
        assert watch_clocks(connection, NOW + 7600, BOOK) == 0
        assert watch_clocks(connection, NOW + 7500 + 901, BOOK) == 1, "late again, at 派遣"
        assert watch_clocks(connection, NOW + 7500 + 902, BOOK) == 0
    assert supervised() == 3


def test_a_case_whose_category_the_city_took_out_of_its_book_goes_on(engine: Engine) -> None:
    """And holds up the clocks of no other one."""
    see(engine, event(), event("b"))
    gone, _ = numbers(engine)
    with engine.begin() as connection:
        case = store.read(connection, gone)
        assert case is not None
        state = case.state.model_copy(update={"category": "9901"}).model_dump(mode="json")
        connection.execute(update(cases).where(cases.c.id == gone).values(category="9901", state=state))
    with engine.begin() as connection:
        assert watch_clocks(connection, NOW + 7300, BOOK) == 2
        until = Facts(until_utc=NOW + 20_000, note="x")
        perform(connection, gone, Action.SUSPEND, Duty.CENTRE, "zhao", until, NOW + 8000, BOOK)
        assert watch_clocks(connection, NOW + 20_001, BOOK) == 1
        perform(connection, gone, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 20_600, BOOK)
        assert begin(connection, NOW + 20_601, BOOK) == 0, "no event type is its own any more: a person looks"
        perform(connection, gone, Action.VERIFY, Duty.CENTRE, "zhao", Facts(), NOW + 20_602, BOOK)
        done = perform(connection, gone, Action.CLOSE, Duty.CENTRE, "zhao", Facts(verdict="gone"), NOW + 20_603, BOOK)
        assert done.status is Status.CLOSED
        about = NewCase(source="manual", category="9901", department="city", started_utc=NOW)
        with pytest.raises(ConfigError, match="category: there is no '9901'"):
            accept(connection, about, Duty.CENTRE, "zhao", NOW, BOOK)


def test_a_case_that_nobody_rates_ends_by_itself(engine: Engine) -> None:
    see(engine, event())
    (number,) = numbers(engine)
    week = 7 * 86_400
    with engine.begin() as connection:
        perform(connection, number, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 600, BOOK)
        perform(connection, number, Action.VERIFY, Duty.SYSTEM, SYSTEM, Facts(), NOW + 601, BOOK)
        perform(connection, number, Action.CLOSE, Duty.SYSTEM, SYSTEM, Facts(verdict="gone"), NOW + 660, BOOK)
        assert watch_clocks(connection, NOW + 659 + week, BOOK) == 0
        assert watch_clocks(connection, NOW + 661 + week, BOOK) == 1
        assert watch_clocks(connection, NOW + 700 + week, BOOK) == 0
        case = store.read(connection, number)
        last = store.lines(connection, number)[-1]
    assert case is not None
    assert (case.state.status, case.state.clock, case.state.owner) == (Status.RATED, None, "")
    assert (last.action, last.who, last.facts.stars) == (Action.RATE, SYSTEM, None), "nobody's stars are made up"


def test_a_case_that_is_open_again_does_not_count_as_closed(engine: Engine) -> None:
    see(engine, event())
    (number,) = numbers(engine)

    def tally(now: float) -> Tally:
        with engine.begin() as connection:
            (one,) = tallies(connection, Sight(everything=True), CaseFilter(), "category", now, "Asia/Shanghai")
        return one

    with engine.begin() as connection:
        perform(connection, number, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 600, BOOK)
        perform(connection, number, Action.VERIFY, Duty.SYSTEM, SYSTEM, Facts(), NOW + 601, BOOK)
        perform(connection, number, Action.CLOSE, Duty.SYSTEM, SYSTEM, Facts(verdict="gone"), NOW + 660, BOOK)
    assert tally(NOW + 700).closed == 1
    assert tally(NOW + 700).median_hours == pytest.approx(600 / 3600, abs=1e-3)
    see(engine, event(at=NOW + 1200))
    assert (tally(NOW + 1300).closed, tally(NOW + 1300).median_hours) == (0, None)


def test_whoever_comes_second_is_told(engine: Engine) -> None:
    about = NewCase(
        source="hotline", category="0999", address="人民路 3 号", department="city", started_utc=NOW, note="井盖松动"
    )
    with engine.begin() as connection:
        case = accept(connection, about, Duty.CENTRE, "zhao", NOW, BOOK)
        perform(connection, case.id, Action.FILE, Duty.CENTRE, "zhao", Facts(), NOW, BOOK, revision=case.revision)
        with pytest.raises(StaleRevision, match="has changed since"):
            perform(
                connection,
                case.id,
                Action.VOID,
                Duty.CENTRE,
                "qian",
                Facts(note="x"),
                NOW,
                BOOK,
                revision=case.revision,
            )
        with pytest.raises(ConfigError, match=r"category: there is no '1'; write one of 0304"):
            accept(connection, about.model_copy(update={"category": "1"}), Duty.CENTRE, "zhao", NOW, BOOK)


def test_the_history_can_only_grow(engine: Engine) -> None:
    see(engine, event())
    for statement in ("UPDATE case_lines SET at = now()", "DELETE FROM case_lines"):
        with pytest.raises(ProgrammingError, match="can only grow"), engine.begin() as connection:
            connection.execute(text(statement))
    with engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(case_lines)).scalar_one() == 3


def test_a_hook_that_fails_loses_nothing(engine: Engine, bus: Bus) -> None:
    """The record goes to `rejected_record`; neither a case nor an event is left half made."""
    send(bus, [entry(0, EventRecord(event=event())), entry(1, EventRecord(event=event("b")))])

    def broken(connection: Connection, event: Event) -> None:
        if event.camera == "a":
            raise ValueError(f"broken on {connection}")

    consumer = Consumer(engine, bus, Hooks([CaseHook(BOOK), broken]))
    consumer.step()
    assert consumer.counters.rejected == 1
    with engine.begin() as connection:
        assert connection.execute(select(cases.c.camera)).scalars().all() == ["b"]
