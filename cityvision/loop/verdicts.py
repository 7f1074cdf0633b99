"""What people say of events becomes labelled pictures. In the demo the photos' own masks speak for the people.

Everything else is what a city does: an event and its evidence, a verdict on it, a picture to be labelled, an answer,
a second person's review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, true

from algorithm_repo.datasets.alike import Signature
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.labelling import answers, candidates, projects
from algorithm_repo.labelling.freeze import manifest
from algorithm_repo.labelling.types import Item, ItemState, NewAnswer, NewProject, NewReview
from cityvision.loop.cameras import LoopCamera
from cityvision.loop.city import City
from cityvision.loop.data import LABEL
from cityvision.loop.types import ALGORITHM, DISPATCHER, LABELLER, REVIEWER
from contracts.errors import ConfigError
from contracts.records import Event, EvidenceRef, Transition
from events import queries, review
from events.review import Kind, Said, Why

_PROJECT = "flooded streets"
_MOST = 500


@dataclass(frozen=True, slots=True)
class Brought:
    """Attributes:
    pictures: with what counts of them; None where nobody said anything.
    looks: of these pictures, by SHA-256.
    """

    pictures: Manifest | None
    looks: Mapping[str, Signature]

    @property
    def count(self) -> int:
        return 0 if self.pictures is None else len(self.pictures.items)


def collect(city: City, shown: Sequence[LoopCamera], network: str, patience_s: float) -> Brought:
    """Waits for the cameras' events, has them judged, and their pictures labelled and reviewed.

    Cameras of which no event comes in that time bring nothing.

    Args:
        network: SHA-256; events that rest on another one are nobody's affair here.
    """
    wet = {camera.id for camera in shown if camera.water}
    city.until(lambda: wet <= _evident(city, network), patience_s)
    by_id = {camera.id: camera for camera in shown}
    with city.transaction() as connection:
        project = _project(connection)
        for event, pictures in _opened(connection, network).values():
            if event.camera in by_id and pictures:
                said = _said(event, by_id[event.camera])
                review.judge(connection, event, pictures, said)
        given = review.candidates(connection, true(), limit=_MOST)
        evidence = queries.evidence_of(connection, {one.event for one in given if one.event is not None})
        pictures_of = {one.id: [row.ref for row in evidence.get(one.event or "", ())] for one in given}
        candidates.take(connection, city.objects, project, given, pictures_of, LABELLER)
        for item in projects.items(connection, project, true(), ItemState.OPEN, limit=_MOST):
            _label(connection, item, by_id[item.taken.camera])
        return _accepted(connection, project)


def _evident(city: City, network: str) -> set[str]:
    """Cameras whose event is there with its picture."""
    with city.transaction() as connection:
        return {camera for camera, (_, pictures) in _opened(connection, network).items() if pictures}


def _opened(connection: Connection, network: str) -> dict[str, tuple[Event, list[EvidenceRef]]]:
    """The first event of each camera, with its pictures that are stored."""
    rows, _ = queries.transitions_after(connection, 0)
    first: dict[str, Event] = {}
    for row in rows:
        used = {one.sha256 for one in row.event.provenance.networks}
        if row.event.type == ALGORITHM and row.event.transition is Transition.OPENED and network in used:
            first.setdefault(row.event.camera, row.event)
    pieces = queries.evidence_of(connection, {event.id for event in first.values()})
    return {
        camera: (
            event,
            [row.ref for row in pieces.get(event.id, ()) if row.ref.stored and row.ref.media_type.startswith("image/")],
        )
        for camera, event in first.items()
    }


def _said(event: Event, camera: LoopCamera) -> Said:
    kind, reason = (Kind.REAL, None) if camera.water else (Kind.FALSE_ALARM, Why.OBJECT)
    return Said(kind=kind, reason=reason, note="", who=DISPATCHER, key=f"loop-{event.id}")


def _project(connection: Connection) -> int:
    try:
        return projects.named(connection, _PROJECT).id
    except ConfigError:
        new = NewProject(name=_PROJECT, task="segment", kinds=("polygon",), classes=(LABEL,))
        return projects.create(connection, new, LABELLER).id


def _label(connection: Connection, item: Item, camera: LoopCamera) -> None:
    given = answers.submit(connection, item.id, NewAnswer(labels=camera.water, key=item.content), LABELLER)
    answers.review(connection, item.id, NewReview(answer=given.id, accepted=True, key=item.content), REVIEWER)


def _accepted(connection: Connection, project: int) -> Brought:
    items = projects.items(connection, project, true(), ItemState.ACCEPTED, limit=_MOST)
    if not items:
        return Brought(None, {})
    found = manifest(projects.get(connection, project), items, answers.finals(connection, items))
    return Brought(found, projects.signatures(connection, [item.id for item in items]))
