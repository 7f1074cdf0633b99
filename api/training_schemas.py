"""The bodies of the doors of trainings. Times are s since 1970 UTC."""

from __future__ import annotations

from algorithm_repo.datasets.types import Name, Sha256
from algorithm_repo.jobs.service import CurvePoint, TrainingJob
from algorithm_repo.training.detectjob import DetectSettings
from api.schemas import Body


class NewTraining(Body):
    """A detector to be trained on a frozen version of boxes."""

    name: Name
    dataset: Sha256
    settings: DetectSettings = DetectSettings()


class TrainingPage(Body):
    """Trainings, newest first; `next_before` leads to the next page, null at the end."""

    trainings: list[TrainingJob]
    next_before: int | None


class TrainingDetail(TrainingJob):
    """One training with all that it has told so far, in order."""

    curve: list[CurvePoint]
