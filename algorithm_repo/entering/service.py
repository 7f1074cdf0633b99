"""A network becomes a version of an algorithm; what its evaluation said is written down, and acted upon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Connection

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.intake.card import parse_card
from algorithm_repo.intake.intake import inspect
from algorithm_repo.intake.roles import role_of
from algorithm_repo.jobs import service as jobs
from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, ModelRef, Move, NewVersion, Office, Stage
from algorithm_repo.rollout.keeping import keep_network
from algorithm_repo.training.classifyjob import HEAD
from algorithm_repo.training.ultrazoo import reader_of
from contracts.errors import ConfigError, HashMismatch
from models.zoo import Artefact, ArtefactKind, ZooFile, file_sha256
from store.objects import ObjectStore

LICENCE = "AGPL-3.0-or-later"
"""Of networks that are trained here, unless somebody says otherwise: ultralytics' starts are under it."""
_ONNX = ".onnx"


@dataclass(frozen=True, slots=True)
class Brought:
    """A network that is kept, and how it came here.

    Attributes:
        move, grounds: what the ledger says of its coming.
        licence: of its weights.
    """

    model: ModelRef
    move: Move
    grounds: Grounds
    licence: str


def from_training(connection: Connection, objects: ObjectStore, number: int, licence: str = LICENCE) -> Brought:
    """What a training of the queue made, kept so that workers can have it.

    Raises:
        ConfigError: there is no such training, it is not done, or what it made plays no role in the chain.
        ObjectsUnavailable: the object store is away.
    """
    job = jobs.get(connection, number)
    file = next((name for name in sorted(job.result) if name.endswith(_ONNX)), None)
    if job.state != "done" or file is None:
        raise ConfigError(f"training: {number} is {job.state}", "take one that is done: `cityvision train list`")
    manifest = archive.load(connection, objects, job.dataset)
    sha256 = job.result[file]
    entry = Artefact(
        kind=ArtefactKind.MODEL,
        source=f"trained by job {number}",
        licence=licence,
        files=(ZooFile(path=f"models/{sha256}{_ONNX}", sha256=sha256),),
        **reader_of({"task": manifest.task, "classes": manifest.classes, "head": HEAD}),
    )
    name = re.sub(r"[^a-z0-9]+", "-", job.name.lower()).strip("-") or "network"
    data = objects.get(media.place("training", sha256, _ONNX))
    kept = keep_network(objects, data, role=role_of(name, entry), name=f"{name[:60]}-{sha256[:8]}", like=entry)
    run = f"training {number}"
    model = kept.model_copy(update={"dataset": job.dataset, "run": run})
    return Brought(model, Move.TRAIN, Grounds(run=run), licence)


def from_elsewhere(objects: ObjectStore, model: Path, card: Path) -> Brought:
    """A third party's network, once the check has accepted it; its report is kept.

    Raises:
        ModelRefused: the check refuses it, with the reasons.
        ConfigError: it plays no role in the chain.
        HashMismatch: the file changed while it was checked.
        ObjectsUnavailable: the object store is away.
    """
    report = inspect(model, card)
    report.demand_accepted()
    sha256, read = file_sha256(model), parse_card(card.read_bytes())
    if sha256 != report.sha256:
        raise HashMismatch(f"{model} has changed since it was checked", "leave it alone while it is entered")
    entry = read.artefact(sha256)
    told = media.keep(objects, report.model_dump_json().encode(), ".json", "application/json", "reports")
    name = f"{read.name}-{sha256[:8]}"
    kept = keep_network(objects, model.read_bytes(), role=role_of(name, entry), name=name, like=entry)
    return Brought(kept, Move.RECEIVE, Grounds(report=told), read.licence)


def enter(
    connection: Connection, algorithm: str, version: str, brought: Brought, who: str, note: str = ""
) -> AlgorithmVersion:
    """A version like the one in production, but for this network in its role.

    Raises:
        ConfigError: the algorithm has no version in production, no network in this role, or this version already; the
            version is none.
    """
    before = service.standing(connection, algorithm, Stage.PRODUCTION)
    if before is None:
        known = ", ".join(sorted({one.algorithm for one in service.listed(connection)})) or "none"
        raise ConfigError(f"algorithm: {algorithm} has no version in production", f"take one of {known}")
    role = brought.model.role
    if role not in {one.role for one in before.models}:
        roles = ", ".join(one.role for one in before.models)
        raise ConfigError(f"algorithm: {algorithm} has no network for {role}", f"its networks are for {roles}")
    models = tuple(brought.model if one.role == role else one for one in before.models)
    fields = {name: getattr(before, name) for name in ("rule_version", "parameters", "needs")}
    licence = LICENCE if brought.licence == LICENCE else f"{LICENCE} AND ({brought.licence})"
    try:
        new = NewVersion(algorithm=algorithm, version=version, models=models, note=note, licence=licence, **fields)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        fix = "write three numbers, as 1.2.0; the note has at most 2000 characters"
        raise ConfigError(f"{wrong['loc'][0]}: {wrong['msg']}", fix) from error
    entered = service.enter(connection, new, who)
    return service.carry_out(connection, entered.id, brought.move, who, Office.ENGINEER, brought.grounds)


def evaluated(
    connection: Connection,
    objects: ObjectStore,
    version: AlgorithmVersion,
    report: bytes,
    card: bytes,
    verdict: tuple[bool, str | None],
    who: str,
    office: Office,
) -> AlgorithmVersion:
    """Writes an evaluation down: report and card are kept under their hashes, which the ledger names.

    Args:
        report: JSON.
        card: HTML, the model card.
        verdict: whether the gate lets it go on, and why not.

    Raises:
        ConfigError: the version is past its evaluation.
        ObjectsUnavailable: the object store is away.
    """
    passed, why = verdict
    grounds = Grounds(
        evaluation=media.keep(objects, report, ".json", "application/json", "evaluations"),
        card=media.keep(objects, card, ".html", "text/html", "cards"),
        passed=passed,
        why=why[:2000] if why else None,
    )
    return service.carry_out(connection, version.id, Move.EVALUATE, who, office, grounds)


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
    return service.carry_out(connection, version.id, Move.REGISTER, who, Office.ENGINEER, grounds)


def retire(connection: Connection, version: AlgorithmVersion, who: str, why: str) -> AlgorithmVersion:
    """It goes no further: refused before it was registered, retired afterwards. What its shadow kept goes with it.

    Raises:
        ConfigError: it is on cameras, or is retired already.
    """
    move = Move.RETIRE if version.stage is Stage.REGISTERED else Move.REFUSE
    return service.carry_out(connection, version.id, move, who, Office.ENGINEER, Grounds(why=why))
