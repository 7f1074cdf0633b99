"""Logging in and out, who is logged in, and changing the password."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response, status

from api.deps import SESSION_COOKIE, AnyUserDep, ConnectionDep, DoorsDep, TokenDep, client_address
from api.problems import Fault, Invalid, Problem
from api.schemas import LoginBody, Me, PasswordBody
from contracts.errors import ConfigError, NotAuthenticated
from governance import service
from governance.types import User

router = APIRouter(prefix="/api", tags=["account"])


def _me(user: User) -> Me:
    return Me(name=user.name, must_change_password=user.must_change_password)


@router.post("/login", responses={401: {"model": Problem}, 429: {"model": Problem}})
def login(body: LoginBody, request: Request, response: Response, doors: DoorsDep, connection: ConnectionDep) -> Me:
    """Logs in: sets the session cookie (HttpOnly, SameSite=Strict). Wrong passwords make the next try wait."""
    now = time.time()
    session = service.login(connection, body.name, body.password, now, address=client_address(request))
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=max(1, int(session.expires_utc - now)),
        httponly=True,
        samesite="strict",
        secure=doors.settings.cookie_secure,
        path="/",
    )
    return _me(session.user)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
def logout(response: Response, doors: DoorsDep, connection: ConnectionDep, token: TokenDep = None) -> None:
    """Ends the session; without one nothing happens."""
    if token:
        service.logout(connection, token)
    response.delete_cookie(
        SESSION_COOKIE, httponly=True, samesite="strict", secure=doors.settings.cookie_secure, path="/"
    )


@router.get("/me", responses={401: {"model": Problem}})
def me(user: AnyUserDep) -> Me:
    """Who is logged in."""
    return _me(user)


@router.post("/password", responses={401: {"model": Problem}, 422: {"model": Problem}, 429: {"model": Problem}})
def change_password(body: PasswordBody, connection: ConnectionDep, user: AnyUserDep) -> Me:
    """Changes the password and ends every other session of the account.

    A wrong old password answers 422 (field `old`), not 401: the session itself is fine.
    """
    try:
        service.change_password(connection, user, body.old, body.new, time.time())
    except NotAuthenticated as error:
        raise Invalid(error.message, error.fix, [Fault(field="old", message=error.message, fix=error.fix)]) from error
    except ConfigError as error:
        raise Invalid(error.message, error.fix, [Fault(field="new", message=error.message, fix=error.fix)]) from error
    return Me(name=user.name, must_change_password=False)
