"""The audit log, for auditors. Reading it is a line of it too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.access_schemas import AuditPage, AuditState
from api.deps import AuditorDep, ConnectionDep
from api.problems import Problem
from contracts.errors import StoreError
from governance import audit, custody, deletions

router = APIRouter(prefix="/api/audit", tags=["audit"])


@router.get("", responses={403: {"model": Problem}})
def list_audit(
    connection: ConnectionDep,
    viewer: AuditorDep,
    who: Annotated[str | None, Query(max_length=120)] = None,
    action: Annotated[str | None, Query(max_length=80, description="or how it begins, e.g. grant.")] = None,
    since: Annotated[float | None, Query(ge=0, le=1e11)] = None,
    until: Annotated[float | None, Query(ge=0, le=1e11)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Lines that match, newest first."""
    found = audit.listed(connection, who=who, action=action, since=since, until=until, before=before, limit=limit)
    asked = {"who": who, "action": action, "since": since, "until": until, "before": before}
    audit.record(connection, viewer.name, "audit.read", {key: value for key, value in asked.items() if value})
    return AuditPage(lines=found, next_before=found[-1].id if len(found) == limit else None)


@router.post("/verification", responses={403: {"model": Problem}})
def verify_audit(connection: ConnectionDep, viewer: AuditorDep) -> AuditState:
    """Recomputes the whole chain, and compares the custody log and the proofs of deletion with it.

    That it was is a line of it."""
    try:
        count, problem = audit.verify(connection), ""
        custody.verify(connection)
        deletions.verify(connection)
    except StoreError as error:
        count, problem = 0, error.message
    number, digest = audit.head(connection)
    audit.record(connection, viewer.name, "audit.verified", {"lines": count, "problem": problem})
    return AuditState(holds=not problem, lines=count, problem=problem, head=number, head_hash=digest)
