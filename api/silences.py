"""Silences of deliveries, and acknowledgements of events, which are something else."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Path, status

from api.deps import ConnectionDep, UserDep
from api.problems import NotFound, Problem
from api.schemas import AcknowledgeBody, Counted
from api.subscriptions import Number
from events import queries
from governance import audit
from subscriptions import service, store
from subscriptions.access import sees
from subscriptions.types import Acknowledgement, NewSilence, Silence

router = APIRouter(prefix="/api", tags=["subscriptions"])

EventId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.get("/silences", name="list_delivery_silences")
def list_silences(connection: ConnectionDep, _user: UserDep) -> list[Silence]:
    """Those in force, to come and over, each with how many deliveries it has held back."""
    return store.silences(connection)


@router.post(
    "/silences", name="add_delivery_silence", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}}
)
def add_silence(body: NewSilence, connection: ConnectionDep, user: UserDep) -> list[Silence]:
    """Holds back deliveries of what begins in a span of time. It always ends."""
    number = service.silence(connection, body, user.name)
    audit.record(connection, user.name, "delivery_silence.begun", {"silence": number, "note": body.note})
    return store.silences(connection)


@router.post("/silences/preview", responses={422: {"model": Problem}})
def preview_silence(body: NewSilence, connection: ConnectionDep, _user: UserDep) -> Counted:
    """How many deliveries of the last seven days it would have held back."""
    return Counted(count=service.would_hide(connection, body, time.time(), sees))


@router.delete("/silences/{number}", name="end_delivery_silence", responses={404: {"model": Problem}})
def end_silence(number: Number, connection: ConnectionDep, user: UserDep) -> list[Silence]:
    """It ends now; one that had not begun is taken back."""
    if not store.end_silence(connection, number, time.time()):
        raise NotFound(f"no silence {number} that could be ended")
    audit.record(connection, user.name, "delivery_silence.ended", {"silence": number})
    return store.silences(connection)


@router.get("/events/{event_id}/acknowledgements", responses={404: {"model": Problem}})
def list_acknowledgements(event_id: EventId, connection: ConnectionDep, _user: UserDep) -> list[Acknowledgement]:
    """Which departments have seen an event."""
    if queries.get_event(connection, event_id) is None:
        raise NotFound(f"no event {event_id}")
    return store.acknowledged(connection, event_id)


@router.post("/events/{event_id}/acknowledgements", responses={404: {"model": Problem}, 422: {"model": Problem}})
def acknowledge_event(
    event_id: EventId, body: AcknowledgeBody, connection: ConnectionDep, user: UserDep
) -> list[Acknowledgement]:
    """A department has seen an event. What follows is told all the same: to be told less, set a silence."""
    if queries.get_event(connection, event_id) is None:
        raise NotFound(f"no event {event_id}")
    store.acknowledge(connection, event_id, body.department, user.name, body.note, time.time())
    audit.record(connection, user.name, "event.acknowledged", {"event": event_id, "department": body.department})
    return store.acknowledged(connection, event_id)
