"""Entering a version and moving it through its life; every move and its line of the ledger in one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from algorithm_repo.registry import ledger
from algorithm_repo.registry.table import ALONE, allowed
from algorithm_repo.registry.tables import algorithm_versions
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, Move, NewVersion, Office, Stage
from contracts.errors import ConfigError, Forbidden

_v = algorithm_versions.c
_MAKING = frozenset({Move.ENTER, Move.TRAIN, Move.RECEIVE, Move.TUNE, Move.REGISTER})


def enter(connection: Connection, new: NewVersion, author: str, now: float | None = None) -> AlgorithmVersion:
    """A new version, as a draft.

    Raises:
        ConfigError: this algorithm has a version of that number.
    """
    ledger.lock(connection)
    values: dict[str, Any] = {
        "algorithm": new.algorithm,
        "version": new.version,
        "author": author,
        "body": new.model_dump(mode="json"),
        "stage": Stage.DRAFT.value,
        "moves": 1,
    }
    try:
        with connection.begin_nested():
            number = connection.execute(insert(algorithm_versions).values(values).returning(_v.id)).scalar_one()
    except IntegrityError:
        raise ConfigError(f"version: {new.algorithm} {new.version} is there already", "take a higher one") from None
    grounds = Grounds(content=ledger.content_hash(values["body"]))
    ledger.append(connection, number, Move.ENTER, None, Stage.DRAFT, author, Office.ENGINEER, grounds, now)
    return get(connection, number)


def get(connection: Connection, number: int) -> AlgorithmVersion:
    """One version.

    Raises:
        ConfigError: there is none.
    """
    row = connection.execute(select(algorithm_versions).where(_v.id == number)).one_or_none()
    if row is None:
        raise ConfigError(f"version {number}: there is none", "look at `cityvision algo list`")
    return _version(row)


def listed(connection: Connection, algorithm: str | None = None) -> list[AlgorithmVersion]:
    """All versions, or those of one algorithm, the newest first."""
    query = select(algorithm_versions).order_by(_v.id.desc())
    if algorithm is not None:
        query = query.where(_v.algorithm == algorithm)
    return [_version(row) for row in connection.execute(query)]


def standing(connection: Connection, algorithm: str, stage: Stage) -> AlgorithmVersion | None:
    """The version of an algorithm that is in a stage which one alone may have (`table.ALONE`)."""
    query = select(algorithm_versions).where(_v.algorithm == algorithm, _v.stage == stage.value)
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


def carry_out(
    connection: Connection,
    number: int,
    move: Move,
    who: str,
    office: Office,
    grounds: Grounds,
    now: float | None = None,
) -> AlgorithmVersion:
    """One move. Promoting replaces the version in production in the same transaction.

    Args:
        number: of the version.
        move: what is done with it.
        who: name of the account, or of the part of the system that acts.
        office: in whose name.
        grounds: what it is founded on.
        now: s since 1970 UTC; by default the present.

    Raises:
        ConfigError: it cannot be done now, something is missing, the gate said no, or another version stands there
            (for what ships: one by another author).
        Forbidden: not in this office's name, or a promoter's move by whoever made the version.
    """
    ledger.lock(connection)
    before = get(connection, number)
    step = allowed(before.stage, move, office, grounds)
    if office is Office.PROMOTER and who in _makers(connection, before):
        raise Forbidden(f"{who} made {before.algorithm} {before.version}", "somebody else decides on it")
    if move is Move.REGISTER:
        _require_passed(connection, before)
    other = standing(connection, before.algorithm, step.target) if step.target in ALONE else None
    if other is not None and move in (Move.PROMOTE, Move.SHIP):
        if move is Move.SHIP and other.author != before.author:
            raise ConfigError(f"{other.algorithm} {other.version} by {other.author} is {step.target}", "leave it there")
        _set(connection, other, Move.REPLACE, Stage.RETIRED, who, office, Grounds(other=number), now)
    elif other is not None:
        raise ConfigError(f"{other.algorithm} {other.version} is {step.target}", "end that first")
    return _set(connection, before, move, step.target, who, office, grounds, now)


def roll_back(
    connection: Connection,
    algorithm: str,
    who: str,
    office: Office,
    why: str,
    now: float | None = None,
    *,
    present: int | None = None,
) -> tuple[AlgorithmVersion, AlgorithmVersion | None]:
    """Takes the version in production out, and puts the one it replaced back, in one move.

    Args:
        present: id of the version that is to be taken out, so that two who ask for the same go back once; None: the
            one in production, unless a roll back has put it there.

    Returns:
        The one taken out; the one that is in production now. None where it had replaced none, which the system alone
        may leave: what cannot run at all.

    Raises:
        ConfigError: none is in production, another one than is meant, or one that has replaced none.
        Forbidden: not in this office's name.
    """
    ledger.lock(connection)
    standing_now = standing(connection, algorithm, Stage.PRODUCTION)
    if standing_now is None:
        raise ConfigError(f"{algorithm}: no version is in production", "there is nothing to roll back")
    _require_meant(connection, standing_now, present)
    replaced = _replaced_by(connection, standing_now)
    if replaced is None and office is not Office.SYSTEM:
        raise ConfigError(f"{algorithm} {standing_now.version} has replaced none", "promote another version instead")
    taken = carry_out(connection, standing_now.id, Move.ROLL_BACK, who, office, Grounds(why=why), now)
    if replaced is None:
        return taken, None
    grounds = Grounds(other=standing_now.id, why=why)
    allowed(Stage.RETIRED, Move.RESTORE, office, grounds)
    return taken, _set(connection, replaced, Move.RESTORE, Stage.PRODUCTION, who, office, grounds, now)


def _require_meant(connection: Connection, standing_now: AlgorithmVersion, meant: int | None) -> None:
    """Somebody else may have rolled back a moment ago: nobody goes a version further than they saw."""
    name = standing_now.version
    if meant is None:
        if ledger.of_version(connection, standing_now.id)[-1].move is Move.RESTORE:
            raise ConfigError(f"version: {name} was put back by a roll back itself", f"name {name} to go further back")
    elif meant != standing_now.id:
        gone = get(connection, meant).version
        raise ConfigError(
            f"version: {gone} is no longer in production, {name} is",
            "look at the ledger, then name the one to take out",
        )


def _replaced_by(connection: Connection, present: AlgorithmVersion) -> AlgorithmVersion | None:
    """Whose place it took, the last time."""
    others = [one.id for one in listed(connection, present.algorithm) if one.stage is Stage.RETIRED]
    for line in reversed(ledger.of_versions(connection, others)):
        if line.move is Move.REPLACE and line.grounds.other == present.id:
            return get(connection, line.version_id)
    return None


def _makers(connection: Connection, version: AlgorithmVersion) -> frozenset[str]:
    """Who entered it, brought its network or registered it."""
    lines = ledger.of_version(connection, version.id)
    return frozenset({version.author, *(line.who for line in lines if line.move in _MAKING)})


def _require_passed(connection: Connection, version: AlgorithmVersion) -> None:
    evaluations = [line for line in ledger.of_version(connection, version.id) if line.move is Move.EVALUATE]
    if not evaluations or evaluations[-1].grounds.passed is not True:
        why = evaluations[-1].grounds.why if evaluations else None
        raise ConfigError(f"the gate refused {version.algorithm} {version.version}: {why or 'see its evaluation'}")


def _set(
    connection: Connection,
    version: AlgorithmVersion,
    move: Move,
    target: Stage,
    who: str,
    office: Office,
    grounds: Grounds,
    now: float | None,
) -> AlgorithmVersion:
    values = {"stage": target.value, "moves": version.moves + 1}
    connection.execute(update(algorithm_versions).where(_v.id == version.id).values(values))
    ledger.append(connection, version.id, move, version.stage, target, who, office, grounds, now)
    return get(connection, version.id)


def _version(row: Row[Any]) -> AlgorithmVersion:
    return AlgorithmVersion(
        **NewVersion.model_validate(row.body).model_dump(),
        id=row.id,
        author=row.author,
        created_utc=row.created.timestamp(),
        stage=Stage(row.stage),
        moves=row.moves,
    )
