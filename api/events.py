"""Events: the list, one event with everything known of it, and counts with the hours not watched."""

from __future__ import annotations

import contextlib
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy import Connection

from api import coverage, event_view, evidence, sight
from api.deps import ConnectionDep, CounterDep, DoorsDep, PoolDep, SeerDep
from api.pool_view import PoolView
from api.problems import NotFound, Problem
from api.reader import ReaderDep
from api.schemas import EventCounts, EventDetail, EventPage
from contracts.errors import ObjectsUnavailable
from contracts.records import Severity
from events import queries
from events.types import EventFilter, Page

router = APIRouter(prefix="/api/events", tags=["events"])

Ids = Annotated[list[str] | None, Query(max_length=200)]


def event_filter(
    type: Ids = None,
    camera: Ids = None,
    department: Ids = None,
    zone: Ids = None,
    grid: Ids = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    state: Literal["open", "closed"] | None = None,
    judged: Annotated[bool | None, Query(description="whether somebody has said if it is real")] = None,
    since: Annotated[float | None, Query(description="began at or after, s since 1970 UTC", ge=0, le=1e11)] = None,
    until: Annotated[float | None, Query(description="began before, s since 1970 UTC", ge=0, le=1e11)] = None,
) -> EventFilter:
    """The filters that list and counts share."""
    return EventFilter(
        types=tuple(type or ()),
        cameras=tuple(camera or ()),
        departments=tuple(department or ()),
        zones=tuple(zone or ()),
        grids=tuple(grid or ()),
        severities=tuple(severity or ()),
        state=state,
        judged=judged,
        since=since,
        until=until,
    )


FilterDep = Annotated[EventFilter, Depends(event_filter)]


@router.get("", name="list_events", responses={422: {"model": Problem}})
def list_events(
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: SeerDep,
    wanted: FilterDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EventPage:
    """Events that match, newest start first."""
    return page_of(connection, pool, queries.list_events(connection, wanted, cursor, limit, sight.of_events(viewer)))


def page_of(connection: Connection, pool: PoolView, page: Page) -> EventPage:
    """The page as it is sent, its evidence as it stands now."""
    arrived = queries.stored_keys(connection, event_view.waiting_keys(item.event for item in page.items))
    gone = queries.deleted_keys(connection, {ref.key for item in page.items for ref in item.event.evidence})
    shown = (event_view.without(event_view.with_stored(item.event, arrived), gone) for item in page.items)
    return EventPage(
        events=[event_view.summary(event, pool) for event in shown],
        next_cursor=page.cursor,
        position=queries.last_position(connection),
    )


@router.get("/counts")
def count_events(connection: ConnectionDep, pool: PoolDep, viewer: CounterDep, wanted: FilterDep) -> EventCounts:
    """How many events match, and how long the cameras concerned were not watched meanwhile."""
    seen = sight.of_counts(viewer)
    by_type = {count.value: count.events for count in queries.count_by(connection, "type", wanted, seen)}
    still_open = queries.count_by(connection, "type", wanted.model_copy(update={"state": "open"}), seen)
    return EventCounts(
        since=wanted.since,
        until=wanted.until,
        total=sum(by_type.values()),
        open=0 if wanted.state == "closed" else sum(count.events for count in still_open),
        by_type=by_type,
        unwatched=coverage.total_for(connection, pool, wanted, sight.counted_cameras(connection, viewer)),
    )


@router.get("/{event_id}", responses={404: {"model": Problem}})
def get_event(
    doors: DoorsDep,
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: SeerDep,
    reader: ReaderDep,
    event_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
) -> EventDetail:
    """One event: every transition, the evidence, the numbers, and which code and weights said so."""
    found = queries.get_event(connection, event_id, sight.of_events(viewer))
    if found is None:
        raise NotFound(f"no event {event_id}")
    reader.reads(connection, "event.read", {"event": event_id, "camera": found.event.camera})
    with contextlib.suppress(ObjectsUnavailable):  # what is known of the event is shown all the same
        found = event_view.with_evidence(
            found,
            [
                row.ref if row.deleted_utc is not None else evidence.settle(connection, doors.objects, row.ref)
                for row in found.evidence
            ],
        )
    return event_view.detail(found, pool)
