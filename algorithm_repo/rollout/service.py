"""What people do with a roll-out. Each is one move of the registry; the lanes follow the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection

from algorithm_repo.registry import ledger
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, Move, Office, Stage
from algorithm_repo.rollout import compare, lanes, networks
from algorithm_repo.rollout.compare import Comparison
from algorithm_repo.rollout.evidence import Least, lacking
from algorithm_repo.rollout.types import Lane, LaneKind
from contracts.errors import ConfigError
from contracts.pool import Camera
from contracts.rollout import DETECTOR


def find(connection: Connection, algorithm: str, version: str | None, stages: Collection[Stage]) -> AlgorithmVersion:
    """The version that is meant: the named one, else the only one in these stages.

    Raises:
        ConfigError: there is none, or more than one.
    """
    found = registry.listed(connection, algorithm)
    if version is not None:
        found = [one for one in found if one.version == version]
    else:
        found = [one for one in found if one.stage in stages]
    if len(found) != 1:
        what = f"{algorithm} {version}" if version is not None else f"{algorithm}: {' or '.join(sorted(stages))}"
        many = ", ".join(one.version for one in found) or "none"
        raise ConfigError(f"version: {what} is {many}", "name one of `cityvision algo list`")
    return found[0]


def shadow(
    connection: Connection,
    version: AlgorithmVersion,
    cameras: Sequence[str],
    pool: Mapping[str, Camera],
    who: str,
    now: float | None = None,
) -> AlgorithmVersion:
    """Runs a version beside production on copies of these cameras; it raises nothing.

    Raises:
        ConfigError: a camera does not fit, or the version cannot be rolled out now.
    """
    _check(connection, version, cameras, pool)
    grounds = Grounds(cameras=tuple(cameras))
    return registry.carry_out(connection, version.id, Move.SHADOW, who, Office.ENGINEER, grounds, now)


def canary(
    connection: Connection,
    version: AlgorithmVersion,
    cameras: Sequence[str],
    pool: Mapping[str, Camera],
    who: str,
    now: float | None = None,
) -> AlgorithmVersion:
    """Gives these cameras over to a version, on the comparison that its shadow has made.

    Raises:
        ConfigError: a camera does not fit, or the version cannot be rolled out now.
        Forbidden: who made it does not decide on it.
    """
    _check(connection, version, cameras, pool)
    _require_shadowed(connection, version, cameras)
    comparison = compare.keep(connection, compared(connection, version, now))
    grounds = Grounds(cameras=tuple(cameras), comparison=comparison)
    return registry.carry_out(connection, version.id, Move.CANARY, who, Office.PROMOTER, grounds, now)


def promote(
    connection: Connection,
    version: AlgorithmVersion,
    who: str,
    now: float | None = None,
    *,
    looks: Callable[[Lane], int],
    least: Least | None = None,
    too_soon: str | None = None,
) -> AlgorithmVersion:
    """Puts a version that is in canary into production, on what its present canary has shown.

    Args:
        looks: how often a canary has looked, see `evidence.looks`.
        least: what it must have shown; by default `Least()`.
        too_soon: why it is promoted although it may not have shown that, in words, for the ledger.

    Raises:
        ConfigError: it is not in canary, or has not shown enough.
        Forbidden: who made it does not decide on it.
    """
    comparison = compared(connection, version, now)
    lane = next((one for one in lanes.wanted(connection) if one.number == comparison.lane), None)
    lack = None if lane is None or too_soon is not None else lacking(least or Least(), comparison, looks(lane))
    if lack is not None:
        raise ConfigError(
            f"{version.algorithm} {version.version}: {lack}", "wait, or say why it goes all the same (too_soon)"
        )
    why = None if too_soon is None else f"too soon: {too_soon}"[:2000]
    grounds = Grounds(comparison=compare.keep(connection, comparison), why=why)
    return registry.carry_out(connection, version.id, Move.PROMOTE, who, Office.PROMOTER, grounds, now)


def abort(connection: Connection, version: AlgorithmVersion, who: str, office: Office, why: str) -> AlgorithmVersion:
    """Ends a shadow or a canary. Raises ConfigError: the version is in neither."""
    return registry.carry_out(connection, version.id, Move.ABORT, who, office, Grounds(why=why))


def broke(connection: Connection, lane: Lane, who: str, why: str) -> None:
    """A lane was ended by a guardrail: its stage ends too, and a promotion that was made in that very moment.

    Of a version that has moved on otherwise, or that runs in another lane by now, nothing is changed.

    Args:
        who: the guardrail.
        why: in words, for the ledger.
    """
    version = registry.get(connection, lane.version_id)
    lines = ledger.of_version(connection, version.id)
    if version.stage.value == lane.kind.value and lanes.begun_by(lines, version.stage).number == lane.number:
        abort(connection, version, who, Office.SYSTEM, why)
    elif lines[-1].move is Move.PROMOTE and lines[-2].number == lane.number:
        registry.roll_back(connection, version.algorithm, who, Office.SYSTEM, why, present=version.id)


def compared(connection: Connection, version: AlgorithmVersion, now: float | None = None) -> Comparison:
    """The version against production: by its present lane; of one that has none now, by its last shadow.

    Raises:
        ConfigError: it has never run, or its present lane has not begun.
    """
    stage = registry.get(connection, version.id).stage
    number: int | None
    if stage in (Stage.SHADOW, Stage.CANARY):
        number = lanes.begun_by(ledger.of_version(connection, version.id), stage).number
    else:
        row = lanes.newest(connection, version.id, LaneKind.SHADOW)
        number = None if row is None else row.number
    if number is None or not lanes.was_begun(connection, number):
        raise ConfigError(
            f"{version.algorithm} {version.version}: nothing of it was seen in {stage} yet",
            "wait until its lane runs, or begin with `cityvision algo shadow`",
        )
    return compare.compare(connection, number, version.algorithm, now)


def _check(
    connection: Connection, version: AlgorithmVersion, cameras: Sequence[str], pool: Mapping[str, Camera]
) -> None:
    if not cameras:
        raise ConfigError("cameras: none is named", "a roll-out begins with a few whole cameras: name them")
    twice = next((name for name in cameras if cameras.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"cameras: {twice} is named twice", "name it once")
    before = registry.standing(connection, version.algorithm, Stage.PRODUCTION)
    changed = networks.candidate(version, before, lanes.serving(connection))
    present = {model.role: model.sha256 for model in lanes.serving(connection).models}
    detects = any(m.role == DETECTOR and m.sha256 != present.get(DETECTOR) for m in changed.models)
    others = {c for lane in lanes.wanted(connection) if lane.version_id != version.id for c in lane.cameras}
    for name in cameras:
        camera = pool.get(name)
        if camera is None or not camera.enabled:
            raise ConfigError(f"cameras: {name} is not in the pool, or disabled", "see `cityvision cameras`")
        if version.algorithm not in camera.algorithms:
            raise ConfigError(f"cameras: {name} does not have {version.algorithm}", "take one that has it")
        if detects and camera.model is not None:
            raise ConfigError(f"cameras: {name} names its own detector {camera.model}", "take one that names none")
        if name in others:
            raise ConfigError(f"cameras: {name} runs another candidate already", "one at a time on a camera")


def _require_shadowed(connection: Connection, version: AlgorithmVersion, cameras: Sequence[str]) -> None:
    """A canary takes cameras of which the shadow has shown something."""
    stage = registry.get(connection, version.id).stage
    if stage is not Stage.SHADOW:
        return
    had = lanes.begun_by(ledger.of_version(connection, version.id), stage).grounds.cameras or ()
    other = next((name for name in cameras if name not in had), None)
    if other is not None:
        raise ConfigError(f"cameras: the shadow does not have {other}", f"name some of {', '.join(had)}")
