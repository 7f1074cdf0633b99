"""How a contract says that a value does not fit: what is wrong, and what to write, at the very place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Location = tuple[str | int, ...]

UNFIT = "unfit"  # error type of everything said by `unfit`


class Problem(NamedTuple):
    """One thing wrong below some value: `location` is the path from that value."""

    location: Location
    what: str
    fix: str


def unfit(what: str, fix: str) -> PydanticCustomError:
    """The error a validator raises; neither text may hold a secret."""
    return PydanticCustomError(UNFIT, "{what}; {fix}", {"what": what, "fix": fix})


def as_validation_error(title: str, problems: Iterable[Problem]) -> ValidationError:
    """Several problems at once; raised inside a validator, pydantic puts the outer path before each location."""
    details = [
        InitErrorDetails(type=unfit(problem.what, problem.fix), loc=problem.location, input=None)
        for problem in problems
    ]
    return ValidationError.from_exception_data(title, details, hide_input=True)


def below(prefix: Location, error: ValidationError) -> list[InitErrorDetails]:
    """The errors of a nested validation with `prefix` before their locations, to be raised together."""
    moved = []
    for one in error.errors(include_url=False):
        kind: Any = one["type"]
        if kind == UNFIT:
            kind = unfit(one["ctx"]["what"], one["ctx"]["fix"])
        details = InitErrorDetails(type=kind, loc=(*prefix, *one["loc"]), input=one["input"])
        if "ctx" in one and kind == one["type"]:
            details["ctx"] = one["ctx"]
        moved.append(details)
    return moved
