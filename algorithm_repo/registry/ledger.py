"""The append-only ledger: each line bound to the one before it by a hash, in the transaction of what it tells of."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, text

from algorithm_repo.registry.tables import algorithm_ledger, algorithm_versions
from algorithm_repo.registry.types import Grounds, LedgerLine, Move, Office, Stage
from contracts.errors import StoreError
from governance.audit import FIRST, line_hash
from store.database import at

_LOCK = 0x6376_616C  # "cval": one writer at a time, so that the chain has one order
_l = algorithm_ledger.c


def lock(connection: Connection) -> None:
    """Until the end of the transaction nobody else moves a version."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def append(
    connection: Connection,
    version_id: int,
    move: Move,
    source: Stage | None,
    target: Stage,
    who: str,
    office: Office,
    grounds: Grounds,
    now: float | None = None,
) -> LedgerLine:
    """One more line; the caller holds `lock`.

    Args:
        now: s since 1970 UTC; by default the present, or the line's before where the clock was set back since.
    """
    newest = connection.execute(select(_l.number, _l.hash, _l.at).order_by(_l.number.desc()).limit(1)).first()
    number, previous = (newest.number + 1, newest.hash) if newest is not None else (1, FIRST)
    moment = at(time.time() if now is None else now)
    if now is None and newest is not None:
        moment = max(moment, newest.at)
    values: dict[str, Any] = {
        "number": number,
        "version_id": version_id,
        "at": moment,
        "move": move.value,
        "source": source.value if source is not None else None,
        "target": target.value,
        "who": who,
        "office": office.value,
        "grounds": grounds.model_dump(mode="json", exclude_none=True),
        "previous_hash": previous,
    }
    values["hash"] = _hash(values)
    row = connection.execute(insert(algorithm_ledger).values(values).returning(algorithm_ledger)).one()
    return _line(row)


def lines(connection: Connection, *where: ColumnElement[bool]) -> list[LedgerLine]:
    """Those that match, the oldest first."""
    query = select(algorithm_ledger).where(*where).order_by(_l.number)
    return [_line(row) for row in connection.execute(query)]


def of_version(connection: Connection, version_id: int) -> list[LedgerLine]:
    """All lines of one version, the oldest first."""
    return lines(connection, _l.version_id == version_id)


def newest(connection: Connection) -> int:
    """The number of the newest line; 0: there is none."""
    return int(connection.execute(select(func.coalesce(func.max(_l.number), 0))).scalar_one())


def of_versions(connection: Connection, ids: Sequence[int]) -> list[LedgerLine]:
    """All lines of these versions, the oldest first."""
    return lines(connection, _l.version_id.in_(ids))


def content_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 of a version as it was entered, in one form whatever the order of its keys."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def verify(connection: Connection) -> int:
    """Recomputes the whole chain, and holds every version against its lines; returns the number of lines.

    Raises:
        StoreError: names the first line that does not fit, or the first version that is not what its lines say.
    """
    previous, count = FIRST, 0
    for row in connection.execute(select(algorithm_ledger).order_by(_l.number)):
        if row.number != count + 1 or row.previous_hash != previous or row.hash != _hash(row._asdict()):
            raise StoreError(f"ledger line {row.number} was changed, or lines before it were removed")
        previous, count = row.hash, row.number
    _verify_versions(connection)
    return count


def _verify_versions(connection: Connection) -> None:
    told: dict[int, list[LedgerLine]] = {}
    for line in lines(connection):
        told.setdefault(line.version_id, []).append(line)
    for row in connection.execute(select(algorithm_versions).order_by(algorithm_versions.c.id)):
        mine = told.get(row.id, [])
        name = f"{row.algorithm} {row.version}"
        if len(mine) != row.moves or mine[-1].target != row.stage:
            raise StoreError(f"{name} is {row.stage} after {row.moves} moves, the ledger has {len(mine)} of them")
        entered = mine[0]
        same = (row.body["algorithm"], row.body["version"]) == (row.algorithm, row.version)
        if not same or entered.grounds.content not in (None, content_hash(row.body)) or entered.who != row.author:
            raise StoreError(f"{name} is not what was entered: its networks, settings or author were changed")


def _hash(row: dict[str, Any]) -> str:
    what = {key: row[key] for key in ("number", "version_id", "source", "target", "office", "grounds")}
    return line_hash(row["previous_hash"], row["at"], row["who"], row["move"], what)


def _line(row: Row[Any]) -> LedgerLine:
    return LedgerLine(
        number=row.number,
        version_id=row.version_id,
        move=Move(row.move),
        source=None if row.source is None else Stage(row.source),
        target=Stage(row.target),
        who=row.who,
        office=Office(row.office),
        utc=row.at.timestamp(),
        grounds=Grounds.model_validate(row.grounds),
        hash=row.hash,
    )
