"""Accounts as an administrator keeps them: who there is, what for, and whether they may still come in.

Every function works in the caller's transaction; each change is a line of the audit chain.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.errors import ConfigError
from contracts.records import Contract
from governance import audit, passwords
from governance.roles import NEEDS_DEPARTMENT, Role
from governance.tables import department_paths, sessions, users

DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


class Account(Contract):
    """What an account is for.

    Attributes:
        display_name: what people call whoever has it; "": by the name they log in with; None: as it is.
        department: whose eyes it has; an administrator and an auditor have nobody's.
        disabled: nobody can log in with it.
    """

    role: Role
    department: str | None = Field(None, min_length=1, max_length=64)
    disabled: bool = False
    display_name: DisplayName | None = None


class NewPerson(Contract):
    """An account to be made."""

    name: str = Field(min_length=2, max_length=64, pattern=r"^[a-z0-9][a-z0-9._@-]*$", description="lower case")
    role: Role
    department: str | None = Field(None, min_length=1, max_length=64)
    display_name: DisplayName = ""


class Person(Account):
    """An account as it stands."""

    id: int
    name: str
    display_name: DisplayName
    must_change_password: bool
    created_utc: float


def people(connection: Connection) -> list[Person]:
    """Every account, by name."""
    return [_person(row) for row in connection.execute(select(users).order_by(users.c.name))]


def person(connection: Connection, name: str) -> Person | None:
    """One account."""
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    return None if row is None else _person(row)


def display_names(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """What those of these accounts are called that have a name besides that of their login."""
    query = select(users.c.name, users.c.display_name).where(users.c.name.in_(names), users.c.display_name != "")
    return {row.name: row.display_name for row in connection.execute(query)}


def create(connection: Connection, wanted: NewPerson, who: str) -> tuple[Person, str]:
    """A new account, and its first password, to be shown once.

    Raises:
        ConfigError: the name is taken, or the department does not fit the role.
    """
    _check(connection, wanted.role, wanted.department)
    password = passwords.generate()
    values = {
        "name": wanted.name,
        "role": wanted.role.value,
        "department": wanted.department,
        "password_hash": passwords.hash_password(password),
        "must_change_password": True,
        "display_name": wanted.display_name,
    }
    try:
        with connection.begin_nested():
            row = connection.execute(insert(users).values(values).returning(users)).one()
    except IntegrityError as error:
        raise ConfigError(f"name: there is an account {wanted.name!r} already", "take another name") from error
    told = {"account": wanted.name, "role": wanted.role.value, "department": wanted.department}
    audit.record(connection, who, "account.created", told)
    return _person(row), password


def change(connection: Connection, name: str, wanted: Account, who: str) -> Person | None:
    """Another role, department or display name, or whether it may come in; ends its logins, unless it is the display
    name alone that changes. None: nobody has this name.

    Raises:
        ConfigError: the department does not fit the role, or no administrator would be left.
    """
    before = connection.execute(select(users).where(users.c.name == name).with_for_update()).one_or_none()
    if before is None:
        return None
    _check(connection, wanted.role, wanted.department)
    if before.role == Role.ADMIN and (wanted.role is not Role.ADMIN or wanted.disabled):
        _require_another_admin(connection, before.id)
    since = func.coalesce(users.c.disabled, func.now()) if wanted.disabled else None
    values = {"role": wanted.role.value, "department": wanted.department, "disabled": since}
    values["display_name"] = before.display_name if wanted.display_name is None else wanted.display_name
    row = connection.execute(update(users).where(users.c.id == before.id).values(values).returning(users)).one()
    may = (wanted.role.value, wanted.department, wanted.disabled)
    if may != (before.role, before.department, before.disabled is not None):
        connection.execute(delete(sessions).where(sessions.c.user_id == before.id))
    told = {"account": name, "role": wanted.role.value, "department": wanted.department, "disabled": wanted.disabled}
    told["display_name"] = row.display_name
    audit.record(connection, who, "account.changed", told)
    return _person(row)


def _require_another_admin(connection: Connection, number: int) -> None:
    u = users.c
    # Locked, so that two administrators who end each other's accounts at the same moment do not both succeed.
    others = select(u.id).where(u.role == Role.ADMIN.value, u.id != number, u.disabled.is_(None)).with_for_update()
    if connection.execute(others).first() is None:
        raise ConfigError("role: no administrator would be left", "make another one first")


def _check(connection: Connection, role: Role, department: str | None) -> None:
    if role in NEEDS_DEPARTMENT and department is None:
        raise ConfigError(f"department: a {role} acts for a department", "name one of the pool")
    if role not in NEEDS_DEPARTMENT and department is not None:
        raise ConfigError(f"department: an {role} acts for none", "leave it out")
    known = select(department_paths.c.id).where(department_paths.c.id == department)
    if department is not None and connection.execute(known).first() is None:
        raise ConfigError(f"department: there is no {department!r}", "name one of the pool")


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        department=row.department,
        disabled=row.disabled is not None,
        display_name=row.display_name,
        must_change_password=row.must_change_password,
        created_utc=float(row.created.timestamp()),
    )
