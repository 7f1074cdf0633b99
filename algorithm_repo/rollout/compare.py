"""A candidate beside production, event by event; what one saw and the other did not is for people to look at."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import Field
from sqlalchemy import Connection, Select, func, insert, select

from algorithm_repo.rollout.tables import rollout_comparisons, rollout_lanes, shadow_transitions
from algorithm_repo.rollout.types import SPACE_PREFIX, LaneKind
from contracts.errors import ConfigError
from contracts.records import Contract, Transition
from events.tables import event_transitions, events
from store.database import at

_SLACK_S = 30.0
_SAMPLED = 40


class Seen(Contract):
    """One event as one side saw it."""

    id: str
    camera: str
    zone: str
    started_utc: float
    ended_utc: float | None = None


class Disagreement(Contract):
    """An event that only one side saw."""

    seen_by: Literal["candidate", "production"]
    event: Seen


class Comparison(Contract):
    """Of one lane, as of a moment.

    Attributes:
        lane, version_id, algorithm, kind, cameras: of what.
        since_utc, until_utc: in which time, s since 1970.
        camera_days: how much was watched.
        candidate, production: events each side opened. A canary has its cameras alone: production's are those that
            were opened there before, in as long a time.
        both: seen by both; None for a canary.
        disagreements: seen by one side alone, `sampled` of `disagreeing`, drawn by the events' hashes.
    """

    lane: int
    version_id: int
    algorithm: str
    kind: LaneKind
    cameras: tuple[str, ...]
    since_utc: float
    until_utc: float
    camera_days: float = Field(ge=0)
    candidate: int
    production: int
    both: int | None
    disagreeing: int
    disagreements: tuple[Disagreement, ...]

    @property
    def sha256(self) -> str:
        """What the ledger names it by."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def pairs(candidate: Sequence[Seen], production: Sequence[Seen], slack_s: float = _SLACK_S) -> list[tuple[Seen, Seen]]:
    """Events that are the same matter: of one camera and zone, overlapping in time; each in one pair at most.

    Args:
        candidate, production: in any order.
        slack_s: how far apart they may lie, s.
    """
    places: defaultdict[tuple[str, str], list[Seen]] = defaultdict(list)
    for other in sorted(production, key=lambda one: one.started_utc):
        places[other.camera, other.zone].append(other)
    found = []
    for mine in sorted(candidate, key=lambda one: one.started_utc):
        free = places[mine.camera, mine.zone]
        while free and _end(free[0]) + slack_s < mine.started_utc:
            del free[0]  # it is over for the candidate's later events too
        nearest = _nearest(mine, free, slack_s)
        if nearest is not None:
            found.append((mine, free.pop(nearest)))
    return found


def _nearest(mine: Seen, free: Sequence[Seen], slack_s: float) -> int | None:
    """Where the event is that began nearest to `mine`, of those that overlap."""
    best: tuple[float, int] | None = None
    for index, one in enumerate(free):
        if one.started_utc > _end(mine) + slack_s:
            break
        apart = abs(one.started_utc - mine.started_utc)
        if overlap(mine, one, slack_s) and (best is None or apart < best[0]):
            best = apart, index
    return None if best is None else best[1]


def _end(one: Seen) -> float:
    return float("inf") if one.ended_utc is None else one.ended_utc


def overlap(one: Seen, other: Seen, slack_s: float) -> bool:
    """Whether two events lie so near each other in time."""
    return one.started_utc <= _end(other) + slack_s and other.started_utc <= _end(one) + slack_s


class Counts(NamedTuple):
    """Of a comparison, what a list shows; see `Comparison`."""

    camera_days: float
    candidate: int
    production: int
    both: int | None


class _Stretch(NamedTuple):
    """What is compared: a lane from its beginning to its end or to now."""

    number: int
    version_id: int
    algorithm: str
    kind: LaneKind
    cameras: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        return max((self.until - self.since).total_seconds(), 0.0)

    @property
    def camera_days(self) -> float:
        return round(len(self.cameras) * self.seconds / 86_400, 6)

    def candidate(self) -> Select[Any]:
        """What it opened; of a canary."""
        worker = f"{SPACE_PREFIX}{self.number}"
        return _city(self.algorithm, self.cameras, self.since, self.until, worker=worker)

    def production(self) -> Select[Any]:
        """What production opened: meanwhile, or before a canary in as long a time."""
        if self.kind is LaneKind.SHADOW:
            return _city(self.algorithm, self.cameras, self.since, self.until)
        return _city(self.algorithm, self.cameras, self.since - (self.until - self.since), self.since)


