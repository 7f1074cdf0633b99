"""Grants: what one department may see of another one's cameras. Asked for, decided by the owner, revocable at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, status
from sqlalchemy import Connection

from api.access_schemas import DecisionBody, GrantView, NoteBody
from api.deps import Allowed, ConnectionDep, Number
from api.problems import NotFound, Problem
from governance import access, grants
from governance.access import Viewer
from governance.grants import Grant, NewGrant, State
from governance.roles import Right

router = APIRouter(prefix="/api/grants", tags=["grants"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
AskerDep = Annotated[Viewer, Depends(Allowed(Right.ASK))]
DeciderDep = Annotated[Viewer, Depends(Allowed(Right.DECIDE))]
SideDep = Annotated[Viewer, Depends(Allowed(Right.ASK, Right.DECIDE))]


@router.get("", responses={403: {"model": Problem}})
def list_grants(
    connection: ConnectionDep, viewer: SideDep, state: Annotated[list[State] | None, Query()] = None
) -> list[GrantView]:
    """Those that concern one's department, as the one that asked or the one that owns, newest first."""
    return _views(connection, viewer, grants.listed(connection, viewer, state or ()))


@router.post("", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def ask_for_grant(body: NewGrant, connection: ConnectionDep, viewer: AskerDep) -> GrantView:
    """Asks for access. Nothing is allowed before the owning department approves."""
    return _views(connection, viewer, [grants.ask(connection, viewer, body)])[0]


@router.post("/{number}/decision", responses=_REFUSED)
def decide_grant(number: Number, body: DecisionBody, connection: ConnectionDep, viewer: DeciderDep) -> GrantView:
    """Approves or refuses; by the owning department or one above it."""
    return _one(connection, viewer, number, grants.decide(connection, viewer, number, body.approve, body.note))


@router.post("/{number}/revocation", responses=_REFUSED)
def revoke_grant(number: Number, body: NoteBody, connection: ConnectionDep, viewer: SideDep) -> GrantView:
    """Ends it, at once; or gives it back."""
    return _one(connection, viewer, number, grants.revoke(connection, viewer, number, body.note))


def _one(connection: Connection, viewer: Viewer, number: int, found: Grant | None) -> GrantView:
    if found is None:
        raise NotFound(f"no grant {number}")
    return _views(connection, viewer, [found])[0]


def _views(connection: Connection, viewer: Viewer, found: Sequence[Grant]) -> list[GrantView]:
    mine = set(access.departments(connection, viewer))
    views = []
    for one in found:
        owned = viewer.can(Right.DECIDE) and (viewer.everything or one.owner in mine)
        held = viewer.can(Right.ASK) and one.grantee in mine
        views.append(
            GrantView(
                **one.model_dump(),
                may_decide=owned and one.state == "asked",
                may_revoke=(owned or held) and one.state in ("asked", "approved"),
            )
        )
    return views
