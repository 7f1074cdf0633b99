"""Cases as they are worked on. Every function works in its caller's transaction; times are s since 1970 UTC."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from cases import store
from cases.act import act, begun
from cases.book import Book
from cases.decide import Silence, decide, incidents
from cases.exchange import outbox
from cases.types import Action, Case, CaseState, Clock, Duty, Facts, Line, NewCase
from contracts.errors import ConfigError, StaleRevision
from contracts.records import Event, Transition

SYSTEM = "system"


class CaseHook:
    """`events.hooks.EventHook`: an event becomes a case, or joins one, in the transaction that writes it."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __call__(self, connection: Connection, event: Event) -> None:
        """What was decided at the event's first transition holds for all of them; but one that made no case is decided
        anew as long as it goes on, for it may have become severe enough."""
        known = store.decided(connection, event.id)
        if known is not None and (known.kind != "none" or event.transition is Transition.CLOSED):
            if known.case_id is not None:
                store.raise_severity(connection, known.case_id, event.severity, event.utc)
            return
        category = self._book.for_event(event.type)
        if category is None:
            return
        place = self._book.place(event.camera, event.zone)
        store.lock_place(connection, category.code, place)
        there = store.known_at(connection, category.code, place)
        decision = decide(event, there, store.silences_at(connection, event.started_utc), self._book)
        case = decision.case
        if decision.kind == "new":
            case = self._new(connection, event, decision.category, place)
        elif decision.kind == "reopen" and case is not None:
            facts = Facts(note=decision.reason["zh"])
            perform(connection, case, Action.REOPEN, Duty.SYSTEM, SYSTEM, facts, event.utc, self._book)
        if case is not None:
            store.raise_severity(connection, case, event.severity, event.utc)
        store.keep(connection, event.id, decision, case, event.utc)

    def _new(self, connection: Connection, event: Event, category: str, place: str) -> int:
        about = NewCase(
            source="event",
            category=category,
            place=place,
            camera=event.camera,
            zone=event.zone,
            grid=event.grid,
            department=event.department,
            severity=event.severity,
            started_utc=event.started_utc,
        )
        number = accept(connection, about, Duty.SYSTEM, SYSTEM, event.utc, self._book).id
        forward(connection, number, event.utc, self._book)
        within, mine = self._book.mass.within, about.started_utc
        near = store.known_open(connection, category, mine - 2 * within, mine + 2 * within)
        for members in incidents(near, self._book.mass):
            if number in members:
                store.join_incident(connection, category, sorted(members))
        return number


def accept(connection: Connection, about: NewCase, duty: Duty, who: str, now: float, book: Book) -> Case:
    """受理: a new case.

    Raises:
        ConfigError: the rule book has no such category.
    """
    if not book.knows(about.category):
        known = ", ".join(category.code for category in book.categories)
        raise ConfigError(f"category: there is no {about.category!r}", f"write one of {known}")
    state = begun(about.category, book, now)
    line = Line(
        utc=now,
        who=who,
        duty=duty,
        action=Action.ACCEPT,
        before=state.status,
        after=state.status,
        facts=Facts(note=about.note),
    )
    number = store.create(connection, about, state, line)
    found = store.read(connection, number)
    assert found is not None
    outbox.tell(connection, found, line, book.exchange)
    return found


def forward(connection: Connection, number: int, now: float, book: Book) -> None:
    """The platform takes a new case as far as its category says: 立案, 派遣."""
    case = _locked(connection, number)
    category = book.category(case.category)
    if category.upto in ("file", "dispatch"):
        perform(connection, number, Action.FILE, Duty.SYSTEM, SYSTEM, Facts(note="符合自动立案条件"), now, book)
    if category.upto == "dispatch":
        department, crew = book.handler(case.category, case.grid, case.department)
        facts = Facts(department=department, crew=crew)
        perform(connection, number, Action.DISPATCH, Duty.SYSTEM, SYSTEM, facts, now, book)


def perform(
    connection: Connection,
    number: int,
    action: Action,
    duty: Duty,
    who: str,
    facts: Facts,
    now: float,
    book: Book,
    *,
    revision: int | None = None,
    key: str = "",
) -> CaseState:
    """One action, with its line in the history.

    Args:
        revision: the one the person saw; None: whatever it is now.
        key: names the action: what was done under it already is not done again. "": it has none.

    Raises:
        ConfigError: there is no such case, or another action was done to it under this key.
        StaleRevision: somebody was quicker.
        CannotAct, Forbidden: see `cases.act.act`.
    """
    case = _locked(connection, number)
    done = store.line_of(connection, number, key) if key else None
    if done is not None:
        if done.action is not action:
            raise ConfigError(f"key: {done.action} was done under it", "give each action a key of its own")
        return case.state
    if revision is not None and revision != case.revision:
        raise StaleRevision(f"case {number} has changed since (revision {case.revision})", "look at it again")
    acted = act(case.state, action, duty, facts, now, book)
    line = Line(
        utc=now,
        who=who,
        duty=duty,
        action=action,
        before=case.state.status,
        after=acted.state.status,
        facts=facts,
        late_s=acted.late_s,
        key=key,
    )
    store.change(connection, number, case.revision, acted.state, line)
    now_is = case.model_copy(update={"revision": case.revision + 1, "state": acted.state})
    outbox.tell(connection, now_is, line, book.exchange)
    return acted.state


def bulk(
    connection: Connection,
    numbers: Sequence[int],
    action: Action,
    duty: Duty,
    who: str,
    facts: Facts,
    now: float,
    book: Book,
    *,
    key: str = "",
) -> None:
    """The same action on many cases (of a mass incident): all of them, or none. `key`: see `perform`."""
    for number in sorted(numbers):
        perform(connection, number, action, duty, who, facts, now, book, key=key)


def watch_clocks(connection: Connection, now: float, book: Book, limit: int = 200) -> int:
    """What runs out by itself: a suspended case goes on, one that nobody rates ends unrated, a late one is put on the
    list of the late (督办), once for each clock.

    Returns:
        how many cases were touched; call again while it is `limit`.
    """
    found = store.due(connection, now, limit)
    for case in found:
        assert case.state.clock is not None
        if case.state.clock.name is Clock.HOLD:
            perform(connection, case.id, Action.RESUME, Duty.SYSTEM, SYSTEM, Facts(note="挂账到期"), now, book)
        elif case.state.clock.name is Clock.RATE:
            perform(connection, case.id, Action.RATE, Duty.SYSTEM, SYSTEM, Facts(note="评价到期，未评价"), now, book)
        else:
            note = Facts(note=f"{case.state.clock.name} 超期")
            perform(connection, case.id, Action.SUPERVISE, Duty.SYSTEM, SYSTEM, note, now, book)
    return len(found)


def _locked(connection: Connection, number: int) -> Case:
    case = store.read(connection, number, lock=True)
    if case is None:
        raise ConfigError(f"there is no case {number}", "see the list of cases")
    return case


def silence(connection: Connection, about: Silence) -> int:
    """Nobody wants cases of some events for a while; its id.

    Raises:
        ConfigError: it says nobody why, or would not end.
    """
    if not about.note.strip():
        raise ConfigError("note: a silence says why", "say it in note")
    if about.until_utc - about.from_utc < 1:
        raise ConfigError("until_utc: a silence lasts a second at least", "give a later time")
    return store.add_silence(connection, about)


def end_silence(connection: Connection, number: int, now: float) -> None:
    """It ends now.

    Raises:
        ConfigError: there is none that is still to end.
    """
    if not store.end_silence(connection, number, now):
        raise ConfigError(f"there is no silence {number} that is still to end", "see the list of silences")
