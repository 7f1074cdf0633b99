"""What was done with the evidence of an event. Reading it is a line of the audit chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api import sight
from api.access_schemas import CustodyPage
from api.deps import ConnectionDep, SeerDep
from api.evidence import EventId
from api.problems import NotFound, Problem
from events import queries
from governance import audit, custody

router = APIRouter(prefix="/api/events", tags=["evidence"])


@router.get("/{event_id}/custody", responses={404: {"model": Problem}})
def evidence_custody(
    event_id: EventId,
    connection: ConnectionDep,
    viewer: SeerDep,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> CustodyPage:
    """Who captured, saw, exported, held, released or deleted the evidence of an event, when and why, newest first.

    Needs the grant for evidence."""
    found = queries.get_event(connection, event_id, sight.of_events(viewer))
    if found is None or not found.evidence:
        raise NotFound(f"event {event_id} has no evidence")
    lines = custody.newest(connection, event_id, limit, before)
    audit.record(connection, viewer.name, "custody.read", {"event": event_id})
    return CustodyPage(lines=lines, next_before=lines[-1].id if len(lines) == limit else None)
