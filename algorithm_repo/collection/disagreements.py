"""What a candidate in shadow and production disagree on, with the picture by which one of them decided."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from algorithm_repo.labelling.tables import label_items
from algorithm_repo.rollout import compare
from algorithm_repo.rollout.tables import shadow_transitions
from contracts.records import Event, EvidenceRef, Transition
from events.tables import event_transitions

SETTLED_S = 300.0  # the other side may tell of it that much later
_i, _s, _t = label_items.c, shadow_transitions.c, event_transitions.c


@dataclass(frozen=True, slots=True)
class Apart:
    """An event that one side alone saw.

    Attributes:
        lane: of the candidate.
        by_candidate: it saw it; else production.
        event: as it was opened.
        picture: by which it was decided.
    """

    lane: int
    by_candidate: bool
    event: Event
    picture: EvidenceRef


def apart(
    connection: Connection, lane: int, algorithm: str, cameras: Collection[str], project: int, now: float
) -> list[Apart]:
    """What a lane and production disagree on at these cameras, as far as it is sampled for people, has settled, and is
    not in the project yet.

    Args:
        now: s since 1970 UTC.

    Raises:
        ConfigError: there was no such lane.
    """
    said = compare.compare(connection, lane, algorithm, now)
    told = [
        one for one in said.disagreements if one.event.camera in cameras and one.event.started_utc <= now - SETTLED_S
    ]
    found = []
    for one in told:
        by_candidate = one.seen_by == "candidate"
        event = _opened(connection, lane, one.event.id, by_candidate)
        picture = None if event is None else _decision(event)
        if event is not None and picture is not None:
            found.append(Apart(lane, by_candidate, event, picture))
    return _fresh(connection, project, found)


def _opened(connection: Connection, lane: int, event: str, by_candidate: bool) -> Event | None:
    opened = Transition.OPENED.value
    if by_candidate:
        query = select(_s.body).where(_s.lane == lane, _s.event_id == event, _s.transition == opened)
    else:
        query = select(_t.body).where(_t.event_id == event, _t.transition == opened)
    body = connection.execute(query.limit(1)).scalar_one_or_none()
    return None if body is None else Event.model_validate(body)


def _decision(event: Event) -> EvidenceRef | None:
    there = [one for one in event.evidence if one.media_type == "image/jpeg"]
    return next((one for one in there if one.role == "decision"), there[0] if there else None)


def _fresh(connection: Connection, project: int, found: Sequence[Apart]) -> list[Apart]:
    contents = [one.picture.sha256 for one in found]
    query = select(_i.content).where(_i.project == project, _i.content.in_(contents))
    known = set(connection.execute(query).scalars())
    return [one for one in found if one.picture.sha256 not in known]
