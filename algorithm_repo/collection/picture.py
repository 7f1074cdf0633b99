"""From a live picture to what is decided on, and to a picture to be labelled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from algorithm_repo.collection.decide import Seen
from algorithm_repo.collection.service import CameraPlace, Frame
from algorithm_repo.collection.types import CollectionPolicy
from algorithm_repo.datasets.types import Box
from algorithm_repo.labelling.candidates import CITY
from algorithm_repo.labelling.projects import Looks
from algorithm_repo.labelling.types import MOST_LABELS, NewItem, Project, Suggestion, Taken
from contracts.algorithms import ALGORITHMS
from contracts.live import LiveBox


def about(project: Project) -> frozenset[str]:
    """The event types that a project asks of: those of its classes that are one."""
    return frozenset(name for name in project.classes if name in ALGORITHMS)


def seen(project: Project, boxes: Collection[LiveBox], standing: frozenset[str], alike: bool, weather: bool) -> Seen:
    """What is decided on.

    Args:
        boxes: of the detector, in the picture.
        standing: event types of which an event stands at the camera.
        alike: the project has one like it of this camera.
        weather: some stands at the camera.
    """
    scores = tuple(one.score for one in boxes if one.object_class in project.classes)
    return Seen(scores=scores, about=about(project), standing=standing, alike=alike, weather=weather)


def new_item(
    project: Project,
    policy: CollectionPolicy,
    place: CameraPlace,
    frame: Frame,
    looks: Looks,
    boxes: Collection[LiveBox],
    network: str,
) -> NewItem:
    """A picture as its project has it: slices name the reason, the hour and the weather, and what the detector saw of
    the project's classes stands beside as suggestions.

    Args:
        network: the detector's name.
    """
    weather = () if frame.weather is None else (f"weather {frame.weather.value}",)
    moment = datetime.fromtimestamp(frame.utc, UTC).astimezone(ZoneInfo(policy.timezone))
    return NewItem(
        content=frame.sha256,
        name=f"{place.camera}-{moment:%Y%m%d-%H%M%S}-{frame.reason.value}"[-80:],
        key=frame.key,
        media_type="image/jpeg",
        width=looks.width,
        height=looks.height,
        source=CITY,
        taken=Taken(camera=place.camera, department=place.department, grid=place.grid, utc=frame.utc),
        slices=(f"collected {frame.reason.value}", f"hour {moment:%H}", *weather),
        suggested=_suggested(project, boxes, network),
    )


def _suggested(project: Project, boxes: Collection[LiveBox], network: str) -> tuple[Suggestion, ...]:
    if "box" not in project.kinds:
        return ()
    by = f"detector {network}".strip()[:80]
    found = []
    for one in boxes:
        x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in one.box)
        if one.object_class in project.classes and x1 < x2 and y1 < y2:
            score = min(1.0, max(0.0, one.score))
            found.append(Suggestion(by=by, confidence=score, label=Box(label=one.object_class, box=(x1, y1, x2, y2))))
    return tuple(found[:MOST_LABELS])
