"""Small files that are there whole or not at all, whatever is killed or loses its power. Only the standard library."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Writes or replaces a file of text. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that grows; one that is still being written, or was torn by a kill, is not there yet."""
    return path.read_text().split("\n")[:-1] if path.is_file() else []
