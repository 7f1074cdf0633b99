"""The cases that are open just now, with what a map needs of each."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from cases.queries import Sight
from cases.tables import cases
from cases.types import OPEN, Status
from contracts.records import Contract
from store.database import at

MOST = 5_000
"""How many are named at once: those due first."""


class OpenCase(Contract):
    """One of them; `camera` is "" where it was opened by hand without one, `department` owns it or took the report."""

    id: int
    category: str
    status: Status
    camera: str
    department: str
    address: str
    late: bool


def open_cases(connection: Connection, sight: Sight, now: float) -> tuple[tuple[OpenCase, ...], int]:
    """Open cases that `sight` shows, those due first first, at most `MOST`; and how many there are."""
    c = cases.c
    late = func.coalesce(c.due < at(now), False).label("late")
    which = (c.status.in_([status.value for status in OPEN]), sight.condition())
    query = select(c.id, c.category, c.status, c.camera, c.department, c.address, late).where(*which)
    rows = connection.execute(query.order_by(c.due.nulls_last(), c.id).limit(MOST)).all()
    total: int = len(rows)
    if total == MOST:
        total = connection.execute(select(func.count()).select_from(cases).where(*which)).scalar_one()
    found = tuple(
        OpenCase(
            id=row.id,
            category=row.category,
            status=Status(row.status),
            camera=row.camera,
            department=row.department,
            address=row.address,
            late=row.late,
        )
        for row in rows
    )
    return found, total
