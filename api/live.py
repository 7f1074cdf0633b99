"""Live pictures with boxes, forwarded only while somebody watches, and one still picture, masked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import Connection

from api import sight
from api.deps import SESSION_COOKIE, Credential, DoorsDep, UserDep, check_session, viewer_of
from api.doors import Doors
from api.evidence import UNKEPT, AskedDep
from api.problems import NotFound, Problem
from api.relay import Viewer
from contracts.errors import AccessError, BusUnavailable, CityVisionError, NotAuthenticated
from contracts.live import decode_live
from governance import audit
from governance.access import Access, require
from governance.roles import Right
from governance.types import User

router = APIRouter(prefix="/api/cameras", tags=["live"])

LEFT, NOT_LOGGED_IN, NOT_ALLOWED, NO_SUCH_CAMERA, NOT_NOW = 1001, 4401, 4403, 4404, 4503
_SNAPSHOT_WAIT_S = 8.0
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422, 503)}
_SNAPSHOT = _REFUSED | {200: {"content": {"image/jpeg": {}}}}


def _close_code(error: CityVisionError) -> int:
    if isinstance(error, NotAuthenticated):
        return NOT_LOGGED_IN
    if isinstance(error, AccessError):
        return NOT_ALLOWED
    return NO_SUCH_CAMERA if isinstance(error, NotFound) else NOT_NOW


def _admit(doors: Doors, token: str | None, camera: str) -> User:
    """Who may watch, noted in the audit chain before the first picture goes out."""
    user = check_session(doors, Credential(token))
    _note(doors, user, "live.watched", camera)
    return user


def _require_sight(connection: Connection, user: User, camera: str) -> None:
    """Raises Forbidden where the role sees nothing, NotFound where there is no such camera for this viewer."""
    viewer = viewer_of(user)
    require(viewer, Right.SEE)
    sight.require_camera(connection, viewer, camera, Access.LIVE)


def _note(doors: Doors, user: User, action: str, camera: str, purpose: str = "") -> None:
    """One line in the audit chain, where the camera may be watched; `purpose` is what it is unmasked for."""
    with doors.engine.begin() as connection:
        _require_sight(connection, user, camera)
        audit.record(connection, user.name, action, {"camera": camera} | ({"purpose": purpose} if purpose else {}))


def _check_again(doors: Doors, token: str | None, camera: str) -> None:
    """Whether somebody who watches still may: a login can end, and a grant be revoked."""
    user = check_session(doors, Credential(token))
    with doors.engine.connect() as connection:
        _require_sight(connection, user, camera)


async def _forward(socket: WebSocket, viewer: Viewer, interval_s: float) -> int:
    while True:
        started = time.monotonic()
        await socket.send_bytes(await viewer.take())
        await asyncio.sleep(max(0.0, interval_s - (time.monotonic() - started)))


async def _until_left(socket: WebSocket) -> int:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    return LEFT


async def _until_session_ends(doors: Doors, token: str | None, camera: str) -> int:
    while True:
        await asyncio.sleep(doors.settings.session_check_s)
        try:
            await run_in_threadpool(_check_again, doors, token, camera)
        except CityVisionError as error:
            return _close_code(error)


async def _first(*jobs: Coroutine[Any, Any, int]) -> int:
    """The close code of whichever ends first; the others are cancelled."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    except (WebSocketDisconnect, RuntimeError):  # the other side left while a picture was under way
        return LEFT
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _note_left(doors: Doors, user: User, camera: str, seconds: int) -> None:
    with doors.engine.begin() as connection:
        audit.record(connection, user.name, "live.left", {"camera": camera, "seconds": seconds})


@router.websocket("/{camera_id}/live")
async def live(
    socket: WebSocket, doors: DoorsDep, camera_id: str, fps: Annotated[float, Query(gt=0, le=25)] = 8.0
) -> None:
    """Binary messages of `contracts.live.encode_live`, at most `fps` a second; a slow viewer misses pictures.

    Closes with 4401 (not logged in), 4403 (not allowed), 4404 (no such camera), 4503 (a store is away).
    """
    await socket.accept()
    token = socket.cookies.get(SESSION_COOKIE)
    try:
        user = await run_in_threadpool(_admit, doors, token, camera_id)
    except CityVisionError as error:
        await socket.close(_close_code(error), error.message[:100])
        return
    started = time.monotonic()
    async with doors.relay.watching(camera_id) as viewer:
        code = await _first(
            _forward(socket, viewer, 1 / fps),
            _until_left(socket),
            _until_session_ends(doors, token, camera_id),
        )
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # closed by the other side already
        await socket.close(code)
    await run_in_threadpool(_note_left, doors, user, camera_id, round(time.monotonic() - started))


@router.get(
    "/{camera_id}/snapshot.jpg",
    response_class=Response,
    responses=_SNAPSHOT,
)
async def snapshot(doors: DoorsDep, user: UserDep, asked: AskedDep, camera_id: str) -> Response:
    """The next picture the camera sends, as a JPEG without boxes, faces and plates made unrecognisable (`X-Masking`);
    `unmasked=1` with a `purpose` sends it as it is, to those who have the right. `X-Picture-Utc` says when it was
    taken, `X-Picture-Sha256` names it where something is said of it (`POST /api/misses`)."""
    if asked.unmasked:
        require(viewer_of(user), Right.UNMASK)
    await run_in_threadpool(_note, doors, user, "snapshot.taken", camera_id, asked.purpose)
    header, jpeg = decode_live(await _next_picture(doors, camera_id))
    shown = doors.snapshots.add(user.name, camera_id, header.utc, jpeg)
    told = {"X-Picture-Utc": str(header.utc), "X-Picture-Sha256": shown.sha256} | UNKEPT
    if asked.unmasked:
        return Response(jpeg, media_type="image/jpeg", headers=told)
    masked = await run_in_threadpool(shown.masking.get)
    return Response(masked.data, media_type="image/jpeg", headers=told | {"X-Masking": masked.how})


async def _next_picture(doors: Doors, camera: str) -> bytes:
    """Raises BusUnavailable: none came in time."""
    async with doors.relay.watching(camera) as viewer:
        try:
            async with asyncio.timeout(_SNAPSHOT_WAIT_S):
                return await viewer.take()
        except TimeoutError:
            raise BusUnavailable(
                f"no picture of {camera} within {_SNAPSHOT_WAIT_S:.0f} s", "see whether the camera is running"
            ) from None
