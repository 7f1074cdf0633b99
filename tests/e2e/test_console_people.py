"""Access as people give it: a real Chromium, from two new accounts to an event that the other department shows."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import shot
from tests.e2e.console_city import PASSWORD, City, make_event, opened
from tests.e2e.test_console_browser import city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


def choose(page: Page, label: str, option: str) -> None:  # noqa: F811
    page.get_by_role("dialog").get_by_label(label).click()
    page.locator(".ant-select-dropdown:visible").get_by_text(option, exact=True).click()
    # It closes by a movement: until that is over, the next list would stand beside it.
    expect(page.locator(".ant-select-dropdown:visible")).to_have_count(0)


def tick(page: Page, label: str, option: str) -> None:  # noqa: F811
    """`choose` where any number may be chosen: such a list stays open until it is left."""
    page.get_by_role("dialog").get_by_label(label).click()
    page.locator(".ant-select-dropdown:visible").get_by_text(option, exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator(".ant-select-dropdown:visible")).to_have_count(0)


def account(page: Page, name: str, department: str | None, role: str = "部门操作员") -> str:  # noqa: F811
    """A new account; its first password."""
    page.get_by_role("button", name="新建账户").click()
    page.get_by_label("账户名").fill(name)
    if role != "部门操作员":
        choose(page, "角色", role)
    if department is not None:
        choose(page, "部门", department)
    page.get_by_role("button", name="保存").click()
    password = page.get_by_test_id("shown-once").input_value()
    shot(page, "people-first-password")
    page.get_by_role("button", name="我已保存").click()
    expect(page.get_by_role("row").filter(has_text=name)).to_be_visible()
    return password


def somebody(browser: Browser, url: str, name: str, first: str, room: str = "授权") -> Page:
    """Logged in on a browser of their own, with a password of their own; `room` is one that they may enter."""
    one = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    one.goto(url)
    one.get_by_label("用户名").fill(name)
    one.get_by_label("密码").fill(first)
    one.get_by_role("button", name="登录").click()
    one.get_by_label("当前密码").fill(first)
    one.get_by_label("新密码", exact=True).fill(PASSWORD)
    one.get_by_label("再输入一次新密码").fill(PASSWORD)
    one.get_by_role("button", name="保存新密码").click()
    expect(one.get_by_role("link", name=room)).to_be_visible()
    return one


@pytest.mark.thorough
def test_a_message_never_stands_in_the_way(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.get_by_role("button", name="账户").click()
    page.get_by_role("menuitem", name="人员").click()
    first = account(page, "wang", "交通警察支队")
    assert page.context.browser is not None
    wang = somebody(page.context.browser, city.url, "wang", first)
    told = wang.locator(".ant-message").get_by_text("密码已修改")
    expect(told).to_be_visible()
    hit = """async (told) => {
        let there = null;
        while (there === null) {  // it comes in from above the page
            await new Promise(requestAnimationFrame);
            const box = told.getBoundingClientRect();
            there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        }
        return there.closest(".ant-message") !== null;
    }"""
    assert not told.evaluate(hit), "what is under a message could not be clicked"


@pytest.mark.thorough
def test_rooms_that_do_not_fit_stand_in_a_menu(city: City, page: Page) -> None:  # noqa: F811
    page.set_viewport_size({"width": 2400, "height": 800})
    enter(page, city)
    expect(page.get_by_role("link", name="审计")).to_be_visible()
    expect(page.get_by_role("button", name="更多")).to_have_count(0)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_test_id("language").click()
    expect(page.get_by_role("link", name="Live wall")).to_be_visible()
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Audit").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    expect(page.locator(".more-rooms.active")).to_be_visible()
    shot(page, "rooms-more")
    page.set_viewport_size({"width": 2800, "height": 800})
    expect(page.get_by_role("link", name="Audit")).to_be_visible()
    expect(page.get_by_role("button", name="More")).to_have_count(0)


@pytest.mark.thorough  # the access matrix asks the doors themselves
def test_access_is_asked_for_given_and_taken_back(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.get_by_role("button", name="账户").click()
    page.get_by_role("menuitem", name="人员").click()
    traffic = account(page, "wang", "交通警察支队")
    grid = account(page, "zhao", "城管网格中心")
    shot(page, "people")
    auditor = account(page, "sun", None, "审计员")
    city.publish(
        opened(make_event(time.time() - 60, kind="crowding", camera="square", department="grid", zone="plaza"))
    )
    browser = page.context.browser
    assert browser is not None

    wang = somebody(browser, city.url, "wang", traffic)
    expect(wang.get_by_role("link", name="审计")).to_have_count(0)
    wang.get_by_role("link", name="事件", exact=True).click()
    expect(wang.get_by_text("没有符合条件的事件")).to_be_visible()
    wang.get_by_role("link", name="授权").click()
    wang.get_by_role("button", name="申请授权").click()
    choose(wang, "申请部门", "交通警察支队")
    choose(wang, "向哪个部门申请", "城管网格中心")
    wang.get_by_label("图片和片段").check()
    wang.get_by_label("用途").fill("节日人流疏导")
    shot(wang, "grants-ask")
    wang.get_by_role("button", name="提交申请").click()
    wang.get_by_role("tab", name="待对方审批").click()
    expect(wang.get_by_role("row").filter(has_text="节日人流疏导")).to_be_visible()

    zhao = somebody(browser, city.url, "zhao", grid)
    zhao.get_by_role("link", name="授权").click()
    shot(zhao, "grants-waiting")
    zhao.get_by_role("button", name="批准").click()
    zhao.get_by_role("button", name="确认").click()
    zhao.get_by_role("tab", name="生效中").click()
    expect(zhao.get_by_role("row").filter(has_text="zhao 批准")).to_be_visible()
    wang.get_by_role("link", name="事件", exact=True).click()
    expect(wang.get_by_role("row").filter(has_text="中心广场")).to_be_visible()
    shot(wang, "grants-seen")

    zhao.get_by_role("button", name="撤销").click()
    zhao.get_by_role("button", name="确认").click()
    zhao.get_by_role("tab", name="已结束").click()
    expect(zhao.get_by_role("row").filter(has_text="zhao 撤销")).to_be_visible()
    shot(zhao, "grants-over")
    wang.reload()
    expect(wang.get_by_text("没有符合条件的事件")).to_be_visible()

    sun = somebody(browser, city.url, "sun", auditor, "审计")
    sun.goto(city.url)
    expect(sun.get_by_role("heading", name="审计")).to_be_visible()  # where an auditor begins
    expect(sun.get_by_role("link", name="实时监看")).to_have_count(0)
    expect(sun.get_by_role("row").filter(has_text="grant.revoked")).to_be_visible()
    sun.get_by_label("到", exact=True).fill("2026-01-01T00:00")
    expect(sun.get_by_role("row").filter(has_text="grant.revoked")).to_have_count(0)
    sun.get_by_label("到", exact=True).fill("")
    sun.get_by_label("从", exact=True).fill("2026-01-01T00:00")
    expect(sun.get_by_role("row").filter(has_text="grant.revoked")).to_be_visible()
    sun.get_by_role("button", name="核验全部").click()
    expect(sun.get_by_test_id("audit-state").get_by_text("链完整")).to_be_visible()
    shot(sun, "audit")
    sun.get_by_role("link", name="误报率").first.click()
    expect(sun.get_by_test_id("rates").get_by_role("row").filter(has_text="中心广场")).to_contain_text("尚无判定")
    expect(sun.get_by_test_id("rates").get_by_role("link")).to_have_count(0)  # numbers, and nothing behind them
    closed = ("people", "keys", "wall", "events", "review", "cameras/square", "health")
    for room in closed:  # none shows what reads as calm
        sun.goto(f"{city.url}/{room}")
        expect(sun.get_by_text("您的角色无权进行此操作")).to_be_visible()
        expect(sun.get_by_role("button", name="新建账户")).to_have_count(0)


@pytest.mark.thorough
def test_who_may_not_draw_sees_the_zones_and_no_editor(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.goto(f"{city.url}/people")
    first = account(page, "qian", "城管网格中心", "调查员")
    page.goto(f"{city.url}/cameras/square")
    expect(page.get_by_role("button", name="新建区域")).to_be_visible()
    browser = page.context.browser
    assert browser is not None
    qian = somebody(browser, city.url, "qian", first, "摄像机")
    asked: list[str] = []
    qian.on("request", lambda request: asked.append(request.url))
    qian.goto(f"{city.url}/cameras/square")
    expect(qian.get_by_role("heading", name="算法")).to_be_visible()
    expect(qian.get_by_role("button", name="新建区域")).to_have_count(0)
    assert not [url for url in asked if "zone-proposals" in url], "what is refused is not asked for"
    shot(qian, "camera-without-editor")
