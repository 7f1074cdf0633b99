"""The second factor on a real Postgres, and through the real server's doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pyotp
import pytest
from sqlalchemy import Engine, select, text

from contracts.errors import ConfigError, NotAuthenticated, TooManyAttempts
from governance import audit, second_factor, service, totp
from governance.roles import Role
from governance.second_factor import WrongCode
from governance.tables import sessions, user_totp
from governance.types import SecondFactor, Session, User
from store.bus import Bus
from store.sealing import Sealer
from store.valkey import EmbeddedValkey
from tests.contract.test_api_doors import log_in
from tests.e2e import console_city
from tests.e2e.console_city import PASSWORD, City

pytest_plugins = ["tests.embedded"]

NOW = 1_800_000_000.0
SEALER = Sealer("a key for this test alone")


@pytest.fixture
def password(engine: Engine) -> str:
    with engine.begin() as connection:
        made = service.ensure_admin(connection)
    assert made is not None
    return made


def log_in_half(engine: Engine, password: str, at: float = NOW) -> Session:
    with engine.begin() as connection:
        return service.login(connection, "admin", password, at)


def finish(engine: Engine, user: User, code: str, at: float = NOW) -> Session:
    with engine.begin() as connection:
        return second_factor.finish_login(connection, user, code, SEALER, at)


@pytest.fixture
def factor(engine: Engine, password: str) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator that knows the secret of `admin`, and the recovery codes; confirmed a minute ago."""
    user = log_in_half(engine, password, NOW - 60).user
    with engine.begin() as connection:
        made = second_factor.enrol(connection, user, password, SEALER, NOW - 60)
    app = pyotp.parse_uri(made.uri)
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == made.secret
    with engine.begin() as connection:
        codes = second_factor.confirm(connection, user, app.at(int(NOW - 60)), SEALER, NOW - 60)
    return app, codes


def test_the_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # appendix B, SHA-1; the last six of its eight digits
    for at, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert totp.step_of(secret, code, at) == at // 30
        assert totp.step_of(secret, code, at + 30) == at // 30
        assert totp.step_of(secret, code, at + 90) is None
    assert totp.step_of(secret, "２８７０８２", 59) is None


def test_the_picture_is_a_drawing_and_nothing_else() -> None:
    root = ElementTree.fromstring(totp.picture(totp.address(totp.new_secret(), "wang")))
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "path", "g"}


def test_a_login_takes_two_steps(engine: Engine, password: str, factor: tuple[pyotp.TOTP, list[str]]) -> None:
    app, codes = factor
    assert len(set(codes)) == totp.RECOVERY_CODES
    half = log_in_half(engine, password)
    assert half.user.second_factor is SecondFactor.DUE
    assert half.expires_utc <= NOW + 600
    whole = finish(engine, half.user, f" {app.at(int(NOW))[:3]} {app.at(int(NOW))[3:]} ")
    assert whole.expires_utc == NOW + 12 * 3600
    with engine.begin() as connection:
        assert service.user_for(connection, whole.token, NOW).second_factor is SecondFactor.DONE
        with pytest.raises(NotAuthenticated):  # the half session's token is good for nothing now
            service.user_for(connection, half.token, NOW)
        with pytest.raises(ConfigError, match="is complete"):
            second_factor.finish_login(connection, whole.user, app.at(int(NOW)), SEALER, NOW)
        assert [(e.action, e.what) for e in audit.listed(connection, limit=2)] == [
            ("login.succeeded", {"address": "", "second_factor": "totp"}),
            ("login.half", {"address": ""}),
        ]


def test_what_is_kept_does_not_give_the_secret_away(engine: Engine, factor: tuple[pyotp.TOTP, list[str]]) -> None:
    app, codes = factor
    with engine.begin() as connection:
        sealed = connection.execute(select(user_totp.c.secret)).scalar_one()
        kept = connection.execute(text("SELECT string_agg(r::text, '') FROM recovery_codes r")).scalar_one()
        lines = connection.execute(text("SELECT string_agg(a::text, '') FROM audit_log a")).scalar_one()
    assert app.secret not in sealed + lines
    assert not any(code in kept + lines or code.replace("-", "") in kept for code in codes)
    with pytest.raises(ConfigError, match="cannot be opened"):
        SEALER.open(sealed, "second factor of account 2")  # moved to another account's row


