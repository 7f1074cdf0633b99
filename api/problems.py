"""Errors as `application/problem+json` (RFC 9457): what is wrong, and what to do about it.

One table maps the tree of `contracts.errors` to HTTP. The extension members are `code` (what a program switches
on), `fix` (one line for a person, may be empty) and `faults` (one entry per wrong field).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from cases.act import CannotAct
from cases.exchange.remote import PlatformAway
from contracts import errors
from pool.faults import PoolFaults

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_AWAY: tuple[type[DBAPIError], ...] = (OperationalError, InterfaceError)


class Fault(BaseModel):
    """One wrong field of a request."""

    field: str = Field(description="where, e.g. zones[0].polygon[3]")
    message: str
    fix: str = ""
    code: str = Field("", description="of the fault's kind, for programs, where its kinds are told apart")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="urn:cityvision:problem:<code>")
    title: str
    status: int
    detail: str
    code: str = Field(description="stable, for programs: stale_revision, password_change_required, …")
    fix: str = ""
    faults: list[Fault] = Field(default_factory=list)


class NotFound(errors.CityVisionError):
    """Nothing stands under this address (HTTP 404)."""


class Invalid(errors.CityVisionError):
    """The request was understood and is wrong; `faults` says where (HTTP 422)."""

    def __init__(self, message: str, fix: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, fix)
        self.faults = list(faults)


def wrong(field: str, message: str, fix: str) -> Invalid:
    """What is wrong with one field that the schema alone cannot tell."""
    return Invalid(f"{field}: {message}", fix, [Fault(field=field, message=message, fix=fix)])


class RevisionRequired(errors.CityVisionError):
    """An edit came without the revision it was made against (HTTP 428)."""


class CrossSite(errors.Forbidden):
    """An unsafe request came from another site's page (HTTP 403)."""


class PasswordChangeRequired(errors.Forbidden):
    """The first password is only good for changing it (HTTP 403)."""


class SecondFactorRequired(errors.Forbidden):
    """Half a login is only good for its second step (HTTP 403)."""


class SecondFactorSetupRequired(errors.Forbidden):
    """Who has this role must set up a second factor first (HTTP 403)."""


class KeyNotTaken(errors.Forbidden):
    """No API key opens this door (HTTP 403)."""


class ScopeMissing(errors.Forbidden):
    """The API key is in force, but not good for this (HTTP 403)."""


class EvidenceWaiting(errors.StoreError):
    """The bytes still wait in the worker's spool; the hash already binds (HTTP 404)."""


class EvidenceDeleted(errors.StoreError):
    """The bytes were deleted by policy, or are being; proof and custody log say which (HTTP 410)."""


class SnapshotGone(errors.CityVisionError):
    """The picture that something is said of was not shown to this person by this server, or too long ago (HTTP 410)."""


class MaskingFailed(errors.CityVisionError):
    """Faces and plates in it cannot be made unrecognisable, so it is not shown (HTTP 422)."""


class MaskingLater(errors.CityVisionError):
    """Masking took too long, or others wait; a later try may succeed (HTTP 503)."""


class ViewingCopyFailed(errors.CityVisionError):
    """No viewing copy can be made of this clip (HTTP 422)."""


class ViewingCopyLater(errors.CityVisionError):
    """Others are being made, or this one took too long; a later try may succeed (HTTP 503)."""


class NetworkRefused(Invalid):
    """A network from elsewhere did not pass its check; each fault has the code of its kind (HTTP 422)."""


class CannotTry(errors.CityVisionError):
    """Nothing can be tried on this picture or clip (HTTP 422)."""


class TryLater(errors.CityVisionError):
    """A trial took too long, or others wait; a later one may succeed (HTTP 503)."""


STATUS: dict[type[Exception], int] = {
    errors.NotAuthenticated: 401,
    errors.TooManyAttempts: 429,
    errors.Forbidden: 403,
    errors.ConfigError: 422,
    errors.StaleRevision: 409,
    errors.ObjectMissing: 404,
    errors.ObjectsUnavailable: 503,
    errors.BusUnavailable: 503,
    errors.DatabaseUnavailable: 503,
    CannotAct: 422,
    PlatformAway: 503,
    NotFound: 404,
    Invalid: 422,
    RevisionRequired: 428,
    EvidenceWaiting: 404,
    EvidenceDeleted: 410,
    SnapshotGone: 410,
    MaskingFailed: 422,
    MaskingLater: 503,
    ViewingCopyFailed: 422,
    ViewingCopyLater: 503,
    CannotTry: 422,
    TryLater: 503,
}

_TITLES = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Changed by somebody else",
    410: "Gone",
    413: "Too large",
    416: "Range not satisfiable",
    422: "Not valid",
    428: "Revision required",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
}


def code_of(error: type[Exception]) -> str:
    """The class's name as the code a program switches on: StaleRevision → stale_revision."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).lower()


def status_of(error: Exception) -> int:
    """HTTP status of an error of our tree; the nearest ancestor in the table decides, else 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def problem(
    status: int,
    code: str,
    detail: str,
    fix: str = "",
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The response for one problem."""
    body = Problem(
        type=f"urn:cityvision:problem:{code}",
        title=_TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
        fix=fix,
        faults=list(faults),
    )
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def field_path(location: Sequence[int | str]) -> str:
    """("zones", 0, "polygon", 3) → zones[0].polygon[3]."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def faults_of(details: Sequence[Any], prefix: tuple[int | str, ...] = ()) -> list[Fault]:
    """Pydantic's error list as faults; the values themselves are left out, they may be secrets."""
    faults = []
    for detail in details:
        location = detail["loc"]
        if location and location[0] in ("body", "query", "path", "header", "cookie"):
            location = location[1:]
        message, _, fix = str(detail["msg"]).removeprefix("Value error, ").partition("; ")
        faults.append(Fault(field=field_path((*prefix, *location)) or "body", message=message, fix=fix))
    return faults


def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.CityVisionError)
    status = status_of(error)
    if status >= 500:
        log.warning("%s %s: %s", request.method, request.url.path, error)
    faults: Sequence[Fault] = ()
    if isinstance(error, Invalid):
        faults = error.faults
    elif isinstance(error, PoolFaults):
        faults = [Fault(field=fault.path, message=fault.what, fix=fault.fix) for fault in error.faults]
    headers = None
    if isinstance(error, errors.TooManyAttempts):
        headers = {"Retry-After": str(error.retry_after_s)}
    return problem(status, code_of(type(error)), error.message, error.fix, faults, headers)


def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = faults_of(error.errors())
    first = f"{faults[0].field}: {faults[0].message}" if faults else "the request is not valid"
    return problem(422, "invalid", first, faults[0].fix if faults else "", faults)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, f"http_{error.status_code}")
    return problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


def _database_away(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s %s: database: %s", request.method, request.url.path, type(error).__name__)
    return problem(503, "database_unavailable", "the database does not answer", "try again in a moment")


def install(app: FastAPI) -> None:
    """Registers the handlers on `app`."""
    app.add_exception_handler(errors.CityVisionError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for kind in (*_AWAY, PoolTimeout):
        app.add_exception_handler(kind, _database_away)
