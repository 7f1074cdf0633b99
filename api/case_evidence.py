"""Pictures and clips of the events behind a case, for those who work on it: masked, while the case is open.

Whoever has to judge, handle or verify a case sees what it is about, also where their department has no grant for the
camera: the case is the purpose, which stands in the custody log, and its end is the expiry. What is unmasked takes a
grant and the right, at the event's own door.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api import sight
from api.deps import ConnectionDep, CredentialDep, DoorsDep, Number, SightDep, check_session, sight_of, viewer_of
from api.event_view import EvidenceDoor, of_case
from api.evidence import BYTES, EventId, RangeHeader, Reading, Sha256, admit, masked
from api.problems import NotFound, Problem
from api.schemas import CaseEvent
from events import queries
from governance.access import require
from governance.roles import Right

router = APIRouter(prefix="/api/cases", tags=["cases"])


@router.get("/{number}/events/{event_id}", responses={404: {"model": Problem}})
def case_event(number: Number, event_id: EventId, connection: ConnectionDep, whose: SightDep) -> CaseEvent:
    """What an event behind an open case is about: its reason, and the addresses of its pictures and clips."""
    found = queries.get_event(connection, event_id, sight.of_case(whose, number))
    if found is None:
        raise NotFound(f"case {number} is over, or has no event {event_id}")
    return of_case(found, EvidenceDoor(event_id, number))


@router.get(
    "/{number}/events/{event_id}/evidence/{sha256}",
    response_class=Response,
    responses=BYTES | {200: {"content": {"image/jpeg": {}, "video/mp4": {}}, "description": "a masked copy"}},
)
def case_event_evidence(
    request: Request,
    number: Number,
    event_id: EventId,
    sha256: Sha256,
    doors: DoorsDep,
    shown: CredentialDep,
    range_header: RangeHeader = None,
) -> Response:
    """One of them, faces and plates of bystanders made unrecognisable. Reading it is noted with the case's number."""
    user = check_session(doors, shown)
    viewer = viewer_of(user)
    require(viewer, Right.DISPATCH, Right.HANDLE)

    def seen(connection: Connection) -> queries.Sight:
        return sight.of_case(sight_of(connection, viewer), number)

    admitted = admit(doors, user, Reading(event_id, sha256, "masked", f"case {number}"), seen)
    return masked(request, doors, admitted, range_header)
