"""A network becomes a version of an algorithm; what its evaluation said is written down, and acted upon."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Connection

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.entering.sweeping import sweep
from algorithm_repo.intake.card import Card, parse_card
from algorithm_repo.intake.intake import examine
from algorithm_repo.intake.licence import unfit
from algorithm_repo.intake.roles import require_fit, role_of
from algorithm_repo.intake.types import Report
from algorithm_repo.jobs import service as jobs
from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, ModelRef, Move, NewVersion, Office, Stage
from algorithm_repo.rollout.keeping import keep_network
from algorithm_repo.training.classifyjob import HEAD
from algorithm_repo.training.ultrazoo import reader_of
from contracts.errors import ConfigError, StoreError
from models.zoo import Artefact, ArtefactKind, ZooFile
from store.objects import ObjectStore

LICENCE = "AGPL-3.0-or-later"
"""Of networks that are trained here, unless somebody says otherwise: ultralytics' starts are under it."""
_ONNX = ".onnx"
_FIXES = {
    "version": "write three numbers, as 1.2.0",
    "note": "write at most 2000 characters",
    "licence": "name the licences of its parts in fewer characters",
}


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


def require_free(connection: Connection, algorithm: str, version: str) -> None:
    """Asked before anything is checked or kept.

    Raises:
        ConfigError: the algorithm has no version in production, or this version is there already.
    """
    _standing(connection, algorithm)
    if any(one.version == version for one in service.listed(connection, algorithm)):
        raise ConfigError(f"version: {algorithm} {version} is there already", "take a higher one")


def from_training(connection: Connection, objects: ObjectStore, number: int, licence: str = LICENCE) -> Brought:
    """What a training of the queue made, kept so that workers can have it.

    Raises:
        ConfigError: there is no such training, it is not done, what it made plays no role in the chain, or the licence
            does not fit.
        ObjectsUnavailable: the object store is away.
    """
    _require_fitting(licence)
    job = jobs.get(connection, number)
    file = next((name for name in sorted(job.result) if name.endswith(_ONNX)), None)
    if job.state != "done" or file is None:
        raise ConfigError(f"training: {number} is {job.state}", "take one that is done: `cityvision train list`")
    manifest = archive.load(connection, objects, job.dataset)
    sha256 = job.result[file]
    entry = Artefact(
        kind=ArtefactKind.MODEL,
        source="trained here",  # by which training stands in the ledger: two may make the same network
        licence=licence,
        files=(ZooFile(path=f"models/{sha256}{_ONNX}", sha256=sha256),),
        **reader_of({"task": manifest.task, "classes": manifest.classes, "head": HEAD}),
    )
    name = re.sub(r"[^a-z0-9]+", "-", job.name.lower()).strip("-") or "network"
    kept = _kept(connection, objects, objects.get(media.place("training", sha256, _ONNX)), name[:60], entry)
    run = f"training {number}"
    model = kept.model_copy(update={"dataset": job.dataset, "run": run})
    return Brought(model, Move.TRAIN, Grounds(run=run), licence)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A third party's network that the check has accepted: the very bytes."""

    data: bytes
    card: Card
    report: Report


def accepted(data: bytes, card: bytes) -> Accepted:
    """Checks and tries a third party's network; takes seconds. Nothing is kept.

    Args:
        data: the ONNX file.
        card: the YAML that describes it.

    Raises:
        Refusal: the check refuses it, with the reasons.
        RunnerError: no process could be started to look at it.
    """
    report = examine(data, card)
    report.demand_accepted()
    return Accepted(data, parse_card(card), report)


def from_elsewhere(connection: Connection, objects: ObjectStore, found: Accepted) -> Brought:
    """A third party's network and the report of its check, kept.

    Raises:
        ConfigError: it plays no role in the chain, or tells of something else than its role asks for.
        ObjectsUnavailable: the object store is away.
    """
    assert found.report.sha256 is not None
    kept = _kept(connection, objects, found.data, found.card.name, found.card.artefact(found.report.sha256))
    told = media.keep(objects, found.report.model_dump_json().encode(), ".json", "application/json", "reports")
    return Brought(kept, Move.RECEIVE, Grounds(report=told), found.card.licence)


