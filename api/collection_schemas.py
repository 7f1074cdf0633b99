"""The bodies of the doors of collection. Times are s since 1970 UTC."""

from __future__ import annotations

from algorithm_repo.collection.types import Collected, CollectionPolicy, Reason, RecallEstimate
from api.schemas import Body


class CollectionOut(Body):
    """What is collected for a project.

    Attributes:
        policy: null: it never had one. Of the cameras that it names those whose evidence the asker may see.
        cameras: how many it speaks of now.
        quotas: pictures of each camera and day, by reason.
        recall: of each event type that is a class of the project, once there are random moments.
    """

    policy: CollectionPolicy | None
    set_by: str
    set_utc: float | None
    cameras: int
    quotas: dict[Reason, int]
    collected: Collected
    recall: list[RecallEstimate]
