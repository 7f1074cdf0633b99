"""One action on one case: pure. Who may, what is missing, which clock stops late and which one starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cases.book import Book
from cases.flow import Need, Step, offered, possible, step_for
from cases.types import Action, CaseState, Clock, Duty, Facts, Paused, Running, Status
from cases.working import Calendar
from contracts.errors import CityVisionError, Forbidden
from contracts.records import Contract

_MISSING = {
    "note": "say why, in note",
    "department": "name the department that is to handle it, in department",
    "until": "give a date that is still to come, in until_utc",
    "pictures": "attach a picture of the place as it is now, in pictures",
    "verdict": "say what the look at the place found, in verdict: gone, still_there or unseen",
    "stars": "give one to five, in stars",
}

# To whom it goes: the history shows these as what was handed over, so no other action names them.
_HANDS_OVER = {
    "department": frozenset({Action.DISPATCH}),
    "crew": frozenset({Action.DISPATCH, Action.START}),
}


class CannotAct(CityVisionError):
    """The case does not allow that now, or something is missing. The message names the field and the fix."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of it; `late_s`: working seconds by which the clock that stopped was over."""

    state: CaseState
    late_s: float = 0.0


class Offer(Contract):
    """An action that somebody can take now, and of `Facts` what it needs."""

    action: Action
    needs: tuple[Need, ...]


def offers(state: CaseState, duties: Collection[Duty], book: Book) -> tuple[Offer, ...]:
    """What somebody in these offices can do to the case now, in the order of the table."""
    steps = offered(state.status, duties)
    return tuple(Offer(action=step.action, needs=_needs(step, state, book)) for step in steps)


def begun(category: str, book: Book, now: float) -> CaseState:
    """受理: a new case, whose first clock runs from `now`, s since 1970 UTC."""
    clock = _started(Clock.FILE, book.category(category).limits.file, now, book.calendar(category))
    return CaseState(status=Status.ACCEPTED, category=category, owner=book.centre, clock=clock)


def act(state: CaseState, action: Action, duty: Duty, facts: Facts, now: float, book: Book) -> Acted:
    """The case after an action.

    Args:
        now: s since 1970 UTC.

    Raises:
        CannotAct: not from this status, or something is missing.
        Forbidden: not in this office.
    """
    step = step_for(state.status, action)
    if step is None:
        able = ", ".join(dict.fromkeys(one.action.value for one in possible(state.status))) or "nothing"
        raise CannotAct(f"a case that is {state.status} cannot be given {action}", f"possible now: {able}")
    if duty not in step.who:
        raise Forbidden(f"{action} is not for the {duty}", f"it is for: {', '.join(sorted(step.who))}")
    _complete(state, step, duty, facts, now, book)
    calendar = book.calendar(state.category)
    late = _late(state, step, now, calendar)
    changes: dict[str, object] = {"status": step.target, **_counted(state, step), **_parties(state, step, facts, book)}
    changes |= _clocks(state, step, facts, now, book, calendar)
    if action is Action.SUPERVISE and duty is Duty.SYSTEM and state.clock is not None:
        changes["clock"] = state.clock.model_copy(update={"told": _over(state, now)})
    return Acted(state.model_copy(update=changes), late)


def _over(state: CaseState, now: float) -> bool:
    return state.clock is not None and state.clock.due_utc <= now


def _complete(state: CaseState, step: Step, duty: Duty, facts: Facts, now: float, book: Book) -> None:
    given = {
        "note": bool(facts.note.strip()),
        "department": bool(facts.department),
        "until": facts.until_utc is not None and facts.until_utc > now,
        "pictures": bool(facts.pictures),
        "verdict": facts.verdict is not None,
        "stars": facts.stars is not None or (duty is Duty.SYSTEM and _over(state, now)),
    }
    for name, actions in _HANDS_OVER.items():
        if getattr(facts, name) and step.action not in actions:
            raise CannotAct(
                f"{step.action} takes no {name}", f"leave {name} out: {' or '.join(sorted(actions))} takes it"
            )
    needs = _needs(step, state, book)
    for need in needs:
        if not given[need]:
            raise CannotAct(f"{step.action} lacks {need}", _MISSING[need])
    if step.action is Action.CLOSE and "verdict" in needs and facts.verdict != "gone":
        if not facts.overridden:
            raise CannotAct(
                f"the look at the place found: {facts.verdict}", "refuse the report, or override with a note"
            )
        if not given["note"]:
            raise CannotAct("overriding the look at the place lacks note", _MISSING["note"])
    if step.action is Action.EXTEND and state.clock is not None and (facts.until_utc or 0.0) <= state.clock.due_utc:
        raise CannotAct("the new end lies before the old one", "give a later date, in until_utc")


