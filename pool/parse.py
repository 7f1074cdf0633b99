"""One camera or department: plain data to a checked value, or everything that is wrong with it."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import ValidationError

from contracts.pool import Camera, Department
from contracts.problems import Location, Problem
from contracts.relations import relation_problems
from pool.faults import Fault, PoolFaults
from pool.outline import outline
from pool.words import misplaced_booleans, problems_of

_SCHEMA_CAMERA: Location = ("cameras", 0)
_SCHEMA_DEPARTMENT: Location = ("departments", 0)


class Checked(NamedTuple):
    """A value, or its problems (locations from the value itself)."""

    value: Camera | Department | None
    problems: list[Problem]


def check_camera(data: Any, booleans: list[Location] | None = None) -> Checked:
    """A camera out of plain data as it stands in `streams.yaml`; every problem at once.

    Args:
        data: what YAML or JSON gave.
        booleans: paths at which true or false stands (from `pool.nodes.build`).
    """
    try:
        camera = Camera.model_validate(data)
        problems: list[Problem] = []
    except ValidationError as error:
        camera = None
        problems = _relative(problems_of(error, _SCHEMA_CAMERA))
        if isinstance(data, dict):
            # Pydantic looks at relations only once every part is right.
            problems += relation_problems(outline(data))
    told = {problem.location for problem in problems}
    misplaced = _relative(misplaced_booleans(booleans or [], _SCHEMA_CAMERA))
    problems += [problem for problem in misplaced if problem.location not in told]
    problems = list(dict.fromkeys(problems))
    return Checked(None if problems else camera, problems)


def check_department(data: Any) -> Checked:
    """A department out of plain data; every problem at once."""
    try:
        return Checked(Department.model_validate(data), [])
    except ValidationError as error:
        return Checked(None, _relative(problems_of(error, _SCHEMA_DEPARTMENT)))


def _relative(problems: list[Problem]) -> list[Problem]:
    return [problem._replace(location=problem.location[2:]) for problem in problems]


def parse_camera(data: dict[str, Any]) -> Camera:
    """One camera as in `streams.yaml`, from plain data (a clip's `camera:` in a suite, the body of a request).

    Raises:
        PoolFaults: everything that is wrong with it, without line numbers.
    """
    checked = check_camera(data)
    if not isinstance(checked.value, Camera):
        raise PoolFaults(Fault.at("", 0, problem.location, problem.what, problem.fix) for problem in checked.problems)
    return checked.value
