"""Names of files: safe ones for what is written, and the refusal of others in what is read."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from algorithm_repo.datasets.types import Item, Sha256
from algorithm_repo.formats.types import Faults

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_PLAIN = re.compile(r"\w[\w .,()+=@#&'-]*")  # names that every file system takes as they are
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 200  # bytes of a file name; most file systems end at 255


def safe_path(path: str, faults: Faults, where: str) -> str:
    """The path if it stays below its folder, with "/"; else "", and a fault."""
    parts = path.replace("\\", "/").split("/")
    if ".." in parts or not path.strip("./\\") or parts[0] == "" or _DRIVE.match(path) or "\0" in path:
        faults.add(where, f"the file name {path[:200]!r} does not stay below its folder", "write it relative to it")
        return ""
    return "/".join(part for part in parts if part not in ("", "."))


def file_names(items: Sequence[Item]) -> dict[Sha256, str]:
    """A file name for each item, by content: its own where every system takes it and no other has it, else like it.

    Names differ by more than case and suffix, since YOLO's label files have the same stem.
    """
    stems = Counter(_stem(item.name) for item in items)
    found = {}
    for item in items:
        path = PurePosixPath(item.name)
        suffix = path.suffix.lower() if path.suffix.lower() in PICTURES or item.media == "clip" else ".jpg"
        fits = _PLAIN.fullmatch(item.name) and len(item.name.encode()) <= _LONGEST
        if fits and stems[_stem(item.name)] == 1 and path.suffix.lower() == suffix:
            found[item.content] = item.name
        else:
            readable = re.sub(r"[^\w-]+", "_", path.stem)[:40]
            found[item.content] = f"{readable}-{item.content}{suffix if _PLAIN.fullmatch(suffix[1:]) else ''}"
    return found


def _stem(name: str) -> str:
    return unicodedata.normalize("NFC", PurePosixPath(name).stem).casefold()
