"""A trained head becomes a version of the algorithm: taken in by the check, entered, judged, let on or refused."""

from __future__ import annotations

from importlib.metadata import version as installed

from sqlalchemy import Connection

from algorithm_repo.entering import service as entering
from algorithm_repo.intake.intake import examine
from algorithm_repo.intake.types import Report
from algorithm_repo.judging.gate import Verdict
from algorithm_repo.registry import judged, service
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, ModelRef, Move, NewVersion, Office, Stage
from algorithm_repo.rollout.keeping import keep_network
from algorithm_repo.training.samples import WATER_SIZE
from cityvision.loop.city import City
from cityvision.loop.data import LABEL
from cityvision.loop.types import ALGORITHM, ENGINEER, ROLE, Head
from contracts.errors import ConfigError

_NAME = "water-head"
_GATE = "gate"
_LICENCE = "AGPL-3.0-or-later"
_TRUNK = "https://github.com/Megvii-BaseDetection/YOLOX"
_NOTE = "a decoder on YOLOX-nano's trunk (Apache-2.0); the photos it was trained on state no licence"


def take_in(city: City, head: Head) -> tuple[ModelRef, str]:
    """Checks a network as one from elsewhere would be, and keeps it.

    Returns:
        What a version names it by, and the SHA-256 of the check's report.

    Raises:
        ModelRefused: the check refuses it.
    """
    report = _checked(head)
    report.demand_accepted()
    sha256 = city.keep(report.model_dump_json().encode(), ".json", "application/json", "reports")
    like = city.zoo.artefact(ROLE).model_copy(update={"source": _TRUNK, "licence": _LICENCE, "note": _NOTE})
    kept = keep_network(city.objects, head.data, role=ROLE, name=f"{_NAME}-{head.sha256[:8]}", like=like)
    return kept.model_copy(update={"dataset": head.dataset, "run": head.run}), sha256


def ship(city: City, model: ModelRef) -> AlgorithmVersion:
    """The parent, as what this demo's release came with; it stands in production from the beginning."""
    with city.transaction() as connection:
        before = _first(connection)
        new = _like(before, model, before.version, "the loop's parent")
        ensure_shipped(connection, [new], f"{installed('cityvision')}, for the loop")
        return _of(connection, model.sha256)


def enter(city: City, model: ModelRef, report: str, note: str) -> AlgorithmVersion:
    """A candidate as a trained version; one that was entered already is that one."""
    with city.transaction() as connection:
        known = [one for one in service.listed(connection, ALGORITHM) if model in one.models]
        if known:
            return known[0]
        number = f"2.{len(service.listed(connection, ALGORITHM))}.0"
        new = service.enter(connection, _like(_standing(connection), model, number, note), ENGINEER)
        grounds = Grounds(run=model.run, report=report)
        return service.carry_out(connection, new.id, Move.TRAIN, ENGINEER, Office.ENGINEER, grounds)


def settle(city: City, version: AlgorithmVersion, verdict: Verdict, card: bytes) -> AlgorithmVersion:
    """Writes down what the gate said, and acts on it: registered, or refused and retired."""
    if version.stage is not Stage.TRAINED:
        return version
    why = "; ".join(verdict.reasons)[:2000] or None
    report = verdict.model_dump_json().encode()
    with city.transaction() as connection:
        told = (verdict.passed, why)
        evaluated = entering.evaluated(connection, city.objects, version, report, card, told, _GATE, Office.SYSTEM)
        if verdict.passed:
            return judged.register(connection, evaluated, ENGINEER)
        return service.carry_out(connection, evaluated.id, Move.REFUSE, _GATE, Office.SYSTEM, Grounds(why=why))


def standing(city: City) -> ModelRef:
    """The network of production."""
    with city.transaction() as connection:
        return network_of(_standing(connection))


def network_of(version: AlgorithmVersion) -> ModelRef:
    """Its network for water."""
    return next(model for model in version.models if model.role == ROLE)


def _checked(head: Head) -> Report:
    card = {
        "name": _NAME,
        "version": "1.0.0",
        "licence": _LICENCE,
        "source": _TRUNK,
        "family": "segmenter",
        "width": str(WATER_SIZE[0]),
        "height": str(WATER_SIZE[1]),
        "labels": f"[{LABEL}]",
        "sha256": head.sha256,
    }
    return examine(head.data, "".join(f"{name}: {value}\n" for name, value in card.items()).encode())


def _like(before: AlgorithmVersion, model: ModelRef, number: str, note: str) -> NewVersion:
    """Production's version with another network for water."""
    others = tuple(one for one in before.models if one.role != ROLE)
    fields = {name: getattr(before, name) for name in ("rule_version", "parameters", "needs", "licence")}
    return NewVersion(algorithm=ALGORITHM, version=number, models=(*others, model), note=note, **fields)


def _standing(connection: Connection) -> AlgorithmVersion:
    found = service.standing(connection, ALGORITHM, Stage.PRODUCTION)
    if found is None:
        raise ConfigError(f"{ALGORITHM}: no version is in production", "begin with an empty data folder")
    return found


def _first(connection: Connection) -> AlgorithmVersion:
    """The oldest version: the release's own."""
    found = service.listed(connection, ALGORITHM)
    if not found:
        raise ConfigError(f"{ALGORITHM}: there is no version", "begin with an empty data folder")
    return found[-1]


def _of(connection: Connection, sha256: str) -> AlgorithmVersion:
    listed = service.listed(connection, ALGORITHM)
    return next(one for one in listed if network_of(one).sha256 == sha256)
