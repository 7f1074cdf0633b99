"""Logins by an identity provider: a real one over HTTP, the real server, and a browser's cookies between the two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import select, update

from contracts.errors import ConfigError
from governance import audit, oidc_accounts
from governance.oidc import OidcSettings, is_safe
from governance.tables import oidc_identities, users
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.oidc_provider import CLIENT, SECRET, OpenIdProvider, new_key, serving
from tests.contract.test_api_doors import log_in
from tests.e2e import console_city
from tests.e2e.console_city import City
from tests.effort import forms
from tests.ports import unused_port

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with serving() as one:
        yield one


def settings_for(provider: OpenIdProvider, **changes: Any) -> OidcSettings:
    known = {
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": SecretStr(SECRET),
        "callback": provider.callback,
        "label": "统一身份认证",
        "create_accounts": True,
    }
    return OidcSettings.model_validate(known | changes)


@pytest.fixture
def city(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, provider: OpenIdProvider
) -> Iterator[City]:
    provider.callback = "http://city.test/api/oidc/callback"
    with console_city.running(tmp_path, database_url, valkey.url, oidc=settings_for(provider)) as one:
        yield one


@pytest.fixture
def browser(city: City) -> Iterator[httpx.Client]:
    with city.client() as one:
        yield one


def begin(browser: httpx.Client) -> str:
    """As far as the provider's page; the address that it sends the browser back to."""
    away = browser.get("/api/oidc/login")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"])
    return "/api/oidc/callback?" + urlsplit(back.headers["location"]).query


def outcome(browser: httpx.Client, back: str | None = None) -> str:
    """ "in", or why not; whoever is not in has no session either."""
    answer = browser.get(begin(browser) if back is None else back)
    assert answer.status_code == 303, answer.text
    if answer.headers["location"] == "/":
        return "in"
    assert "cityvision_session" not in answer.headers.get("set-cookie", "")
    assert browser.get("/api/me").status_code == 401
    return parse_qs(urlsplit(answer.headers["location"]).query)["oidc"][0]


def test_a_first_login_makes_an_account_that_sees_nothing(city: City, browser: httpx.Client) -> None:
    assert browser.get("/api/oidc").json() == {"label": "统一身份认证"}
    away = browser.get("/api/oidc/login")
    cookie = away.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/api/oidc" in cookie
    back = httpx.get(away.headers["location"]).headers["location"]
    answer = browser.get("/api/oidc/callback?" + urlsplit(back).query)
    assert answer.headers["location"] == "/"
    session = next(c.lower() for c in answer.headers.get_list("set-cookie") if c.startswith("cityvision_session"))
    assert "samesite=strict" in session
    me = browser.get("/api/me").json()
    assert (me["name"], me["second_factor"], me["must_change_password"]) == ("wang", "provider", False)
    assert browser.get("/api/cameras").json()["cameras"] == []
    assert browser.get("/api/people").status_code == 403

    assert outcome(browser) == "in"  # the second time it is the same account
    with city.engine.connect() as connection:
        assert connection.execute(select(oidc_identities.c.subject)).scalars().all() == ["u-17"]
        assert len(connection.execute(select(users)).all()) == 2
        actions = [(e.who, e.action) for e in audit.listed(connection, limit=3)]
    assert actions == [("wang", "login.succeeded"), ("wang", "login.succeeded"), ("system", "account.created")]


