"""The event stream (server-sent events): what was missed from Postgres, then live."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from api import sight
from api.deps import Credential, CredentialDep, DoorsDep, SeerDep, check_session, viewer_of
from api.doors import Doors
from api.event_view import streamed
from api.feed import Listener, left_off
from api.problems import Problem
from api.schemas import StreamedEvent
from contracts.errors import AccessError
from events import queries
from events.types import Note
from governance.access import Viewer, require
from governance.roles import Right

router = APIRouter(prefix="/api/events", tags=["events"])

_PAGE = 200
_POLL_S = 5.0


class _Stream:
    """One open event stream: where it stands, and what to send next."""

    def __init__(self, doors: Doors, viewer: Viewer, shown: Credential, position: int) -> None:
        self._doors = doors
        self._viewer = viewer
        self._shown = shown
        self._position = position
        self._checked = time.monotonic()

    async def messages(self) -> AsyncIterator[ServerSentEvent]:
        with self._doors.feed.listening() as listener:
            while await self._session_holds():
                async for message in self._available(listener):
                    yield message
                if not await listener.wait(_POLL_S):
                    # The bus keeps no promise: an entry may be missing between a commit and its note.
                    listener.catch_up()

    async def _session_holds(self) -> bool:
        if time.monotonic() - self._checked < self._doors.settings.session_check_s:
            return True
        self._checked = time.monotonic()
        try:
            self._viewer = viewer_of(await run_in_threadpool(check_session, self._doors, self._shown))
            require(self._viewer, Right.SEE)
        except AccessError:
            return False
        return True

    async def _available(self, listener: Listener) -> AsyncIterator[ServerSentEvent]:
        behind, notes = listener.take()
        # A note says nothing of who may see it: whoever does not see everything is told by the query alone.
        behind = behind or (bool(notes) and not self._viewer.everything)
        while behind:
            page = await run_in_threadpool(self._missed)
            for message in page:
                yield message
            behind = len(page) == _PAGE
        if not self._viewer.everything:
            return
        for note in notes:
            if note.position > self._position:
                yield await run_in_threadpool(self._message, note)

    def _missed(self) -> list[ServerSentEvent]:
        """The next page of what Postgres has after our position."""
        with self._doors.engine.connect() as connection:
            seen = sight.of_events(self._viewer)
            rows, position = queries.transitions_after(connection, self._position, _PAGE, seen)
        messages = [self._message(Note(position=row.position, event=row.event)) for row in rows]
        self._position = position
        return messages

    def _message(self, note: Note) -> ServerSentEvent:
        self._position = note.position
        with self._doors.engine.connect() as connection:
            pool = self._doors.pool.view(connection)
        return ServerSentEvent(streamed(note, pool).model_dump_json(), event="event", id=str(note.position))


def _newest_position(doors: Doors) -> int:
    with doors.engine.connect() as connection:
        return queries.last_position(connection)


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    responses={
        200: {"model": StreamedEvent, "description": "messages `event`, each with this as its data"},
        401: {"model": Problem},
    },
)
async def event_stream(
    doors: DoorsDep,
    shown: CredentialDep,
    viewer: SeerDep,
    after: Annotated[int | None, Query(ge=0, description="position to go on from; default: from now on")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> EventSourceResponse:
    """Every committed transition in order, once. `Last-Event-ID` (sent by browsers on reconnect) beats `after`."""
    position = left_off(last_event_id, after)
    if position is None:
        position = await run_in_threadpool(_newest_position, doors)
    stream = _Stream(doors, viewer, shown, position)
    return EventSourceResponse(stream.messages(), ping=int(doors.settings.keep_alive_s), send_timeout=30)