def test_a_code_counts_once(engine: Engine, password: str, factor: tuple[pyotp.TOTP, list[str]]) -> None:
    app, _ = factor
    code = app.at(int(NOW))
    halves = [log_in_half(engine, password) for _ in range(4)]

    def attempt(half: Session) -> str:
        try:
            return finish(engine, half.user, code).user.second_factor
        except WrongCode:
            return "refused"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(attempt, halves)) == ["done", "refused", "refused", "refused"]
    late = log_in_half(engine, password, NOW + 5)
    with pytest.raises(WrongCode):  # nor does an older one that was never used
        finish(engine, late.user, app.at(int(NOW - 30)), NOW + 5)
    assert finish(engine, late.user, app.at(int(NOW + 30)), NOW + 30).user.name == "admin"


def test_wrong_codes_make_the_next_wait(engine: Engine, password: str, factor: tuple[pyotp.TOTP, list[str]]) -> None:
    app, _ = factor
    wrong = "000000" if totp.step_of(app.secret, "000000", NOW) is None else "000001"
    half = log_in_half(engine, password)
    for _ in range(5):
        with pytest.raises(WrongCode):
            finish(engine, half.user, wrong)
    again = log_in_half(engine, password)  # the right password does not forget them
    with pytest.raises(TooManyAttempts, match="too many wrong codes"):
        finish(engine, again.user, app.at(int(NOW)))
    assert finish(engine, again.user, app.at(int(NOW + 2)), NOW + 2).user.name == "admin"
    with engine.begin() as connection:
        assert [e.action for e in audit.listed(connection, limit=8)].count("second_factor.failed") == 5


def test_each_recovery_code_is_good_for_one_login(
    engine: Engine, password: str, factor: tuple[pyotp.TOTP, list[str]]
) -> None:
    _, codes = factor
    half = log_in_half(engine, password)
    assert finish(engine, half.user, codes[3].upper().replace("-", " ")).user.name == "admin"
    again = log_in_half(engine, password)
    with pytest.raises(WrongCode):
        finish(engine, again.user, codes[3])
    with engine.begin() as connection:
        assert second_factor.state(connection, half.user.id).recovery_left == 9
        fresh = second_factor.renew_recovery(connection, half.user, password, codes[4], SEALER, NOW + 2)
    with pytest.raises(WrongCode):
        finish(engine, again.user, codes[5], NOW + 3)
    assert finish(engine, again.user, fresh[0], NOW + 4).user.name == "admin"


def test_setting_up_ends_other_sessions_and_needs_the_password(engine: Engine, password: str) -> None:
    here, there = log_in_half(engine, password), log_in_half(engine, password)
    with engine.begin() as connection, pytest.raises(NotAuthenticated):
        second_factor.enrol(connection, here.user, "not it", SEALER, NOW)
    with engine.begin() as connection, pytest.raises(ConfigError, match="waits to be confirmed"):
        second_factor.confirm(connection, here.user, "123456", SEALER, NOW)
    with engine.begin() as connection:
        first = second_factor.enrol(connection, here.user, password, SEALER, NOW)
    with engine.begin() as connection:
        second = second_factor.enrol(connection, here.user, password, SEALER, NOW)
    with engine.begin() as connection, pytest.raises(WrongCode):  # replaced before it was confirmed
        second_factor.confirm(connection, here.user, pyotp.TOTP(first.secret).at(int(NOW)), SEALER, NOW)
    assert log_in_half(engine, password).user.second_factor is SecondFactor.NONE  # not in force yet
    with engine.begin() as connection:
        second_factor.confirm(connection, here.user, pyotp.TOTP(second.secret).at(int(NOW)), SEALER, NOW)
        assert service.user_for(connection, here.token, NOW).second_factor is SecondFactor.DONE
        with pytest.raises(NotAuthenticated):
            service.user_for(connection, there.token, NOW)
    with engine.begin() as connection, pytest.raises(ConfigError, match="on already"):
        second_factor.enrol(connection, here.user, password, SEALER, NOW)


