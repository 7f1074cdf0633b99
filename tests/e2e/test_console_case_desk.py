"""The dispatcher's desk in a real Chromium: a case from the hotline, one incident with all its cases, what is due."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import shot
from tests.e2e.console_city import City, make_event, not_watched, opened
from tests.e2e.test_console_browser import city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


def test_a_call_becomes_a_case_and_goes_to_a_crew(city: City, page: Page) -> None:  # noqa: F811
    page.set_viewport_size({"width": 1280, "height": 800})
    enter(page, city)
    city.publish(not_watched("square", time.time() - 7200, time.time() - 3600))
    page.get_by_role("link", name="案件", exact=True).click()
    expect(page.get_by_test_id("not-watched")).to_have_text("近 24 小时有 1.0 小时无人监看")
    page.get_by_role("button", name="登记案件").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="受理").click()
    expect(form.get_by_text("请填写").first).to_be_visible()
    form.get_by_label("类别").click()
    page.get_by_title("其他").click()
    form.get_by_label("地址").fill("人民路 3 号")
    form.get_by_label("说明").fill("井盖松动")
    form.get_by_label("网格").fill("G-0500")
    shot(page, "case-new")
    form.get_by_role("button", name="受理").click()
    expect(page.get_by_role("heading", name="其他")).to_be_visible()
    expect(page.get_by_text("G-0500")).to_be_visible()
    page.get_by_role("button", name="立案", exact=True).click()
    page.get_by_role("button", name="确认立案").click()
    page.get_by_role("button", name="派遣", exact=True).click()
    page.get_by_label("处置部门").click()
    page.get_by_title("城管网格中心").click()
    page.get_by_label("班组").fill("二班")
    shot(page, "case-dispatch")
    page.get_by_role("button", name="确认派遣").click()
    expect(page.locator("[data-testid=case-line][data-action=dispatch]")).to_contain_text("城管网格中心 二班")


def test_one_incident_is_handled_at_once_and_the_board_is_ordered(city: City, page: Page) -> None:  # noqa: F811
    page.set_viewport_size({"width": 1280, "height": 800})
    enter(page, city)
    began = time.time() - 600
    city.publish(
        *(opened(make_event(began + n, kind="waterlogging", zone=f"z{n}", subject=f"{n}")) for n in range(21)),
        opened(make_event(began - 6000)),
    )
    page.get_by_role("link", name="案件", exact=True).click()
    expect(page.get_by_text("共 22 件")).to_be_visible()
    page.get_by_label("排序").click()
    page.get_by_title("最先到期").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("机动车乱停放")
    page.get_by_label("责任部门").click()
    page.get_by_title("城管网格中心").click()
    expect(page.get_by_text("没有符合条件的案件")).to_be_visible()
    page.goto(f"{city.url}/cases")
    page.get_by_role("link", name="群发事件").first.click()
    bar = page.get_by_test_id("incident")
    expect(bar).to_contain_text("共 21 件")
    bar.get_by_role("button", name="督办（21 件）").click()
    page.get_by_label("说明").fill("暴雨，各部门加派")
    shot(page, "incident-action")
    page.get_by_role("button", name="确认督办").click()
    expect(page.get_by_role("row").filter(has_text="督办")).to_have_count(21)
    shot(page, "incident")
    page.get_by_test_id("language").click()
    expect(page.get_by_role("button", name="Supervise (21)")).to_be_visible()
    shot(page, "incident-en")
    page.get_by_role("button", name="New case").click()
    shot(page, "case-new-en")
    page.get_by_role("button", name="Back", exact=True).first.click()
    page.get_by_test_id("language").click()
    page.get_by_role("button", name="返回全部案件").click()
    expect(page.get_by_text("共 22 件")).to_be_visible()
