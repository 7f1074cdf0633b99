"""The queue of trainings, for those who make algorithms. Workers (`cityvision train work`) take from it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from sqlalchemy import Connection

from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import TrainingJob
from algorithm_repo.training.asked import settings_by_task
from algorithm_repo.training.classes import check_classes
from api.deps import ConnectionDep, DoorsDep, LabelDep, Number
from api.problems import NotFound, Problem
from api.training_schemas import NewTraining, TrainingDetail, TrainingPage
from governance import audit

router = APIRouter(prefix="/api/trainings", tags=["trainings"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}


@router.get("", responses={403: {"model": Problem}})
def list_trainings(
    connection: ConnectionDep,
    _viewer: LabelDep,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="id of the last one of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> TrainingPage:
    """What waits, runs and has ended, the newest first."""
    found = service.listed(connection, limit, before)
    return TrainingPage(trainings=found, next_before=found[-1].id if len(found) == limit else None)


@router.post("", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def submit_training(body: NewTraining, connection: ConnectionDep, viewer: LabelDep, doors: DoorsDep) -> TrainingJob:
    """Puts a training at the end of the queue."""
    settings = settings_by_task(body.settings, body.classifier, body.head, body.segmenter)
    made = service.submit(connection, body.name, body.dataset, settings, viewer.name)
    check_classes(archive.load(connection, doors.objects, body.dataset))
    told = {"training": made.id, "name": made.name, "version": made.dataset}
    audit.record(connection, viewer.name, "training.submitted", told)
    return made


@router.get("/{number}", responses=_REFUSED)
def get_training(number: Number, connection: ConnectionDep, _viewer: LabelDep) -> TrainingDetail:
    """One training: how it was asked for, with which code and packages it runs, its whole curve, and what it made or
    why it failed."""
    job = _job(connection, number)
    return TrainingDetail(**job.model_dump(), curve=service.curve(connection, number))


@router.post("/{number}/cancel", responses=_REFUSED)
def cancel_training(number: Number, connection: ConnectionDep, viewer: LabelDep) -> TrainingJob:
    """Ends a training: at once while it waits or its worker is gone, else when the worker next looks. Its checkpoint
    stays."""
    _job(connection, number)
    job = service.cancel(connection, number)
    audit.record(connection, viewer.name, "training.cancelled", {"training": number, "name": job.name})
    return job


def _job(connection: Connection, number: int) -> TrainingJob:
    """Raises NotFound."""
    found = service.find(connection, number)
    if found is None:
        raise NotFound(f"no training {number}")
    return found
