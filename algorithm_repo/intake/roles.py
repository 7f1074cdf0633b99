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
