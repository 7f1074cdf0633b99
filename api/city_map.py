"""The city as a map: where cameras stand and how they are, what goes on there, which cases are open."""

from __future__ import annotations

import time
from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query

from api import sight
from api.city_map_schemas import MapCamera, MapCameras, MapCase, MapCases, MapEvents, MapStates, MapUnwatched
from api.coverage import by_camera
from api.deps import BookDep, ConnectionDep, DoorsDep, PoolDep, SeerDep, SightDep
from api.pool_view import PoolView
from api.problems import Problem
from cases.book import Book
from cases.open_now import OpenCase, open_cases
from contracts.pool import Camera
from events.coverage import unwatched_by_window
from events.open_now import open_by_camera
from governance import access

router = APIRouter(prefix="/api/map", tags=["map"])

_DAY_S = 86_400.0


def _shown(pool: PoolView, visible: frozenset[str] | None) -> list[Camera]:
    return [camera for camera in pool.pool.cameras if visible is None or camera.id in visible]


@router.get("/cameras")
def map_cameras(doors: DoorsDep, connection: ConnectionDep, pool: PoolDep, viewer: SeerDep) -> MapCameras:
    """Every camera that one may see with its place, in the pool's order; they change with the revision alone."""
    cameras = [
        MapCamera(
            id=camera.id,
            name=camera.name,
            department=camera.department,
            grid=camera.grid,
            lon=camera.position.lon if camera.position else None,
            lat=camera.position.lat if camera.position else None,
        )
        for camera in _shown(pool, access.cameras(connection, viewer))
    ]
    return MapCameras(revision=pool.revision, tiles=doors.settings.tiles, cameras=cameras)


@router.get("/states")
def map_states(doors: DoorsDep, connection: ConnectionDep, pool: PoolDep, viewer: SeerDep) -> MapStates:
    """How these cameras are, as known within the last seconds."""
    known = doors.cameras.of(pool)
    states = {camera.id: known[camera.id] for camera in _shown(pool, access.cameras(connection, viewer))}
    usual = Counter(states.values()).most_common(1)[0][0] if states else "unknown"
    others = {camera: state for camera, state in states.items() if state != usual}
    return MapStates(revision=pool.revision, usual=usual, others=others)


@router.get("/events")
def map_events(connection: ConnectionDep, viewer: SeerDep) -> MapEvents:
    """Open events that one may see, by camera and type."""
    return MapEvents(events=list(open_by_camera(connection, sight.of_events(viewer))))


@router.get("/unwatched", responses={422: {"model": Problem}})
def map_unwatched(
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: SeerDep,
    types: Annotated[
        list[str] | None, Query(alias="type", max_length=200, description="of events; all by default")
    ] = None,
) -> MapUnwatched:
    """For how long nobody watched each camera in the last 24 hours, of those that one may see."""
    until = time.time()
    since = until - _DAY_S
    visible = access.cameras(connection, viewer)
    shown = [camera.id for camera in _shown(pool, visible)]
    if not shown:
        return MapUnwatched(since=since, until=until, hours={})
    asked = () if visible is None else shown
    (rows,) = unwatched_by_window(connection, [(since, until)], asked, types or ())
    known = set(shown)
    hours = {camera: lost for camera, lost in by_camera(rows).items() if camera in known and lost > 0}
    return MapUnwatched(since=since, until=until, hours=hours)


@router.get("/cases")
def map_cases(connection: ConnectionDep, pool: PoolDep, book: BookDep, whose: SightDep) -> MapCases:
    """Open cases that one may see, each with the place of its camera, as for whoever has to go there."""
    found, total = open_cases(connection, whose, time.time())
    return MapCases(total=total, cases=[_case(one, pool, book) for one in found])


def _case(one: OpenCase, pool: PoolView, book: Book) -> MapCase:
    camera = pool.cameras.get(one.camera)
    category = next((known for known in book.categories if known.code == one.category), None)
    return MapCase(
        **one.model_dump(),
        place=one.address or (pool.camera_name(one.camera) if one.camera else ""),
        position=camera.position if camera else None,
        types=category.events if category else (),
    )
