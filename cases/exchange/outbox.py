"""What is to be told waits in rows that are written in the case's own transaction. All of it goes by the
database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from cases import store
from cases.exchange.mapping import Mapping
from cases.exchange.tables import exchange_cases, exchange_outbox
from cases.types import Case, Line
from contracts.errors import CityVisionError
from contracts.records import Contract

_O = exchange_outbox.c


class Waiting(NamedTuple):
    """The head of a case's queue; `key` names what is told, at every attempt the same. `again`: how often it was
    written anew, as one of the same revision."""

    case: int
    revision: int
    key: str
    body: dict[str, Any]
    attempts: int
    again: int


class Refused(Contract):
    """What the platform will not hear, and why.

    Attributes:
        utc: when it said so, s since 1970.
        superseded: the case has changed since, and that is told by a message of its own.
    """

    case: int
    revision: int
    error: str
    utc: float
    superseded: bool


class Outlook(Contract):
    """How the exchange goes.

    Attributes:
        waiting, told, refused: how many rows.
        oldest_utc: since when the oldest of those that wait does.
        error: of the newest attempt of it; "" where none was made.
        last_told_utc: when they took something last.
    """

    waiting: int = 0
    told: int = 0
    refused: int = 0
    oldest_utc: float | None = None
    error: str = ""
    last_told_utc: float | None = None
    turned_down: tuple[Refused, ...] = ()


def tell(connection: Connection, case: Case, line: Line, mapping: Mapping | None) -> None:
    """A line of a case's history is put on its way, where it is to be told."""
    if mapping is not None and mapping.wants(case.category, line):
        write(connection, case, line, mapping)


def write(connection: Connection, case: Case, line: Line, mapping: Mapping) -> None:
    """A row for the case as it stands; one that was told already is told once more, by a key of its own."""
    known = insert(exchange_cases).values(case_id=case.id).on_conflict_do_nothing()
    connection.execute(known)
    query = select(exchange_cases.c.seq).where(exchange_cases.c.case_id == case.id)
    body = mapping.told(case, line, connection.execute(query).scalar_one())
    fresh = {"body": body, "created": func.now(), "due": func.now()}
    row = insert(exchange_outbox).values(case_id=case.id, revision=case.revision, **fresh)
    again = {"again": _O.again + 1, "state": "waiting", "attempts": 0, "done": None, "error": ""}
    connection.execute(row.on_conflict_do_update(index_elements=[_O.case_id, _O.revision], set_=fresh | again))


def tell_again(connection: Connection, number: int, seq: int, mapping: Mapping) -> None:
    """They are told how a case stands.

    Args:
        seq: their count of changes of it: where they have lost it, it begins anew.

    Raises:
        CityVisionError: the mapping has no words for it.
    """
    found = store.read(connection, number, lock=True)
    assert found is not None
    if found.state.status not in mapping.statuses or found.category not in mapping.categories:
        raise CityVisionError(f"case {number}: the mapping has no word for {found.state.status}", "add it")
    mine = exchange_cases.c.case_id == number
    connection.execute(update(exchange_cases).where(mine).values(seq=seq))
    write(connection, found, store.lines(connection, number)[-1], mapping)


def retry(connection: Connection, number: int, mapping: Mapping) -> bool:
    """They are told how a case stands now, where the newest that they were told of it was refused; else False.

    Raises:
        CityVisionError: the mapping has no words for it.
    """
    mine = _O.case_id == number
    query = select(_O.state, exchange_cases.c.seq).join(exchange_cases, exchange_cases.c.case_id == _O.case_id)
    newest = connection.execute(query.where(mine).order_by(_O.revision.desc()).limit(1)).one_or_none()
    if newest is None or newest.state != "refused":
        return False
    tell_again(connection, number, newest.seq, mapping)
    return True


def heads(connection: Connection, limit: int) -> list[Waiting]:
    """What may be told now: of each case the oldest that waits, those that wait longest first."""
    first = (
        select(exchange_outbox)
        .where(_O.state == "waiting")
        .distinct(_O.case_id)
        .order_by(_O.case_id, _O.revision)
        .subquery()
    )
    query = select(first).where(first.c.due <= func.now()).order_by(first.c.created, first.c.case_id).limit(limit)
    return [_waiting(row) for row in connection.execute(query)]


def told(connection: Connection, one: Waiting, theirs: str) -> None:
    """They have it."""
    _end(connection, one, {"state": "told", "done": func.now(), "error": ""})
    if theirs:
        mine = exchange_cases.c.case_id == one.case
        connection.execute(update(exchange_cases).where(mine).values(theirs=theirs))


def refused(connection: Connection, one: Waiting, error: str) -> None:
    """They will not hear it; what comes behind it goes on."""
    _end(connection, one, {"state": "refused", "done": func.now(), "error": error})


def failed(connection: Connection, one: Waiting, error: str, wait_s: float) -> None:
    """It waits so long for another attempt, and what comes behind it waits too."""
    _end(connection, one, {"due": func.now() + timedelta(seconds=wait_s), "error": error})


def hasten(connection: Connection) -> None:
    """Whoever was away is there again: nothing waits any longer for its turn to be tried."""
    late = update(exchange_outbox).where(_O.state == "waiting", _O.due > func.now())
    connection.execute(late.values(due=func.now()))


def _end(connection: Connection, one: Waiting, values: dict[str, Any]) -> None:
    # What was written anew while this was on its way is still to be told.
    mine = (_O.case_id == one.case) & (_O.revision == one.revision) & (_O.again == one.again) & (_O.state == "waiting")
    connection.execute(update(exchange_outbox).where(mine).values(attempts=_O.attempts + 1, **values))


def moment(connection: Connection) -> float:
    """Now by the database's clock, which all of this goes by, s since 1970 UTC."""
    now: float = connection.execute(select(func.now())).scalar_one().timestamp()
    return now


def outlook(connection: Connection, shown: int = 20) -> Outlook:
    """How it goes, with the newest `shown` that were refused."""
    counts: dict[str, int] = {
        row[0]: row[1] for row in connection.execute(select(_O.state, func.count()).group_by(_O.state))
    }
    waits = select(_O.created, _O.error).where(_O.state == "waiting").order_by(_O.created, _O.case_id, _O.revision)
    oldest = connection.execute(waits.limit(1)).one_or_none()
    later = exchange_outbox.alias()
    superseded = exists().where(later.c.case_id == _O.case_id, later.c.revision > _O.revision).label("superseded")
    query = select(exchange_outbox, superseded).where(_O.state == "refused").order_by(_O.done.desc()).limit(shown)
    last = connection.execute(select(func.max(_O.done)).where(_O.state == "told")).scalar_one()
    turned_down: Sequence[Row[Any]] = connection.execute(query).all()
    return Outlook(
        waiting=counts.get("waiting", 0),
        told=counts.get("told", 0),
        refused=counts.get("refused", 0),
        oldest_utc=None if oldest is None else oldest.created.timestamp(),
        error="" if oldest is None else oldest.error,
        last_told_utc=None if last is None else last.timestamp(),
        turned_down=tuple(
            Refused(
                case=row.case_id,
                revision=row.revision,
                error=row.error,
                utc=row.done.timestamp(),
                superseded=row.superseded,
            )
            for row in turned_down
        ),
    )


def _waiting(row: Row[Any]) -> Waiting:
    key = f"{row.case_id}-{row.revision}" + (f"-{row.again}" if row.again else "")
    return Waiting(row.case_id, row.revision, key, row.body, row.attempts, row.again)
