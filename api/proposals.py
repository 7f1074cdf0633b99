"""Zones that a camera's own tracks suggest, for the console's editor."""

from __future__ import annotations

from fastapi import APIRouter

from api import sight
from api.cameras import CameraPath
from api.deps import ConnectionDep, DoorsDep, DrawerDep
from api.problems import Problem
from contracts.proposals import ZoneProposals

router = APIRouter(prefix="/api/cameras", tags=["cameras"])


@router.get("/{camera_id}/zone-proposals", responses={404: {"model": Problem}, 503: {"model": Problem}})
def zone_proposals(
    doors: DoorsDep, connection: ConnectionDep, viewer: DrawerDep, camera_id: CameraPath
) -> ZoneProposals:
    """What its worker proposes, about a minute old at most; empty while nothing is known. Nothing is applied unasked.

    Where the camera has moved a little, its own zones where they would fit now (`replaces`). 503 while the bus is away.
    """
    sight.require_own_camera(connection, viewer, camera_id)
    return doors.bus.proposals(camera_id)
