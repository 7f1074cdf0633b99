"""Logging in and out, who is logged in, and changing the password."""

from __future__ import annotations

import time
from dataclasses import replace

from fastapi import APIRouter, Request, Response, status

from api.account_schemas import LoginBody, Me, PasswordBody
from api.deps import SESSION_COOKIE, AnyUserDep, ConnectionDep, DoorsDep, SessionUserDep, TokenDep, client_address
from api.problems import Fault, Invalid, Problem
from api.settings import ApiSettings
from contracts.errors import ConfigError, NotAuthenticated
from governance import service
from governance.roles import RIGHTS
from governance.types import Session, User

router = APIRouter(prefix="/api", tags=["account"])


def me_of(user: User, settings: ApiSettings) -> Me:
    """Who is logged in, what they may do, and what is still in the way."""
    return Me(
        name=user.name,
        role=user.role,
        department=user.department,
        rights=sorted(RIGHTS[user.role]),
        must_change_password=user.must_change_password,
        second_factor=user.second_factor,
        must_set_up_second_factor=settings.asks_for_setup(user),
    )


def send_session(response: Response, session: Session, settings: ApiSettings, now: float) -> None:
    """Puts a fresh session into its cookie: HttpOnly, SameSite=Strict.

    Args:
        now: s since 1970 UTC.
    """
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=max(1, int(session.expires_utc - now)),
        httponly=True,
        samesite="strict",
        secure=settings.cookie_secure,
        path="/",
    )


@router.post("/login", responses={401: {"model": Problem}, 429: {"model": Problem}})
def login(body: LoginBody, request: Request, response: Response, doors: DoorsDep, connection: ConnectionDep) -> Me:
    """Logs in: sets the session cookie (HttpOnly, SameSite=Strict). Wrong passwords make the next try wait.

    Where `second_factor` says `due`, it is half a login: `POST /api/login/second-factor` makes it whole.
    """
    now, rules = time.time(), doors.settings
    address = client_address(request)
    session = service.login(connection, body.name, body.password, now, address=address, lifetime_s=rules.session_s)
    send_session(response, session, rules, now)
    return me_of(session.user, rules)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
def logout(response: Response, doors: DoorsDep, connection: ConnectionDep, token: TokenDep = None) -> None:
    """Ends the session; without one nothing happens."""
    if token:
        service.logout(connection, token)
    response.delete_cookie(
        SESSION_COOKIE, httponly=True, samesite="strict", secure=doors.settings.cookie_secure, path="/"
    )


@router.get("/me", responses={401: {"model": Problem}})
def me(doors: DoorsDep, user: SessionUserDep) -> Me:
    """Who is logged in, as a whole or by half."""
    return me_of(user, doors.settings)


@router.post("/password", responses={401: {"model": Problem}, 422: {"model": Problem}, 429: {"model": Problem}})
def change_password(body: PasswordBody, doors: DoorsDep, connection: ConnectionDep, user: AnyUserDep) -> Me:
    """Changes the password and ends every other session of the account.

    A wrong old password answers 422 (field `old`), not 401: the session itself is fine.
    """
    try:
        service.change_password(connection, user, body.old, body.new, time.time())
    except NotAuthenticated as error:
        raise Invalid(error.message, error.fix, [Fault(field="old", message=error.message, fix=error.fix)]) from error
    except ConfigError as error:
        raise Invalid(error.message, error.fix, [Fault(field="new", message=error.message, fix=error.fix)]) from error
    return me_of(replace(user, must_change_password=False), doors.settings)