def test_switching_off_needs_password_and_code(
    engine: Engine, password: str, factor: tuple[pyotp.TOTP, list[str]]
) -> None:
    app, codes = factor
    user = finish(engine, log_in_half(engine, password).user, codes[0]).user
    with engine.begin() as connection, pytest.raises(NotAuthenticated):
        second_factor.disable(connection, user, "not it", app.at(int(NOW)), SEALER, NOW)
    with engine.begin() as connection, pytest.raises(WrongCode):
        second_factor.disable(connection, user, password, "000000", SEALER, NOW)
    with engine.begin() as connection:
        second_factor.disable(connection, user, password, app.at(int(NOW)), SEALER, NOW)
        assert second_factor.state(connection, user.id) == second_factor.FactorState(None, 0)
    assert log_in_half(engine, password).user.second_factor is SecondFactor.NONE


def test_an_administrator_resets_a_lost_one(
    engine: Engine, password: str, factor: tuple[pyotp.TOTP, list[str]]
) -> None:
    with engine.begin() as connection:
        assert second_factor.reset(connection, " Admin", "root on the machine")
        assert not second_factor.reset(connection, "admin", "root on the machine")
        assert connection.execute(select(sessions)).first() is None
        with pytest.raises(NotAuthenticated, match="no account 'nobody'"):
            second_factor.reset(connection, "nobody", "root")
    assert log_in_half(engine, password).user.second_factor is SecondFactor.NONE


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, second_factor_roles=frozenset({Role.ADMIN})) as one:
        yield one


def test_the_doors_from_setting_up_to_switching_off(city: City) -> None:
    with city.client() as client:
        log_in(client, city)
        assert client.get("/api/me").json()["must_set_up_second_factor"]
        locked = client.get("/api/cameras")
        assert (locked.status_code, locked.json()["code"]) == (403, "second_factor_setup_required")
        assert client.get("/api/second-factor").json() == {"since_utc": None, "recovery_left": 0, "required": True}

        mistaken = client.post("/api/second-factor", json={"password": "mistaken"})
        assert (mistaken.status_code, mistaken.json()["faults"][0]["field"]) == (422, "password")
        made = client.post("/api/second-factor", json={"password": PASSWORD}).json()
        app = pyotp.TOTP(made["secret"])
        codes = client.post("/api/second-factor/confirm", json={"code": app.at(int(time.time()))}).json()["codes"]
        assert client.get("/api/cameras").status_code == 200
        assert client.post("/api/logout").status_code == 204

        half = client.post("/api/login", json={"name": "admin", "password": PASSWORD})
        assert half.json()["second_factor"] == "due"
        assert client.get("/api/me").json()["second_factor"] == "due"
        for method, address in (
            ("GET", "/api/cameras"),
            ("GET", "/api/events/stream"),
            ("GET", f"/api/events/{'0' * 32}/evidence/{'0' * 64}"),
            ("GET", "/api/second-factor"),
            ("POST", "/api/second-factor/disable"),
            ("POST", "/api/password"),
        ):
            body = {"password": PASSWORD, "code": codes[0], "old": PASSWORD, "new": "another long one"}
            wanted = {"disable": ("password", "code"), "password": ("old", "new")}.get(address.rpartition("/")[2], ())
            sent = {name: body[name] for name in wanted}
            locked = client.request(method, address, json=sent or None)
            assert (locked.status_code, locked.json()["code"]) == (403, "second_factor_required"), address
        wrong = client.post("/api/login/second-factor", json={"code": "aaaa-bbbb-cccc-dddd"})
        assert (wrong.status_code, wrong.json()["faults"][0]["field"]) == (422, "code")
        whole = client.post("/api/login/second-factor", json={"code": codes[0]})
        assert whole.json()["second_factor"] == "done"
        assert whole.headers["set-cookie"] != half.headers["set-cookie"]
        assert client.get("/api/cameras").status_code == 200

        off = client.post("/api/second-factor/disable", json={"password": PASSWORD, "code": codes[1]})
        assert off.status_code == 204
        assert client.get("/api/cameras").json()["code"] == "second_factor_setup_required"
