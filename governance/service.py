"""Logging in and out. Every function works in the caller's transaction, except where a failure must outlive it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.errors import NotAuthenticated, TooManyAttempts
from governance import attempts, audit, passwords
from governance.logins import IDLE_S, SESSION_S, end_others, open_session, seen, token_hash
from governance.roles import Role
from governance.tables import sessions, user_totp, users
from governance.types import SecondFactor, Session, User
from store.database import at

ADMIN = "admin"

# Each check takes 64 MiB and tens of milliseconds; so many at once are what a flood of logins may cost.
_CHECKS = threading.BoundedSemaphore(4)
_WRONG = ("name or password is wrong", "try again")


def ensure_admin(connection: Connection) -> str | None:
    """Makes the account `admin` where there is no account at all.

    Returns:
        Its first password, to be shown once and changed at first use; None where accounts exist.
    """
    password = passwords.generate()
    values = {"name": ADMIN, "role": Role.ADMIN, "must_change_password": True}
    if connection.execute(select(users.c.id).limit(1)).first() is not None:
        return None
    row = upsert(users).values(**values, password_hash=passwords.hash_password(password))
    made = connection.execute(row.on_conflict_do_nothing().returning(users.c.id)).first()
    if made is None:  # another process was quicker
        return None
    audit.record(connection, "system", "account.created", {"account": ADMIN})
    return password


def reset_password(connection: Connection, name: str, who: str) -> str:
    """Gives an account a new first password, returned to be shown once, and ends its logins.

    Raises:
        NotAuthenticated: nobody has this name.
    """
    password = passwords.generate()
    change = update(users).where(users.c.name == _fold(name))
    values = {"password_hash": passwords.hash_password(password), "must_change_password": True}
    row = connection.execute(change.values(values).returning(users.c.id)).first()
    if row is None:
        raise NotAuthenticated(f"there is no account {name!r}", "`cityvision admin users` lists them")
    connection.execute(delete(sessions).where(sessions.c.user_id == row.id))
    attempts.forget(connection, attempts.of_name(name))
    audit.record(connection, who, "password.reset", {"account": _fold(name)})
    return password


def authenticate(connection: Connection, name: str, password: str, now: float) -> User:
    """The account of this name and password.

    Wrong passwords are counted by name, in a transaction of their own that the caller's roll-back does not undo;
    after a few, the next try has to wait, longer each time (`passwords.wait_s`).

    Args:
        now: s since 1970 UTC.

    Raises:
        NotAuthenticated: wrong.
        TooManyAttempts: too soon after the last wrong one, or too many logins at once.
    """
    with _one_of_few():
        attempts.take(connection, attempts.of_name(name), now, "passwords")
        row = connection.execute(select(users).where(users.c.name == _fold(name), users.c.disabled.is_(None))).first()
        if not passwords.matches(None if row is None else row.password_hash, password) or row is None:
            _record_failure(connection, name if row is not None else None, now)
            raise NotAuthenticated(*_WRONG)
        attempts.forget(connection, attempts.of_name(name))
        if passwords.outdated(row.password_hash):
            fresh = passwords.hash_password(password)
            connection.execute(update(users).where(users.c.id == row.id).values(password_hash=fresh))
    return User(row.id, row.name, Role(row.role), row.must_change_password, department=row.department)


def login(
    connection: Connection, name: str, password: str, now: float, *, address: str = "", lifetime_s: float = SESSION_S
) -> Session:
    """A new login; where the account has a second factor, half of one (`second_factor.finish_login`).

    Args:
        now: s since 1970 UTC.
        address: where the request came from, for the audit log.
        lifetime_s: the login ends after this long.

    Raises:
        NotAuthenticated, TooManyAttempts: see `authenticate`.
    """
    user = authenticate(connection, name, password, now)
    on = select(user_totp.c.user_id).where(user_totp.c.user_id == user.id, user_totp.c.confirmed.is_not(None))
    half = connection.execute(on).first() is not None
    session = open_session(connection, user, SecondFactor.DUE if half else SecondFactor.NONE, now, lifetime_s)
    audit.record(connection, user.name, "login.half" if half else "login.succeeded", {"address": address}, now)
    return session


def user_for(connection: Connection, token: str, now: float, idle_s: float = IDLE_S) -> User:
    """Who is logged in with this token, as a whole or by half; notes that the session is in use.

    Args:
        now: s since 1970 UTC.
        idle_s: a session that was not used for so long has ended.

    Raises:
        NotAuthenticated: unknown, ended, expired or not used for too long.
    """
    hashed = token_hash(token)
    query = (
        select(users, sessions.c.second_factor)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.token_hash == hashed, sessions.c.expires > at(now), sessions.c.last_seen > at(now - idle_s))
        .where(users.c.disabled.is_(None))
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotAuthenticated("the login has ended", "log in again")
    seen(connection, hashed, now)
    factor = SecondFactor(row.second_factor)
    return User(row.id, row.name, Role(row.role), row.must_change_password, hashed, factor, row.department)


def logout(connection: Connection, token: str) -> None:
    """Ends a login; an unknown or ended one is fine."""
    ended = connection.execute(
        delete(sessions).where(sessions.c.token_hash == token_hash(token)).returning(sessions.c.user_id)
    ).first()
    if ended is not None:
        name = connection.execute(select(users.c.name).where(users.c.id == ended.user_id)).scalar_one()
        audit.record(connection, name, "logout", {})


def change_password(connection: Connection, user: User, old: str, new: str, now: float | None = None) -> None:
    """Changes the password and ends every other login of the account (the present one goes on).

    Raises:
        NotAuthenticated: `old` is wrong (counted as at login).
        TooManyAttempts: see `authenticate`.
        ConfigError: `new` is too short, too simple, or the old one.
    """
    when = datetime.now(UTC).timestamp() if now is None else now
    authenticate(connection, user.name, old, when)
    passwords.require_good(user.name, old, new)
    values = {"password_hash": passwords.hash_password(new), "must_change_password": False}
    connection.execute(update(users).where(users.c.id == user.id).values(values))
    end_others(connection, user)
    audit.record(connection, user.name, "password.changed", {}, when)


def _record_failure(connection: Connection, name: str | None, now: float) -> None:
    """A name nobody has is not written down: it may be a password typed into the wrong field."""
    with connection.engine.begin() as own:
        audit.record(own, "nobody", "login.failed", {"account": None if name is None else _fold(name)}, now)


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _CHECKS.acquire(timeout=1.0):
        raise TooManyAttempts("too many logins at once", 1.0)
    try:
        yield
    finally:
        _CHECKS.release()


def _fold(name: str) -> str:
    return name.strip().lower()
