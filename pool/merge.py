"""Joining an edit of the files with edits made in the console since the last import: three-way, item by item.

A pure function of digests. The base is the item as the files said at the last import, so whichever side differs
from it was edited; where both were, differently, nobody's work is thrown away: the item is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merge:
    """What an import does, as ids in order.

    Attributes:
        take: whose state in the files becomes the pool's (new or changed).
        drop: gone from the files and untouched in the console.
        same: whose state in the files is the pool's already.
        keep: edited in the console alone, or never in the files: the pool's state stays.
        refuse: edited on both sides: the pool's state stays and somebody must decide.
    """

    take: tuple[str, ...]
    drop: tuple[str, ...]
    same: tuple[str, ...]
    keep: tuple[str, ...]
    refuse: tuple[str, ...]


def merge(files: Mapping[str, str], pool: Mapping[str, str], base: Mapping[str, str]) -> Merge:
    """Decides for each item.

    Args:
        files: id -> digest, as the files say now.
        pool: id -> digest, as the pool stands.
        base: id -> digest, as the files said at the last import.
    """
    found: dict[str, list[str]] = {"take": [], "drop": [], "same": [], "keep": [], "refuse": []}
    for key in sorted({*files, *pool, *base}):
        found[_decide(files.get(key), pool.get(key), base.get(key))].append(key)
    return Merge(**{name: tuple(ids) for name, ids in found.items()})


def _decide(file: str | None, pool: str | None, base: str | None) -> str:
    if file == pool:
        return "same"
    if file == base:
        return "keep"
    if pool == base:
        return "drop" if file is None else "take"
    return "refuse"


def conflict_text(kind: str, ids: Iterable[str]) -> list[str]:
    """One clear sentence for each refused item."""
    return [
        f"{kind} {key!r} was edited in the file and in the console; the console's state stays. Export the pool and "
        "make the file's change in the exported state"
        for key in ids
    ]
