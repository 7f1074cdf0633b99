"""Logging in by the organisation's identity provider (OpenID Connect)."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Cookie, Query, Request, status
from fastapi.responses import RedirectResponse

from api.account_schemas import OidcOut
from api.accounts import send_session
from api.deps import DoorsDep, client_address
from api.doors import Doors
from api.problems import NotFound, Problem
from governance import audit, oidc_accounts
from governance.oidc import ATTEMPT_S, OidcRefused, Provider

router = APIRouter(prefix="/api/oidc", tags=["account"])

_COOKIE = "cityvision_oidc"
_PATH = "/api/oidc"
Short = Annotated[str | None, Query(max_length=4096)]


def _provider(doors: Doors) -> Provider:
    if doors.oidc is None:
        raise NotFound("no identity provider is set")
    return doors.oidc


def _back(why: str) -> RedirectResponse:
    """To the login page, which says what happened; the browser came here by itself and shows no JSON."""
    return RedirectResponse(f"/?oidc={why}", status.HTTP_303_SEE_OTHER)


def _note(doors: Doors, provider: Provider, refused: OidcRefused, now: float) -> None:
    if refused.why == "expired":  # anybody can call up the address; nobody was named, and no code was asked about
        return
    told = {"by": provider.settings.issuer, "why": refused.why, "subject": refused.subject, "said": refused.message}
    with doors.engine.begin() as connection:
        audit.record(connection, "nobody", "login.failed", told, now)


@router.get("")
def oidc(doors: DoorsDep) -> OidcOut:
    """Whether logins by a provider are possible, and what to call it."""
    return OidcOut(label=None if doors.oidc is None else doors.oidc.settings.label)


@router.get(
    "/login",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    responses={404: {"model": Problem}},
)
def oidc_login(doors: DoorsDep) -> RedirectResponse:
    """Sends the browser to the provider, with a cookie that has to come back."""
    try:
        address, sealed = _provider(doors).begin(time.time())
    except OidcRefused as error:
        return _back(error.why)
    answer = RedirectResponse(address, status.HTTP_303_SEE_OTHER)
    # Lax, not Strict: the browser comes back from the provider's page.
    answer.set_cookie(
        _COOKIE,
        sealed,
        max_age=int(ATTEMPT_S),
        httponly=True,
        samesite="lax",
        secure=doors.settings.cookie_secure,
        path=_PATH,
    )
    return answer


@router.get(
    "/callback",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    responses={404: {"model": Problem}},
)
def oidc_callback(
    request: Request,
    doors: DoorsDep,
    code: Short = None,
    state: Short = None,
    sealed: Annotated[str | None, Cookie(alias=_COOKIE, include_in_schema=False)] = None,
) -> RedirectResponse:
    """Where the provider sends the browser back to. Logs in and goes on to the console; where nothing came of it, to
    the login page with `oidc=` cancelled, expired, invalid, unavailable, unknown or taken."""
    provider, now, rules = _provider(doors), time.time(), doors.settings
    try:
        person = provider.finish(sealed, state, code, now)  # before the transaction: the provider may take its time
        with doors.engine.begin() as connection:
            session = oidc_accounts.login(
                connection,
                person,
                provider.settings,
                now,
                address=client_address(request),
                lifetime_s=rules.session_s,
            )
    except OidcRefused as error:
        _note(doors, provider, error, now)
        answer = _back(error.why)
    else:
        answer = RedirectResponse("/", status.HTTP_303_SEE_OTHER)
        send_session(answer, session, rules, now)
    answer.delete_cookie(_COOKIE, path=_PATH, httponly=True, samesite="lax", secure=rules.cookie_secure)
    return answer
