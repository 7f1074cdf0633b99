"""Which classes a detector may be trained for."""

from __future__ import annotations

from collections.abc import Sequence

from algorithm_repo.datasets.types import Manifest
from contracts.errors import ConfigError
from contracts.vision import ObjectClass


def known_classes(classes: Sequence[str]) -> dict[int, str]:
    """Those that detectors tell of, by their place among all.

    Raises:
        ConfigError: none is, so that a detector of them could not run here.
    """
    known = {number: one for number, one in enumerate(classes) if one.upper() in ObjectClass.__members__}
    if not known:
        told = ", ".join(one.name.lower() for one in ObjectClass)
        raise ConfigError(f"classes: none of {', '.join(classes)} is known", f"name them {told}")
    return known


def check_classes(manifest: Manifest) -> None:
    """Raises ConfigError: a version of boxes has no class that detectors tell of."""
    if manifest.task == "detect":
        known_classes(manifest.classes)
