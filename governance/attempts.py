"""Wrong attempts are counted, and after a few the next has to wait: for passwords and second factors alike."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.errors import TooManyAttempts
from governance import passwords
from governance.tables import login_failures
from store.database import at


def of_name(name: str) -> str:
    """What attempts on a password are counted by: a hash, because the name may be a mistyped password."""
    return _hash(name.strip().lower())


def of_factor(account: int) -> str:
    """What attempts on an account's second factor are counted by; no name can be this one, they are lower case."""
    return _hash(f"SECOND FACTOR OF {account}")


def take(connection: Connection, key: str, now: float, what: str) -> None:
    """Counts an attempt as wrong before it is checked, so that many at once cannot slip in under one count.

    In a transaction of its own, which the caller's roll-back does not undo; so none may follow on the same key
    after `forget` in one transaction.

    Args:
        key: by `of_name` or `of_factor`.
        now: s since 1970 UTC.
        what: what was wrong before, e.g. "passwords".

    Raises:
        TooManyAttempts: too soon after the last wrong one (`passwords.wait_s`).
    """
    counted = login_failures.c.name_hash == key
    with connection.engine.begin() as own:
        own.execute(delete(login_failures).where(login_failures.c.last < at(now - passwords.FORGET_AFTER_S)))
        # One statement makes the row or locks the one that is there: a login that succeeds meanwhile removes it.
        fresh = upsert(login_failures).values(name_hash=key, failures=0, last=at(now))
        locked = fresh.on_conflict_do_update(
            index_elements=["name_hash"], set_={"failures": login_failures.c.failures}
        ).returning(login_failures.c.failures, login_failures.c.last)
        row = own.execute(locked).one()
        wait = passwords.wait_s(row.failures)
        # Without a wait the clocks are not compared: `last` may lie a moment ahead, by rounding or another attempt.
        left = row.last.timestamp() + wait - now if wait > 0 else 0.0
        if left <= 0:
            own.execute(update(login_failures).where(counted).values(failures=row.failures + 1, last=at(now)))
            return
    raise TooManyAttempts(f"too many wrong {what}", left)


def forget(connection: Connection, key: str) -> None:
    """The attempt was right: none before it counts any more."""
    connection.execute(delete(login_failures).where(login_failures.c.name_hash == key))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
