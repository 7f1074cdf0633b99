"""Reading events. Every function works on its caller's connection and only reads."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Select,
    case,
    exists,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
)

from contracts.errors import ConfigError
from contracts.records import Event, EvidenceRef, Unwatched
from events.tables import (
    event_transitions,
    event_verdicts,
    events,
    evidence,
    ingest_mark,
    rejected_record,
    unwatched,
)
from events.types import (
    Count,
    EventDetail,
    EventFilter,
    EventSummary,
    EvidenceRow,
    Page,
    RejectedRow,
    TransitionRow,
    UnwatchedHours,
    WorkerMark,
)
from store.database import at

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the asker may see, as conditions on `events`.

    Attributes:
        seen: which events there are.
        evidence: of which of them the pictures and clips may be known.
    """

    seen: ColumnElement[bool] = field(default_factory=true)
    evidence: ColumnElement[bool] = field(default_factory=true)


EVERYTHING = Sight()
Dimension = Literal["type", "camera", "department", "zone", "grid", "severity", "state", "day", "hour"]

_UNWATCHED_HOURS = text("""
    WITH covered AS (
        SELECT camera, algorithm, reason,
               range_agg(tstzrange(greatest(start, :since), least(coalesce("end", :until), :until))) AS ranges
        FROM unwatched
        WHERE start < :until AND coalesce("end", :until) > :since
          AND (CAST(:cameras AS text[]) IS NULL OR camera = ANY(:cameras))
          AND (CAST(:algorithms AS text[]) IS NULL OR algorithm = ANY(:algorithms))
        GROUP BY GROUPING SETS ((camera, algorithm, reason), (camera, algorithm))
    )
    SELECT camera, algorithm, reason,
           (SELECT sum(extract(epoch FROM upper(r) - lower(r)))::float8 / 3600 FROM unnest(ranges) r) AS hours
    FROM covered ORDER BY camera, algorithm, reason NULLS FIRST
""")  # the union of ranges, so that overlapping stretches count once


def list_events(
    connection: Connection,
    which: EventFilter,
    cursor: str | None = None,
    limit: int = 50,
    sight: Sight = EVERYTHING,
) -> Page:
    """Events by start, newest first.

    Args:
        sight: of the asker; evidence that they may not know of is left out.
        cursor: from the page before; an event that starts meanwhile moves nothing on the later pages.
        limit: 1..MAX_LIMIT.

    Raises:
        ConfigError: the cursor is none of ours.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    query = (
        select(events.c.position, events.c.state, events.c.started, events.c.id, sight.evidence.label("shown"))
        .where(sight.seen, *_conditions(which))
        .order_by(events.c.started.desc(), events.c.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        started, event_id = _decode_cursor(cursor)
        query = query.where(tuple_(events.c.started, events.c.id) < tuple_(literal(started), literal(event_id)))
    rows = connection.execute(query).all()
    items = tuple(
        EventSummary(position=row.position, event=_shown(Event.model_validate(row.state), row.shown))
        for row in rows[:limit]
    )
    more = _encode_cursor(rows[limit - 1].started, rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=items, cursor=more)


def get_event(connection: Connection, event_id: str, sight: Sight = EVERYTHING) -> EventDetail | None:
    """One event with all its transitions in order, and its evidence; None when there is none to be seen."""
    query = select(events.c.position, events.c.state, sight.evidence.label("shown"))
    row = connection.execute(query.where(events.c.id == event_id, sight.seen)).one_or_none()
    if row is None:
        return None
    transitions = _transitions(
        connection,
        _transition_query().where(event_transitions.c.event_id == event_id).order_by(event_transitions.c.seq),
    )
    pieces = select(evidence).where(evidence.c.event_id == event_id)
    found = connection.execute(pieces.order_by(evidence.c.seq, evidence.c.at, evidence.c.role)) if row.shown else None
    return EventDetail(
        position=row.position,
        event=_shown(Event.model_validate(row.state), row.shown),
        transitions=tuple(one.model_copy(update={"event": _shown(one.event, row.shown)}) for one in transitions),
        evidence=() if found is None else tuple(_evidence(piece) for piece in found.mappings()),
    )


def evidence_of(
    connection: Connection, ids: Collection[str], sight: Sight = EVERYTHING
) -> dict[str, tuple[EvidenceRow, ...]]:
    """The evidence of several events, by event, as far as the asker may know of it."""
    if not ids:
        return {}
    query = select(evidence).join(events, events.c.id == evidence.c.event_id)
    pieces = query.where(evidence.c.event_id.in_(ids), sight.evidence)
    found: dict[str, tuple[EvidenceRow, ...]] = defaultdict(tuple)
    for row in connection.execute(pieces.order_by(evidence.c.seq, evidence.c.at, evidence.c.role)).mappings():
        found[row["event_id"]] += (_evidence(row),)
    return found


def stored_keys(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Which of these evidence objects the object store is known to hold by now."""
    if not keys:
        return frozenset()
    query = select(evidence.c.key).where(evidence.c.key.in_(keys), evidence.c.stored).distinct()
    return frozenset(connection.execute(query).scalars())


