"""What evidence belongs to, as retention asks of it: what happened to it last, and which rule of a policy fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Table, and_, false, func, literal, not_, select, true
from sqlalchemy import case as sql_case

from cases.tables import case_decisions, cases
from cases.types import Status
from events.tables import event_verdicts, events, evidence, missed_frames
from governance import holds
from governance.custody import Piece


@dataclass(frozen=True, slots=True)
class Source:
    """One table of evidence, each row of which names an object of the store by `key`.

    Attributes:
        rows: with columns key, role, sha256, size, media_type, at and deleted.
        joined: `rows` with what the conditions below are about.
        type, outcome, verdict: what rules ask about.
        over: nothing goes on that the object belongs to.
        since: from when its days count.
        held: a legal hold stands on it.
        piece: whose evidence a row is.
    """

    rows: Table
    joined: FromClause
    type: ColumnElement[str]
    outcome: ColumnElement[str]
    verdict: ColumnElement[str]
    over: ColumnElement[bool]
    since: ColumnElement[Any]
    held: ColumnElement[bool]
    piece: Callable[[Row[Any]], Piece]


def _of_events() -> Source:
    """Pictures and clips of events: their case and what was said of them count too."""
    e, v, d, c = evidence.c, events.c, case_decisions.c, cases.c
    outcome = sql_case(
        (c.id.is_(None), "none"),
        (c.status.in_([Status.CLOSED.value, Status.RATED.value]), "closed"),
        (c.status == Status.VOID.value, "void"),
        else_="open",
    )
    judged: Any = (
        select(event_verdicts.c.kind, event_verdicts.c.at)
        .where(event_verdicts.c.event_id == e.event_id)
        .order_by(event_verdicts.c.id.desc())
        .limit(1)
        .lateral("judged")
    )
    joined = (
        evidence.join(events, v.id == e.event_id)
        .outerjoin(judged, true())
        .outerjoin(case_decisions, d.event_id == e.event_id)
        .outerjoin(cases, c.id == d.case_id)
    )
    return Source(
        rows=evidence,
        joined=joined,
        type=v.type,
        outcome=outcome,
        verdict=func.coalesce(judged.c.kind, "none"),
        over=and_(not_(v.is_open), outcome != "open"),
        since=func.greatest(v.updated, c.updated, judged.c.at),  # of those that are not null
        held=holds.held(e.event_id, d.case_id),
        piece=lambda row: Piece(row.event_id, row.sha256, row.role),
    )


def _of_misses() -> Source:
    """Pictures on which people drew what no event told: nothing comes after the verdict, and no hold stands on one."""
    v = event_verdicts.c
    return Source(
        rows=missed_frames,
        joined=missed_frames.join(event_verdicts, v.id == missed_frames.c.verdict_id),
        type=v.type,
        outcome=literal("none"),
        verdict=v.kind,
        over=true(),
        since=v.at,
        held=false(),
        piece=lambda row: Piece("", row.sha256, row.role, verdict_id=row.verdict_id),
    )


OF_EVENTS, OF_MISSES = _of_events(), _of_misses()
SOURCES = (OF_EVENTS, OF_MISSES)
