"""The algorithms of this release, as the registry keeps them."""

from __future__ import annotations

from algorithm_repo.registry.types import ModelRef, Needs, NewVersion
from contracts.algorithms import ALGORITHMS
from models.zoo import Zoo
from pipeline.senses import litter, water

_LICENCE = "AGPL-3.0-or-later"
# What each uses beside the camera's detector.
_SENSES = {"waterlogging": {"water": water.MODEL}, "litter": {"litter": litter.MODEL}}


def shipped(detector: str) -> list[NewVersion]:
    """One version for each algorithm that this installation knows, extensions among them.

    Args:
        detector: the installation's, by its name in the zoo.

    Raises:
        ConfigError: the zoo has no such detector.
    """
    zoo, found = Zoo(), []
    for name, parameters in sorted(ALGORITHMS.items()):
        roles = {"detector": detector} | _SENSES.get(name, {})
        found.append(
            NewVersion(
                algorithm=name,
                version="0.0.0",
                models=tuple(
                    ModelRef(role=role, name=model, sha256=zoo.artefact(model).digest) for role, model in roles.items()
                ),
                rule_version=parameters.rule_version,
                needs=Needs(
                    look_every_s=parameters.model_fields["look_every"].default,
                    zone_kinds=tuple(sorted(parameters.zone_kinds)),
                ),
                licence=_LICENCE,
            )
        )
    return found
