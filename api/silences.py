"""Silences of deliveries, and acknowledgements of events, which are something else."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import Field
from sqlalchemy import Connection

from api import sight
from api.deps import ConnectionDep, Number, PoolDep, SeerDep, SubscriberDep
from api.pool_view import PoolView
from api.problems import NotFound, Problem
from api.schemas import AcknowledgeBody, Body
from api.subscriptions import require_own
from events import queries
from governance import access, audit
from governance.access import Viewer
from subscriptions import hidden, service, store
from subscriptions.access import sees
from subscriptions.hidden import Hidden, HiddenEvent
from subscriptions.tables import subscription_silences
from subscriptions.types import Acknowledgement, NewSilence, Silence

router = APIRouter(prefix="/api", tags=["subscriptions"])

EventId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class HiddenEventOut(HiddenEvent):
    """With the names of the pool as it stands."""

    camera_name: str
    zone_name: str


class HiddenOut(Body):
    """What a silence hides."""

    count: int = Field(description="deliveries held back, of all events")
    events: list[HiddenEventOut] = Field(description="the newest of those that one may see, at most 200")


def _named(pool: PoolView, found: Hidden) -> HiddenOut:
    events = [
        HiddenEventOut(
            **one.model_dump(),
            camera_name=pool.camera_name(one.camera),
            zone_name=pool.zone_name(one.camera, one.zone),
        )
        for one in found.events
    ]
    return HiddenOut(count=found.count, events=events)


def _listed(connection: Connection, viewer: Viewer, number: int | None = None) -> list[Silence]:
    s = subscription_silences.c
    where = [access.owns(viewer, s.department)]
    return store.silences(connection, where if number is None else [*where, s.id == number])


@router.get("/silences", name="list_delivery_silences")
def list_silences(connection: ConnectionDep, viewer: SubscriberDep) -> list[Silence]:
    """Those in force, to come and over of one's department, each with how many deliveries it has held back."""
    return _listed(connection, viewer)


@router.post(
    "/silences", name="add_delivery_silence", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}}
)
def add_silence(body: NewSilence, connection: ConnectionDep, viewer: SubscriberDep) -> list[Silence]:
    """Holds back deliveries of what begins in a span of time. It always ends."""
    require_own(connection, viewer, body.department)
    number = service.silence(connection, body, viewer.name)
    audit.record(connection, viewer.name, "delivery_silence.begun", {"silence": number, "note": body.note})
    return _listed(connection, viewer)


@router.post("/silences/preview", responses={422: {"model": Problem}})
def preview_silence(body: NewSilence, connection: ConnectionDep, pool: PoolDep, viewer: SubscriberDep) -> HiddenOut:
    """How many deliveries of the last seven days it would have held back, and of which events."""
    require_own(connection, viewer, body.department)
    seen = sight.of_events(viewer).seen
    return _named(pool, hidden.would_hold_back(connection, body, time.time(), sees, seen))


@router.get("/silences/{number}/hidden", responses={404: {"model": Problem}})
def silence_hides(number: Number, connection: ConnectionDep, pool: PoolDep, viewer: SubscriberDep) -> HiddenOut:
    """What it has held back until now: how many deliveries, and of which events."""
    if not _listed(connection, viewer, number):
        raise NotFound(f"no silence {number}")
    return _named(pool, hidden.held_back(connection, number, sight.of_events(viewer).seen))


@router.delete("/silences/{number}", name="end_delivery_silence", responses={404: {"model": Problem}})
def end_silence(number: Number, connection: ConnectionDep, viewer: SubscriberDep) -> list[Silence]:
    """It ends now; one that had not begun is taken back."""
    if not _listed(connection, viewer, number) or not store.end_silence(connection, number, time.time()):
        raise NotFound(f"no silence {number} that could be ended")
    audit.record(connection, viewer.name, "delivery_silence.ended", {"silence": number})
    return _listed(connection, viewer)


@router.get("/events/{event_id}/acknowledgements", responses={404: {"model": Problem}})
def list_acknowledgements(event_id: EventId, connection: ConnectionDep, viewer: SeerDep) -> list[Acknowledgement]:
    """Which departments have seen an event."""
    if queries.get_event(connection, event_id, sight.of_events(viewer)) is None:
        raise NotFound(f"no event {event_id}")
    return store.acknowledged(connection, event_id)


@router.post("/events/{event_id}/acknowledgements", responses={404: {"model": Problem}, 422: {"model": Problem}})
def acknowledge_event(
    event_id: EventId, body: AcknowledgeBody, connection: ConnectionDep, viewer: SubscriberDep
) -> list[Acknowledgement]:
    """A department has seen an event. What follows is told all the same: to be told less, set a silence."""
    if queries.get_event(connection, event_id, sight.of_events(viewer)) is None:
        raise NotFound(f"no event {event_id}")
    require_own(connection, viewer, body.department)
    store.acknowledge(connection, event_id, body.department, viewer.name, body.note, time.time())
    audit.record(connection, viewer.name, "event.acknowledged", {"event": event_id, "department": body.department})
    return store.acknowledged(connection, event_id)
