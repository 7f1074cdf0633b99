"""Which rules there are. A rule registers itself; nothing else has to name it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pipeline.rules
from contracts.algorithms import ALGORITHMS, AlgorithmParameters
from contracts.errors import ConfigError
from contracts.pool import Camera, Zone
from pipeline.rules.base import Rule

RuleFactory = Callable[[Camera, Any, tuple[Zone, ...]], Rule[Any]]
FactoryT = TypeVar("FactoryT", bound=RuleFactory)

_RULES: dict[str, RuleFactory] = {}


def register(event_type: str) -> Callable[[FactoryT], FactoryT]:
    """Class decorator: this class is the rule of `event_type`; it is built from (camera, parameters, zones)."""

    def enter(factory: FactoryT) -> FactoryT:
        _RULES[event_type] = factory
        return factory

    return enter


def _discover() -> None:
    for module in pkgutil.iter_modules(pipeline.rules.__path__):
        importlib.import_module(f"pipeline.rules.{module.name}")
    list(ALGORITHMS)  # an extension's rule enters itself together with its parameters


def zones_for(camera: Camera, parameters: AlgorithmParameters) -> tuple[Zone, ...]:
    """The camera's zones that an algorithm with these parameters watches.

    Those named in `parameters.zones`, else every zone of a kind the algorithm is made for.
    """
    if parameters.zones is not None:
        return tuple(zone for zone in camera.zones if zone.id in parameters.zones)
    return tuple(zone for zone in camera.zones if zone.kind.value in parameters.zone_kinds)


def known_types() -> tuple[str, ...]:
    """The event types that have a rule."""
    _discover()
    return tuple(sorted(_RULES))


def build_rules(camera: Camera, algorithms: Mapping[str, AlgorithmParameters] | None = None) -> list[Rule[Any]]:
    """One rule for each algorithm, in the order of their ids.

    Args:
        camera: its entry in the pool.
        algorithms: None: those it is given.

    Raises:
        ConfigError: an algorithm has parameters but no rule, or a rule cannot work with the camera's zones.
    """
    _discover()
    rules = []
    for event_type, parameters in sorted((camera.algorithms if algorithms is None else algorithms).items()):
        factory = _RULES.get(event_type)
        if factory is None:
            raise ConfigError(f"no rule is registered for {event_type!r}", f"known: {', '.join(sorted(_RULES))}")
        rules.append(factory(camera, parameters, zones_for(camera, parameters)))
    return rules
