"""The one transition table of a version: from where, to where, in whose name, and what it must be founded on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from algorithm_repo.registry.types import Action, Facts, Office, State
from contracts.errors import ConfigError, Forbidden

Need = Literal["run", "report", "evaluation", "passed", "card", "cameras", "comparison", "other", "why"]

_MAKER = frozenset({Office.ENGINEER, Office.SYSTEM})
_PROMOTER = frozenset({Office.PROMOTER})
_STOPPER = frozenset({Office.PROMOTER, Office.ENGINEER, Office.SYSTEM})
_BACK = frozenset({Office.PROMOTER, Office.SYSTEM})


@dataclass(frozen=True, slots=True)
class Step:
    """One row.

    Attributes:
        action, source: what is done, and to a version in which state.
        target: its state afterwards.
        offices: in whose name it may be done.
        needs: of `Facts`, what must be given.
    """

    action: Action
    source: State
    target: State
    offices: frozenset[Office]
    needs: tuple[Need, ...] = ()


A, S = Action, State

TABLE: tuple[Step, ...] = (
    Step(A.TRAIN, S.DRAFT, S.TRAINED, _MAKER, ("run",)),
    Step(A.RECEIVE, S.DRAFT, S.TRAINED, _MAKER, ("report",)),
    # Where nothing stands in production but what came with a release before (`shipped`).
    Step(A.SHIP, S.DRAFT, S.PRODUCTION, frozenset({Office.SYSTEM}), ("why",)),
    Step(A.EVALUATE, S.TRAINED, S.EVALUATED, _MAKER, ("evaluation", "passed")),
    # Evaluated anew, with more data or under another gate.
    Step(A.EVALUATE, S.EVALUATED, S.EVALUATED, _MAKER, ("evaluation", "passed")),
    Step(A.REGISTER, S.EVALUATED, S.REGISTERED, _MAKER, ("card",)),
    Step(A.SHADOW, S.REGISTERED, S.SHADOW, _MAKER, ("cameras",)),
    Step(A.CANARY, S.SHADOW, S.CANARY, _PROMOTER, ("cameras", "comparison")),
    Step(A.PROMOTE, S.CANARY, S.PRODUCTION, _PROMOTER, ("comparison",)),
    Step(A.ABORT, S.SHADOW, S.REGISTERED, _STOPPER, ("why",)),
    Step(A.ABORT, S.CANARY, S.REGISTERED, _STOPPER, ("why",)),
    Step(A.REPLACE, S.PRODUCTION, S.RETIRED, _BACK, ("other",)),
    Step(A.ROLL_BACK, S.PRODUCTION, S.REGISTERED, _BACK, ("why",)),
    Step(A.RESTORE, S.RETIRED, S.PRODUCTION, _BACK, ("other", "why")),
    *(Step(A.REFUSE, source, S.RETIRED, _MAKER, ("why",)) for source in (S.DRAFT, S.TRAINED, S.EVALUATED)),
    Step(A.RETIRE, S.REGISTERED, S.RETIRED, _MAKER, ("why",)),
)  # fmt: skip

_ROWS = {(step.source, step.action): step for step in TABLE}
ALONE = frozenset({S.SHADOW, S.CANARY, S.PRODUCTION})
"""States in which an algorithm has one version at most."""


def possible(source: State) -> tuple[Step, ...]:
    """What can be done with a version in this state, in the order of the table."""
    return tuple(step for step in TABLE if step.source is source)


def allowed(source: State, action: Action, office: Office, facts: Facts) -> Step:
    """The row of a move, once it holds.

    Raises:
        ConfigError: it cannot be done in this state, or something that it needs is missing.
        Forbidden: not in this office's name.
    """
    step = _ROWS.get((source, action))
    if step is None:
        other = ", ".join(one.action for one in possible(source)) or "nothing"
        raise ConfigError(f"action: a version that is {source} cannot be given {action}", f"possible: {other}")
    if office not in step.offices:
        raise Forbidden(f"{action} is not for the {office}", f"it is for the {' or the '.join(sorted(step.offices))}")
    missing = [need for need in step.needs if getattr(facts, need) is None]
    if missing:
        raise ConfigError(f"facts: {action} needs {', '.join(missing)}", "give them")
    return step
