"""What a long run leaves behind: its figures as JSON, in the folder that `--soak` names (docs/soak)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Soak:
    """`folder` None: nobody asked for them."""

    folder: Path | None

    def keep(self, name: str, figures: Mapping[str, object]) -> None:
        """Writes `name`.json."""
        if self.folder is not None:
            (self.folder / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
