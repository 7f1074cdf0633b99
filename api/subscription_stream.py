"""A subscriber's own stream (server-sent events): it goes on where the subscriber left off."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.deps import Credential, CredentialDep, DoorsDep, Number, SubscriberDep, check_session, viewer_of
from api.doors import Doors
from api.feed import left_off
from api.problems import Invalid, NotFound, Problem
from api.subscriptions import found
from contracts.errors import AccessError
from governance.access import Viewer, require
from governance.roles import Right
from subscriptions.access import sees
from subscriptions.fetch import fetch
from subscriptions.message import message

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])

_PAGE = 200
_POLL_S = 5.0
_LAST = 2**62


class _Fetch:
    """One open stream: what it has, and what comes next."""

    def __init__(self, doors: Doors, viewer: Viewer, shown: Credential, number: int, after: int | None) -> None:
        self._doors = doors
        self._viewer = viewer
        self._shown = shown
        self._number = number
        self._after = after
        self._checked = time.monotonic()

    async def messages(self) -> AsyncIterator[ServerSentEvent]:
        with self._doors.feed.listening() as listener:
            while await self._goes_on():
                listener.take()
                page, more = await run_in_threadpool(self._page)
                for one in page:
                    yield one
                if not more:
                    await listener.wait(_POLL_S)

    async def _goes_on(self) -> bool:
        if time.monotonic() - self._checked < self._doors.settings.session_check_s:
            return True
        self._checked = time.monotonic()
        try:
            self._viewer = viewer_of(await run_in_threadpool(check_session, self._doors, self._shown))
            require(self._viewer, Right.SUBSCRIBE)
            await run_in_threadpool(self._exists)
        except (AccessError, NotFound):
            return False
        return True

    def _exists(self) -> None:
        with self._doors.engine.connect() as connection:
            found(connection, self._viewer, self._number)

    def _page(self) -> tuple[list[ServerSentEvent], bool]:
        """What comes next, and whether there may be more behind it."""
        with self._doors.engine.begin() as connection:
            told, upto, full = fetch(connection, self._number, self._after, _PAGE, sees)
        if upto is not None:
            self._after = upto
        page = [
            ServerSentEvent(
                message(self._number, [one], grouped=False).body.decode(), event="event", id=str(one.number)
            )
            for one in told
        ]
        return page, full


@router.get(
    "/{number}/stream",
    response_class=EventSourceResponse,
    responses={
        200: {"description": "messages `event`, each with a CloudEvent (JSON) as its data, its number as id"},
        404: {"model": Problem},
        422: {"model": Problem},
    },
)
def subscription_stream(
    number: Number,
    doors: DoorsDep,
    shown: CredentialDep,
    viewer: SubscriberDep,
    after: Annotated[int | None, Query(ge=0, le=_LAST, description="number of the last message that you have")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> EventSourceResponse:
    """What a subscription of the kind `sse` is told, in order. `Last-Event-ID` beats `after`; without either it begins
    with what was never fetched."""
    with doors.engine.connect() as connection:
        kind = found(connection, viewer, number).channel.kind
    if kind != "sse":
        raise Invalid(f"subscription {number} is told by {kind}", "make one of the kind sse")
    last = left_off(last_event_id, after)
    stream = _Fetch(doors, viewer, shown, number, None if last is None else min(last, _LAST))
    return EventSourceResponse(stream.messages(), ping=int(doors.settings.keep_alive_s), send_timeout=30)
