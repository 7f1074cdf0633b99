"""What is collected from running streams for a project of labelling: its policy, what came of it, and the recall in
production that follows from random moments.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection

from algorithm_repo.collection import report, service
from algorithm_repo.collection.decide import quotas
from algorithm_repo.collection.types import CollectionPolicy
from algorithm_repo.labelling.types import Project
from api.collection_schemas import CollectionOut
from api.deps import ConnectionDep, LabelDep, Number
from api.labelling import managed, project_of
from api.problems import Problem
from governance import access
from governance.access import Access, Viewer

router = APIRouter(prefix="/api/labelling", tags=["labelling"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}


@router.get("/projects/{number}/collection", responses=_REFUSED)
def get_collection(number: Number, connection: ConnectionDep, viewer: LabelDep) -> CollectionOut:
    """The policy of a project, what was collected by reason, camera and hour, and the recall in production by event
    type: of the cameras whose evidence one may see."""
    return _told(connection, viewer, project_of(connection, number))


@router.put("/projects/{number}/collection", responses=_REFUSED)
def set_collection(
    number: Number, body: CollectionPolicy, connection: ConnectionDep, viewer: LabelDep
) -> CollectionOut:
    """What is collected from now on, for those who manage the project, and of the cameras whose evidence their
    department may see as long as it may."""
    project = managed(connection, viewer, number)
    eyes = None if viewer.everything else (viewer.department or "")
    service.set_policy(connection, number, body, viewer.name, time.time(), eyes)
    return _told(connection, viewer, project)


def _told(connection: Connection, viewer: Viewer, project: Project) -> CollectionOut:
    standing = service.policy_of(connection, project.id)
    policy = CollectionPolicy() if standing is None else standing.policy
    seen = access.cameras(connection, viewer, Access.EVIDENCE)
    shown = [camera for camera in policy.cameras if seen is None or camera in seen]
    return CollectionOut(
        policy=None if standing is None else policy.model_copy(update={"cameras": tuple(shown)}),
        set_by="" if standing is None else standing.set_by,
        set_utc=None if standing is None else standing.set_utc,
        cameras=0 if standing is None else len(service.cameras_of(connection, standing)),
        quotas=quotas(policy),
        collected=report.collected(connection, project.id, policy, seen),
        recall=report.recall(connection, project, seen),
    )
