"""What was collected for a project, and what its random moments say of recall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, text, true

from algorithm_repo.collection.picture import about
from algorithm_repo.collection.recall import estimate
from algorithm_repo.collection.tables import collected_frames
from algorithm_repo.collection.types import Collected, CollectionPolicy, Known, Reason, RecallEstimate
from algorithm_repo.labelling.tables import label_answers, label_items
from algorithm_repo.labelling.types import ItemState, Project
from events.coverage import unwatched_by_window
from events.review import Kind
from events.tables import event_verdicts, events
from events.weather import Weather

_t, _i, _a, _e, _v = collected_frames.c, label_items.c, label_answers.c, events.c, event_verdicts.c
_STOOD = text("""
    SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 / 3600
    FROM (SELECT unnest(range_agg(tstzrange(greatest(started, :since), least(coalesce(ended, :until), :until)))) AS r
          FROM events
          WHERE type = :type AND camera = ANY(:cameras) AND started < :until AND coalesce(ended, :until) > :since
          GROUP BY camera) AS stood
""")


def collected(
    connection: Connection, project: int, policy: CollectionPolicy, cameras: Collection[str] | None
) -> Collected:
    """What was collected for a project, by reason, camera, hour and weather.

    Args:
        cameras: of these alone; None: of all.
    """
    hour = func.extract("hour", func.timezone(policy.timezone, _t.at))
    query = (
        select(_t.reason, _t.camera, hour.label("hour"), _t.weather, func.count(), func.count(_i.deleted))
        .join(label_items, _i.id == _t.item)
        .where(_t.project == project, _of(cameras))
        .group_by(_t.reason, _t.camera, hour, _t.weather)
    )
    reasons, places, hours, gone = Counter[Reason](), Counter[str](), Counter[int](), 0
    stood = Counter[Weather]()
    for reason, camera, at_hour, weather, count, deleted in connection.execute(query):
        reasons[Reason(reason)] += count
        places[camera] += count
        hours[int(at_hour)] += count
        if weather:
            stood[Weather(weather)] += count
        gone += deleted
    return Collected(
        total=reasons.total(),
        reasons=dict(reasons),
        cameras=dict(sorted(places.items())),
        hours=tuple(hours[one] for one in range(24)),
        weather=dict(stood),
        gone=gone,
    )


@dataclass(frozen=True, slots=True)
class _Random:
    """The random moments that two people agree on: where, when, and the classes that they saw there; and the time that
    all of them were drawn from."""

    moments: tuple[tuple[str, datetime, frozenset[str]], ...]
    cameras: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def hours(self) -> float:
        return len(self.cameras) * (self.until - self.since).total_seconds() / 3600


def recall(connection: Connection, project: Project, cameras: Collection[str] | None) -> list[RecallEstimate]:
    """The recall in production of each event type that a project asks of, in the time and at the cameras of its random
    moments; none before there are some.

    Args:
        cameras: of these alone: those of which whoever asks may see the whole; None: of all.
    """
    drawn = _drawn(connection, project.id, cameras)
    if drawn is None:
        return []
    return [estimate(_known(connection, drawn, kind)) for kind in sorted(about(project))]


def _drawn(connection: Connection, project: int, cameras: Collection[str] | None) -> _Random | None:
    mine = (_t.project == project, _t.reason == Reason.RANDOM.value, _t.item.is_not(None), _of(cameras))
    whole = connection.execute(
        select(func.min(_t.at), func.max(_t.at), func.array_agg(_t.camera.distinct())).where(*mine)
    ).one()
    if whole[0] is None:
        return None
    query = (
        select(_t.camera, _t.at, _a.labels)
        .join(label_items, _i.id == _t.item)
        .join(label_answers, _a.id == _i.final)
        .where(*mine, _i.state == ItemState.ACCEPTED.value)
    )
    labelled = (
        (row.camera, row.at, frozenset(one["label"] for one in row.labels)) for row in connection.execute(query)
    )
    return _Random(tuple(labelled), tuple(whole[2]), whole[0], whole[1])


def _known(connection: Connection, drawn: _Random, kind: str) -> Known:
    rows = _events(connection, drawn, kind)
    silent = [one for one in drawn.moments if not _stood(rows, one[0], one[1])]
    window = (drawn.since.timestamp(), drawn.until.timestamp())
    (dark,) = unwatched_by_window(connection, [window], drawn.cameras, [kind])
    bounds = {"since": drawn.since, "until": drawn.until, "type": kind, "cameras": list(drawn.cameras)}
    judged = [row.said for row in rows if row.said is not None]
    return Known(
        type=kind,
        moments=len(silent),
        missed=sum(kind in labels for _, _, labels in silent),
        events=len(rows),
        judged=len(judged),
        real=judged.count(Kind.REAL.value),
        watched_h=max(0.0, drawn.hours - sum(one.hours for one in dark)),
        alerted_h=connection.execute(_STOOD, bounds).scalar_one(),
    )


def _events(connection: Connection, drawn: _Random, kind: str) -> list[Row[Any]]:
    """Of the type in that time at those cameras, with what was said of them last: real or a false alarm."""
    said = (
        select(_v.kind)
        .where(_v.event_id == _e.id, _v.kind.in_([Kind.REAL.value, Kind.FALSE_ALARM.value]))
        .order_by(_v.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(_e.camera, _e.started, _e.ended, said.label("said")).where(
        _e.type == kind,
        _e.camera.in_(drawn.cameras),
        _e.started <= drawn.until,
        or_(_e.ended.is_(None), _e.ended > drawn.since),
    )
    return list(connection.execute(query))


def _stood(rows: Sequence[Row[Any]], camera: str, moment: datetime) -> bool:
    return any(
        row.camera == camera and row.started <= moment and (row.ended is None or row.ended > moment) for row in rows
    )


def _of(cameras: Collection[str] | None) -> ColumnElement[bool]:
    return true() if cameras is None else _t.camera.in_(cameras)
