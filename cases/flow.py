"""The one transition table of a case: from where, to where, who may, what it needs, which clock it starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from cases.types import Action, Clock, Duty, Status

Need = Literal["note", "department", "until", "pictures", "verdict", "stars"]
Owner = Literal["centre", "handler", "nobody", "same"]

_CENTRE = frozenset({Duty.CENTRE})
_HANDLER = frozenset({Duty.HANDLER})
_CENTRE_OR_SYSTEM = frozenset({Duty.CENTRE, Duty.SYSTEM})
_ANYBODY = frozenset(Duty)


@dataclass(frozen=True, slots=True)
class Step:
    """One row.

    Attributes:
        action, source: what is done, and to a case of which status.
        target: its status afterwards.
        who: in which office one may.
        needs: of `Facts`, what must be given.
        owner: whose turn it is afterwards.
        clock: which clock is started (the one that ran stops); None: that one runs on.
        resumes: go on with what the clock had left before 挂账, instead of a fresh limit.
    """

    action: Action
    source: Status
    target: Status
    who: frozenset[Duty]
    owner: Owner
    clock: Clock | None = None
    needs: tuple[Need, ...] = ()
    resumes: bool = False


A, S, C = Action, Status, Clock

TABLE: tuple[Step, ...] = (
    Step(A.FILE, S.ACCEPTED, S.FILED, _CENTRE_OR_SYSTEM, "centre", C.DISPATCH),
    Step(A.DISPATCH, S.FILED, S.DISPATCHED, _CENTRE_OR_SYSTEM, "handler", C.HANDLE, ("department",)),
    Step(A.START, S.DISPATCHED, S.HANDLING, _HANDLER, "handler"),
    Step(A.REPORT, S.DISPATCHED, S.REPORTED, _HANDLER, "centre", C.VERIFY, ("pictures",)),
    Step(A.REPORT, S.HANDLING, S.REPORTED, _HANDLER, "centre", C.VERIFY, ("pictures",)),
    Step(A.VERIFY, S.REPORTED, S.VERIFYING, _CENTRE_OR_SYSTEM, "centre"),
    Step(A.CLOSE, S.VERIFYING, S.CLOSED, _CENTRE_OR_SYSTEM, "centre", C.RATE, ("verdict",)),
    Step(A.REFUSE, S.VERIFYING, S.DISPATCHED, _CENTRE_OR_SYSTEM, "handler", C.HANDLE, ("verdict", "note")),
    # 评价: without stars by the platform alone, where its time is over
    Step(A.RATE, S.CLOSED, S.RATED, _CENTRE_OR_SYSTEM, "nobody", None, ("stars",)),
    # 退回: not theirs, or not enough said to act on
    Step(A.RETURN, S.DISPATCHED, S.FILED, _HANDLER, "centre", C.DISPATCH, ("note",)),
    Step(A.RETURN, S.HANDLING, S.FILED, _HANDLER, "centre", C.DISPATCH, ("note",)),
    # 延期: the centre grants it; the clock goes on with a later end
    Step(A.EXTEND, S.DISPATCHED, S.DISPATCHED, _CENTRE, "handler", None, ("until", "note")),
    Step(A.EXTEND, S.HANDLING, S.HANDLING, _CENTRE, "handler", None, ("until", "note")),
    # 挂账: nothing can be done before a date
    Step(A.SUSPEND, S.DISPATCHED, S.SUSPENDED, _CENTRE, "handler", C.HOLD, ("until", "note")),
    Step(A.SUSPEND, S.HANDLING, S.SUSPENDED, _CENTRE, "handler", C.HOLD, ("until", "note")),
    Step(A.RESUME, S.SUSPENDED, S.DISPATCHED, _ANYBODY, "handler", C.HANDLE, resumes=True),
    # 督办: whoever has it hears of it; status and clock stay
    *(Step(A.SUPERVISE, source, source, _CENTRE_OR_SYSTEM, "same", None, ("note",)) for source in (
        S.ACCEPTED, S.FILED, S.DISPATCHED, S.HANDLING, S.REPORTED, S.VERIFYING, S.SUSPENDED,
    )),
    # 作废: a false alarm, a test, a case that another one has swallowed
    Step(A.VOID, S.ACCEPTED, S.VOID, _CENTRE_OR_SYSTEM, "nobody", None, ("note",)),
    *(Step(A.VOID, source, S.VOID, _CENTRE, "nobody", None, ("note",)) for source in (
        S.FILED, S.DISPATCHED, S.HANDLING, S.REPORTED, S.VERIFYING, S.SUSPENDED,
    )),
    Step(A.REOPEN, S.CLOSED, S.DISPATCHED, _CENTRE_OR_SYSTEM, "handler", C.HANDLE, ("note",)),
    Step(A.REOPEN, S.RATED, S.DISPATCHED, _CENTRE_OR_SYSTEM, "handler", C.HANDLE, ("note",)),
)  # fmt: skip


WORDS: dict[Action, str] = {
    Action.ACCEPT: "受理",
    Action.FILE: "立案",
    Action.DISPATCH: "派遣",
    Action.START: "处置",
    Action.REPORT: "反馈",
    Action.VERIFY: "核查",
    Action.CLOSE: "结案",
    Action.RATE: "评价",
    Action.RETURN: "退回",
    Action.REFUSE: "核查不通过",
    Action.EXTEND: "延期",
    Action.SUSPEND: "挂账",
    Action.RESUME: "恢复",
    Action.SUPERVISE: "督办",
    Action.VOID: "作废",
    Action.REOPEN: "重新立案",
}
"""What each action is called."""

_ROWS = {(step.source, step.action): step for step in TABLE}


def step_for(source: Status, action: Action) -> Step | None:
    """The row of an action from a status; None where it cannot be done there."""
    return _ROWS.get((source, action))


def possible(source: Status) -> tuple[Step, ...]:
    """What can be done to a case of this status, in the order of the table."""
    return tuple(step for step in TABLE if step.source is source)


def offered(source: Status, duties: Collection[Duty]) -> tuple[Step, ...]:
    """What somebody in these offices can do to a case of this status, in the order of the table."""
    return tuple(step for step in possible(source) if not step.who.isdisjoint(duties))


def office(action: Action, duties: Collection[Duty]) -> Duty | None:
    """In which of these offices somebody does this: the centre's before that of the department; None: in neither."""
    may = {duty for step in TABLE if step.action is action for duty in step.who}
    return next((duty for duty in (Duty.CENTRE, Duty.HANDLER) if duty in duties and duty in may), None)
