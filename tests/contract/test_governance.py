"""Accounts, logins and the audit chain on a real Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from contracts.errors import ConfigError, NotAuthenticated, StoreError, TooManyAttempts
from governance import audit, logins, passwords, service
from governance.tables import audit_log, login_failures, sessions, users
from governance.types import Session

pytest_plugins = ["tests.embedded"]

NOW = 1_800_000_000.0
GOOD = "nine blue lanterns"


def _admin(engine: Engine) -> str:
    with engine.begin() as connection:
        password = service.ensure_admin(connection)
    assert password is not None
    return password


def _login(engine: Engine, password: str, now: float = NOW, name: str = "admin") -> Session:
    with engine.begin() as connection:
        return service.login(connection, name, password, now, address="10.0.0.7")


def _wrong(engine: Engine, now: float, name: str = "admin") -> str:
    with pytest.raises((NotAuthenticated, TooManyAttempts)) as caught:
        _login(engine, "not it, surely", now, name)
    return str(caught.value)


def test_the_first_admin_is_made_once(engine: Engine) -> None:
    password = _admin(engine)
    assert len(password) == 23
    with engine.begin() as connection:
        assert service.ensure_admin(connection) is None
        row = connection.execute(select(users)).one()
    assert row.password_hash.startswith("$argon2id$")
    assert password not in str(row)
    assert row.must_change_password


def test_two_starts_at_once_make_one_admin(engine: Engine) -> None:
    def make() -> str | None:
        with engine.begin() as connection:
            return service.ensure_admin(connection)

    with ThreadPoolExecutor(4) as threads:
        made = [password for password in threads.map(lambda _: make(), range(4)) if password]
    assert len(made) == 1
    assert _login(engine, made[0]).user.name == "admin"


def test_login_session_and_logout(engine: Engine) -> None:
    password = _admin(engine)
    session = _login(engine, password, name=" Admin ")
    assert session.expires_utc == NOW + logins.SESSION_S
    assert session.token not in repr(session)
    with engine.begin() as connection:
        assert connection.execute(select(sessions.c.token_hash)).scalar_one() != session.token
        user = service.user_for(connection, session.token, NOW + 60)
        assert (user.name, user.must_change_password) == ("admin", True)
        with pytest.raises(NotAuthenticated):
            service.user_for(connection, session.token, session.expires_utc)
        with pytest.raises(NotAuthenticated):
            service.user_for(connection, session.token + "x", NOW)
        service.logout(connection, session.token)
        service.logout(connection, session.token)
        with pytest.raises(NotAuthenticated):
            service.user_for(connection, session.token, NOW)


def test_a_login_ends_when_it_is_not_used(engine: Engine) -> None:
    session = _login(engine, _admin(engine))

    def use(at: float) -> str:
        with engine.begin() as connection:
            return service.user_for(connection, session.token, NOW + at, idle_s=600).name

    assert [use(at) for at in (30, 599, 1190)] == ["admin"] * 3  # each within ten minutes of the one before
    with pytest.raises(NotAuthenticated, match="has ended"):
        use(1190 + 601)
    with engine.begin() as connection:  # with a longer rule it is still there: nobody wrote to it in between
        assert service.user_for(connection, session.token, NOW + 1791, idle_s=602).name == "admin"


def test_use_is_noted_once_a_minute_and_waits_for_nobody(engine: Engine) -> None:
    session = _login(engine, _admin(engine))
    with engine.begin() as first:
        service.user_for(first, session.token, NOW + 59)
        assert first.execute(select(sessions.c.last_seen)).scalar_one().timestamp() == NOW
        service.user_for(first, session.token, NOW + 61)  # writes, and holds the row until it is through
        with engine.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '1ms'"))
            assert service.user_for(second, session.token, NOW + 62).name == "admin"
    with engine.begin() as connection:
        assert connection.execute(select(sessions.c.last_seen)).scalar_one().timestamp() == NOW + 61


def test_wrong_passwords_make_the_next_wait_longer_and_longer(engine: Engine) -> None:
    password = _admin(engine)
    for i in range(passwords.FREE_ATTEMPTS):
        assert "name or password is wrong" in _wrong(engine, NOW + i * 0.01)
    at = NOW + 0.05
    assert "try again in 1 s" in _wrong(engine, at)
    with pytest.raises(TooManyAttempts, match="too many wrong passwords") as caught:
        _login(engine, password, at)  # not even the right one, so that nobody learns by trying
    assert caught.value.retry_after_s == 1
    assert "wrong;" in _wrong(engine, at + 1.1)
    assert "try again in 2 s" in _wrong(engine, at + 1.2)
    session = _login(engine, password, at + 4)
    assert session.user.name == "admin"
    with engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(login_failures)).scalar_one() == 0


def test_a_right_password_is_taken_at_any_fraction_of_a_microsecond(engine: Engine) -> None:
    password = _admin(engine)
    for n in range(20):
        at = NOW + n * 0.000_000_37
        with engine.connect() as connection:  # the attempt stays counted: this login is never committed
            assert service.login(connection, "admin", password, at).user.name == "admin"
        with engine.begin() as connection:
            connection.execute(delete(login_failures))


def test_logins_at_once_within_the_free_attempts_are_all_taken(engine: Engine) -> None:
    password = _admin(engine)
    with ThreadPoolExecutor(4) as threads:  # each a little earlier than the one before
        found = list(threads.map(lambda n: _login(engine, password, NOW - 0.001 * n), range(4)))
    assert {session.user.name for session in found} == {"admin"}


def test_a_name_nobody_has_is_answered_alike_and_not_written_down(engine: Engine) -> None:
    _admin(engine)
    known = [_wrong(engine, NOW + i) for i in range(7)]
    unknown = [_wrong(engine, NOW + i, "my-password-typed-here") for i in range(7)]
    assert known == unknown
    with engine.begin() as connection:
        lines = connection.execute(text("SELECT string_agg(audit_log::text, '') FROM audit_log")).scalar_one()
        failures = connection.execute(text("SELECT string_agg(f::text, '') FROM login_failures f")).scalar_one()
    assert "my-password" not in lines + failures


def test_guesses_at_once_do_not_slip_in_under_one_count(engine: Engine) -> None:
    _admin(engine)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: _wrong(engine, NOW), range(12)))
    assert sum("name or password is wrong" in answer for answer in answers) <= passwords.FREE_ATTEMPTS


def test_changing_the_password_ends_the_other_logins(engine: Engine) -> None:
    password = _admin(engine)
    here, there = _login(engine, password), _login(engine, password, NOW + 1)
    with engine.begin() as connection:
        user = service.user_for(connection, here.token, NOW)
        service.change_password(connection, user, password, GOOD, NOW)
    with engine.begin() as connection:
        assert not service.user_for(connection, here.token, NOW).must_change_password
        with pytest.raises(NotAuthenticated):
            service.user_for(connection, there.token, NOW)
    assert "wrong" in _wrong(engine, NOW)
    assert not _login(engine, GOOD).user.must_change_password


@pytest.mark.parametrize("bad", ["short", "admin12345678", "aaaaaaaaaaaaaaaa", "x" * 2000])
def test_a_poor_new_password_is_refused(engine: Engine, bad: str) -> None:
    password = _admin(engine)
    session = _login(engine, password)
    with engine.begin() as connection, pytest.raises(ConfigError, match="the new password"):
        service.change_password(connection, session.user, password, bad, NOW)
    with engine.begin() as connection, pytest.raises(ConfigError, match="is the old one"):
        service.change_password(connection, session.user, password, password, NOW)
    with engine.begin() as connection, pytest.raises(NotAuthenticated):
        service.change_password(connection, session.user, "wrong old one", GOOD, NOW)


def test_resetting_gives_a_first_password_and_ends_logins(engine: Engine) -> None:
    session = _login(engine, _admin(engine))
    for i in range(5):
        _wrong(engine, NOW + i)
    with engine.begin() as connection:
        fresh = service.reset_password(connection, "admin", "root on the machine")
        with pytest.raises(NotAuthenticated):
            service.user_for(connection, session.token, NOW)
    assert _login(engine, fresh, NOW + 8).user.must_change_password
    with engine.begin() as connection, pytest.raises(NotAuthenticated, match="no account 'nobody'"):
        service.reset_password(connection, "nobody", "root")


def test_the_audit_chain_holds_and_tells_tampering(engine: Engine) -> None:
    with engine.begin() as connection:
        for i in range(5):
            audit.record(connection, "admin", "zone.changed", {"camera": "gate-1", "n": i, "名": "东门", "x": 0.1}, NOW)
    with engine.begin() as connection:
        assert audit.verify(connection) == 5
        assert [e.what["n"] for e in audit.listed(connection, limit=2)] == [4, 3]
        noted = audit.head(connection)
        assert audit.verify(connection, noted) == 5
        with pytest.raises(DBAPIError, match="can only grow"), connection.begin_nested():
            connection.execute(delete(audit_log))
        with pytest.raises(DBAPIError, match="can only grow"), connection.begin_nested():
            connection.execute(audit_log.update().values(who="nobody"))
        with pytest.raises(DBAPIError, match="can only grow"), connection.begin_nested():
            connection.execute(text("TRUNCATE audit_log"))
        connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE audit_log SET what = jsonb_set(what, '{n}', '7') WHERE id = 3"))
        with pytest.raises(StoreError, match="audit line 3 was changed"):
            audit.verify(connection)
        connection.execute(text("DELETE FROM audit_log WHERE id = 3"))
        with pytest.raises(StoreError, match="audit line 4 was changed, or lines before it were removed"):
            audit.verify(connection)
        connection.execute(text("DELETE FROM audit_log WHERE id > 2"))
        assert audit.verify(connection) == 2
        with pytest.raises(StoreError, match="the end was cut off"):
            audit.verify(connection, noted)


@pytest.mark.parametrize("number", [-0.0, 1e16, -2.5e300, 1.2345678901234567e20, 1e-7, 5e-324, 2**60, 0.1 + 0.2])
def test_the_chain_holds_whatever_number_a_line_tells(engine: Engine, number: float) -> None:
    """The database keeps numbers as decimals: it has no negative zero, and no exponents."""
    with engine.begin() as connection:
        audit.record(connection, "wang", "subscription.replayed", {"since": number, "list": [{"n": number}]}, NOW)
        audit.record(connection, "wang", "logout", {}, NOW)
    with engine.begin() as connection:
        assert audit.verify(connection) == 2
        assert float(str(audit.listed(connection)[1].what["since"])) == number


def test_audit_lines_of_many_writers_are_one_chain(engine: Engine) -> None:
    def write(i: int) -> None:
        with engine.begin() as connection:
            audit.record(connection, f"user-{i % 3}", "tested", {"i": i})

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(30)))
    with engine.begin() as connection:
        assert audit.verify(connection) == 30


def test_a_rolled_back_act_leaves_no_line(engine: Engine) -> None:
    def fail() -> None:
        with engine.begin() as connection:
            audit.record(connection, "admin", "never.happened", {})
            connection.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(ProgrammingError):
        fail()
    with engine.begin() as connection:
        assert audit.head(connection) == (0, audit.FIRST)
        connection.execute(insert(users).values(name="x", role="admin", password_hash="?", must_change_password=False))
        assert not passwords.matches("?", "anything")
