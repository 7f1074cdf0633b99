"""A network as people name it on the command line: of the zoo, of a file with its card, or of the registry."""

from __future__ import annotations

from pathlib import Path

from algorithm_repo.intake.card import parse_card
from algorithm_repo.intake.intake import examine, read_files
from algorithm_repo.intake.roles import role_of
from algorithm_repo.judging.networks import Network, of_zoo
from algorithm_repo.judging.replays import Tuned
from algorithm_repo.registry.types import AlgorithmVersion, ModelRef, Stage
from algorithm_repo.rollout import service
from algorithm_repo.rollout.keeping import NetworkShelf
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.settings import Settings
from contracts.errors import ConfigError
from contracts.rollout import DETECTOR, ServedModel
from models.served import load_served
from models.zoo import Zoo

_PRODUCTION = "production"


def in_production(candidate: str, role: str, settings: Settings) -> Network:
    """What a candidate would take the place of: of the registry's, its algorithm's version in production; of another,
    what this installation uses in its role.

    Args:
        candidate: as it was named.
        role: what it plays.

    Raises:
        ConfigError: no version of the algorithm is in production.
        ModelMissing, HashMismatch, RunnerError: it cannot be had or loaded.
    """
    if _registered(candidate):
        algorithm, _, _ = candidate.partition("@")
        return named(f"{algorithm}@{_PRODUCTION}/{role}", None, settings)
    # The senses' networks go by the names of their roles.
    return named(settings.model if role == DETECTOR else role, None, settings)


def tuned_by(candidate: str, production: str | None, settings: Settings) -> Tuned | None:
    """What the versions say of their algorithm's rule; None: the same, or nothing, as only the registry's do.

    Args:
        candidate, production: as they were named.

    Raises:
        ConfigError: there is no such version.
        ServiceError, DatabaseUnavailable: the registry is not within reach.
    """
    if not _registered(candidate):
        return None
    algorithm, _, _ = candidate.partition("@")
    other = production or f"{algorithm}@{_PRODUCTION}"
    after = dict(_version(candidate, settings).parameters)
    before = dict(_version(other, settings).parameters) if other.startswith(f"{algorithm}@") else {}
    return None if before == after else Tuned(algorithm, before, after)


def _registered(reference: str) -> bool:
    return "@" in reference and not reference.endswith(".onnx")


def named(reference: str, card: Path | None, settings: Settings) -> Network:
    """The network that is meant, shown to run.

    Args:
        reference: a name of the zoo; `FILE.onnx`; or `ALGORITHM@VERSION[/ROLE]` of the running system's registry,
            VERSION also `production`.
        card: of the file; None: the one beside it, of the same name and `.yaml`.

    Raises:
        ConfigError: there is no such network, or it plays no role.
        ModelMissing, HashMismatch, RunnerError: it cannot be had or loaded.
        ModelRefused: the check of models from elsewhere refuses the file.
        ServiceError, DatabaseUnavailable: the registry is not within reach.
    """
    if reference.endswith(".onnx"):
        return _of_file(Path(reference), card)
    if card is not None:
        raise ConfigError(f"{reference} is no file, so it has no card", "leave the card out, or name FILE.onnx")
    if _registered(reference):
        return _of_registry(reference, settings)
    zoo = _zoo(settings)
    network = of_zoo(reference, zoo)
    load_served(network.role, reference, zoo).close()
    return network


def _zoo(settings: Settings) -> Zoo:
    return Zoo(cache=settings.cache, mirror=settings.mirror)


def _of_file(file: Path, card: Path | None) -> Network:
    """Through the check that any model from elsewhere goes through."""
    told = card or file.with_suffix(".yaml")
    if not told.is_file():
        raise ConfigError(f"{file} has no card: there is no {told}", "write one (docs/intake.md), or name it")
    data, described = read_files(file, told)
    report = examine(data, described)
    report.demand_accepted()
    assert report.sha256 is not None  # it was read to its end
    read, sha256 = parse_card(described), report.sha256
    entry = read.artefact(sha256)
    return Network(role_of(read.name, entry), read.name, sha256, file.resolve(), entry)


def _of_registry(reference: str, settings: Settings) -> Network:
    version, (_, _, role) = _version(reference, settings), reference.partition("/")
    model = model_of(version, role)
    served = ServedModel(role=model.role, name=model.name, sha256=model.sha256)
    zoo = NetworkShelf(_zoo(settings), object_store(settings)).zoo_with(served)
    load_served(model.role, model.name, zoo).close()
    return of_zoo(model.name, zoo)


def _version(reference: str, settings: Settings) -> AlgorithmVersion:
    algorithm, _, rest = reference.partition("@")
    number, _, _ = rest.partition("/")
    if not algorithm or not number:
        raise ConfigError(f"{reference} names no version", "write ALGORITHM@VERSION, see `cityvision algo list`")
    with transaction(reach(settings)) as connection:
        wanted = None if number == _PRODUCTION else number
        return service.find(connection, algorithm, wanted, {Stage.PRODUCTION})


def model_of(version: AlgorithmVersion, role: str) -> ModelRef:
    """The network of a version that plays `role`; with "", its only one, or its only one beside the detector.

    Raises:
        ConfigError: there is no such one.
    """
    senses = [model for model in version.models if model.role != DETECTOR]
    chosen = [model for model in version.models if model.role == role] if role else senses or list(version.models)
    if len(chosen) == 1:
        return chosen[0]
    roles = ", ".join(model.role for model in version.models) or "none"
    what = f"{version.algorithm} {version.version} has {'no' if role else 'no single'} network"
    raise ConfigError(f"{what}{f' for {role}' if role else ''}: {roles}", "write ALGORITHM@VERSION/ROLE")
