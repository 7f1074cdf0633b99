"""A candidate beside production, event by event; what one saw and the other did not is for people to look at."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, func, insert, select

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
    free = sorted(production, key=lambda one: one.started_utc)
    found = []
    for mine in sorted(candidate, key=lambda one: one.started_utc):
        fitting = [one for one in free if _same(mine, one, slack_s)]
        if fitting:
            nearest = min(fitting, key=lambda one: abs(one.started_utc - mine.started_utc))
            free.remove(nearest)
            found.append((mine, nearest))
    return found


def _same(one: Seen, other: Seen, slack_s: float) -> bool:
    if (one.camera, one.zone) != (other.camera, other.zone):
        return False
    one_end, other_end = (float("inf") if e.ended_utc is None else e.ended_utc for e in (one, other))
    return one.started_utc <= other_end + slack_s and other.started_utc <= one_end + slack_s


def compare(connection: Connection, number: int, algorithm: str, now: float | None = None) -> Comparison:
    """A lane against production, from its beginning to its end or to now.

    Raises:
        ConfigError: there was no such lane.
    """
    row = connection.execute(select(rollout_lanes).where(rollout_lanes.c.number == number)).one_or_none()
    if row is None:
        raise ConfigError(f"lane {number}: it has not begun yet", "wait for a moment, then try again")
    until = row.ended.timestamp() if row.ended is not None else (time.time() if now is None else now)
    since, cameras, kind = row.began.timestamp(), tuple(row.cameras), LaneKind(row.kind)
    if kind is LaneKind.SHADOW:
        mine = _shadow(connection, number)
        theirs = _city(connection, algorithm, cameras, row.began, at(until))
        matched = pairs(mine, theirs)
    else:
        mine = _city(connection, algorithm, cameras, row.began, at(until), worker=f"{SPACE_PREFIX}{number}")
        theirs = _city(connection, algorithm, cameras, at(2 * since - until), row.began)
        matched = []
    apart = _apart(mine, theirs if kind is LaneKind.SHADOW else [], matched)
    return Comparison(
        lane=number,
        version_id=row.version_id,
        algorithm=algorithm,
        kind=kind,
        cameras=cameras,
        since_utc=since,
        until_utc=until,
        camera_days=round(len(cameras) * max(until - since, 0.0) / 86_400, 6),
        candidate=len(mine),
        production=len(theirs),
        both=len(matched) if kind is LaneKind.SHADOW else None,
        disagreeing=len(apart),
        disagreements=tuple(sorted(apart, key=lambda one: _draw(one.event.id))[:_SAMPLED]),
    )


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
    connection: Connection,
    algorithm: str,
    cameras: Sequence[str],
    since: datetime,
    until: datetime,
    worker: str | None = None,
) -> list[Seen]:
    """Events that were opened, or open already, in that time."""
    e, t = events.c, event_transitions.c
    query = select(e.id, e.camera, e.zone, e.started, e.ended).where(
        e.type == algorithm, e.camera.in_(cameras), e.started < until
    )
    if worker is None:
        query = query.where(e.ended.is_(None) | (e.ended >= since))
    else:
        query = query.join(event_transitions, t.event_id == e.id).where(
            t.worker == worker, t.transition == Transition.OPENED.value, e.started >= since - timedelta(days=1)
        )
    return [_seen(row) for row in connection.execute(query)]


def _seen(row: Any) -> Seen:
    ended = None if row.ended is None else row.ended.timestamp()
    return Seen(id=row.id, camera=row.camera, zone=row.zone, started_utc=row.started.timestamp(), ended_utc=ended)
