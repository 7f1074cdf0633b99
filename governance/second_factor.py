"""The second factor of an account: set up, asked for at login, switched off.

Every function works in the caller's transaction; wrong codes are counted in one of their own, which its roll-back
does not undo.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.errors import ConfigError, NotAuthenticated
from governance import attempts, audit, logins, service, totp
from governance.tables import recovery_codes, sessions, user_totp, users
from governance.types import SecondFactor, Session, User
from store.database import at
from store.sealing import Sealer


class WrongCode(NotAuthenticated):
    """The code is wrong, or it was used before."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs; shown once, until a code confirms it nothing is asked for.

    Attributes:
        secret: base32.
        uri: the same as otpauth URI.
        picture: the URI as QR code, SVG.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    picture: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FactorState:
    """How an account's second factor stands.

    Attributes:
        since_utc: when it was confirmed, s since 1970; None: it is off.
        recovery_left: recovery codes that were not used yet.
    """

    since_utc: float | None
    recovery_left: int


def state(connection: Connection, account: int) -> FactorState:
    """How the second factor of an account stands."""
    since = connection.execute(select(user_totp.c.confirmed).where(user_totp.c.user_id == account)).scalar()
    unused = (recovery_codes.c.user_id == account) & recovery_codes.c.used.is_(None)
    left = connection.execute(select(func.count()).select_from(recovery_codes).where(unused)).scalar_one()
    return FactorState(None if since is None else since.timestamp(), left)


def enrol(connection: Connection, user: User, password: str, sealer: Sealer, now: float) -> Enrolment:
    """A fresh secret, which `confirm` puts in force; one that was not confirmed is replaced.

    Raises:
        NotAuthenticated, TooManyAttempts: as at login, for the password.
        ConfigError: it is on already.
    """
    service.authenticate(connection, user.name, password, now)
    secret = totp.new_secret()
    values = {"secret": sealer.seal(secret, _about(user)), "created": at(now)}
    fresh = upsert(user_totp).values(user_id=user.id, **values)
    made = fresh.on_conflict_do_update(
        index_elements=["user_id"], set_=values, where=user_totp.c.confirmed.is_(None)
    ).returning(user_totp.c.user_id)
    if connection.execute(made).first() is None:
        raise ConfigError("the second factor is on already", "switch it off first")
    uri = totp.address(secret, user.name)
    return Enrolment(secret, uri, totp.picture(uri))


def confirm(connection: Connection, user: User, code: str, sealer: Sealer, now: float) -> list[str]:
    """Puts the secret in force, and ends every other session: they had a password alone.

    Returns:
        Recovery codes, to be shown once.

    Raises:
        WrongCode, TooManyAttempts: see `finish_login`.
        ConfigError: there is nothing to confirm.
    """
    waiting = (user_totp.c.user_id == user.id) & user_totp.c.confirmed.is_(None)
    if connection.execute(select(user_totp.c.user_id).where(waiting)).first() is None:
        raise ConfigError("no second factor waits to be confirmed", "begin with setting one up")
    _check(connection, user, code, sealer, now, by_time_alone=True)
    connection.execute(update(user_totp).where(user_totp.c.user_id == user.id).values(confirmed=at(now)))
    logins.end_others(connection, user)
    _mark(connection, user, SecondFactor.DONE)
    codes = _renew(connection, user)
    audit.record(connection, user.name, "second_factor.on", {}, now)
    return codes


def finish_login(
    connection: Connection,
    user: User,
    code: str,
    sealer: Sealer,
    now: float,
    *,
    address: str = "",
    lifetime_s: float = logins.SESSION_S,
) -> Session:
    """The second step of a login: a code by time or a recovery code makes a whole session of the half one.

    Raises:
        WrongCode: it is wrong, or it was used before (counted as wrong passwords are).
        TooManyAttempts: too soon after the last wrong one.
        ConfigError: this session waits for no second factor, or the secret cannot be opened any more.
    """
    if user.second_factor is not SecondFactor.DUE:
        raise ConfigError("this login is complete", "go on")
    way = _check(connection, user, code, sealer, now)
    # Another token than the half session's: who saw that one has nothing.
    connection.execute(delete(sessions).where(sessions.c.token_hash == user.session))
    session = logins.open_session(connection, user, SecondFactor.DONE, now, lifetime_s)
    audit.record(connection, user.name, "login.succeeded", {"address": address, "second_factor": way}, now)
    return session


