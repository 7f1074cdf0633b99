"""Cameras of the pool with their live state, and editing their zones."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from api import camera_view
from api.deps import DoorsDep, PoolDep, UserDep
from api.doors import Doors
from api.pool_view import PoolView
from api.problems import Problem, RevisionRequired
from api.schemas import CameraDetail, CameraList, LiveStatus, ZonesBody
from contracts.errors import BusUnavailable
from contracts.live import CameraStatus
from contracts.pool import Camera
from governance import audit
from pool import store
from pool.snapshot import snapshot
from store.bus import PoolSnapshot

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/cameras", tags=["cameras"])

CameraPath = Annotated[str, Path(max_length=64)]
_REVISION = re.compile(r'^(?:W/)?"?(\d+)"?$')


def _statuses(doors: Doors) -> dict[str, CameraStatus]:
    """What the workers last said; nothing while the bus is away: every camera then is unknown."""
    try:
        return doors.bus.statuses()
    except BusUnavailable:
        return {}


def _status_of(doors: Doors, camera: Camera, statuses: dict[str, CameraStatus]) -> LiveStatus:
    return camera_view.live_status(camera, statuses.get(camera.id), time.time(), doors.settings.status_stale_s)


@router.get("", name="list_cameras")
def list_cameras(
    doors: DoorsDep,
    pool: PoolDep,
    _user: UserDep,
    department: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[str] | None, Query()] = None,
    text: Annotated[str, Query(max_length=120, description="part of id, name or grid")] = "",
) -> CameraList:
    """Every camera with its live state, in the pool's order."""
    statuses = _statuses(doors)
    every = [(camera, _status_of(doors, camera, statuses)) for camera in pool.pool.cameras]
    wanted = text.casefold()
    shown = [
        camera_view.summary(camera, pool, status)
        for camera, status in every
        if (not department or camera.department in department)
        and (not state or status.state in state)
        and (not wanted or any(wanted in part.casefold() for part in (camera.id, camera.name, camera.grid)))
    ]
    states = Counter(str(status.state) for _, status in every)
    return CameraList(revision=pool.revision, cameras=shown, states=dict(states))


@router.get("/{camera_id}", responses={404: {"model": Problem}})
def get_camera(
    response: Response, doors: DoorsDep, pool: PoolDep, _user: UserDep, camera_id: CameraPath
) -> CameraDetail:
    """One camera. `ETag` is the pool's revision: send it back as `If-Match` with an edit."""
    camera = pool.camera(camera_id)
    response.headers["ETag"] = f'"{pool.revision}"'
    return camera_view.detail(camera, pool, _status_of(doors, camera, _statuses(doors)))


@router.put(
    "/{camera_id}/zones",
    responses={404: {"model": Problem}, 409: {"model": Problem}, 422: {"model": Problem}, 428: {"model": Problem}},
)
def put_zones(
    response: Response,
    doors: DoorsDep,
    user: UserDep,
    camera_id: CameraPath,
    body: ZonesBody,
    if_match: Annotated[str | None, Header(description='the camera\'s ETag, e.g. "17"')] = None,
) -> CameraDetail:
    """Replaces the camera's zones. 409 when the pool has moved on since the revision of `If-Match`.

    Workers hear of it at once; where the bus is away they read it when it is back.
    """
    expected = parse_revision(if_match)
    with doors.engine.begin() as connection:
        doors.pool.view(connection).camera(camera_id)
        store.edit_camera_zones(connection, camera_id, body.zones, expected, user.name)
        audit.record(connection, user.name, "zones.changed", {"camera": camera_id, "against": expected})
    # Only what is committed may enter the cache.
    with doors.engine.connect() as connection:
        view = doors.pool.view(connection)
    _publish(doors, view)
    camera = view.camera(camera_id)
    response.headers["ETag"] = f'"{view.revision}"'
    return camera_view.detail(camera, view, _status_of(doors, camera, _statuses(doors)))


def _publish(doors: Doors, view: PoolView) -> None:
    data, digest = snapshot(view.pool)
    try:
        doors.bus.set_pool(PoolSnapshot(view.revision, digest, data))
    except BusUnavailable as error:
        log.warning("revision %d is saved, but workers hear of it later: %s", view.revision, error)


def parse_revision(if_match: str | None) -> int:
    """The revision an edit was made against. Raises RevisionRequired."""
    match = _REVISION.match(if_match.strip()) if if_match else None
    if match is None:
        raise RevisionRequired("the edit does not say which revision it changes", "send the camera's ETag as If-Match")
    return int(match[1])
