"""How the place of a case looked when it began: events' evidence and cases meet here."""

from __future__ import annotations

from sqlalchemy import Connection, select

from cases.tables import case_decisions
from events.tables import evidence


def before(connection: Connection, number: int) -> str:
    """Key of the picture that decided the newest event behind a case, else of its first picture; "": none is kept."""
    e, d = evidence.c, case_decisions.c
    pictures = (
        select(e.key)
        .join(case_decisions, d.event_id == e.event_id)
        .where(d.case_id == number, e.media_type.startswith("image/"), e.deleted.is_(None))
        .order_by(d.at.desc(), (e.role == "decision").desc(), e.at)
        .limit(1)
    )
    return connection.execute(pictures).scalar_one_or_none() or ""
