"""Accounts as a person looks after them: a real Chromium, from setting up a second factor to logging in with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pyotp
import pytest
from playwright.sync_api import Page, expect

from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.oidc_provider import serving
from tests.contract.test_oidc import settings_for
from tests.e2e import console_city
from tests.e2e.browser import chromium, shot
from tests.e2e.console_city import PASSWORD, City
from tests.e2e.test_console_browser import DIST, city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


def leave(page: Page) -> None:  # noqa: F811
    page.get_by_role("button", name="账户").click()
    page.get_by_role("menuitem", name="退出登录").click()
    expect(page.get_by_label("用户名")).to_be_visible()


def begin_login(page: Page) -> None:  # noqa: F811
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="第二步验证")).to_be_visible()


def test_a_second_factor_from_the_qr_code_to_the_login(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.get_by_role("button", name="账户").click()
    page.get_by_role("menuitem", name="账户安全").click()
    page.get_by_role("button", name="启用两步验证").click()
    page.get_by_label("当前密码").fill("not the password")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("当前密码不正确")).to_be_visible()
    page.get_by_label("当前密码").fill(PASSWORD)
    page.get_by_role("button", name="下一步").click()
    picture = page.get_by_alt_text("供身份验证器扫描的二维码")
    expect(picture).to_be_visible()
    shot(page, "factor-setup")
    # What a telephone's camera sees on the screen.
    seen = cv2.imdecode(np.frombuffer(picture.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    app = pyotp.parse_uri(cv2.QRCodeDetector().detectAndDecode(seen)[0])
    assert isinstance(app, pyotp.TOTP)
    assert (app.issuer, app.name) == ("CityVision", "admin")
    assert page.get_by_test_id("factor-secret").inner_text().replace(" ", "") == app.secret
    now = int(time.time())
    page.get_by_label("验证码").fill(app.at(now))
    page.get_by_role("button", name="确认启用").click()
    shown = page.get_by_test_id("recovery-codes").locator("li")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    shot(page, "factor-codes")
    page.get_by_role("button", name="我已保存").click()
    expect(page.get_by_test_id("factor-on")).to_be_visible()
    shot(page, "factor-on")
    leave(page)

    begin_login(page)
    page.get_by_label("验证码").fill(app.at(now))  # it counted once, at setting up
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_text("验证码不正确，或已经用过")).to_be_visible()
    shot(page, "login-second-step")
    page.get_by_label("验证码").fill(app.at(now + 30))
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_role("link", name="实时监看")).to_be_visible()
    leave(page)

    begin_login(page)
    page.reload()  # half a login is still half a login
    page.get_by_role("button", name="使用恢复码").click()
    page.get_by_label("恢复码").fill(codes[0])
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_role("link", name="实时监看")).to_be_visible()

    page.goto(f"{city.url}/security")
    expect(page.get_by_text("还剩 9 个可用")).to_be_visible()
    page.get_by_role("button", name="关闭两步验证").click()
    page.get_by_label("当前密码").fill(PASSWORD)
    page.get_by_label("验证码").fill(codes[1])
    page.get_by_role("button", name="关闭两步验证").click()
    expect(page.get_by_role("button", name="启用两步验证")).to_be_visible()


@pytest.mark.thorough
def test_a_key_is_made_shown_once_used_and_revoked(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.get_by_role("button", name="账户").click()
    page.get_by_role("menuitem", name="API 密钥").click()
    expect(page.get_by_text("还没有密钥")).to_be_visible()
    page.get_by_role("button", name="新建密钥").click()
    page.get_by_label("名称").fill("城管平台")
    page.get_by_label("读取事件").check()
    page.get_by_label("读取案件").check()
    shot(page, "key-new")
    page.get_by_role("button", name="生成密钥").click()
    key = page.get_by_role("textbox", name="密钥").input_value()
    shot(page, "key-made")
    with city.client(headers={"Authorization": f"Bearer {key}"}) as system:
        assert system.get("/api/events").status_code == 200
        assert system.get("/api/subscriptions").json()["code"] == "scope_missing"
        page.get_by_role("button", name="我已保存").click()
        row = page.get_by_role("row").filter(has_text="城管平台")
        expect(row.get_by_text("有效", exact=True)).to_be_visible()
        expect(row).not_to_contain_text("从未")
        assert key not in page.content()
        shot(page, "keys")
        row.get_by_role("button", name="吊销").click()
        page.get_by_role("tooltip").get_by_role("button", name="吊销").click()
        expect(row.get_by_text("admin 于")).to_be_visible()
        assert system.get("/api/events").status_code == 401


@contextmanager
def browsing(url: str, host: str) -> Iterator[Page]:
    """A fresh browser to which `host` is the city's server: the provider has to know our address beforehand."""
    mapped = f"--host-resolver-rules=MAP {host} {url.removeprefix('http://')}"
    with chromium(mapped) as browser:
        yield browser.new_page(viewport={"width": 1280, "height": 800})


@pytest.mark.thorough
def test_a_login_by_the_identity_provider(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> None:
    with serving() as provider:
        provider.callback = "http://city.test/api/oidc/callback"
        chosen = settings_for(provider)
        with (
            console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST, oidc=chosen) as one,
            browsing(one.url, "city.test") as page,
        ):
            provider.refuse = True
            page.goto("http://city.test/")
            page.get_by_role("link", name="使用统一身份认证登录").click()
            expect(page.get_by_text("统一身份认证未通过")).to_be_visible()
            shot(page, "login-provider")
            provider.refuse = False
            page.get_by_role("link", name="使用统一身份认证登录").click()
            expect(page.get_by_role("button", name="账户")).to_have_text("wang")
            page.get_by_role("button", name="账户").click()
            expect(page.get_by_role("menuitem", name="API 密钥")).to_have_count(0)
            page.get_by_role("menuitem", name="账户安全").click()
            expect(page.get_by_text("密码和两步验证由它管理")).to_be_visible()
            shot(page, "security-provider")
