"""Legal holds: while one stands, nothing of the event, or of the case and its events, is deleted by policy.

Whoever may see the evidence and has the right sets one. It is released by the department that owns the camera, or by
whoever set it; of a case by any who may hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, status
from sqlalchemy import Connection, literal, select

from api import sight
from api.access_schemas import HoldView, ReasonBody
from api.deps import Allowed, ConnectionDep, Number, SeerDep, sight_of
from api.evidence import EventId
from api.problems import NotFound, Problem
from cases import pictures
from cases import queries as case_queries
from cases.tables import case_decisions
from contracts.errors import Forbidden
from events import queries
from events.tables import events, evidence
from governance import access, holds
from governance.access import Viewer
from governance.custody import Piece
from governance.holds import Hold
from governance.roles import Right

router = APIRouter(prefix="/api", tags=["evidence"])

HolderDep = Annotated[Viewer, Depends(Allowed(Right.HOLD))]
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}
_e = evidence.c


@router.get("/events/{event_id}/holds", responses={404: {"model": Problem}})
def list_event_holds(event_id: EventId, connection: ConnectionDep, viewer: SeerDep) -> list[HoldView]:
    """Those of the event and of its case, newest first; released ones too."""
    _event(connection, viewer, event_id)
    about = select(case_decisions.c.case_id).where(case_decisions.c.event_id == event_id)
    found = holds.listed(connection, event_id=event_id, case_id=connection.execute(about).scalar_one_or_none())
    return [_view(connection, viewer, one) for one in found]


@router.post("/events/{event_id}/holds", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def hold_event(event_id: EventId, body: ReasonBody, connection: ConnectionDep, viewer: HolderDep) -> HoldView:
    """Keeps the evidence of the event, that to come too, until it is released."""
    _event(connection, viewer, event_id)
    made = holds.place(connection, viewer, body.reason, _pieces_of_event(connection, event_id), event_id=event_id)
    return _view(connection, viewer, made)


@router.post("/events/{event_id}/holds/{number}/release", responses=_REFUSED)
def release_event_hold(
    event_id: EventId, number: Number, body: ReasonBody, connection: ConnectionDep, viewer: HolderDep
) -> HoldView:
    """Ends it; by the camera's own department, or by whoever set it."""
    _event(connection, viewer, event_id)
    hold = _known(holds.listed(connection, event_id=event_id), number)
    return _release(connection, viewer, hold, body.reason, _pieces_of_event(connection, event_id))


@router.get("/cases/{number}/holds", responses={404: {"model": Problem}})
def list_case_holds(number: Number, connection: ConnectionDep, viewer: HolderDep) -> list[HoldView]:
    """Newest first; released ones too."""
    _case(connection, viewer, number)
    return [_view(connection, viewer, one) for one in holds.listed(connection, case_id=number)]


@router.post("/cases/{number}/holds", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def hold_case(number: Number, body: ReasonBody, connection: ConnectionDep, viewer: HolderDep) -> HoldView:
    """Keeps its pictures and the evidence of all its events, those to come too, until it is released."""
    _case(connection, viewer, number)
    made = holds.place(connection, viewer, body.reason, _pieces_of_case(connection, number), case_id=number)
    return _view(connection, viewer, made)


@router.post("/cases/{number}/holds/{hold}/release", responses=_REFUSED)
def release_case_hold(
    number: Number, hold: Number, body: ReasonBody, connection: ConnectionDep, viewer: HolderDep
) -> HoldView:
    """Ends it."""
    _case(connection, viewer, number)
    known = _known(holds.listed(connection, case_id=number), hold)
    return _release(connection, viewer, known, body.reason, _pieces_of_case(connection, number))


def _event(connection: Connection, viewer: Viewer, event_id: str) -> None:
    found = queries.get_event(connection, event_id, sight.of_events(viewer))
    if found is None or not found.evidence:
        raise NotFound(f"event {event_id} has no evidence")


def _case(connection: Connection, viewer: Viewer, number: int) -> None:
    if case_queries.get_case(connection, sight_of(connection, viewer), number) is None:
        raise NotFound(f"no case {number}")


def _known(found: Sequence[Hold], number: int) -> Hold:
    hold = next((one for one in found if one.id == number), None)
    if hold is None:
        raise NotFound(f"no hold {number} here")
    return hold


def _release(connection: Connection, viewer: Viewer, hold: Hold, reason: str, pieces: Sequence[Piece]) -> HoldView:
    if hold.released_utc is not None:
        raise NotFound(f"hold {hold.id} was released before")
    if not _may_release(connection, viewer, hold):
        raise Forbidden(f"hold {hold.id} was set by {hold.set_by}", "ask them, or the camera's own department")
    ended = holds.release(connection, viewer, hold, reason, pieces)
    if ended is None:
        raise NotFound(f"hold {hold.id} was released just now")
    return _view(connection, viewer, ended)


def _may_release(connection: Connection, viewer: Viewer, hold: Hold) -> bool:
    if hold.released_utc is not None or not viewer.can(Right.HOLD):
        return False
    if hold.event_id is None:
        return True
    owned = select(literal(1)).where(events.c.id == hold.event_id, access.owns(viewer, events.c.department))
    return hold.set_by == viewer.name or connection.execute(owned).first() is not None


def _view(connection: Connection, viewer: Viewer, hold: Hold) -> HoldView:
    return HoldView(**hold.model_dump(), may_release=_may_release(connection, viewer, hold))


def _pieces_of_event(connection: Connection, event_id: str) -> list[Piece]:
    query = select(_e.event_id, _e.sha256, _e.role).where(_e.event_id == event_id).order_by(_e.seq, _e.role)
    return [Piece(*row) for row in connection.execute(query)]


def _pieces_of_case(connection: Connection, number: int) -> list[Piece]:
    mine = select(case_decisions.c.event_id).where(case_decisions.c.case_id == number)
    query = select(_e.event_id, _e.sha256, _e.role).where(_e.event_id.in_(mine)).order_by(_e.event_id, _e.seq, _e.role)
    own = [Piece("", one.sha256, one.role, number) for one in pictures.of_case(connection, number)]
    return [*(Piece(*row) for row in connection.execute(query)), *own]