def renew_recovery(
    connection: Connection, user: User, password: str, code: str, sealer: Sealer, now: float
) -> list[str]:
    """Ten new recovery codes instead of the old ones.

    Raises:
        NotAuthenticated, TooManyAttempts, WrongCode: password or code are wrong.
    """
    service.authenticate(connection, user.name, password, now)
    _check(connection, user, code, sealer, now)
    codes = _renew(connection, user)
    audit.record(connection, user.name, "second_factor.recovery_renewed", {}, now)
    return codes


def disable(connection: Connection, user: User, password: str, code: str, sealer: Sealer, now: float) -> None:
    """Switches it off, and ends every other session; the present one goes on.

    Raises:
        NotAuthenticated, TooManyAttempts, WrongCode: password or code are wrong.
    """
    service.authenticate(connection, user.name, password, now)
    _check(connection, user, code, sealer, now)
    _forget(connection, user.id)
    logins.end_others(connection, user)
    _mark(connection, user, SecondFactor.NONE)
    audit.record(connection, user.name, "second_factor.off", {}, now)


def reset(connection: Connection, name: str, who: str) -> bool:
    """Switches off the second factor of an account whose owner lost it, and ends its sessions.

    Returns:
        Whether there was one.

    Raises:
        NotAuthenticated: nobody has this name.
    """
    account = connection.execute(select(users.c.id, users.c.name).where(users.c.name == name.strip().lower())).first()
    if account is None:
        raise NotAuthenticated(f"there is no account {name!r}", "`cityvision admin users` lists them")
    if not _forget(connection, account.id):
        return False
    connection.execute(delete(sessions).where(sessions.c.user_id == account.id))
    attempts.forget(connection, attempts.of_factor(account.id))
    audit.record(connection, who, "second_factor.reset", {"account": account.name})
    return True


def _check(
    connection: Connection, user: User, code: str, sealer: Sealer, now: float, *, by_time_alone: bool = False
) -> str:
    """How the code was right: "totp" or "recovery"; it is used up by that."""
    attempts.take(connection, attempts.of_factor(user.id), now, "codes")
    given = "".join(code.split())
    if totp.is_code(given):
        right = _use_step(connection, user, given, sealer, now)
    else:
        right = not by_time_alone and _use_recovery(connection, user, given, now)
    if not right:
        with connection.engine.begin() as own:
            audit.record(own, user.name, "second_factor.failed", {}, now)
        raise WrongCode("the code is wrong, or it was used before", "wait for the next one")
    attempts.forget(connection, attempts.of_factor(user.id))
    return "totp" if totp.is_code(given) else "recovery"


def _use_step(connection: Connection, user: User, code: str, sealer: Sealer, now: float) -> bool:
    sealed = connection.execute(select(user_totp.c.secret).where(user_totp.c.user_id == user.id)).scalar()
    step = None if sealed is None else totp.step_of(sealer.open(sealed, _about(user)), code, now)
    if step is None:
        return False
    # A code counts once, and none before it counts again: of two requests at once the second finds it used.
    unused = or_(user_totp.c.last_step.is_(None), user_totp.c.last_step < step)
    use = update(user_totp).where(user_totp.c.user_id == user.id, unused).values(last_step=step)
    return connection.execute(use.returning(user_totp.c.user_id)).first() is not None


def _use_recovery(connection: Connection, user: User, code: str, now: float) -> bool:
    this = (recovery_codes.c.user_id == user.id) & (recovery_codes.c.code_hash == totp.recovery_hash(code))
    use = update(recovery_codes).where(this, recovery_codes.c.used.is_(None)).values(used=at(now))
    return connection.execute(use.returning(recovery_codes.c.user_id)).first() is not None


def _renew(connection: Connection, user: User) -> list[str]:
    codes = totp.new_recovery_codes()
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user.id))
    rows = [{"user_id": user.id, "code_hash": totp.recovery_hash(code)} for code in codes]
    connection.execute(insert(recovery_codes), rows)
    return codes


def _forget(connection: Connection, account: int) -> bool:
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == account))
    gone = delete(user_totp).where(user_totp.c.user_id == account).returning(user_totp.c.user_id)
    return connection.execute(gone).first() is not None


def _mark(connection: Connection, user: User, factor: SecondFactor) -> None:
    connection.execute(update(sessions).where(sessions.c.token_hash == user.session).values(second_factor=factor.value))


def _about(user: User) -> str:
    return f"second factor of account {user.id}"