@pytest.mark.parametrize(
    "wrong",
    forms(
        [
            {"nonce": "of another attempt"},
            {"nonce": None},
            {"aud": "somebody-else"},
            {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
            {"iss": "https://evil.example"},
            {"exp": 1_000_000_000},
            {"at_hash": "of another token"},
            {"sub": 17},
            {"sub": "u\0"},
        ],
        [
            {"aud": ["somebody-else", "and-another"]},
            {"aud": "somebody-else", "azp": CLIENT},
            {"aud": None},
            {"iss": None},
            {"exp": None},
            {"iat": 4_000_000_000},
            {"sub": None},
        ],
    ),
    ids=str,
)
def test_an_id_token_that_does_not_hold_lets_nobody_in(
    city: City, browser: httpx.Client, provider: OpenIdProvider, wrong: dict[str, Any]
) -> None:
    provider.wrong = wrong
    assert outcome(browser) == "invalid"
    with city.engine.connect() as connection:
        assert connection.execute(select(oidc_identities)).all() == []
        line = audit.listed(connection, limit=1)[0]
    assert (line.who, line.action, line.what["why"]) == ("nobody", "login.failed", "invalid")
    provider.wrong = {}
    assert outcome(browser) == "in"


def test_keys_that_are_none_are_said_plainly(browser: httpx.Client, provider: OpenIdProvider) -> None:
    provider.metadata = {"jwks_uri": f"{provider.url}/.well-known/openid-configuration"}
    assert outcome(browser) == "unavailable"


def test_signatures_by_others_and_none_are_refused(browser: httpx.Client, provider: OpenIdProvider) -> None:
    provider.signs_with = RSAKey.generate_key(2048)
    assert outcome(browser) == "invalid"
    provider.signs_with = None
    for algorithm in ("none", "HS256"):
        provider.algorithm = algorithm
        assert outcome(browser) == "invalid", algorithm


def test_a_code_and_an_attempt_count_once(city: City, browser: httpx.Client, provider: OpenIdProvider) -> None:
    back = begin(browser)
    cookies = dict(browser.cookies)
    assert browser.get(back).headers["location"] == "/"
    with city.client(cookies=cookies) as thief:  # who saw the address, and even the cookie
        assert outcome(thief, back) == "invalid"
    with city.client() as other:  # who saw the address alone
        provider.person = {"sub": "u-18", "preferred_username": "li"}
        assert outcome(other, begin(browser)) == "expired"
        # Somebody else's code put into an attempt of one's own: the state does not fit.
        begin(other)
        assert outcome(other, begin(browser)) == "expired"


def test_an_attempt_must_have_been_begun_here(city: City, browser: httpx.Client, provider: OpenIdProvider) -> None:
    with city.engine.connect() as connection:
        before = audit.head(connection)
        assert outcome(browser, "/api/oidc/callback?code=x&state=y") == "expired"
        assert audit.head(connection) == before  # or anybody could fill the audit log
    back = begin(browser)
    browser.cookies.set("cityvision_oidc", "1.forged", path="/api/oidc")
    assert outcome(browser, back) == "expired"
    browser.cookies.clear()
    provider.refuse = True
    assert outcome(browser) == "cancelled"
    provider.refuse = False
    provider.codes.clear()
    # A code that was intercepted is worth nothing without the verifier, which never left this server unsealed.
    back = begin(browser)
    (code,) = provider.codes
    provider.codes[code]["code_challenge"] = "of another"
    assert outcome(browser, back) == "invalid"


def test_a_name_that_somebody_has_is_not_merged(city: City, browser: httpx.Client, provider: OpenIdProvider) -> None:
    provider.person = {"sub": "u-99", "preferred_username": "ADMIN"}
    assert outcome(browser) == "taken"
    with city.engine.begin() as connection:
        line = audit.listed(connection, limit=1)[0]
        assert (line.what["why"], line.what["subject"]) == ("taken", "u-99")
        oidc_accounts.bind(connection, "admin", provider.url, str(line.what["subject"]), "root", time.time())
    with city.engine.begin() as connection, pytest.raises(ConfigError, match="belongs to an account already"):
        oidc_accounts.bind(connection, "admin", provider.url, "u-99", "root", time.time())
    assert browser.get(begin(browser)).headers["location"] == "/"
    assert browser.get("/api/me").json()["name"] == "admin"


@pytest.mark.parametrize("name", forms([None, "", "key 7 x", "x" * 65], ["a b", "王", "-x", 17]))
def test_a_name_that_is_none_makes_no_account(browser: httpx.Client, provider: OpenIdProvider, name: Any) -> None:
    provider.person = {"sub": "u-1", "preferred_username": name}
    assert outcome(browser) == "unknown"


def test_a_disabled_account_stays_out(city: City, browser: httpx.Client) -> None:
    assert outcome(browser) == "in"
    with city.engine.begin() as connection:
        disabled = update(users).where(users.c.name == "wang").values(disabled=users.c.created)
        connection.execute(disabled)
    assert browser.get("/api/me").status_code == 401
    assert outcome(browser) == "unknown"


def test_a_slow_provider_holds_no_database_connection(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, provider: OpenIdProvider
) -> None:
    provider.callback = "http://city.test/api/oidc/callback"
    chosen = settings_for(provider)
    with console_city.running(tmp_path, database_url, valkey.url, oidc=chosen, database_pool=1) as city:
        backs = []
        for _ in range(6):  # more than the pool and what it may lend beyond
            browser = city.client()
            backs.append((browser, begin(browser)))
        provider.waits.clear()
        with ThreadPoolExecutor(6) as threads:
            waiting = [threads.submit(outcome, browser, back) for browser, back in backs]
            end = time.monotonic() + 30
            while provider.asked.count("/token") < 6 and time.monotonic() < end:
                time.sleep(0.02)
            assert provider.asked.count("/token") == 6
            session = {"cityvision_session": "none"}
            with httpx.Client(base_url=city.url, timeout=30, cookies=session) as another:
                assert another.get("/api/me").status_code == 401
            provider.waits.set()
            # All of one person at once, and still one account.
            assert {one.result() for one in waiting} == {"in"}
        for browser, _ in backs:
            browser.close()


def test_new_keys_of_the_provider_are_fetched(browser: httpx.Client, provider: OpenIdProvider) -> None:
    assert outcome(browser) == "in"
    assert outcome(browser) == "in"
    assert provider.asked.count("/keys") == 1
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    provider.key = new_key()
    assert outcome(browser) == "in"
    assert provider.asked.count("/keys") == 2


def test_without_the_setting_no_account_is_made(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, provider: OpenIdProvider
) -> None:
    provider.callback = "http://city.test/api/oidc/callback"
    chosen = settings_for(provider, create_accounts=False)
    with (
        console_city.running(tmp_path, database_url, valkey.url, oidc=chosen) as city,
        city.client() as browser,
    ):
        assert outcome(browser) == "unknown"
        with city.engine.connect() as connection:
            assert len(connection.execute(select(users)).all()) == 1


def test_a_provider_that_is_away_or_lies_is_said_plainly(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, provider: OpenIdProvider
) -> None:
    provider.callback = "http://city.test/api/oidc/callback"
    provider.metadata = {"token_endpoint": "http://elsewhere.example/token"}
    with (
        console_city.running(tmp_path, database_url, valkey.url, oidc=settings_for(provider)) as city,
        city.client() as browser,
    ):
        assert browser.get("/api/oidc/login").headers["location"] == "/?oidc=unavailable"
        provider.metadata = {"issuer": "https://evil.example"}
        assert browser.get("/api/oidc/login").headers["location"] == "/?oidc=unavailable"
        provider.metadata = {}
        assert outcome(browser) == "in"


def test_without_a_provider_there_is_no_door(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus
) -> None:
    with (
        console_city.running(tmp_path, database_url, valkey.url) as city,
        city.client() as browser,
    ):
        assert browser.get("/api/oidc").json() == {"label": None}
        assert browser.get("/api/oidc/login").status_code == 404
        assert browser.get("/api/oidc/callback?code=x&state=y").status_code == 404
        log_in(browser, city)


def test_addresses_are_by_tls_or_of_this_machine() -> None:
    assert is_safe("https://id.example/realm")
    assert is_safe(f"http://127.0.0.1:{unused_port()}")
    for url in ("http://id.example", "ftp://127.0.0.1", "https://", "javascript:alert(1)", "id.example"):
        assert not is_safe(url)
