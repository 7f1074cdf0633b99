"""What is going on just now, by camera and type: for maps, which have no room for more."""

from __future__ import annotations

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from contracts.records import Contract, Severity
from events.queries import EVERYTHING, Sight
from events.tables import events

_SEVERITIES = list(Severity)  # the mildest first


class OpenEvents(Contract):
    """Open events of one type at one camera.

    Attributes:
        department: that owns the camera.
        severity: of the gravest of them.
        newest: id of the one that began last.
        since_utc: when the oldest of them began, s since 1970.
    """

    camera: str
    department: str
    type: str
    count: int
    severity: Severity
    newest: str
    since_utc: float


def open_by_camera(connection: Connection, sight: Sight = EVERYTHING) -> tuple[OpenEvents, ...]:
    """All open events that `sight` shows, by camera and type; the order says nothing."""
    c = events.c
    rank = case({one.value: place for place, one in enumerate(_SEVERITIES)}, value=c.severity, else_=0)
    ids = func.array_agg(aggregate_order_by(c.id, c.started.desc(), c.id.desc()))
    query = (
        select(c.camera, c.department, c.type, func.count(), func.max(rank), ids, func.min(c.started))
        .where(c.is_open, sight.seen)
        .group_by(c.camera, c.department, c.type)
    )
    return tuple(
        OpenEvents(
            camera=camera,
            department=department,
            type=type_,
            count=count,
            severity=_SEVERITIES[gravest],
            newest=known[0],
            since_utc=oldest.timestamp(),
        )
        for camera, department, type_, count, gravest, known, oldest in connection.execute(query)
    )
