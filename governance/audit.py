"""The audit log: append-only, each line bound to the one before it by a hash.

Changing or removing a line breaks the chain behind it. Cutting the newest lines off does not; that shows only
against a head (`head`) that was noted elsewhere, which is why `cityvision audit verify` prints it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from contracts.errors import StoreError
from governance.tables import audit_log
from governance.types import AuditEntry
from store.database import at

FIRST = "0" * 64
_EXPONENTS = 1e16  # floats from here on are written with one
_LOCK = 0x6376_6175  # "cvau": one writer at a time, so that the chain has one order


def line_hash(previous: str, at: datetime, who: str, action: str, what: Mapping[str, object]) -> str:
    """SHA-256 of a line, hex: over the canonical JSON of the hash before it and its own fields."""
    line = [previous, at.astimezone(UTC).isoformat(timespec="microseconds"), who, action, what]
    canonical = json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def record(
    connection: Connection, who: str, action: str, what: Mapping[str, object], now: float | None = None
) -> AuditEntry:
    """Appends one line in the caller's transaction: it stands exactly when what it tells of does.

    Args:
        who: name of the account, or of the part of the system that acts, e.g. "system".
        action: a verb with its room, e.g. "login.succeeded", "zone.changed".
        what: details as JSON values; no secrets, and whole numbers below 2**53.
        now: s since 1970 UTC; by default the present.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    previous = head(connection)[1]
    when = at(time.time() if now is None else now)
    # As the database will give it back.
    details = json.loads(json.dumps(dict(what), allow_nan=False), parse_float=_as_kept)
    digest = line_hash(previous, when, who, action, details)
    values = {"at": when, "who": who, "action": action, "what": details, "previous_hash": previous, "hash": digest}
    row_id = connection.execute(insert(audit_log).values(values).returning(audit_log.c.id)).scalar_one()
    return AuditEntry(row_id, when.timestamp(), who, action, details, digest)


def _as_kept(number: str) -> float | int:
    """A number as it comes out of a decimal, which has no negative zero and writes large ones without exponents."""
    value = float(number)
    if abs(value) >= _EXPONENTS:
        return int(Decimal(number))
    return value or 0.0


def head(connection: Connection) -> tuple[int, str]:
    """Id and hash of the newest line; (0, 64 zeros) when there is none."""
    query = select(audit_log.c.id, audit_log.c.hash).order_by(audit_log.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return (row.id, row.hash) if row is not None else (0, FIRST)


def verify(connection: Connection, noted: tuple[int, str] | None = None) -> int:
    """Recomputes the whole chain; returns the number of lines.

    Args:
        noted: number and hash of a head that was noted elsewhere; without one a cut end cannot be noticed.

    Raises:
        StoreError: names the first line that does not fit.
    """
    previous, count = FIRST, 0
    found = noted is None
    query = select(audit_log).order_by(audit_log.c.id).execution_options(yield_per=1000)
    for row in connection.execute(query):
        if row.previous_hash != previous or row.hash != line_hash(previous, row.at, row.who, row.action, row.what):
            raise StoreError(f"audit line {row.id} was changed, or lines before it were removed")
        previous = row.hash
        count += 1
        found = found or (row.id, row.hash) == noted
    if not found and noted is not None:
        raise StoreError(f"audit line {noted[0]} with the hash that was noted is not there: the end was cut off")
    return count


def listed(
    connection: Connection,
    *,
    who: str | None = None,
    action: str | None = None,
    since: float | None = None,
    until: float | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Lines that match, newest first.

    Args:
        action: or how it begins, where it ends with a dot.
        since, until: s since 1970 UTC; `until` is exclusive.
        before: only lines with a smaller number.
    """
    c = audit_log.c
    query = select(audit_log).order_by(c.id.desc()).limit(limit)
    if who is not None:
        query = query.where(c.who == who)
    if action is not None:
        query = query.where(
            c.action.startswith(action, autoescape=True) if action.endswith(".") else c.action == action
        )
    if since is not None:
        query = query.where(c.at >= at(since))
    if until is not None:
        query = query.where(c.at < at(until))
    if before is not None:
        query = query.where(c.id < before)
    return [_entry(row) for row in connection.execute(query)]


def line(connection: Connection, number: int) -> AuditEntry | None:
    """One line by its number; None where there is none."""
    row = connection.execute(select(audit_log).where(audit_log.c.id == number)).one_or_none()
    return None if row is None else _entry(row)


def about_event(connection: Connection, event: str, case: int | None = None) -> list[AuditEntry]:
    """Lines that speak of an event (and of its case), the oldest first: who read, exported or did what, and when."""
    what = audit_log.c.what
    about = what["event"].astext == event
    if case is not None:
        about |= what["case"].astext == str(case)
    query = select(audit_log).where(about).order_by(audit_log.c.id)
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.id, row.at.timestamp(), row.who, row.action, row.what, row.hash)
