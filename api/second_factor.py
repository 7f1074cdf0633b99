"""The second factor: the second step of a login, and setting it up, renewing recovery codes, switching it off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response, status

from api.account_schemas import CodeBody, EnrolBody, Enrolment, FactorBody, Me, RecoveryCodes, SecondFactorOut
from api.accounts import me_of, send_session
from api.deps import AnyUserDep, ConnectionDep, DoorsDep, SessionUserDep, client_address
from api.problems import Fault, Invalid, Problem
from contracts.errors import NotAuthenticated
from governance import second_factor
from governance.second_factor import WrongCode

router = APIRouter(prefix="/api", tags=["account"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (401, 422, 429)}


@contextmanager
def _told_by_field() -> Iterator[None]:
    """A wrong code or password answers 422 with its field, not 401: the session itself is fine."""
    try:
        yield
    except NotAuthenticated as error:
        wrong = "code" if isinstance(error, WrongCode) else "password"
        raise Invalid(error.message, error.fix, [Fault(field=wrong, message=error.message, fix=error.fix)]) from error


@router.post("/login/second-factor", responses=_REFUSED)
def finish_login(
    body: CodeBody,
    request: Request,
    response: Response,
    doors: DoorsDep,
    connection: ConnectionDep,
    user: SessionUserDep,
) -> Me:
    """The second step: a code by time or a recovery code. Sets a new session cookie; a code counts once."""
    now, rules = time.time(), doors.settings
    with _told_by_field():
        session = second_factor.finish_login(
            connection,
            user,
            body.code,
            doors.sealer,
            now,
            address=client_address(request),
            lifetime_s=rules.session_s,
        )
    send_session(response, session, rules, now)
    return me_of(session.user, rules)


@router.get("/second-factor", responses={401: {"model": Problem}})
def second_factor_state(doors: DoorsDep, connection: ConnectionDep, user: AnyUserDep) -> SecondFactorOut:
    """Whether it is on, since when, and how many recovery codes are left."""
    state = second_factor.state(connection, user.id)
    return SecondFactorOut(
        since_utc=state.since_utc,
        recovery_left=state.recovery_left,
        required=user.role in doors.settings.second_factor_roles,
    )


@router.post("/second-factor", responses=_REFUSED)
def enrol_second_factor(body: EnrolBody, doors: DoorsDep, connection: ConnectionDep, user: AnyUserDep) -> Enrolment:
    """A new secret with its QR code, shown this once. It is in force when a code has confirmed it."""
    with _told_by_field():
        made = second_factor.enrol(connection, user, body.password, doors.sealer, time.time())
    return Enrolment(secret=made.secret, uri=made.uri, picture=made.picture)


@router.post("/second-factor/confirm", responses=_REFUSED)
def confirm_second_factor(
    body: CodeBody, doors: DoorsDep, connection: ConnectionDep, user: AnyUserDep
) -> RecoveryCodes:
    """Puts it in force, ends every other session of the account, and shows the recovery codes, once."""
    with _told_by_field():
        return RecoveryCodes(codes=second_factor.confirm(connection, user, body.code, doors.sealer, time.time()))


@router.post("/second-factor/recovery-codes", responses=_REFUSED)
def renew_recovery_codes(
    body: FactorBody, doors: DoorsDep, connection: ConnectionDep, user: AnyUserDep
) -> RecoveryCodes:
    """Ten new recovery codes, shown once; the old ones are void."""
    with _told_by_field():
        codes = second_factor.renew_recovery(connection, user, body.password, body.code, doors.sealer, time.time())
    return RecoveryCodes(codes=codes)


@router.post("/second-factor/disable", status_code=status.HTTP_204_NO_CONTENT, responses=_REFUSED)
def disable_second_factor(body: FactorBody, doors: DoorsDep, connection: ConnectionDep, user: AnyUserDep) -> None:
    """Switches it off; needs the password and a code."""
    with _told_by_field():
        second_factor.disable(connection, user, body.password, body.code, doors.sealer, time.time())
