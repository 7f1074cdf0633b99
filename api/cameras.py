"""Cameras of the pool with their live state, and editing their zones."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Response

from algorithm_repo.rollout import in_force
from algorithm_repo.rollout.in_force import InForce, PoolInForce
from api import camera_view, sight
from api.deps import ConnectionDep, CounterDep, DoorsDep, DrawerDep, PoolDep, SeerDep
from api.doors import Doors
from api.pool_view import PoolView
from api.problems import Problem, RevisionRequired
from api.schemas import (
    CameraDetail,
    CameraList,
    CameraTallies,
    DepartmentTally,
    DetectorTally,
    LiveStatus,
    ZonesBody,
)
from contracts.errors import BusUnavailable
from contracts.live import BUILT_IN_DETECTOR
from contracts.pool import Camera
from governance import access, audit
from pool import store
from pool.snapshot import snapshot
from store.state import PoolSnapshot

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/cameras", tags=["cameras"])

CameraPath = Annotated[str, Path(max_length=64)]
_REVISION = re.compile(r'^(?:W/)?"?(\d+)"?$')


# How much a camera needs somebody's eye; for the list that begins with the worst.
_WORST_FIRST = ("offline", "stalled", "unknown", "connecting", "disabled", "running")


def _statuses(doors: Doors, cameras: Sequence[Camera]) -> list[LiveStatus]:
    """What the workers last said of these; while the bus is away nothing is known of any."""
    try:
        found = doors.bus.statuses([camera.id for camera in cameras])
    except BusUnavailable:
        found = {}
    now, stale_s = time.time(), doors.settings.status_stale_s
    return [camera_view.live_status(camera, found.get(camera.id), now, stale_s) for camera in cameras]


def _matching(
    pool: PoolView, visible: frozenset[str] | None, ids: Sequence[str], departments: Sequence[str], text: str
) -> list[Camera]:
    """Cameras that pass the filters, in the pool's order; where ids are given, in theirs. `visible` None: all."""
    cameras: Sequence[Camera] = pool.pool.cameras
    if ids:
        cameras = [pool.cameras[one] for one in dict.fromkeys(ids) if one in pool.cameras]
    wanted = text.strip().casefold()
    return [
        camera
        for camera in cameras
        if (visible is None or camera.id in visible)
        and (not departments or camera.department in departments)
        and (not wanted or any(wanted in part.casefold() for part in (camera.id, camera.name, camera.grid)))
    ]


@router.get("", name="list_cameras")
def list_cameras(
    doors: DoorsDep,
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: SeerDep,
    id: Annotated[list[str] | None, Query(max_length=200, description="only these, in this order")] = None,
    q: Annotated[str, Query(max_length=120, description="part of id, name or grid")] = "",
    department: Annotated[list[str] | None, Query(max_length=200)] = None,
    state: Annotated[list[str] | None, Query(max_length=10, description="as known within the last seconds")] = None,
    sort: Annotated[Literal["pool", "worst"], Query(description="worst: those that need an eye first")] = "pool",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CameraList:
    """One page of the cameras that match, each with its live state."""
    found = _matching(pool, access.cameras(connection, viewer), id or (), department or (), q)
    if state or sort == "worst":
        states = doors.cameras.of(pool)
        if state:
            found = [camera for camera in found if states[camera.id] in state]
        if sort == "worst":
            found.sort(key=lambda camera: _WORST_FIRST.index(states[camera.id]))
    shown = found[(page - 1) * limit : page * limit]
    summaries = [
        camera_view.summary(camera, pool, status) for camera, status in zip(shown, _statuses(doors, shown), strict=True)
    ]
    return CameraList(revision=pool.revision, total=len(found), page=page, limit=limit, cameras=summaries)


@router.get("/tallies")
def camera_tallies(doors: DoorsDep, connection: ConnectionDep, pool: PoolDep, viewer: CounterDep) -> CameraTallies:
    """How many cameras there are, by state and by department."""
    shown = _matching(pool, sight.counted_cameras(connection, viewer), (), (), "")
    by_department = Counter(camera.department for camera in shown)
    states = doors.cameras.of(pool)
    return CameraTallies(
        revision=pool.revision,
        total=len(shown),
        states=dict(Counter(states[camera.id] for camera in shown)),
        detectors=detector_tallies(doors, pool),
        departments=[
            DepartmentTally(id=one, name=pool.department_name(one), cameras=count)
            for one, count in by_department.most_common()
        ],
    )


def detector_tallies(doors: Doors, pool: PoolView) -> list[DetectorTally]:
    """Which detectors look at cameras just now."""
    found = sorted(doors.cameras.detectors(pool).items(), key=lambda pair: -pair[1])
    return [
        DetectorTally(name=name, cameras=count, built_in=name.rpartition("-")[0] == BUILT_IN_DETECTOR)
        for name, count in found
    ]


@router.get("/{camera_id}", responses={404: {"model": Problem}})
def get_camera(
    response: Response,
    doors: DoorsDep,
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: SeerDep,
    camera_id: CameraPath,
) -> CameraDetail:
    """One camera. `ETag` is the pool's revision: send it back as `If-Match` with an edit."""
    sight.require_camera(connection, viewer, camera_id)
    camera = pool.camera(camera_id)
    response.headers["ETag"] = f'"{pool.revision}"'
    return camera_view.detail(camera, pool, _statuses(doors, [camera])[0])


@router.put(
    "/{camera_id}/zones",
    responses={404: {"model": Problem}, 409: {"model": Problem}, 422: {"model": Problem}, 428: {"model": Problem}},
)
def put_zones(
    response: Response,
    doors: DoorsDep,
    viewer: DrawerDep,
    camera_id: CameraPath,
    body: ZonesBody,
    if_match: Annotated[str | None, Header(description='the camera\'s ETag, e.g. "17"')] = None,
) -> CameraDetail:
    """Replaces the camera's zones. 409 when the pool has moved on since the revision of `If-Match`.

    Workers hear of it at once; where the bus is away they read it when it is back.
    """
    with doors.engine.begin() as connection:
        sight.require_own_camera(connection, viewer, camera_id)
        expected = parse_revision(if_match)
        store.edit_camera_zones(connection, camera_id, body.zones, expected, viewer.name)
        audit.record(connection, viewer.name, "zones.changed", {"camera": camera_id, "against": expected})
    # Only what is committed may enter the cache.
    with doors.engine.connect() as connection:
        view, now = doors.pool.view(connection), in_force.read(connection)
    _publish(doors, view, now)
    camera = view.camera(camera_id)
    response.headers["ETag"] = f'"{view.revision}"'
    return camera_view.detail(camera, view, _statuses(doors, [camera])[0])


def _publish(doors: Doors, view: PoolView, now: InForce) -> None:
    try:
        data, digest = snapshot(PoolInForce().pool(view.pool, now, doors.bus.lanes()))
        doors.bus.set_pool(PoolSnapshot(view.revision, digest, data))
    except BusUnavailable as error:
        log.warning("revision %d is saved, but workers hear of it later: %s", view.revision, error)


def parse_revision(if_match: str | None) -> int:
    """The revision an edit was made against. Raises RevisionRequired."""
    match = _REVISION.match(if_match.strip()) if if_match else None
    if match is None:
        raise RevisionRequired("the edit does not say which revision it changes", "send the camera's ETag as If-Match")
    return int(match[1])
