"""Which version raised an event, trained on what, and who let it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.types import AlgorithmVersion, LedgerLine, Move, Stage
from contracts.records import Contract

_RAISING = frozenset({Stage.CANARY, Stage.PRODUCTION})
_LET = frozenset({Move.CANARY, Move.PROMOTE, Move.RESTORE, Move.SHIP})


class Why(Contract):
    """What the registry knows of one event.

    Attributes:
        version: the one that raised it.
        let: the line by which it was let onto the camera: who approved it, when, on what comparison.
        agrees: the event names a network of this version; False: it was raised by something the registry was not told.
    """

    version: AlgorithmVersion
    let: LedgerLine
    agrees: bool


def why(connection: Connection, algorithm: str, camera: str, networks: Collection[str], utc: float) -> Why | None:
    """Who answers for an event; None where no version of the algorithm was in canary or production then.

    Args:
        algorithm: the event's type.
        camera: the event's.
        networks: SHA-256 of each network that the event names.
        utc: when it was raised, s since 1970.
    """
    versions = {one.id: one for one in service.listed(connection, algorithm)}
    standing: dict[int, LedgerLine] = {}
    for line in ledger.of_versions(connection, list(versions)):
        if line.utc > utc:
            break
        standing.pop(line.version_id, None)
        if line.target in _RAISING and line.move in _LET:
            standing[line.version_id] = line
    production = [line for line in standing.values() if line.target is Stage.PRODUCTION]
    canary = [line for line in standing.values() if line.target is Stage.CANARY]
    # On its cameras the canary stands in place of production; without any it is on all.
    raised = production + [line for line in canary if not line.grounds.cameras or camera in line.grounds.cameras]
    if not raised:
        return None
    let = raised[-1]
    version = versions[let.version_id]
    agrees = any(model.sha256 in networks for model in version.models)
    return Why(version=version, let=let, agrees=agrees)
