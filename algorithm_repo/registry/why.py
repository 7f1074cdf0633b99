"""Which version raised an event, trained on what, and who let it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
        agrees: the event names this version's networks; False: it was raised by something the registry was not told.
    """

    version: AlgorithmVersion
    let: LedgerLine
    agrees: bool


def why(connection: Connection, algorithm: str, camera: str, networks: Mapping[str, str], utc: float) -> Why | None:
    """Who answers for an event; None where no version of the algorithm was in canary or production then.

    Workers switch a moment after the ledger says so. Therefore of those that stood then the one counts that has the
    event's networks; where none has, the last one before them that had.

    Args:
        algorithm: the event's type.
        camera: the event's.
        networks: SHA-256 of each network that the event names, by role.
        utc: when it was raised, s since 1970.
    """
    versions = {one.id: one for one in service.listed(connection, algorithm)}
    standing: dict[int, LedgerLine] = {}
    past: list[LedgerLine] = []
    for line in ledger.of_versions(connection, list(versions)):
        if line.utc > utc:  # not the last such one: clocks are set back
            continue
        standing.pop(line.version_id, None)
        if line.target in _RAISING and line.move in _LET:
            standing[line.version_id] = line
            past.append(line)
    raised = [line for line in _in_turn(standing.values()) if _reaches(line, camera)]
    if not raised:
        return None
    for line in reversed([*(line for line in past if _reaches(line, camera)), *raised]):
        if _agreeing(versions[line.version_id], networks):
            return Why(version=versions[line.version_id], let=line, agrees=True)
    return Why(version=versions[raised[-1].version_id], let=raised[-1], agrees=False)


def _in_turn(lines: Iterable[LedgerLine]) -> list[LedgerLine]:
    """On its cameras a canary stands in place of production; without any it is on all."""
    return sorted(lines, key=lambda line: line.target is Stage.CANARY)


def _reaches(line: LedgerLine, camera: str) -> bool:
    return line.target is Stage.PRODUCTION or not line.grounds.cameras or camera in line.grounds.cameras


def _agreeing(version: AlgorithmVersion, networks: Mapping[str, str]) -> bool:
    """Each of its networks is the one that the event names in this role, as far as it names any."""
    told = [networks[model.role] == model.sha256 for model in version.models if model.role in networks]
    return bool(told) and all(told)