def deleted_keys(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Of which of these evidence objects the bytes are gone by policy."""
    if not keys:
        return frozenset()
    query = select(evidence.c.key).where(evidence.c.key.in_(keys), evidence.c.deleted.is_not(None)).distinct()
    return frozenset(connection.execute(query).scalars())


def transitions_after(
    connection: Connection, position: int, limit: int = 500, sight: Sight = EVERYTHING
) -> tuple[tuple[TransitionRow, ...], int]:
    """Transitions committed after `position`, in commit order; how listeners catch up. `limit` 1..MAX_LIMIT.

    Returns:
        Those the asker may see, and the position up to which that is all.
    """
    newest = last_position(connection)
    t = event_transitions.c
    limit = max(1, min(limit, MAX_LIMIT))
    query = (
        _transition_query()
        .add_columns(sight.evidence.label("shown"))
        .join(events, events.c.id == t.event_id)
        .where(t.position > position, t.position <= newest, sight.seen)
        .order_by(t.position)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    found = tuple(_transition(row, row.shown) for row in rows)
    return found, found[-1].position if len(found) == limit else max(position, newest)


def last_position(connection: Connection) -> int:
    """Position of the newest transition; 0 when there is none."""
    newest: int = connection.execute(select(func.coalesce(func.max(event_transitions.c.position), 0))).scalar_one()
    return newest


def count_by(
    connection: Connection, dimension: Dimension, which: EventFilter, sight: Sight = EVERYTHING
) -> tuple[Count, ...]:
    """How many events have each value, most first; `day` and `hour` (of the start, UTC, ISO 8601) in time order."""
    value = _dimension(dimension)
    order: Sequence[Any] = (value,) if dimension in ("day", "hour") else (func.count().desc(), value)
    query = select(value.label("value"), func.count().label("events")).where(sight.seen, *_conditions(which))
    rows = connection.execute(query.group_by(value).order_by(*order))
    return tuple(Count(value=str(row.value), events=row.events) for row in rows)


def unwatched_hours(
    connection: Connection, since: float, until: float, cameras: Sequence[str] = (), algorithms: Sequence[str] = ()
) -> tuple[UnwatchedHours, ...]:
    """How long each rule of each camera did not watch between `since` and `until` (s since 1970 UTC).

    A stretch that is still going on counts up to `until`, or up to now when that is earlier. Stretches of a whole
    camera have the algorithm "*"; asking for `algorithms` takes those in.
    """
    rows = connection.execute(
        _UNWATCHED_HOURS,
        {
            "since": at(since),
            "until": min(at(until), datetime.now(UTC)),
            "cameras": list(cameras) or None,
            "algorithms": [*algorithms, "*"] if algorithms else None,
        },
    )
    totals: dict[tuple[str, str], float] = {}
    reasons: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for row in rows:
        rule = (row.camera, row.algorithm)
        if row.reason is None:
            totals[rule] = row.hours
        else:
            reasons[rule][row.reason] = row.hours
    return tuple(
        UnwatchedHours(camera=camera, algorithm=algorithm, hours=hours, by_reason=reasons[camera, algorithm])
        for (camera, algorithm), hours in totals.items()
    )


def unwatched_now(connection: Connection, cameras: Sequence[str] = ()) -> tuple[Unwatched, ...]:
    """Stretches that are still going on."""
    query = select(unwatched).where(unwatched.c.end.is_(None)).order_by(unwatched.c.start)
    if cameras:
        query = query.where(unwatched.c.camera.in_(cameras))
    return tuple(
        Unwatched(
            id=row["id"],
            camera=row["camera"],
            algorithm=row["algorithm"],
            reason=row["reason"],
            start_utc=row["start"].timestamp(),
        )
        for row in connection.execute(query).mappings()
    )


def worker_marks(connection: Connection) -> tuple[WorkerMark, ...]:
    """How far each worker's records are consumed."""
    rows = connection.execute(select(ingest_mark).order_by(ingest_mark.c.worker)).mappings()
    return tuple(
        WorkerMark(
            worker=row["worker"], epoch=row["epoch"], offset=row["offset"], updated_utc=row["updated"].timestamp()
        )
        for row in rows
    )


def rejected(connection: Connection, limit: int = 100) -> tuple[RejectedRow, ...]:
    """Records that could not be applied, newest first."""
    query = select(rejected_record).order_by(rejected_record.c.id.desc()).limit(max(1, min(limit, MAX_LIMIT)))
    return tuple(
        RejectedRow(
            worker=row["worker"],
            epoch=row["epoch"],
            offset=row["offset"],
            utc=row["at"].timestamp(),
            error=row["error"],
            raw=row["raw"].decode(errors="replace"),
        )
        for row in connection.execute(query).mappings()
    )


def _conditions(which: EventFilter) -> list[ColumnElement[bool]]:
    columns = {
        events.c.type: which.types,
        events.c.camera: which.cameras,
        events.c.department: which.departments,
        events.c.zone: which.zones,
        events.c.grid: which.grids,
        events.c.severity: which.severities,
    }
    conditions: list[ColumnElement[bool]] = [column.in_(values) for column, values in columns.items() if values]
    if which.state is not None:
        conditions.append(events.c.is_open if which.state == "open" else ~events.c.is_open)
    if which.judged is not None:
        judged = exists().where(event_verdicts.c.event_id == events.c.id).correlate(events)
        conditions.append(judged if which.judged else ~judged)
    if which.since is not None:
        conditions.append(events.c.started >= at(which.since))
    if which.until is not None:
        conditions.append(events.c.started < at(which.until))
    return conditions


def _dimension(dimension: Dimension) -> ColumnElement[Any]:
    if dimension == "state":
        return case((events.c.is_open, "open"), else_="closed")
    if dimension in ("day", "hour"):
        shape = "YYYY-MM-DD" if dimension == "day" else 'YYYY-MM-DD"T"HH24:00"Z"'
        return func.to_char(func.timezone("UTC", events.c.started), text(f"'{shape}'"))
    column: ColumnElement[Any] = events.c[dimension]
    return column


def _transition_query() -> Select[Any]:
    columns = event_transitions.c
    return select(columns.position, columns.received, columns.worker, columns.body)


def _transitions(connection: Connection, query: Select[Any]) -> tuple[TransitionRow, ...]:
    return tuple(_transition(row) for row in connection.execute(query))


def _transition(row: Row[Any], shown: bool = True) -> TransitionRow:
    return TransitionRow(
        position=row.position,
        received_utc=row.received.timestamp(),
        worker=row.worker,
        event=_shown(Event.model_validate(row.body), shown),
    )


def _shown(event: Event, evidence_too: bool) -> Event:
    """The event as the asker may know it."""
    return event if evidence_too else event.model_copy(update={"evidence": ()})


def _evidence(row: RowMapping) -> EvidenceRow:
    ref = EvidenceRef(
        role=row["role"],
        key=row["key"],
        sha256=row["sha256"],
        media_type=row["media_type"],
        size=row["size"],
        utc=row["at"].timestamp(),
        stored=row["stored"],
        derived=row["derived"],
    )
    deleted = row["deleted"]
    return EvidenceRow(seq=row["seq"], ref=ref, deleted_utc=None if deleted is None else deleted.timestamp())


def _encode_cursor(started: datetime, event_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([started.isoformat(), event_id]).encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        started, event_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(started), str(event_id)
    except (ValueError, TypeError) as error:
        raise ConfigError("the cursor is none of ours", "take it unchanged from the page before") from error
