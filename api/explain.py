"""Why an event came, or why none came: a camera's trace, read for one algorithm around one moment."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Annotated

from fastapi import APIRouter, Query

from api import sight
from api.cameras import CameraPath
from api.deps import ConnectionDep, DoorsDep, SeerDep
from api.problems import Problem
from api.reader import ReaderDep
from events.explain import Explanation, explain

router = APIRouter(prefix="/api/cameras", tags=["cameras"])


@router.get("/{camera_id}/explain", responses={404: {"model": Problem}, 503: {"model": Problem}})
def explain_camera(
    doors: DoorsDep,
    connection: ConnectionDep,
    viewer: SeerDep,
    reader: ReaderDep,
    camera_id: CameraPath,
    at: Annotated[float, Query(ge=0, le=1e11, description="the moment in question, s since 1970 UTC")],
    type: Annotated[str, Query(max_length=64, description="the algorithm, e.g. illegal_parking")],
    zone: Annotated[str | None, Query(max_length=64, description="only this zone; by default all")] = None,
    window: Annotated[float, Query(ge=1, le=86_400, description="length of the stretch around `at`, s")] = 120.0,
    utc_offset: Annotated[int, Query(ge=-840, le=840, description="minutes east of UTC of the sentence's times")] = 0,
) -> Explanation:
    """What every stage saw, which condition held or failed when, and one closing sentence in both languages.

    A trace goes back about half an hour on a busy camera and hours on a calm one; `unknown` says that it does not.
    503 while the bus is away.
    """
    sight.require_camera(connection, viewer, camera_id)
    reader.reads(connection, "trace.read", {"camera": camera_id, "type": type})
    where = timezone(timedelta(minutes=utc_offset))
    return explain(doors.bus.trace(camera_id), camera_id, type, at, zone=zone, window=window, where=where)
