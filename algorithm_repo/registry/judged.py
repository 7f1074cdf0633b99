"""What becomes of a version once it was judged: it is registered, or given up."""

from __future__ import annotations

from sqlalchemy import Connection

from algorithm_repo.registry import ledger
from algorithm_repo.registry.service import carry_out
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, Move, Office, Stage
from contracts.errors import ConfigError


def register(connection: Connection, version: AlgorithmVersion, who: str) -> AlgorithmVersion:
    """It may go onto cameras, by the card of its newest evaluation.

    Raises:
        ConfigError: it was not evaluated, the gate refused it, or it is past that.
    """
    lines = [line for line in ledger.of_version(connection, version.id) if line.move is Move.EVALUATE]
    if not lines:
        what = f"version: {version.algorithm} {version.version} was not evaluated"
        raise ConfigError(what, "run `cityvision evaluate versions --candidate ALGORITHM@VERSION --record`")
    grounds = Grounds(card=lines[-1].grounds.card)
    return carry_out(connection, version.id, Move.REGISTER, who, Office.ENGINEER, grounds)


def retire(connection: Connection, version: AlgorithmVersion, who: str, why: str) -> AlgorithmVersion:
    """It goes no further: refused before it was registered, retired afterwards. What its shadow kept goes with it.

    Raises:
        ConfigError: it is on cameras, or is retired already.
    """
    move = Move.RETIRE if version.stage is Stage.REGISTERED else Move.REFUSE
    return carry_out(connection, version.id, move, who, Office.ENGINEER, Grounds(why=why))
