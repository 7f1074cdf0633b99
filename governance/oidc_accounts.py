"""Whose account somebody is whom a provider vouches for. Nobody becomes somebody else by having the same name."""

from __future__ import annotations

import re
import secrets

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.errors import ConfigError, NotAuthenticated
from governance import audit, logins, passwords
from governance.oidc import OidcRefused, OidcSettings, Person
from governance.roles import Role
from governance.tables import oidc_identities, user_totp, users
from governance.types import SecondFactor, Session, User
from store.database import at

LEAST = Role.INVESTIGATOR
"""Of a new account, without a department: it sees nothing until an administrator gives it one."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


def login(
    connection: Connection,
    person: Person,
    settings: OidcSettings,
    now: float,
    *,
    address: str = "",
    lifetime_s: float = logins.SESSION_S,
) -> Session:
    """A session of the account that belongs to `person`; made at their first login where the settings say so.

    An account with a second factor of its own is asked for it as well.

    Args:
        now: s since 1970 UTC.

    Raises:
        OidcRefused: unknown (no account, and none is made), taken (somebody else has the name).
    """
    account = _bound(connection, settings.issuer, person.subject)
    if account is None:
        account = _make(connection, person, settings, now)
    this = (oidc_identities.c.issuer == settings.issuer) & (oidc_identities.c.subject == person.subject)
    connection.execute(update(oidc_identities).where(this).values(last_login=at(now)))
    on = select(user_totp.c.user_id).where(user_totp.c.user_id == account, user_totp.c.confirmed.is_not(None))
    half = connection.execute(on).first() is not None
    row = connection.execute(select(users).where(users.c.id == account, users.c.disabled.is_(None))).first()
    if row is None:
        raise OidcRefused("unknown", "the account is disabled", "ask an administrator", person.subject)
    user = User(row.id, row.name, Role(row.role), row.must_change_password, department=row.department)
    factor = SecondFactor.DUE if half else SecondFactor.PROVIDER
    session = logins.open_session(connection, user, factor, now, lifetime_s)
    told = {"address": address, "by": settings.issuer}
    audit.record(connection, user.name, "login.half" if half else "login.succeeded", told, now)
    return session


def _make(connection: Connection, person: Person, settings: OidcSettings, now: float) -> int:
    name = (person.name or "").strip().lower()
    if not settings.create_accounts:
        raise OidcRefused("unknown", "nobody here belongs to this login", "ask an administrator", person.subject)
    if not _NAME.fullmatch(name):
        raise OidcRefused("unknown", f"{settings.name_claim} is no name for an account", "", person.subject)
    # A password that nobody knows, hashed as all are: a login with it fails, and takes as long as any.
    hashed = passwords.hash_password(secrets.token_urlsafe(32))
    values = {"name": name, "role": LEAST.value, "password_hash": hashed, "must_change_password": False}
    made = connection.execute(upsert(users).values(values).on_conflict_do_nothing().returning(users.c.id)).first()
    if made is None:
        now_there = _bound(connection, settings.issuer, person.subject)
        if now_there is not None:  # the same person's other window was quicker
            return now_there
        message = f"there is an account {name!r} already"
        raise OidcRefused("taken", message, "an administrator can bind it to this login", person.subject)
    told = {"account": name, "role": LEAST.value, "by": settings.issuer, "subject": person.subject}
    audit.record(connection, "system", "account.created", told, now)
    _bind(connection, settings.issuer, person.subject, made.id, now)
    return int(made.id)


def bind(connection: Connection, name: str, issuer: str, subject: str, who: str, now: float) -> None:
    """From now on whoever the provider calls `subject` is the account `name`.

    Raises:
        NotAuthenticated: nobody has this name.
        ConfigError: the subject belongs to an account already.
    """
    row = connection.execute(select(users.c.id, users.c.name).where(users.c.name == name.strip().lower())).first()
    if row is None:
        raise NotAuthenticated(f"there is no account {name!r}", "`cityvision admin users` lists them")
    if _bound(connection, issuer, subject) is not None:
        raise ConfigError(f"{subject!r} belongs to an account already", "name another subject")
    _bind(connection, issuer, subject, row.id, now)
    audit.record(connection, who, "account.bound", {"account": row.name, "by": issuer, "subject": subject}, now)


def _bound(connection: Connection, issuer: str, subject: str) -> int | None:
    """Whose account it is."""
    this = (oidc_identities.c.issuer == issuer) & (oidc_identities.c.subject == subject)
    account: int | None = connection.execute(select(oidc_identities.c.user_id).where(this)).scalar()
    return account


def _bind(connection: Connection, issuer: str, subject: str, account: int, now: float) -> None:
    values = {"issuer": issuer, "subject": subject, "user_id": account, "created": at(now)}
    connection.execute(insert(oidc_identities).values(values))
