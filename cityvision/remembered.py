"""What lies in a worker's folder of the networks that it is to begin with; light enough for who only writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contracts.errors import ConfigError
from contracts.rollout import Serving
from pipeline.spoollog import replace_file

SHADOW_OBJECTS: Final = "shadow"
"""Below it lies the evidence of lanes that raise nothing."""

_FILE = "serving.json"


def remember(folder: Path, serving: Serving) -> None:
    """Keeps in a worker's folder what it is to begin with at its next start."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / _FILE, serving.model_dump_json().encode())


def recall(folder: Path) -> Serving | None:
    """Inverse of `remember`; None where there is nothing. Raises ConfigError: it cannot be read."""
    try:
        return Serving.model_validate_json((folder / _FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ConfigError(f"{_FILE} of {folder.name} is of another shape") from error