def compare(connection: Connection, number: int, algorithm: str, now: float | None = None) -> Comparison:
    """A lane against production, from its beginning to its end or to now.

    Raises:
        ConfigError: there was no such lane.
    """
    lane = _stretch(connection, number, algorithm, now)
    mine, theirs, matched = _sides(connection, lane)
    apart = _apart(mine, theirs if lane.kind is LaneKind.SHADOW else [], matched)
    return Comparison(
        lane=number,
        version_id=lane.version_id,
        algorithm=algorithm,
        kind=lane.kind,
        cameras=lane.cameras,
        since_utc=lane.since.timestamp(),
        until_utc=lane.until.timestamp(),
        camera_days=lane.camera_days,
        candidate=len(mine),
        production=len(theirs),
        both=len(matched) if lane.kind is LaneKind.SHADOW else None,
        disagreeing=len(apart),
        disagreements=tuple(sorted(apart, key=lambda one: _draw(one.event.id))[:_SAMPLED]),
    )


def counts(connection: Connection, number: int, algorithm: str, now: float | None = None) -> Counts:
    """Of `compare` the figures alone, quickly: lists are asked for every few seconds. Raises ConfigError: see there."""
    lane = _stretch(connection, number, algorithm, now)
    if lane.kind is LaneKind.SHADOW:
        mine, theirs, matched = _sides(connection, lane)
        return Counts(lane.camera_days, len(mine), len(theirs), len(matched))
    sides = (select(func.count()).select_from(query.subquery()) for query in (lane.candidate(), lane.production()))
    candidate, production = (int(connection.execute(query).scalar_one()) for query in sides)
    return Counts(lane.camera_days, candidate, production, None)


def _stretch(connection: Connection, number: int, algorithm: str, now: float | None) -> _Stretch:
    row = connection.execute(select(rollout_lanes).where(rollout_lanes.c.number == number)).one_or_none()
    if row is None:
        raise ConfigError(f"lane {number}: it has not begun yet", "wait for a moment, then try again")
    until = row.ended or at(time.time() if now is None else now)
    return _Stretch(number, row.version_id, algorithm, LaneKind(row.kind), tuple(row.cameras), row.began, until)


def _sides(
    connection: Connection, lane: _Stretch
) -> tuple[Sequence[Seen], Sequence[Seen], Sequence[tuple[Seen, Seen]]]:
    """What each side opened, and what both did; of a canary, which has its cameras alone, none."""
    theirs = [_seen(row) for row in connection.execute(lane.production())]
    if lane.kind is LaneKind.SHADOW:
        mine = _shadow(connection, lane.number)
        return mine, theirs, pairs(mine, theirs)
    return [_seen(row) for row in connection.execute(lane.candidate())], theirs, []


def keep(connection: Connection, comparison: Comparison) -> str:
    """Keeps a comparison for good; what the ledger names it by."""
    c, sha256 = rollout_comparisons.c, comparison.sha256
    if connection.execute(select(c.sha256).where(c.sha256 == sha256)).one_or_none() is None:
        values = {"sha256": sha256, "lane": comparison.lane, "body": comparison.model_dump(mode="json")}
        connection.execute(insert(rollout_comparisons).values(values))
    return sha256


def kept(connection: Connection, sha256: str) -> Comparison | None:
    """Inverse of `keep`."""
    query = select(rollout_comparisons.c.body).where(rollout_comparisons.c.sha256 == sha256)
    body = connection.execute(query).scalar_one_or_none()
    return None if body is None else Comparison.model_validate(body)


def _apart(mine: Sequence[Seen], theirs: Sequence[Seen], matched: Iterable[tuple[Seen, Seen]]) -> list[Disagreement]:
    together = {one.id for pair in matched for one in pair}
    alone = [Disagreement(seen_by="candidate", event=one) for one in mine if one.id not in together]
    return alone + [Disagreement(seen_by="production", event=one) for one in theirs if one.id not in together]


def _draw(event: str) -> str:
    """An order that has nothing to do with time or place, and is the same at every asking."""
    return hashlib.sha256(event.encode()).hexdigest()


def _shadow(connection: Connection, number: int) -> list[Seen]:
    s = shadow_transitions.c
    closed = func.max(s.at).filter(s.transition == Transition.CLOSED.value)
    query = (
        select(s.event_id.label("id"), s.camera, s.zone, func.min(s.started).label("started"), closed.label("ended"))
        .where(s.lane == number)
        .group_by(s.event_id, s.camera, s.zone)
    )
    return [_seen(row) for row in connection.execute(query)]


def _city(
    algorithm: str, cameras: Sequence[str], since: datetime, until: datetime, worker: str | None = None
) -> Select[Any]:
    """Events that were opened, or open already, in that time."""
    e, t = events.c, event_transitions.c
    query = select(e.id, e.camera, e.zone, e.started, e.ended).where(
        e.type == algorithm, e.camera.in_(cameras), e.started < until
    )
    if worker is None:
        return query.where(e.ended.is_(None) | (e.ended >= since))
    return query.join(event_transitions, t.event_id == e.id).where(
        t.worker == worker, t.transition == Transition.OPENED.value, e.started >= since - timedelta(days=1)
    )


def _seen(row: Any) -> Seen:
    ended = None if row.ended is None else row.ended.timestamp()
    return Seen(id=row.id, camera=row.camera, zone=row.zone, started_utc=row.started.timestamp(), ended_utc=ended)
