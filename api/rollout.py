"""Candidates on cameras: what runs beside or in place of production, and the moves that begin and end it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, Office
from algorithm_repo.rollout import compare, lanes, service
from algorithm_repo.rollout.evidence import looks
from algorithm_repo.rollout.types import Lane
from api.deps import Allowed, ConnectionDep, DoorsDep, LabelDep, Number, PoolDep, RegistryReaderDep
from api.pool_view import PoolView
from api.problems import Problem
from api.rollout_schemas import LaneState, Promotion, RolledBack, RollOutCameras, StopReason, TakeBack
from contracts.pool import Camera
from governance import access
from governance.access import Viewer
from governance.roles import Right

router = APIRouter(prefix="/api/algorithms", tags=["algorithms"])
PromoterDep = Annotated[Viewer, Depends(Allowed(Right.PROMOTE))]
StopperDep = Annotated[Viewer, Depends(Allowed(Right.PROMOTE, Right.LABEL))]
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"model": Problem}, 422: {"model": Problem}}


@router.get("/lanes", responses={403: {"model": Problem}})
def list_lanes(connection: ConnectionDep, _viewer: RegistryReaderDep) -> list[LaneState]:
    """Every candidate that runs on cameras now, with what it and production have opened since."""
    begun = frozenset(lanes.unburied(connection))
    return [_state(connection, lane, lane.number in begun) for lane in lanes.wanted(connection)]


@router.post("/{number}/shadow", responses=_REFUSED)
def begin_shadow(
    number: Number, body: RollOutCameras, connection: ConnectionDep, pool: PoolDep, viewer: LabelDep
) -> AlgorithmVersion:
    """Runs a registered version beside production on copies of cameras one may see; it tells nobody."""
    version = registry.get(connection, number)
    return service.shadow(connection, version, body.cameras, _seen(connection, pool, viewer), viewer.name)


@router.post("/{number}/canary", responses=_REFUSED)
def begin_canary(
    number: Number, body: RollOutCameras, connection: ConnectionDep, pool: PoolDep, viewer: PromoterDep
) -> AlgorithmVersion:
    """Gives cameras over to the version that is in shadow, on what its shadow has shown."""
    version = registry.get(connection, number)
    return service.canary(connection, version, body.cameras, _seen(connection, pool, viewer), viewer.name)


@router.post("/{number}/promotion", responses=_REFUSED)
def promote_candidate(
    number: Number, connection: ConnectionDep, doors: DoorsDep, viewer: PromoterDep, body: Promotion | None = None
) -> AlgorithmVersion:
    """Puts the version that is in canary into production; the one before it is retired.

    Refused where the canary has not shown enough, unless `too_soon` says why it goes all the same.
    """
    version = registry.get(connection, number)
    too_soon = None if body is None else body.too_soon
    return service.promote(connection, version, viewer.name, looks=partial(looks, doors.bus), too_soon=too_soon)


@router.post("/{number}/abort", responses=_REFUSED)
def abort_candidate(
    number: Number, body: StopReason, connection: ConnectionDep, viewer: StopperDep
) -> AlgorithmVersion:
    """Ends a shadow or a canary; its cameras go back to production."""
    return service.abort(connection, registry.get(connection, number), viewer.name, Office.ENGINEER, body.why)


@router.post("/rollback", responses=_REFUSED)
def roll_back_version(body: TakeBack, connection: ConnectionDep, viewer: PromoterDep) -> RolledBack:
    """Takes the named version out of production and puts the one that it replaced back, in one move."""
    taken, restored = registry.roll_back(
        connection, body.algorithm, viewer.name, Office.PROMOTER, body.why, present=body.version_id
    )
    return RolledBack(taken=taken, restored=restored)


def _seen(connection: ConnectionDep, pool: PoolView, viewer: Viewer) -> dict[str, Camera]:
    """The cameras that somebody may choose among."""
    visible = access.cameras(connection, viewer)
    return {name: camera for name, camera in pool.cameras.items() if visible is None or name in visible}


def _state(connection: ConnectionDep, lane: Lane, begun: bool) -> LaneState:
    seen = compare.counts(connection, lane.number, lane.algorithm) if begun else None
    return LaneState(
        number=lane.number,
        version_id=lane.version_id,
        algorithm=lane.algorithm,
        version=lane.version,
        kind=lane.kind,
        cameras=lane.cameras,
        began_utc=lane.began_utc,
        camera_days=0.0 if seen is None else seen.camera_days,
        candidate=0 if seen is None else seen.candidate,
        production=0 if seen is None else seen.production,
        both=None if seen is None else seen.both,
    )
