"""Sessions: opened, kept alive by being used, ended by time or by disuse."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from governance.tables import sessions
from governance.types import SecondFactor, Session, User
from store.database import at

SESSION_S = 12 * 3600.0
"""A login ends after this long, however much it is used."""
IDLE_S = 2 * 3600.0
"""A login ends after this long without a request."""
HALF_S = 600.0
"""So long after the password the second factor may follow."""
_SEEN_EVERY_S = 60.0


def token_hash(token: str) -> str:
    """What is stored of a token: SHA-256, hex. Tokens are 256 random bits, so there is nothing to guess or to salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(
    connection: Connection, user: User, factor: SecondFactor, now: float, lifetime_s: float = SESSION_S
) -> Session:
    """A new session of `user`; one that waits for its second factor is short.

    Args:
        now: s since 1970 UTC.
        lifetime_s: it ends after this long.
    """
    token = secrets.token_urlsafe(32)
    hashed = token_hash(token)
    ends = at(now + (min(lifetime_s, HALF_S) if factor is SecondFactor.DUE else lifetime_s))
    connection.execute(delete(sessions).where(sessions.c.expires <= at(now)))
    values = {"token_hash": hashed, "user_id": user.id, "created": at(now), "last_seen": at(now), "expires": ends}
    connection.execute(insert(sessions).values(**values, second_factor=factor.value))
    return Session(token, replace(user, session=hashed, second_factor=factor), ends.timestamp())


def seen(connection: Connection, hashed: str, now: float) -> None:
    """Notes that a session is in use, at most once a minute.

    Where another request is just noting it, nothing waits for that one.
    """
    stale = (sessions.c.token_hash == hashed) & (sessions.c.last_seen < at(now - _SEEN_EVERY_S))
    free = select(sessions.c.token_hash).where(stale).with_for_update(skip_locked=True)
    connection.execute(
        update(sessions).where(sessions.c.token_hash.in_(free.scalar_subquery())).values(last_seen=at(now))
    )


def end_others(connection: Connection, user: User) -> None:
    """Ends every other session of the account; the present one goes on."""
    others = (sessions.c.user_id == user.id) & (sessions.c.token_hash != user.session)
    connection.execute(delete(sessions).where(others))