def _needs(step: Step, state: CaseState, book: Book) -> tuple[Need, ...]:
    """Nobody looks again where the handler's report is enough."""
    seen_to = book.category(state.category).closes == "report"
    return tuple(need for need in step.needs if not (need == "verdict" and seen_to))


def _late(state: CaseState, step: Step, now: float, calendar: Calendar) -> float:
    stops = step.clock is not None or step.owner == "nobody"
    if state.clock is None or not stops:
        return 0.0
    return max(0.0, calendar.between(state.clock.due_utc, now))


def _counted(state: CaseState, step: Step) -> dict[str, object]:
    counted: dict[Action, dict[str, object]] = {
        Action.EXTEND: {"extensions": state.extensions + 1},
        Action.RETURN: {"returns": state.returns + 1},
        Action.REFUSE: {"refusals": state.refusals + 1},
        Action.REOPEN: {"reopened": state.reopened + 1},
        Action.SUPERVISE: {"supervised": True},
        Action.CLOSE: {"supervised": False},
        Action.VOID: {"supervised": False},
    }
    return counted.get(step.action, {})


def _parties(state: CaseState, step: Step, facts: Facts, book: Book) -> dict[str, object]:
    handler, crew = state.handler, state.crew
    if step.action is Action.DISPATCH:
        handler, crew = facts.department, facts.crew
    elif step.action is Action.RETURN:
        handler, crew = "", ""
    elif step.action is Action.START and facts.crew:
        crew = facts.crew
    owner = {"centre": book.centre, "handler": handler or book.centre, "nobody": "", "same": state.owner}[step.owner]
    return {"handler": handler, "crew": crew, "owner": owner}


def _clocks(
    state: CaseState, step: Step, facts: Facts, now: float, book: Book, calendar: Calendar
) -> dict[str, object]:
    if step.owner == "nobody":
        return {"clock": None, "paused": None}
    clock = state.clock
    if step.action is Action.EXTEND:
        assert clock is not None
        assert facts.until_utc is not None
        limit = max(clock.limit_s, calendar.between(clock.started_utc, facts.until_utc))
        return {"clock": clock.model_copy(update={"due_utc": facts.until_utc, "limit_s": limit, "told": False})}
    if step.clock is None:
        return {}
    if step.clock is Clock.HOLD:
        assert facts.until_utc is not None
        assert clock is not None
        paused = Paused(name=clock.name, left_s=calendar.between(now, clock.due_utc), limit_s=clock.limit_s)
        limit = max(1.0, calendar.between(now, facts.until_utc))
        hold = Running(name=Clock.HOLD, started_utc=now, limit_s=limit, due_utc=facts.until_utc)
        return {"clock": hold, "paused": paused}
    if step.resumes and state.paused is not None:
        return {"clock": _resumed(state.paused, now, calendar), "paused": None}
    limit = book.category(state.category).limits.of(step.clock)
    return {"clock": _started(step.clock, limit, now, calendar), "paused": None}


def _started(name: Clock, limit: float, now: float, calendar: Calendar) -> Running:
    return Running(name=name, started_utc=now, limit_s=limit, due_utc=calendar.add(now, limit))


def _resumed(paused: Paused, now: float, calendar: Calendar) -> Running:
    """Goes on with what was left; what was late already stays late."""
    due = calendar.add(now, paused.left_s) if paused.left_s > 0 else calendar.back(now, -paused.left_s)
    return Running(name=paused.name, started_utc=now, limit_s=paused.limit_s, due_utc=due)
