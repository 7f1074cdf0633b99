"""Parameters of a rule that a version brings. They stand beneath the pool's: what a camera has otherwise than the
release has it was written for that camera, and stays; all else is as the version in production says.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from algorithm_repo.registry.types import Value
from contracts.algorithms import ALGORITHMS, AlgorithmParameters, running
from contracts.errors import ConfigError
from contracts.pool import Camera
from contracts.records import Contract

Parameters = Mapping[str, Value]
"""By name; what is left out is as the release has it."""

_log = logging.getLogger(__name__)
_OF_CAMERAS = frozenset({"zones", "view", "enabled"})


def checked(algorithm: str, given: Parameters) -> dict[str, Value]:
    """Parameters as a version keeps them: those that differ from the release's, durations in seconds.

    Args:
        given: by name; None: as the release has it.

    Raises:
        ConfigError: the algorithm is unknown, or a parameter is unknown, a single camera's, or out of its range; names
            it and what it may be.
    """
    kind = ALGORITHMS.get(algorithm)
    if kind is None:
        raise ConfigError(f"algorithm: there is no {algorithm!r}", f"take one of {', '.join(sorted(ALGORITHMS))}")
    fields, kept = _fields(kind), {}
    for name, value in given.items():
        if name not in fields:
            if name in kind.model_fields:
                raise ConfigError(f"parameters.{name}: it is of a single camera", "set it in the pool")
            what = f"parameters.{name}: {algorithm} has none of that name"
            raise ConfigError(what, f"take one of {', '.join(sorted(fields))}")
        if value is not None and (read := fields[name].read(value)) != fields[name].released:
            kept[name] = read
    return kept


class Described(Contract):
    """A parameter that a version may bring.

    Attributes:
        about: what it is, with its unit.
        released: as the release has it; durations in s.
    """

    name: str
    about: str
    released: Value


def described(algorithm: str) -> list[Described]:
    """Every parameter that a version of an algorithm may bring; none where there is no such algorithm."""
    kind = ALGORITHMS.get(algorithm)
    fields = {} if kind is None else _fields(kind)
    return [Described(name=name, about=one.about, released=one.released) for name, one in sorted(fields.items())]


def applied(camera: Camera, algorithm: str, parameters: Parameters) -> Camera:
    """The camera with a version's parameters beneath its own; the same one where they change nothing."""
    own = running(camera.algorithms).get(algorithm) if parameters else None
    if own is None:
        return camera
    plain, fields = own.model_dump(mode="json"), _fields(type(own))
    new = {name: value for name, value in parameters.items() if name in fields and plain[name] == fields[name].released}
    if not new:
        return camera
    try:
        made = type(own).model_validate(plain | new)
    except ValidationError as error:  # each of them is right by itself: an extension may look at several together
        what = error.errors(include_url=False, include_input=False)[0]["msg"]
        _log.error("%s: %s keeps its own parameters: %s", camera.id, algorithm, what)
        return camera
    return camera.model_copy(update={"algorithms": {**camera.algorithms, algorithm: made}})


def told(before: Parameters, after: Parameters) -> str:
    """How two versions differ, in words."""
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return ", ".join(f"{name}: {_said(before, name)} → {_said(after, name)}" for name in changed)


def _said(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    return "as released" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class _Field:
    """A parameter that a version may bring; `released` as JSON has it."""

    name: str
    about: str
    type: TypeAdapter[Any]
    released: Any

    def read(self, value: object) -> Any:
        """As JSON has it. Raises ConfigError."""
        try:
            return self.type.dump_python(self.type.validate_python(value), mode="json")
        except ValidationError as error:
            what, _, fix = str(error.errors(include_url=False, include_input=False)[0]["msg"]).partition("; ")
            raise ConfigError(f"parameters.{self.name}: {what}", fix or f"{self.name}: {self.about}") from error


@cache
def _fields(kind: type[AlgorithmParameters]) -> Mapping[str, _Field]:
    """Those that have a value as released: what each camera has to say for itself has none."""
    found = {}
    for name, field in kind.model_fields.items():
        if name in _OF_CAMERAS or field.is_required():
            continue
        annotated: Any = Annotated[field.annotation, field]
        known: TypeAdapter[Any] = TypeAdapter(annotated)
        released = known.dump_python(field.get_default(call_default_factory=True), mode="json")
        found[name] = _Field(name, field.description or "", known, released)
    return found
