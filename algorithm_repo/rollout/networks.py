"""Which networks are to run: what the ledger says of production, and what a candidate puts in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from algorithm_repo.registry.types import AlgorithmVersion, LedgerLine, ModelRef, Move, Stage
from contracts.errors import ConfigError
from contracts.rollout import ServedModel, Serving

# What puts a version into production, and whose place it takes is told by the line before it.
_INTO = frozenset({Move.PROMOTE, Move.RESTORE, Move.SHIP})


def production(lines: Sequence[LedgerLine], versions: Mapping[int, AlgorithmVersion]) -> Serving:
    """The networks of production, one a role.

    A version changes the roles in which it differs from the one whose place it takes, and leaves the others as they
    are: one that was made before another network was promoted does not take that back.

    Args:
        lines: of the whole ledger, the oldest first.
        versions: all, by id.
    """
    roles: dict[str, ServedModel] = {}
    last: dict[str, AlgorithmVersion] = {}
    standing: dict[str, AlgorithmVersion] = {}
    number = 0
    for line in lines:
        version = versions[line.version_id]
        if line.target is Stage.PRODUCTION and line.move in _INTO:
            before = last.get(version.algorithm)
            # What ships for the first time brings its networks only where nothing plays the role yet.
            others = roles if before is None and line.move is Move.SHIP else {}
            roles |= {role: one for role, one in _changed(version, before, roles).items() if role not in others}
            last[version.algorithm] = standing[version.algorithm] = version
            number = line.number
        elif line.move is Move.ROLL_BACK:
            standing.pop(version.algorithm, None)
            number = line.number
    named = [model for version in standing.values() for model in version.models]
    kept = {role: _kept(roles[role], named) for role in sorted(roles)}
    return Serving(number=number, models=tuple(model for model in kept.values() if model is not None))


def _kept(model: ServedModel, named: Sequence[ModelRef]) -> ServedModel | None:
    """The network, as long as a version in production names it; else one that does for this role."""
    others = [one for one in named if one.role == model.role]
    if not others or any(one.sha256 == model.sha256 for one in others):
        return model if others else None
    return ServedModel(role=model.role, name=others[0].name, sha256=others[0].sha256)


def candidate(version: AlgorithmVersion, before: AlgorithmVersion | None, present: Serving) -> Serving:
    """What a lane of this version runs: its own networks, and production's in all other roles.

    Args:
        version: the candidate.
        before: of the same algorithm in production; None where there is none.
        present: production's networks.

    Raises:
        ConfigError: it differs from production in what a roll-out cannot change.
    """
    if before is not None and version.rule_version != before.rule_version:
        raise ConfigError(
            f"{version.algorithm} {version.version}: its rule is {version.rule_version}, this release has "
            f"{before.rule_version}",
            "rules come with a release; roll out networks or parameters",
        )
    roles = {model.role: model for model in present.models}
    changed = _changed(version, before, roles)
    if not changed and version.parameters == ({} if before is None else before.parameters):
        raise ConfigError(
            f"{version.algorithm} {version.version} runs the networks and parameters of production",
            "nothing to roll out",
        )
    roles |= changed
    return Serving(number=present.number, models=tuple(roles[role] for role in sorted(roles)))


def _changed(
    version: AlgorithmVersion, before: AlgorithmVersion | None, present: Mapping[str, ServedModel]
) -> dict[str, ServedModel]:
    """The roles in which a version differs from the one whose place it takes, or, the first one, from what runs."""
    known = {model.role: model.sha256 for model in (present.values() if before is None else before.models)}
    return {
        model.role: ServedModel(role=model.role, name=model.name, sha256=model.sha256)
        for model in version.models
        if model.sha256 != known.get(model.role)
    }
