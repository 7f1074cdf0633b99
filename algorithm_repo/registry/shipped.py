"""What comes with a release, entered at its first start: from then on every event has a version that answers for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from algorithm_repo.registry import service
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, Move, NewVersion, Office, Stage

AUTHOR = "release"
_FIRST = "1.0.0"


def ensure_shipped(connection: Connection, shipped: Sequence[NewVersion], release: str) -> list[AlgorithmVersion]:
    """Enters what is new of a release. It goes into production where nothing else stands but what an earlier release
    brought; beside a version that people brought there it stays a draft.

    Args:
        shipped: one an algorithm; their `version` is of no matter, the next free one is taken.
        release: of CityVision, for the ledger.

    Returns:
        Those that were entered.
    """
    entered = []
    for one in shipped:
        known = service.listed(connection, one.algorithm)
        same = one.model_dump(exclude={"version", "note"})
        if any(other.author == AUTHOR and other.model_dump(include=set(same)) == same for other in known):
            continue
        new = service.enter(connection, one.model_copy(update={"version": _next(known)}), AUTHOR)
        standing = service.standing(connection, one.algorithm, Stage.PRODUCTION)
        if standing is None or standing.author == AUTHOR:
            grounds = Grounds(why=f"came with CityVision {release}")
            new = service.carry_out(connection, new.id, Move.SHIP, AUTHOR, Office.SYSTEM, grounds)
        entered.append(new)
    return entered


def _next(known: Sequence[AlgorithmVersion]) -> str:
    """The minor number after the highest."""
    if not known:
        return _FIRST
    major, minor = max(tuple(int(part) for part in one.version.split(".")[:2]) for one in known)
    return f"{major}.{minor + 1}.0"
