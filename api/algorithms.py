"""Versions of algorithms and their ledger, for those who make algorithms and those who audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from algorithm_repo.registry import judged, ledger, parameters, service, tuning
from algorithm_repo.registry.parameters import Described
from algorithm_repo.registry.types import AlgorithmVersion, LedgerLine
from api.deps import ConnectionDep, DoorsDep, LabelDep, Number, RegistryReaderDep
from api.problems import Problem, TryLater
from api.rollout_schemas import EnteredVersion, StopReason
from api.schemas import LedgerState
from contracts.errors import StoreError

router = APIRouter(prefix="/api/algorithms", tags=["algorithms"])
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 422, 503)}


@router.get("", responses={403: {"model": Problem}})
def list_versions(connection: ConnectionDep, _viewer: RegistryReaderDep) -> list[AlgorithmVersion]:
    """Every version of every algorithm, the newest first, and where it is in its life."""
    return service.listed(connection)


@router.get("/ledger", responses={403: {"model": Problem}})
def read_ledger(
    connection: ConnectionDep,
    _viewer: RegistryReaderDep,
    algorithm: Annotated[str, Query(max_length=64, description="event type, e.g. waterlogging")],
) -> list[LedgerLine]:
    """What was done with the versions of one algorithm, the oldest first; empty where there is none."""
    return ledger.of_versions(connection, [one.id for one in service.listed(connection, algorithm)])


@router.get("/parameters", responses={403: {"model": Problem}})
def list_parameters(
    _viewer: RegistryReaderDep,
    algorithm: Annotated[str, Query(max_length=64, description="event type, e.g. waterlogging")],
) -> list[Described]:
    """What a version of an algorithm may say of its rule; empty where there is no such algorithm."""
    return parameters.described(algorithm)


@router.post("/ledger/verification", responses={403: {"model": Problem}})
def verify_ledger(connection: ConnectionDep, _viewer: RegistryReaderDep) -> LedgerState:
    """Recomputes the ledger's chain."""
    try:
        return LedgerState(holds=True, lines=ledger.verify(connection), problem="")
    except StoreError as error:
        return LedgerState(holds=False, lines=0, problem=error.message)


@router.post("", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def enter_version(
    body: EnteredVersion, connection: ConnectionDep, doors: DoorsDep, viewer: LabelDep
) -> AlgorithmVersion:
    """A version like the one in production, but for a network that a training has made, or for parameters of its rule.
    Nothing runs it yet."""
    asked = (body.algorithm, body.version)
    if body.training is None:
        return tuning.enter(connection, *asked, body.parameters or {}, viewer.name, body.note)
    if doors.bring is None:
        raise TryLater("no version can be entered here", "start the API by cityvision up")
    made_by = (body.training, *asked, viewer.name)
    return doors.bring.of_training(connection, doors.objects, *made_by, licence=body.licence, note=body.note)


@router.post("/{number}/registration", responses=_REFUSED)
def register_version(number: Number, connection: ConnectionDep, viewer: LabelDep) -> AlgorithmVersion:
    """Lets an evaluated version go onto cameras, by the card of its newest evaluation, if the gate did."""
    return judged.register(connection, service.get(connection, number), viewer.name)


@router.post("/{number}/retirement", responses=_REFUSED)
def retire_version(number: Number, body: StopReason, connection: ConnectionDep, viewer: LabelDep) -> AlgorithmVersion:
    """Gives up a version that is on no camera; what its shadows have kept goes with it."""
    return judged.retire(connection, service.get(connection, number), viewer.name, body.why)
