"""The audit log: append-only, each line bound to the one before it by a hash.

Changing or removing a line breaks the chain behind it. Cutting the newest lines off does not; that shows only
against a head (`head`) that was noted elsewhere, which is why `cityvision admin audit` prints it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, text

from contracts.errors import StoreError
from governance.tables import audit_log
from governance.types import AuditEntry

FIRST = "0" * 64
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
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    details = json.loads(json.dumps(dict(what), allow_nan=False))  # as the database will give it back
    digest = line_hash(previous, at, who, action, details)
    values = {"at": at, "who": who, "action": action, "what": details, "previous_hash": previous, "hash": digest}
    row_id = connection.execute(insert(audit_log).values(values).returning(audit_log.c.id)).scalar_one()
    return AuditEntry(row_id, at.timestamp(), who, action, details, digest)


def head(connection: Connection) -> tuple[int, str]:
    """Id and hash of the newest line; (0, 64 zeros) when there is none."""
    query = select(audit_log.c.id, audit_log.c.hash).order_by(audit_log.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return (row.id, row.hash) if row is not None else (0, FIRST)


def verify(connection: Connection) -> int:
    """Recomputes the whole chain; returns the number of lines.

    Raises:
        StoreError: names the first line that does not fit.
    """
    previous, count = FIRST, 0
    query = select(audit_log).order_by(audit_log.c.id).execution_options(yield_per=1000)
    for row in connection.execute(query):
        if row.previous_hash != previous or row.hash != line_hash(previous, row.at, row.who, row.action, row.what):
            raise StoreError(f"audit line {row.id} was changed, or lines before it were removed")
        previous = row.hash
        count += 1
    return count


def newest(connection: Connection, limit: int) -> Iterator[AuditEntry]:
    """The newest lines, newest first."""
    for row in connection.execute(select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)):
        yield AuditEntry(row.id, row.at.timestamp(), row.who, row.action, row.what, row.hash)
