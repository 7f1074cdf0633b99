"""A department asks for an algorithm on some of its cameras; the algorithm team says yes or no, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, insert, select, update

from algorithm_repo.gallery.tables import algorithm_requests as table
from contracts.errors import ConfigError

MOST = 200
Verdict = Literal["accepted", "refused"]


class AlgorithmRequest(BaseModel):
    """One request; times are s since 1970 UTC. `answer` is None while nobody has answered."""

    model_config = ConfigDict(frozen=True)

    id: int
    algorithm: str
    department: str
    cameras: tuple[str, ...]
    note: str
    who: str
    at_utc: float
    answer: Verdict | None
    answer_note: str
    answered_by: str | None
    answered_utc: float | None


def ask(
    connection: Connection, algorithm: str, department: str, cameras: Sequence[str], note: str, who: str, now: float
) -> AlgorithmRequest:
    """Enters a request."""
    values = {
        "algorithm": algorithm,
        "department": department,
        "cameras": list(cameras),
        "note": note,
        "who": who,
        "at": datetime.fromtimestamp(now, UTC),
    }
    return _request(connection.execute(insert(table).values(values).returning(table)).one())


def answered(connection: Connection, number: int, answer: Verdict, note: str, who: str, now: float) -> AlgorithmRequest:
    """Answers an open one.

    Raises:
        ConfigError: there is no such request, or it has been answered.
    """
    row = connection.execute(
        update(table)
        .where(table.c.id == number, table.c.answer.is_(None))
        .values(answer=answer, answer_note=note, answered_by=who, answered=datetime.fromtimestamp(now, UTC))
        .returning(table)
    ).one_or_none()
    if row is None:
        raise ConfigError(f"no request {number} waits for an answer", "reload the list")
    return _request(row)


def listed(connection: Connection, departments: Sequence[str] | None) -> list[AlgorithmRequest]:
    """The newest `MOST`, open ones first; of these departments, None: of all."""
    query = select(table).order_by(table.c.answer.is_not(None), table.c.id.desc()).limit(MOST)
    if departments is not None:
        query = query.where(table.c.department.in_(departments))
    return [_request(row) for row in connection.execute(query)]


def _request(row: Row[Any]) -> AlgorithmRequest:
    return AlgorithmRequest(
        id=row.id,
        algorithm=row.algorithm,
        department=row.department,
        cameras=tuple(row.cameras),
        note=row.note,
        who=row.who,
        at_utc=row.at.timestamp(),
        answer=row.answer,
        answer_note=row.answer_note,
        answered_by=row.answered_by,
        answered_utc=None if row.answered is None else row.answered.timestamp(),
    )
