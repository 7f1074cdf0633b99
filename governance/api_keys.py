"""Keys with which other systems call: each opens what its scopes name, until it expires or is revoked."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import NotAuthenticated
from contracts.records import Contract
from governance import audit
from governance.logins import token_hash
from governance.roles import Role
from governance.tables import api_keys
from governance.types import SecondFactor, User
from store.database import at

PREFIX = "cvk_"
DAY_S = 86_400.0
_SHOWN = len(PREFIX) + 6  # enough to tell keys apart; 220 of 256 bits stay unknown
_USED_EVERY_S = 60.0


class Scope(StrEnum):
    """What a key can be good for."""

    EVENTS_READ = "events:read"
    EVIDENCE_READ = "evidence:read"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    WEATHER_WRITE = "weather:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"


class NewKey(Contract):
    """A key to be made.

    Attributes:
        department: with whose eyes it sees; None: everybody's.
        days: how long it is good for.
    """

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")
    department: str | None = Field(None, min_length=1, max_length=64)
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    days: int = Field(365, ge=1, le=730)


class ApiKey(Contract):
    """A key as it stands; never the key itself.

    Attributes:
        start: its first characters, to tell it apart.
        owner: who made it.
        last_used_utc: to the minute.
    """

    id: int
    name: str
    department: str | None
    scopes: tuple[Scope, ...]
    start: str
    owner: str
    created_utc: float
    expires_utc: float
    last_used_utc: float | None
    revoked_utc: float | None
    revoked_by: str | None

    @property
    def caller(self) -> str:
        """Who acts, for the audit chain; no account can have this name, those hold no spaces."""
        return f"key {self.id} {self.name}"


def create(connection: Connection, wanted: NewKey, who: str, now: float) -> tuple[ApiKey, str]:
    """A new key, and its text, to be shown once.

    The key is 256 random bits, so its plain SHA-256 is kept: there is nothing that could be guessed faster than the
    key itself, and a slow hash made for passwords would cost every request its tens of milliseconds.

    Args:
        now: s since 1970 UTC.
    """
    text = PREFIX + secrets.token_urlsafe(32)
    values = {
        "name": wanted.name,
        "department": wanted.department,
        "scopes": sorted(set(wanted.scopes)),
        "start": text[:_SHOWN],
        "key_hash": token_hash(text),
        "owner": who,
        "created": at(now),
        "expires": at(now + wanted.days * DAY_S),
    }
    made = _key(connection.execute(insert(api_keys).values(values).returning(api_keys)).one())
    told = {"key": made.id, "name": made.name, "department": made.department, "scopes": list(made.scopes)}
    audit.record(connection, who, "api_key.created", told, now)
    return made, text


def listed(connection: Connection) -> list[ApiKey]:
    """Every key that ever was, the newest first."""
    return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.id.desc()))]


def revoke(connection: Connection, number: int, who: str, now: float) -> ApiKey | None:
    """Ends a key at once; one that has ended already stays as it was. None: there is no such key."""
    this = api_keys.c.id == number
    ended = update(api_keys).where(this, api_keys.c.revoked.is_(None)).values(revoked=at(now), revoked_by=who)
    if connection.execute(ended.returning(api_keys.c.id)).first() is not None:
        audit.record(connection, who, "api_key.revoked", {"key": number}, now)
    row = connection.execute(select(api_keys).where(this)).first()
    return None if row is None else _key(row)


def holder(connection: Connection, text: str, now: float) -> ApiKey:
    """The key with this text, which is in force; notes that it was used, at most once a minute.

    Raises:
        NotAuthenticated: unknown, expired or revoked.
    """
    query = select(api_keys).where(
        api_keys.c.key_hash == token_hash(text), api_keys.c.revoked.is_(None), api_keys.c.expires > at(now)
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotAuthenticated("the API key is not in force", "ask an administrator for a new one")
    if row.last_used is None or row.last_used < at(now - _USED_EVERY_S):
        free = select(api_keys.c.id).where(api_keys.c.id == row.id).with_for_update(skip_locked=True)
        connection.execute(update(api_keys).where(api_keys.c.id.in_(free.scalar_subquery())).values(last_used=at(now)))
    return _key(row)


def user_of(key: ApiKey) -> User:
    """The key as somebody who is logged in, with the eyes of its department: let in only where its scopes allow."""
    role = Role.ADMIN if key.department is None else Role.OPERATOR
    return User(0, key.caller, role, False, f"key {key.id}", SecondFactor.DONE, key.department)


def _key(row: Row[Any]) -> ApiKey:
    def seconds(name: str) -> float | None:
        moment = getattr(row, name)
        return None if moment is None else float(moment.timestamp())

    return ApiKey(
        id=row.id,
        name=row.name,
        department=row.department,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        start=row.start,
        owner=row.owner,
        created_utc=row.created.timestamp(),
        expires_utc=row.expires.timestamp(),
        last_used_utc=seconds("last_used"),
        revoked_utc=seconds("revoked"),
        revoked_by=row.revoked_by,
    )
