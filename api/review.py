"""Review: is an event real, why is it a false alarm; and how often which camera's rule is wrong."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, status
from sqlalchemy import Connection

from api import sight
from api.deps import ConnectionDep, CounterDep, JudgeDep, LabelDep, PoolDep, SeerDep
from api.events import FilterDep, page_of
from api.evidence import EventId
from api.problems import NotFound, Problem
from api.review_schemas import (
    LabelCandidate,
    LabelCandidates,
    RateOut,
    Rates,
    VerdictBody,
    VerdictOut,
)
from api.schemas import EventPage, EvidenceOut
from api.verdict_pictures import pictures_of
from events import queries, review
from events.review import Said, Verdict
from events.types import EventDetail
from governance import audit
from governance.access import Access, Viewer
from pool.tenure import tenure_hours

router = APIRouter(prefix="/api", tags=["review"])

_DAY_S = 86_400.0
_WINDOW_S = 30 * _DAY_S


@router.get("/review/events", responses={422: {"model": Problem}})
def review_queue(
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: JudgeDep,
    wanted: FilterDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
) -> EventPage:
    """Events that nobody has judged yet (or with `judged` those that somebody has) and whose pictures one may see,
    newest start first."""
    unjudged = wanted if wanted.judged is not None else wanted.model_copy(update={"judged": False})
    page = queries.list_events(connection, unjudged, cursor, limit, sight.of_evidence(viewer))
    return page_of(connection, pool, page)


@router.get("/events/{event_id}/verdicts", responses={404: {"model": Problem}})
def event_verdicts(event_id: EventId, connection: ConnectionDep, viewer: SeerDep) -> list[VerdictOut]:
    """What was said of an event, newest first; the first one counts."""
    _judged_event(connection, viewer, event_id)
    return [VerdictOut.of(one) for one in review.of_event(connection, event_id)]


@router.post(
    "/events/{event_id}/verdicts",
    status_code=status.HTTP_201_CREATED,
    responses={404: {"model": Problem}, 422: {"model": Problem}},
)
def judge_event(event_id: EventId, body: VerdictBody, connection: ConnectionDep, viewer: JudgeDep) -> VerdictOut:
    """Says of an event that it is real, or a false alarm and why. Who thinks again says so again; the newest counts."""
    found = _judged_event(connection, viewer, event_id)
    said = Said(kind=body.kind, reason=body.reason, note=body.note, who=viewer.name, key=body.key)
    verdict = review.judge(connection, found.event, [row.ref for row in found.evidence], said)
    what = {"event": event_id, "verdict": verdict.id, "kind": body.kind, "reason": body.reason or ""}
    audit.record(connection, viewer.name, "event.judged", what)
    return VerdictOut.of(verdict)


@router.get("/review/rates", responses={422: {"model": Problem}})
def false_alarm_rates(
    connection: ConnectionDep,
    pool: PoolDep,
    viewer: CounterDep,
    since: Annotated[float | None, Query(description="default: 30 days before `until`", ge=0, le=1e11)] = None,
    until: Annotated[float | None, Query(description="default: now", ge=0, le=1e11)] = None,
) -> Rates:
    """How often which rule of which camera is wrong, by what people said; what was missed, and how long it watched."""
    now = time.time()
    end = now if until is None else until
    begin = max(0.0, end - _WINDOW_S) if since is None else since
    verdicts_seen = sight.of_verdicts(viewer, Access.EVENT)
    rows = review.rates(connection, sight.of_counts(viewer).seen, verdicts_seen, begin, end)
    cameras = sorted({row.camera for row in rows})
    there = tenure_hours(connection, cameras, begin, max(begin, min(end, now)))
    lost = _unwatched(connection, cameras, begin, end)
    told = []
    for row in rows:
        unwatched = lost.get((row.camera, "*"), 0.0) + lost.get((row.camera, row.type), 0.0)
        watched = max(0.0, there.get((row.camera, row.type), 0.0) - unwatched) / 24
        told.append(
            RateOut(
                **row.model_dump(),
                camera_name=pool.camera_name(row.camera),
                watched_days=watched,
                false_alarms_a_day=row.false_alarms / watched if row.judged and watched > 0 else None,
            )
        )
    return Rates(since=begin, until=end, rows=told)


@router.get("/label-candidates")
def label_candidates(
    connection: ConnectionDep,
    viewer: LabelDep,
    after: Annotated[int, Query(ge=0, le=2**62, description="id of the last one of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=review.MAX_LIMIT)] = 100,
) -> LabelCandidates:
    """Verdicts that count now, oldest first, with what the algorithm had seen: what can become labels."""
    found = review.candidates(connection, sight.of_verdicts(viewer, Access.EVIDENCE), after, limit)
    pictures = pictures_of(connection, viewer, found)
    return LabelCandidates(
        candidates=[_candidate(one, pictures[one.id]) for one in found],
        next_after=found[-1].id if len(found) == limit else None,
    )


def _judged_event(connection: Connection, viewer: Viewer, event_id: str) -> EventDetail:
    """The event, for who may see its evidence: nobody judges what they cannot look at. Raises NotFound."""
    found = queries.get_event(connection, event_id, sight.of_evidence(viewer))
    if found is None:
        raise NotFound(f"no event {event_id}")
    return found


def _unwatched(connection: Connection, cameras: list[str], since: float, until: float) -> dict[tuple[str, str], float]:
    if not cameras:
        return {}
    rows = queries.unwatched_hours(connection, since, until, cameras)
    return {(row.camera, row.algorithm): row.hours for row in rows}


def _candidate(one: Verdict, pictures: tuple[EvidenceOut, ...]) -> LabelCandidate:
    said = {"id", "kind", "event", "type", "camera", "zone", "moment_utc", "reason", "note", "utc"}
    seen = {"subject", "numbers", "confidence", "provenance", "polygon"}
    return LabelCandidate(**one.model_dump(include=said), **one.seen.model_dump(include=seen), evidence=pictures)
