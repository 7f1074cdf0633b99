"""For people on the street: the cases that their department has, and the way to each."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from api.deps import Allowed, ConnectionDep, DoorsDep, Number, PoolDep, sight_of
from api.field_schemas import FieldCase, FieldList
from api.pool_view import PoolView
from api.problems import NotFound, Problem
from api.settings import ApiSettings
from cases import queries
from cases.queries import Sight
from cases.types import Case, Status
from contracts.pool import Position
from governance import access
from governance.access import Viewer
from governance.roles import Right

router = APIRouter(prefix="/api/field", tags=["cases"])

HandlerDep = Annotated[Viewer, Depends(Allowed(Right.HANDLE))]
_STATUSES = {
    "waiting": (Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED),
    "reported": (Status.REPORTED, Status.VERIFYING),
}


@router.get("/cases")
def field_cases(
    doors: DoorsDep,
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: HandlerDep,
    which: Annotated[Literal["waiting", "reported"], Query()] = "waiting",
    crew: Annotated[str, Query(max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=queries.MAX_LIMIT)] = 100,
) -> FieldList:
    """What waits for one's own department or its crew, the soonest due first; or what it has reported as done."""
    page, crews, total = queries.to_handle(connection, _own(connection, viewer), _STATUSES[which], crew, limit)
    return FieldList(total=total, crews=list(crews), cases=[_out(pool, doors.settings, one) for one in page])


@router.get("/cases/{number}", responses={404: {"model": Problem}})
def field_case(
    number: Number,
    doors: DoorsDep,
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: HandlerDep,
) -> FieldCase:
    """One of the cases that one may see, with the way to it."""
    found = queries.get_case(connection, sight_of(connection, viewer), number)
    if found is None:
        raise NotFound(f"no case {number}")
    return _out(pool, doors.settings, found.case)


def _own(connection: Connection, viewer: Viewer) -> Sight:
    """The cases that are with the viewer's own departments; an administrator acts for all."""
    return Sight(viewer.everything, access.departments(connection, viewer))


def _out(pool: PoolView, settings: ApiSettings, case: Case) -> FieldCase:
    camera = pool.cameras.get(case.camera)
    position = camera.position if camera else None
    place = pool.place_name(case.address, case.camera, case.zone)
    return FieldCase(case=case, place=place, position=position, way=_way(settings, position, place))


def _way(settings: ApiSettings, position: Position | None, place: str) -> str | None:
    """To the camera; a case that has an address alone is looked for by it."""
    name = quote(place, safe="")
    if position is not None:
        return settings.map_link.format(lat=f"{position.lat:.6f}", lon=f"{position.lon:.6f}", name=name)
    return settings.map_search_link.format(name=name) if name else None
