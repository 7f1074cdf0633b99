"""What a network plays in the chain, by how its outputs are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contracts.errors import ConfigError
from contracts.rollout import DETECTOR
from models.served import LITTER, WATER
from models.zoo import Artefact

_KINDS: Final[tuple[tuple[str, Callable[[Artefact], object]], ...]] = (
    (DETECTOR, lambda one: one.detector),
    (WATER, lambda one: one.segmenter),
    (LITTER, lambda one: one.classifier),
)


def role_of(name: str, entry: Artefact) -> str:
    """What a network of this entry plays.

    Raises:
        ConfigError: nothing that clips of events could show.
    """
    found = [role for role, kind in _KINDS if kind(entry) is not None]
    if not found:
        raise ConfigError(f"{name} plays no role in the chain", "name a detector, a segmenter or a crop classifier")
    return found[0]


# What the senses read of a network in these roles: a segmenter's one thing, of a classifier's outputs one label each.
_SHOWN = {WATER: "water"}
_TOLD = {LITTER: {"thing": "litter", "bin": "overflowing"}}


def require_fit(role: str, entry: Artefact) -> None:
    """Refuses a network that is of the right kind for its role and tells of something else.

    Raises:
        ConfigError: names the labels that the chain asks for.
    """
    shown = entry.segmenter.label if entry.segmenter is not None else None
    if role in _SHOWN and shown != _SHOWN[role]:
        raise ConfigError(f"labels: its map shows {shown}", f"take one whose map shows {_SHOWN[role]}")
    heads = entry.classifier.heads if entry.classifier is not None else {}
    lacking = [f"{head}: {label}" for head, label in _TOLD.get(role, {}).items() if label not in heads.get(head, ())]
    if lacking:
        raise ConfigError(f"labels: it cannot tell {', '.join(lacking)}", "take one with these outputs and labels")
