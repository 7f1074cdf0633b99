"""The settings tree: what is refused, and how it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityvision.processes.api import api_settings
from cityvision.settings import DEFAULT_SECRETS, Settings, check_url, load_settings, refuse_misspelt
from contracts.errors import ConfigError
from store.objects import open_objects
from store.s3 import SCHEMES


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CITYVISION_"):
            monkeypatch.delenv(name)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.worker_count >= 1


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVISION_WORKERS", "3")
    assert load_settings().workers == 3
    assert load_settings(workers=5, streams=None).workers == 5


def test_a_repository_of_triton_needs_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVISION_TRITON_REPOSITORY", "/srv/models")
    with pytest.raises(ConfigError, match="CITYVISION_TRITON_REPOSITORY needs CITYVISION_TRITON_URL"):
        load_settings()
    monkeypatch.setenv("CITYVISION_TRITON_URL", "127.0.0.1:8001")
    assert load_settings().triton_repository == Path("/srv/models")


def test_every_fault_is_told_at_once_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVISION_WORKERS", "many")
    monkeypatch.setenv("CITYVISION_API_PORT", "70000")
    monkeypatch.setenv("CITYVISION_TRITON_URL", "http://gpu:8000")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    text = str(caught.value)
    assert all(f"CITYVISION_{name}: " in text for name in ("WORKERS", "API_PORT", "TRITON_URL"))
    assert "write e.g. 127.0.0.1:8001" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATABASE_URL", "mysql://u:p4ssw0rd!@db/x", "the scheme is not one of postgresql"),
        ("DATABASE_URL", "postgresql://u:p4ssw0rd!@db", "it names no database"),
        ("DATABASE_URL", "postgresql://u:postgres@db/x", "default password"),
        ("DATABASE_URL", "postgresql://u:p4ssw0rd!@db:port/x", "not an address"),
        ("REDIS_URL", "redis://cache:6379/0", "it holds no password"),
        ("REDIS_URL", "redis:///0", "it names no host"),
        ("S3_URL", "s3://minioadmin:minioadmin@s3:9000/evidence", "default password"),
        ("S3_URL", "s3://key:Xk29fj2kd@s3:9000", "it names no bucket"),
        ("METRICS_TOKEN", "short", "too easy to guess"),
    ],
)
def test_a_wrong_address_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"CITYVISION_{variable}", value)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings()
    assert f"CITYVISION_{variable}: " in str(caught.value)
    assert "p4ssw0rd!" not in str(caught.value)
    assert "Xk29fj2kd" not in str(caught.value)


def test_the_detector_is_a_setting_that_processes_inherit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().model == "yolox_nano"
    monkeypatch.setenv("CITYVISION_MODEL", "yolox_tiny")
    assert load_settings().child_environment()["CITYVISION_MODEL"] == "yolox_tiny"
    assert load_settings(model="other").model == "other"


def test_redis_on_this_machine_needs_no_password() -> None:
    check_url("redis_url", "redis://127.0.0.1:6379/0")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_accepted_s3_scheme_opens(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("CITYVISION_S3_URL", f"{scheme}://key:Xk29fj2kd@s3.example:9000/evidence")
    url = load_settings().s3_url
    assert url is not None
    open_objects(Path("unused"), url.get_secret_value())


@pytest.mark.parametrize("scheme", ["s3s", "http", "https"])
def test_an_s3_scheme_that_does_not_open_is_refused(scheme: str) -> None:
    with pytest.raises(ValueError, match="the scheme is not one of"):
        check_url("s3_url", f"{scheme}://key:Xk29fj2kd@s3.example:9000/evidence")


def test_one_port_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="name one port twice"):
        load_settings(api_port=7000, valkey_port=7000)


def test_a_misspelt_variable_is_told() -> None:
    with pytest.raises(ConfigError, match="did you mean CITYVISION_DATABASE_URL"):
        refuse_misspelt({"CITYVISION_DATABSE_URL": "x"})
    refuse_misspelt({"CITYVISION_REQUIRE_MEDIA": "1", "CITYVISION_SECRET_GATE": "u:p", "DATABSE_URL": "x"})


@given(st.sampled_from(sorted(DEFAULT_SECRETS)), st.booleans())
def test_no_default_secret_in_any_case(secret: str, upper: bool) -> None:
    with pytest.raises(ValueError, match="default password"):
        check_url("database_url", f"postgresql://u:{secret.upper() if upper else secret}@127.0.0.1/x")


def test_secrets_are_never_shown_but_reach_the_children(tmp_path: Path) -> None:
    url = "postgresql://cityvision:Zu2-kept-secret@db:5432/cityvision"
    settings = Settings(database_url=url, data=tmp_path, metrics_token="0123456789abcdefXY")
    shown = repr(settings) + str(settings.describe()) + str(settings)
    assert "Zu2-kept-secret" not in shown
    assert "0123456789abcdefXY" not in shown
    assert "db" in settings.describe()["CITYVISION_DATABASE_URL"]
    assert settings.database == url.replace("postgresql://", "postgresql+psycopg://")
    child = settings.child_environment()
    assert child["CITYVISION_DATABASE_URL"] == url
    assert child["CITYVISION_DATA"] == str(tmp_path)
    assert "CITYVISION_REDIS_URL" not in child


def test_children_read_back_the_same_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings(redis_url="redis://:Zu2-kept@127.0.0.1:1/0", data=tmp_path, workers=2)
    for name, value in settings.child_environment().items():
        monkeypatch.setenv(name, value)
    again = load_settings()
    assert again.child_environment() == settings.child_environment()


def test_every_setting_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"second_factor_roles": "admin,boss"}, "no role 'boss'"),
        ({"oidc_issuer": "http://id.example", "oidc_client_id": "x"}, "CITYVISION_OIDC_ISSUER: not an address by TLS"),
        ({"oidc_issuer": "https://id.example", "oidc_client_id": "x"}, "CITYVISION_OIDC_CALLBACK beside it"),
        ({"oidc_callback": "https://city.example/login"}, "its path is not ours"),
    ],
)
def test_settings_of_accounts_are_checked(given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_settings(**given)


@pytest.mark.parametrize(
    "link", ["geo:{lat}", "javascript:{lat}{lon}", "geo:{lat},{lon}{other}", "{lat},{lon}", "geo:{"]
)
def test_a_link_to_a_map_names_a_place_and_runs_nothing(link: str) -> None:
    with pytest.raises(ConfigError, match="MAP_LINK"):
        load_settings(map_link=link)
    assert load_settings(map_link="https://maps.example/?at={lat},{lon}&n={name}").map_link.startswith("https://")


@pytest.mark.parametrize(
    "tiles",
    [
        "https://tiles.example/{z}/{x}.png",
        "https://tiles.example/{z}/{x}/{y}/{key}.png",
        "https://u:p@tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example; script-src *//{z}/{x}/{y}.png",
        "file:///{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}/{y}.png}",
    ],
)
def test_tiles_of_the_map_come_from_one_server(tiles: str) -> None:
    with pytest.raises(ConfigError, match="MAP_TILES"):
        load_settings(map_tiles=tiles)


def test_settings_of_the_map_reach_the_api() -> None:
    given = {"database_url": "postgresql://db.example/city", "redis_url": "redis://127.0.0.1/0"}
    assert api_settings(load_settings(**given, seal_key="sixteen characters or more")).tiles is None
    settings = load_settings(
        **given,
        seal_key="sixteen characters or more",
        map_tiles="https://tiles.example:8443/{z}/{x}/{y}.png",
        map_tiles_datum="gcj02",
        map_tiles_credit="© somebody",
    )
    tiles = api_settings(settings).tiles
    assert tiles is not None
    assert (tiles.datum, tiles.credit, tiles.source) == ("gcj02", "© somebody", "https://tiles.example:8443")


def test_settings_of_accounts_reach_the_api() -> None:
    settings = load_settings(
        database_url="postgresql://db.example/city",
        redis_url="redis://127.0.0.1/0",
        seal_key="sixteen characters or more",
        session_hours=1.5,
        session_idle_minutes=10,
        second_factor_roles="admin, auditor",
        oidc_issuer="https://id.example",
        oidc_client_id="city",
        oidc_callback="https://city.example/api/oidc/callback",
    )
    given = api_settings(settings)
    assert (given.session_s, given.session_idle_s) == (5400, 600)
    assert given.second_factor_roles == {"admin", "auditor"}
    assert given.oidc is not None
    assert (given.oidc.issuer, given.oidc.client_secret, given.oidc.create_accounts) == (
        "https://id.example",
        None,
        False,
    )
