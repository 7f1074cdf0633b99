"""The one transition table of a version: from where, to where, in whose name, and what it must be founded on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from algorithm_repo.registry.types import Grounds, Move, Office, Stage
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
        move, source: what is done, and to a version in which stage.
        target: its stage afterwards.
        offices: in whose name it may be done.
        needs: of `Grounds`, what must be given.
    """

    move: Move
    source: Stage
    target: Stage
    offices: frozenset[Office]
    needs: tuple[Need, ...] = ()


M, S = Move, Stage

TABLE: tuple[Step, ...] = (
    Step(M.TRAIN, S.DRAFT, S.TRAINED, _MAKER, ("run",)),
    Step(M.RECEIVE, S.DRAFT, S.TRAINED, _MAKER, ("report",)),
    Step(M.TUNE, S.DRAFT, S.TRAINED, _MAKER, ("why",)),
    # Where nothing stands in production but what came with a release before (`shipped`).
    Step(M.SHIP, S.DRAFT, S.PRODUCTION, frozenset({Office.SYSTEM}), ("why",)),
    Step(M.EVALUATE, S.TRAINED, S.EVALUATED, _MAKER, ("evaluation", "passed")),
    # Evaluated anew, with more data or under another gate.
    Step(M.EVALUATE, S.EVALUATED, S.EVALUATED, _MAKER, ("evaluation", "passed")),
    Step(M.REGISTER, S.EVALUATED, S.REGISTERED, _MAKER, ("card",)),
    Step(M.SHADOW, S.REGISTERED, S.SHADOW, _MAKER, ("cameras",)),
    Step(M.CANARY, S.SHADOW, S.CANARY, _PROMOTER, ("cameras", "comparison")),
    Step(M.PROMOTE, S.CANARY, S.PRODUCTION, _PROMOTER, ("comparison",)),
    Step(M.ABORT, S.SHADOW, S.REGISTERED, _STOPPER, ("why",)),
    Step(M.ABORT, S.CANARY, S.REGISTERED, _STOPPER, ("why",)),
    Step(M.REPLACE, S.PRODUCTION, S.RETIRED, _BACK, ("other",)),
    Step(M.ROLL_BACK, S.PRODUCTION, S.REGISTERED, _BACK, ("why",)),
    Step(M.RESTORE, S.RETIRED, S.PRODUCTION, _BACK, ("other", "why")),
    *(Step(M.REFUSE, source, S.RETIRED, _MAKER, ("why",)) for source in (S.DRAFT, S.TRAINED, S.EVALUATED)),
    Step(M.RETIRE, S.REGISTERED, S.RETIRED, _MAKER, ("why",)),
)  # fmt: skip

_ROWS = {(step.source, step.move): step for step in TABLE}
ALONE = frozenset({S.SHADOW, S.CANARY, S.PRODUCTION})
"""States in which an algorithm has one version at most."""


def possible(source: Stage) -> tuple[Step, ...]:
    """What can be done with a version in this stage, in the order of the table."""
    return tuple(step for step in TABLE if step.source is source)


def allowed(source: Stage, move: Move, office: Office, grounds: Grounds) -> Step:
    """The row of a move, once it holds.

    Raises:
        ConfigError: it cannot be done in this stage, or something that it needs is missing.
        Forbidden: not in this office's name.
    """
    step = _ROWS.get((source, move))
    if step is None:
        other = ", ".join(one.move for one in possible(source)) or "nothing"
        raise ConfigError(f"move: a version that is {source} cannot be given {move}", f"possible: {other}")
    if office not in step.offices:
        raise Forbidden(f"{move} is not for the {office}", f"it is for the {' or the '.join(sorted(step.offices))}")
    missing = [need for need in step.needs if getattr(grounds, need) is None]
    if missing:
        raise ConfigError(f"grounds: {move} needs {', '.join(missing)}", "give them")
    return step