def _kept(connection: Connection, objects: ObjectStore, data: bytes, name: str, entry: Artefact) -> ModelRef:
    """How it is read may be said anew until a version has it: a first card may have been wrong."""
    role = role_of(name, entry)
    require_fit(role, entry)
    sha256 = entry.digest
    used = any(model.sha256 == sha256 for one in service.listed(connection) for model in one.models)
    try:
        return keep_network(objects, data, role=role, name=f"{name}-{sha256[:8]}", like=entry, anew=not used)
    except StoreError as error:
        what = f"the network {sha256[:12]} is in use, and described otherwise"
        raise ConfigError(what, "describe it as that version does, or change the network") from error


def _require_fitting(licence: str) -> None:
    try:
        why = unfit(licence)
    except ValueError as error:
        raise ConfigError(
            f"licence: {licence[:80]!r}: {error}", "write an SPDX expression such as Apache-2.0"
        ) from error
    if why is not None:
        raise ConfigError(f"licence: {licence} does not fit use with an AGPL-3.0-or-later work: {why}")


def _standing(connection: Connection, algorithm: str) -> AlgorithmVersion:
    before = service.standing(connection, algorithm, Stage.PRODUCTION)
    if before is None:
        known = sorted({one.algorithm for one in service.listed(connection) if one.stage is Stage.PRODUCTION})
        raise ConfigError(f"algorithm: {algorithm} has no version in production", f"take one of {', '.join(known)}")
    return before


def enter(
    connection: Connection, algorithm: str, version: str, brought: Brought, who: str, note: str = ""
) -> AlgorithmVersion:
    """A version like the one in production, but for this network in its role.

    Raises:
        ConfigError: the algorithm has no version in production, no network in this role, or this version already; the
            version is none, or the note too long.
    """
    before = _standing(connection, algorithm)
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
        field = str(wrong["loc"][0])
        raise ConfigError(f"{field}: {wrong['msg']}", _FIXES.get(field, "write another one")) from error
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
    ledger.lock(connection)
    grounds = Grounds(
        evaluation=media.keep(objects, report, ".json", "application/json", "evaluations"),
        card=media.keep(objects, card, ".html", "text/html", "cards"),
        passed=passed,
        why=why[:2000] if why else None,
    )
    return service.carry_out(connection, version.id, Move.EVALUATE, who, office, grounds)


def enter_training(
    connection: Connection,
    objects: ObjectStore,
    number: int,
    algorithm: str,
    version: str,
    who: str,
    *,
    licence: str | None = None,
    note: str = "",
) -> AlgorithmVersion:
    """A version with what a training has made.

    Raises:
        ConfigError, ObjectsUnavailable: see `from_training`, `require_free` and `enter`.
    """
    sweep(connection, objects)
    require_free(connection, algorithm, version)
    brought = from_training(connection, objects, number, licence or LICENCE)
    return enter(connection, algorithm, version, brought, who, note)


def enter_upload(
    begin: Callable[[], AbstractContextManager[Connection]],
    objects: ObjectStore,
    data: bytes,
    card: bytes,
    algorithm: str,
    version: str,
    who: str,
    note: str = "",
) -> tuple[AlgorithmVersion, Report]:
    """A version with a third party's network, and what the check found. No transaction waits for the check.

    Args:
        begin: opens a transaction.
        data: the ONNX file.
        card: the YAML that describes it.

    Raises:
        Refusal: the check refuses it, with the reasons.
        ConfigError, ObjectsUnavailable, RunnerError: see `require_free`, `accepted`, `from_elsewhere` and `enter`.
    """
    with begin() as connection:
        require_free(connection, algorithm, version)
    found = accepted(data, card)
    with begin() as connection:
        sweep(connection, objects)
        require_free(connection, algorithm, version)  # still
        brought = from_elsewhere(connection, objects, found)
        return enter(connection, algorithm, version, brought, who, note), found.report
