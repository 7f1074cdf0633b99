"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.cameras import detector_tallies
from api.deps import DoorsDep, OperatorDep, PoolDep
from api.doors import Doors
from api.schemas import DetectorTally, Readiness
from contracts.errors import BusUnavailable, ObjectMissing, ObjectsUnavailable

router = APIRouter(prefix="/api/health", tags=["health"])

_OK = "ok"
_NEVER_THERE = "evidence/00/" + "0" * 64


def _database(doors: Doors) -> str:
    try:
        with doors.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"does not answer ({type(error).__name__})"
    return _OK


def _bus(doors: Doors) -> str:
    try:
        doors.bus.ping()
    except BusUnavailable:
        return "does not answer"
    return _OK


def _objects(doors: Doors) -> str:
    try:
        doors.objects.size(_NEVER_THERE)
    except ObjectMissing:
        return _OK
    except ObjectsUnavailable:
        return "does not answer"
    return _OK


@router.get("/live")
def alive() -> dict[str, str]:
    """The process answers; says nothing about the stores."""
    return {"status": "live"}


@router.get("/detectors")
def detectors(doors: DoorsDep, pool: PoolDep, _viewer: OperatorDep) -> list[DetectorTally]:
    """Which detectors look at cameras just now, and which of them is only the built-in one."""
    return detector_tallies(doors, pool)


@router.get("/ready", responses={503: {"model": Readiness}}, response_model=Readiness)
def ready(doors: DoorsDep) -> JSONResponse:
    """Every store answers; 503 with the reasons where one does not. Needs no login, and so tells nothing else."""
    found = {"database": _database(doors), "bus": _bus(doors), "objects": _objects(doors)}
    is_ready = all(state == _OK for state in found.values())
    return JSONResponse(Readiness(ready=is_ready, **found).model_dump(), 200 if is_ready else 503)
