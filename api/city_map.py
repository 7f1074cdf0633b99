"""The city as a map: where cameras stand and how they are, what goes on there, which cases are open."""

from __future__ import annotations

import time
from collections import Counter

from fastapi import APIRouter

from api import sight
from api.city_map_schemas import MapCamera, MapCameras, MapCase, MapCases, MapEvents, MapStates
from api.deps import BookDep, ConnectionDep, DoorsDep, PoolDep, SeerDep, SightDep
from api.pool_view import PoolView
from cases.book import Book
from cases.open_now import OpenCase, open_cases
from contracts.pool import Camera
from events.open_now import open_by_camera
from governance import access

router = APIRouter(prefix="/api/map", tags=["map"])


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
