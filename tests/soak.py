"""What a long run leaves behind: its figures as JSON, where `CITYVISION_SOAK` names a folder (docs/soak)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def keep(name: str, figures: Mapping[str, object]) -> None:
    """Writes `name`.json, if anybody asked for it."""
    folder = os.environ.get("CITYVISION_SOAK")
    if folder:
        Path(folder, f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
