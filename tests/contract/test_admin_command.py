"""`cityvision admin`, where it looks after how people log in."""

from __future__ import annotations

import time
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from cityvision.cli import cli
from governance import audit, second_factor, service
from governance.types import SecondFactor
from store.sealing import Sealer
from store.valkey import EmbeddedValkey

pytest_plugins = ["tests.embedded"]


def test_a_lost_telephone_and_a_login_to_bind(
    engine: Engine, database_url: str, valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", valkey.url)
    now, sealer = time.time(), Sealer("a key for this test alone")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["admin", "--data", str(tmp_path), *arguments])

    with engine.begin() as connection:
        password = service.ensure_admin(connection)
    assert password is not None
    with engine.begin() as connection:
        user = service.login(connection, "admin", password, now).user
    with engine.begin() as connection:
        secret = second_factor.enrol(connection, user, password, sealer, now).secret
    with engine.begin() as connection:
        second_factor.confirm(connection, user, pyotp.TOTP(secret).at(int(now)), sealer, now)
    assert run("reset-second-factor", "Admin").output == "Admin: the second factor is off\n"
    assert run("reset-second-factor", "admin").output == "admin: there was no second factor\n"
    missing = run("reset-second-factor", "nobody")
    assert (missing.exit_code, "there is no account 'nobody'" in missing.output) == (2, True)
    with engine.begin() as connection:
        assert service.login(connection, "admin", password, now).user.second_factor is SecondFactor.NONE

    unset = run("bind-login", "admin", "u-17")
    assert (unset.exit_code, "CITYVISION_OIDC_ISSUER is not set" in unset.output) == (2, True)
    monkeypatch.setenv("CITYVISION_OIDC_ISSUER", "https://id.example")
    monkeypatch.setenv("CITYVISION_OIDC_CLIENT_ID", "city")
    monkeypatch.setenv("CITYVISION_OIDC_CALLBACK", "https://city.example/api/oidc/callback")
    assert run("bind-login", "admin", "u-17").output == "admin: bound to u-17\n"
    again = run("bind-login", "admin", "u-17")
    assert (again.exit_code, "belongs to an account already" in again.output) == (2, True)
    with engine.connect() as connection:
        assert [entry.action for entry in audit.listed(connection, limit=3)] == [
            "account.bound",
            "login.succeeded",
            "second_factor.reset",
        ]
