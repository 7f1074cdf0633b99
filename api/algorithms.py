"""Versions of algorithms and their ledger, for those who make algorithms and those who audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.types import AlgorithmVersion, LedgerLine
from api.deps import ConnectionDep, RegistryReaderDep
from api.problems import Problem
from api.schemas import LedgerState
from contracts.errors import StoreError

router = APIRouter(prefix="/api/algorithms", tags=["algorithms"])


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


@router.post("/ledger/verification", responses={403: {"model": Problem}})
def verify_ledger(connection: ConnectionDep, _viewer: RegistryReaderDep) -> LedgerState:
    """Recomputes the ledger's chain."""
    try:
        return LedgerState(holds=True, lines=ledger.verify(connection), problem="")
    except StoreError as error:
        return LedgerState(holds=False, lines=0, problem=error.message)
