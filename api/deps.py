"""What a door asks for by annotation: the shared parts, a database connection, and who is calling."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Cookie, Depends, Path, Request
from fastapi.requests import HTTPConnection
from sqlalchemy import Connection

from api.doors import Doors
from api.key_scopes import KEY_SCOPES
from api.pool_view import PoolView
from api.problems import (
    KeyNotTaken,
    PasswordChangeRequired,
    ScopeMissing,
    SecondFactorRequired,
    SecondFactorSetupRequired,
)
from cases.book import Book
from cases.queries import Sight
from contracts.errors import NotAuthenticated
from governance import access, api_keys
from governance import service as governance
from governance.access import Viewer
from governance.api_keys import Scope
from governance.roles import Right
from governance.types import SecondFactor, User

SESSION_COOKIE = "cityvision_session"


def get_doors(connection: HTTPConnection) -> Doors:
    doors: Doors = connection.app.state.doors
    return doors


DoorsDep = Annotated[Doors, Depends(get_doors)]


def get_connection(doors: DoorsDep) -> Iterator[Connection]:
    """One transaction a request: committed when the door returns, rolled back when it raises."""
    with doors.engine.begin() as connection:
        yield connection


ConnectionDep = Annotated[Connection, Depends(get_connection, scope="function")]


TokenDep = Annotated[str | None, Cookie(alias=SESSION_COOKIE, include_in_schema=False)]


def get_pool(doors: DoorsDep, connection: ConnectionDep) -> PoolView:
    """The current revision of the pool."""
    return doors.pool.view(connection)


PoolDep = Annotated[PoolView, Depends(get_pool)]


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller shows: a session's token, or an API key, which then counts alone.

    Attributes:
        scope: what a key must be good for at this door; None: the door takes none.
    """

    token: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    scope: Scope | None = None


def get_credential(request: Request, token: TokenDep = None) -> Credential:
    """What the request shows."""
    way, _, text = request.headers.get("authorization", "").partition(" ")
    if way.lower() != "bearer":
        return Credential(token)
    return Credential(key=text.strip(), scope=KEY_SCOPES.get(request.scope["route"].name))


CredentialDep = Annotated[Credential, Depends(get_credential)]


def get_session_user(doors: DoorsDep, connection: ConnectionDep, shown: CredentialDep) -> User:
    """Whoever has a session, also half a one that waits for its second factor, or a key that this door takes."""
    if shown.key is not None:
        return _key_user(connection, shown.key, shown.scope)
    if not shown.token:
        raise NotAuthenticated("nobody is logged in", "log in")
    return governance.user_for(connection, shown.token, time.time(), doors.settings.session_idle_s)


def _key_user(connection: Connection, text: str, scope: Scope | None) -> User:
    key = api_keys.holder(connection, text, time.time())
    if scope is None:
        raise KeyNotTaken("no API key opens this door", "log in")
    if scope not in key.scopes:
        raise ScopeMissing(f"this API key is not good for {scope}", "ask an administrator for one that is")
    return api_keys.user_of(key)


SessionUserDep = Annotated[User, Depends(get_session_user)]


def get_any_user(user: SessionUserDep) -> User:
    """Whoever is logged in, also with a password that must still be changed."""
    if user.second_factor is SecondFactor.DUE:
        raise SecondFactorRequired("the login waits for its second step", "send a code to /api/login/second-factor")
    return user


AnyUserDep = Annotated[User, Depends(get_any_user)]


def get_user(doors: DoorsDep, user: AnyUserDep) -> User:
    """Whoever is logged in and has a password of their own, and a second factor where the role must have one."""
    if user.must_change_password:
        raise PasswordChangeRequired("the first password must be changed", "change it, then go on")
    if doors.settings.asks_for_setup(user):
        raise SecondFactorSetupRequired("this role needs a second factor", "set it up, then go on")
    return user


UserDep = Annotated[User, Depends(get_user)]


def viewer_of(user: User) -> Viewer:
    """With whose eyes an account sees."""
    return Viewer(user.name, user.role, user.department)


class Allowed:
    """A dependency: the viewer, where their role has one of these rights; else 403. What they see of it is another
    question, asked in the query."""

    def __init__(self, *rights: Right) -> None:
        self._rights = rights

    def __call__(self, user: UserDep) -> Viewer:
        viewer = viewer_of(user)
        access.require(viewer, *self._rights)
        return viewer


ViewerDep = Annotated[Viewer, Depends(Allowed(*Right))]
SeerDep = Annotated[Viewer, Depends(Allowed(Right.SEE))]
CounterDep = Annotated[Viewer, Depends(Allowed(Right.SEE, Right.COUNT))]
OperatorDep = Annotated[Viewer, Depends(Allowed(Right.OPERATE))]
DrawerDep = Annotated[Viewer, Depends(Allowed(Right.ZONES))]
SubscriberDep = Annotated[Viewer, Depends(Allowed(Right.SUBSCRIBE))]
CaseworkerDep = Annotated[Viewer, Depends(Allowed(Right.DISPATCH, Right.HANDLE))]
DispatcherDep = Annotated[Viewer, Depends(Allowed(Right.DISPATCH))]
JudgeDep = Annotated[Viewer, Depends(Allowed(Right.JUDGE))]
LabelDep = Annotated[Viewer, Depends(Allowed(Right.LABEL))]
RegistryReaderDep = Annotated[Viewer, Depends(Allowed(Right.LABEL, Right.AUDIT))]
ShiftReaderDep = Annotated[Viewer, Depends(Allowed(Right.DISPATCH, Right.AUDIT))]
PeopleDep = Annotated[Viewer, Depends(Allowed(Right.PEOPLE))]
AuditorDep = Annotated[Viewer, Depends(Allowed(Right.AUDIT))]


def sight_of(connection: Connection, viewer: Viewer) -> Sight:
    """Which cases somebody may see: the centre all, a department its own and those it has."""
    if viewer.can(Right.DISPATCH):
        return Sight(everything=True)
    return Sight(departments=access.departments(connection, viewer) if viewer.can(Right.HANDLE) else ())


def get_sight(connection: ConnectionDep, viewer: CaseworkerDep) -> Sight:
    """For those who work on cases."""
    return sight_of(connection, viewer)


SightDep = Annotated[Sight, Depends(get_sight)]


Number = Annotated[int, Path(ge=1, le=2**62)]
"""The id of a row, in an address."""


def get_book(doors: DoorsDep) -> Book:
    """The rule book of cases."""
    return doors.book


BookDep = Annotated[Book, Depends(get_book)]


def check_session(doors: Doors, shown: Credential) -> User:
    """For connections that stay open: the same check as `get_user`, in a transaction of its own.

    Raises:
        NotAuthenticated, PasswordChangeRequired, SecondFactorRequired, SecondFactorSetupRequired, KeyNotTaken,
            ScopeMissing.
    """
    with doors.engine.begin() as connection:
        return get_user(doors, get_any_user(get_session_user(doors, connection, shown)))


def client_address(request: Request) -> str:
    return request.client.host if request.client else ""
