"""What people say of events: real, a false alarm and why, or that one was missed.

A verdict is never changed: who thinks again gives another one, and the newest of an event counts. With it is kept what
the algorithm had seen and which code and weights said so, so that it can become a label long after both have changed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from contracts.errors import ConfigError
from contracts.records import Contract, Event, EvidenceRef, Provenance, Subject
from events import frames
from events.tables import event_verdicts, events
from store.database import at

MAX_LIMIT = 500
_Z = 1.959964  # of a two-sided 95 % interval
_v, _e = event_verdicts.c, events.c

Point = tuple[float, float]


class Kind(StrEnum):
    """What somebody says."""

    REAL = "real"
    FALSE_ALARM = "false_alarm"
    MISSED = "missed"


class Why(StrEnum):
    """Why an alarm was false."""

    OBJECT = "object"  # something else was taken for it
    PLACE = "place"  # not in the zone, or not of this zone
    SHORT = "short"  # it did not last
    ALLOWED = "allowed"  # it was there by right: works, an emergency, a permit
    LIGHT = "light"  # shadow, glare, reflection
    WEATHER = "weather"  # rain, snow, a wet ground
    PICTURE = "picture"  # shaken, blurred, covered
    OTHER = "other"


class Seen(Contract):
    """What was seen, kept with the verdict.

    Attributes:
        subject, numbers, confidence, provenance: of the event as it stood; None and empty for what was missed.
        evidence: its pictures and clips then; of what was missed the picture that its reporter saw of the camera.
        polygon: drawn by hand around what was missed, normalised.
        drawn_on: the event and the SHA-256 of the picture it was drawn on; empty: on what the camera showed.
    """

    subject: Subject | None = None
    numbers: dict[str, float] = Field(default_factory=dict)
    confidence: float | None = None
    provenance: Provenance | None = None
    evidence: tuple[EvidenceRef, ...] = ()
    polygon: tuple[Point, ...] = ()
    drawn_on: tuple[str, ...] = ()


class Verdict(Contract):
    """One line of the log. `moment_utc`: when the event began, or the missed one was to be seen."""

    id: int
    kind: Kind
    event: str | None
    type: str
    camera: str
    department: str
    zone: str
    grid: str
    moment_utc: float
    reason: Why | None
    note: str
    who: str
    utc: float
    seen: Seen


class Said(Contract):
    """What somebody says of an event; `key` names the saying, so that it counts once however often it is sent."""

    kind: Literal[Kind.REAL, Kind.FALSE_ALARM]
    reason: Why | None
    note: str
    who: str
    key: str


class Missed(Contract):
    """What somebody saw and no event told; `frame`: what the camera showed them, its bytes being kept."""

    type: str
    camera: str
    department: str
    zone: str
    grid: str
    moment_utc: float
    polygon: tuple[Point, ...]
    drawn_on: tuple[str, ...]
    frame: EvidenceRef | None = None
    note: str
    who: str
    key: str


class Rate(Contract):
    """Of one rule of one camera: events, how many of them somebody judged, and how many of these were false.

    Attributes:
        rate, low, high: share of false alarms among the judged with its 95 % interval (Wilson, 1927); None: none was.
        missed: reported by people.
    """

    camera: str
    type: str
    events: int
    judged: int
    false_alarms: int
    missed: int
    rate: float | None
    low: float | None
    high: float | None


def judge(
    connection: Connection, event: Event, evidence: Sequence[EvidenceRef], said: Said, now: float | None = None
) -> Verdict:
    """Writes down what somebody says of an event.

    Args:
        evidence: the event's, as it is known now.
        now: s since 1970; by default the present.

    Raises:
        ConfigError: the key was used for something else.
    """
    seen = Seen(
        subject=event.subject,
        numbers=event.numbers,
        confidence=event.confidence,
        provenance=event.provenance,
        evidence=tuple(evidence),
    )
    return _written(
        connection,
        (said.who, said.key),
        time.time() if now is None else now,
        {
            "kind": said.kind.value,
            "event_id": event.id,
            "type": event.type,
            "camera": event.camera,
            "department": event.department,
            "zone": event.zone,
            "grid": event.grid,
            "moment": at(event.started_utc),
            "reason": said.reason.value if said.reason else "",
            "note": said.note,
            "body": seen.model_dump(mode="json"),
        },
    )


def report_missed(connection: Connection, missed: Missed) -> Verdict:
    """Writes down what was missed. Raises ConfigError: the key was used for something else."""
    shown = () if missed.frame is None else (missed.frame,)
    seen = Seen(polygon=missed.polygon, drawn_on=missed.drawn_on, evidence=shown)
    verdict = _written(
        connection,
        (missed.who, missed.key),
        time.time(),
        {
            "kind": Kind.MISSED.value,
            "event_id": None,
            "type": missed.type,
            "camera": missed.camera,
            "department": missed.department,
            "zone": missed.zone,
            "grid": missed.grid,
            "moment": at(missed.moment_utc),
            "reason": "",
            "note": missed.note,
            "body": seen.model_dump(mode="json"),
        },
    )
    for ref in verdict.seen.evidence:
        frames.write(connection, verdict.id, ref)
    return verdict


def _written(connection: Connection, named: tuple[str, str], now: float, values: dict[str, Any]) -> Verdict:
    """Args: named: who says it, and the key of the saying."""
    who, key = named
    line = values | {"who": who, "key": key, "at": at(now)}
    written = insert(event_verdicts).values(line).on_conflict_do_nothing(index_elements=[_v.who, _v.key])
    row = connection.execute(written.returning(*_v)).one_or_none()
    if row is None:
        row = connection.execute(select(event_verdicts).where(_v.who == who, _v.key == key)).one()
        same = ("kind", "event_id", "type", "camera", "zone", "moment", "reason", "note")
        if any(getattr(row, name) != values[name] for name in same):
            raise ConfigError(f"key: another verdict, {row.id}, was given under it", "give each verdict its own key")
    return _verdict(row)


def given(connection: Connection, who: str, key: str) -> Verdict | None:
    """What somebody said under that key before."""
    row = connection.execute(select(event_verdicts).where(_v.who == who, _v.key == key)).one_or_none()
    return None if row is None else _verdict(row)


def missed_of(connection: Connection, number: int, seen: ColumnElement[bool]) -> Verdict | None:
    """What was missed, by the number of its verdict.

    Args:
        seen: which of `event_verdicts` the asker may see.
    """
    query = select(event_verdicts).where(_v.id == number, _v.kind == Kind.MISSED.value, seen)
    row = connection.execute(query).one_or_none()
    return None if row is None else _verdict(row)


def of_event(connection: Connection, event_id: str) -> tuple[Verdict, ...]:
    """What was said of an event, newest first: the first one counts."""
    query = select(event_verdicts).where(_v.event_id == event_id).order_by(_v.id.desc())
    return tuple(_verdict(row) for row in connection.execute(query))


def candidates(
    connection: Connection, seen: ColumnElement[bool], after: int = 0, limit: int = 100
) -> tuple[Verdict, ...]:
    """Verdicts that count now, oldest first: what can become labels.

    Args:
        seen: which of `event_verdicts` the asker may see.
        after: the id of the last one of the page before.
        limit: 1..MAX_LIMIT.
    """
    later = event_verdicts.alias()
    corrected = select(literal(1)).where(later.c.event_id == _v.event_id, later.c.id > _v.id).exists()
    query = select(event_verdicts).where(_v.id > after, seen, ~corrected).order_by(_v.id)
    return tuple(_verdict(row) for row in connection.execute(query.limit(max(1, min(limit, MAX_LIMIT)))))


def rates(
    connection: Connection,
    events_seen: ColumnElement[bool],
    verdicts_seen: ColumnElement[bool],
    since: float,
    until: float,
) -> tuple[Rate, ...]:
    """Of every rule of every camera with an event or a missed one in a window (s since 1970), most false alarms first.

    Args:
        events_seen, verdicts_seen: which rows of `events` and of `event_verdicts` count for the asker.
    """
    newest: Any = (
        select(_v.event_id, _v.kind)
        .where(_v.event_id.is_not(None))
        .ext(distinct_on(_v.event_id))
        .order_by(_v.event_id, _v.id.desc())
        .subquery()
    )
    false = func.count().filter(newest.c.kind == Kind.FALSE_ALARM.value)
    window = and_(_e.started >= at(since), _e.started < at(until))
    counted = _by_rule(_e, func.count(newest.c.kind), false).select_from(
        events.outerjoin(newest, newest.c.event_id == _e.id)
    )
    found = {
        (row[0], row[1]): (row[2], row[3], row[4]) for row in connection.execute(counted.where(window, events_seen))
    }
    lost = _by_rule(_v).where(
        _v.kind == Kind.MISSED.value, _v.moment >= at(since), _v.moment < at(until), verdicts_seen
    )
    missed = {(camera, kind): total for camera, kind, total in connection.execute(lost)}
    none = (0, 0, 0)
    told = [_rate(rule, found.get(rule, none), missed.get(rule, 0)) for rule in found.keys() | missed.keys()]
    return tuple(sorted(told, key=lambda one: (-one.false_alarms, -one.missed, -one.events, one.camera, one.type)))


def _by_rule(columns: Any, *more: Any) -> Select[Any]:
    return select(columns.camera, columns.type, func.count(), *more).group_by(columns.camera, columns.type)


def _rate(rule: tuple[str, str], counts: tuple[int, int, int], missed: int) -> Rate:
    total, judged, false = counts
    low, high = wilson(false, judged) if judged else (None, None)
    return Rate(
        camera=rule[0],
        type=rule[1],
        events=total,
        judged=judged,
        false_alarms=false,
        missed=missed,
        rate=false / judged if judged else None,
        low=low,
        high=high,
    )


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share, `hits` of `of` (at least 1), by Wilson (1927)."""
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def _verdict(row: Row[Any]) -> Verdict:
    return Verdict(
        id=row.id,
        kind=Kind(row.kind),
        event=row.event_id,
        type=row.type,
        camera=row.camera,
        department=row.department,
        zone=row.zone,
        grid=row.grid,
        moment_utc=row.moment.timestamp(),
        reason=Why(row.reason) if row.reason else None,
        note=row.note,
        who=row.who,
        utc=row.at.timestamp(),
        seen=Seen.model_validate(row.body),
    )
