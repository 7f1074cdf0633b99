"""A version that differs from the one in production by its parameters alone."""

from __future__ import annotations

from sqlalchemy import Connection

from algorithm_repo.registry import ledger, parameters, service
from algorithm_repo.registry.parameters import Parameters
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, Move, NewVersion, Office, Stage
from contracts.algorithms import ALGORITHMS
from contracts.errors import ConfigError


def enter(
    connection: Connection, algorithm: str, version: str, given: Parameters, who: str, note: str = ""
) -> AlgorithmVersion:
    """Production's version, but for these parameters. Nothing runs it yet.

    Args:
        given: those that change; None sets one back to what the release has.

    Raises:
        ConfigError: the algorithm has no version in production, or this one already; a parameter is wrong; nothing
            changes.
    """
    ledger.lock(connection)
    before = service.standing(connection, algorithm, Stage.PRODUCTION)
    if before is None:
        raise ConfigError(f"algorithm: {algorithm} has no version in production", "see `cityvision algo list`")
    kept = parameters.checked(algorithm, {**before.parameters, **given})
    change = parameters.told(before.parameters, kept)
    if not change:
        raise ConfigError(
            f"parameters: {algorithm} {before.version} has just these", "change one, or set one back to null"
        )
    fields = {name: getattr(before, name) for name in ("models", "rule_version", "licence")}
    look_every = kept.get("look_every", ALGORITHMS[algorithm].model_fields["look_every"].default)
    needs = before.needs.model_copy(update={"look_every_s": look_every})
    new = NewVersion(algorithm=algorithm, version=version, parameters=kept, needs=needs, note=note, **fields)
    entered = service.enter(connection, new, who)
    grounds = Grounds(why=change[:2000])
    return service.carry_out(connection, entered.id, Move.TUNE, who, Office.ENGINEER, grounds)
