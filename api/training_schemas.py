"""The bodies of the doors of trainings. Times are s since 1970 UTC."""

from __future__ import annotations

from algorithm_repo.datasets.types import Name, Sha256
from algorithm_repo.jobs.service import CurvePoint, TrainingJob
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.ultra_settings import ClassifySettings, DetectSettings, SegmentSettings
from api.schemas import Body


class NewTraining(Body):
    """A training on a frozen version of data; none of the four: as usual for the version's task.

    Attributes:
        settings: of a detector, on a version of boxes.
        classifier: of a classifier, on a version of tags.
        head: of a decoder on frozen features, on a version of one mask.
        segmenter: of a whole network, on a version of one mask.
    """

    name: Name
    dataset: Sha256
    settings: DetectSettings | None = None
    classifier: ClassifySettings | None = None
    head: HeadSettings | None = None
    segmenter: SegmentSettings | None = None


class TrainingPage(Body):
    """Trainings, newest first; `next_before` leads to the next page, null at the end."""

    trainings: list[TrainingJob]
    next_before: int | None


class TrainingDetail(TrainingJob):
    """One training with all that it has told so far, in order."""

    curve: list[CurvePoint]
