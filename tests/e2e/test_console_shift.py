"""Shift handover as two dispatchers do it: real Chromiums, from what is open to a confirmed handover on paper."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from cases.shift.tables import case_shifts
from cases.tables import cases
from governance.roles import Role
from store.database import at
from tests.contract.test_shift_handover import HOUR, change_case, make_cases, somebody
from tests.e2e.browser import shot
from tests.e2e.console_city import City, not_watched
from tests.e2e.test_console_browser import city, clip, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@contextmanager
def seat(browser: Browser, city: City, name: str, role: Role = Role.DISPATCHER, width: int = 1280) -> Iterator[Page]:  # noqa: F811
    """Somebody at a screen of their own, in the room of shifts; nothing may fail in the page's own code."""
    with somebody(city, name, role) as client:
        context = browser.new_context(viewport={"width": width, "height": 900})
        cookie = {"name": "cityvision_session", "value": client.cookies["cityvision_session"], "url": city.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
        one = context.new_page()
        failures: list[str] = []
        one.on("pageerror", lambda error: failures.append(str(error)))
        one.goto(f"{city.url}/shift")
        yield one
        context.close()
    assert failures == []


def stir(city: City) -> list[int]:  # noqa: F811
    """Cases of every kind that is handed on, and two silences."""
    with somebody(city, "maker") as maker:
        numbers = make_cases(city, maker, 24)
        now = time.time()
        for number in numbers[4:]:
            change_case(city, number, due=at(now + 90 * HOUR))
        change_case(city, numbers[0], due=at(now - 3 * HOUR), supervised=True)
        change_case(city, numbers[1], due=at(now + 9 * HOUR))
        change_case(city, numbers[2], status="suspended", due=at(now + 10 * HOUR))
        change_case(city, numbers[3], supervised=True, due=at(now + 90 * HOUR))
        silence = {"note": "道路施工，值班长同意", "until_utc": now + 6 * HOUR, "types": ["crowding"]}
        assert maker.post("/api/case-silences", json=silence).status_code == 201
    city.publish(not_watched("north-gate", now - 1500, None))
    return numbers


def tell_the_weather(seated: Page) -> None:
    weather = seated.get_by_test_id("weather")
    expect(weather).to_contain_text("近一天没有通报")
    weather.get_by_role("button", name="通报天气").click()
    seated.get_by_role("dialog").get_by_role("button", name="通报天气").click()
    spell = weather.get_by_test_id("weather-spell")
    expect(spell).to_contain_text("降雨")
    expect(spell).to_contain_text("全市")
    shot(seated, "shift-weather")
    spell.get_by_role("button", name="结束").click()
    expect(spell.get_by_role("button")).to_have_count(0)


@pytest.mark.thorough
def test_two_people_hand_over(city: City, page: Page) -> None:  # noqa: F811
    numbers = stir(city)
    browser = page.context.browser
    assert browser is not None
    with seat(browser, city, "zhang") as zhang, seat(browser, city, "wang", width=1920) as wang:
        expect(zhang.get_by_role("link", name="交接班", exact=True)).to_be_visible()
        expect(zhang.get_by_text("指挥中心还没有人当班")).to_be_visible()
        shot(zhang, "shift-nobody")
        zhang.get_by_role("button", name="开始当班").press("Enter")
        expect(zhang.get_by_test_id("on-shift")).to_contain_text("zhang （本人）")
        tell_the_weather(zhang)
        draft = zhang.get_by_test_id("draft")
        expect(draft.get_by_role("row").filter(has_text="已超期").filter(has_text="督办")).to_be_visible()
        expect(draft.get_by_test_id("shift-counts")).to_contain_text("24")
        expect(draft.get_by_test_id("shift-silences")).to_contain_text("道路施工")
        expect(draft.get_by_test_id("shift-cameras")).to_contain_text("北门消防通道")
        expect(draft.get_by_role("link", name=str(numbers[0]), exact=True)).to_have_attribute(
            "href", f"/cases/{numbers[0]}"
        )
        draft.get_by_text("督办", exact=True).last.click()
        zhang.get_by_label(f"案件 {numbers[0]} 的备注", exact=True).fill("居民两次来电，承诺今晚清走")
        sign = zhang.get_by_test_id("sign")
        sign.get_by_label("案件编号").fill(str(numbers[9]))
        sign.get_by_role("button", name="为其他案件写备注").click()
        sign.get_by_label(f"案件 {numbers[9]} 的备注").fill("现场有围挡，暂缓")
        sign.get_by_label("交班说明").fill("今晚有阵雨，关注下穿通道积水。")
        shot(zhang, "shift-draft")
        zhang.set_viewport_size({"width": 1920, "height": 1080})
        shot(zhang, "shift-draft-1920")

        expect(wang.get_by_test_id("on-shift").get_by_text("zhang")).to_be_visible()
        expect(wang.get_by_role("heading", name="目前情况")).to_be_visible()
        expect(wang.get_by_role("button", name="签字交班")).to_have_count(0)
        shot(wang, "shift-standing")

        sign.get_by_role("button", name="签字交班").click()
        expect(zhang.get_by_text("等待接班人确认。情况有变时可撤回")).to_be_visible()
        expect(zhang.get_by_role("button", name="确认接班")).to_have_count(0)
        waiting = wang.get_by_test_id("handover")
        expect(waiting.get_by_text("今晚有阵雨")).to_be_visible(timeout=10_000)
        expect(waiting.get_by_role("row").filter(has_text="现场有围挡")).to_be_visible()
        expect(waiting.get_by_role("button", name="拒绝接班")).to_be_disabled()
        shot(wang, "shift-taking-over")
        waiting.get_by_label("接班说明").fill("北门案件请先补充照片")
        waiting.get_by_role("button", name="拒绝接班").press("Enter")
        history = wang.get_by_test_id("handovers")
        expect(history.get_by_role("row").filter(has_text="被拒绝")).to_contain_text("请先补充照片")
        expect(wang.get_by_test_id("on-shift").get_by_text("zhang")).to_be_visible()

        # What was written is still there, to be signed again; by now it is late.
        with city.engine.begin() as connection:
            connection.execute(update(case_shifts).values(planned_end=at(time.time() - 40 * 60)))
        expect(sign.get_by_label("交班说明")).to_have_value("今晚有阵雨，关注下穿通道积水。", timeout=10_000)
        sign.get_by_role("button", name="签字交班").click()
        with seat(browser, city, "li") as li:
            expect(li.get_by_role("button", name="确认接班")).to_be_visible()
            wang.get_by_role("button", name="确认接班").click(timeout=10_000)
            expect(wang.get_by_test_id("on-shift")).to_contain_text("wang （本人）")
            expect(history.get_by_role("row").filter(has_text="已接班")).to_contain_text("迟 40 分")
            # A tab that had not heard of it yet is told what happened.
            answer = li.request.post(f"{city.url}/api/shifts/handovers/2/answer", data={"answer": "confirmed"})
            assert (answer.status, answer.json()["detail"]) == (409, "handover 2 was confirmed by wang")
            expect(li.get_by_role("button", name="无人交班，直接接班")).to_be_visible(timeout=10_000)
            shot(li, "shift-relieve")
        expect(zhang.get_by_test_id("on-shift").get_by_text("wang")).to_be_visible(timeout=10_000)

        history.get_by_role("link", name="2", exact=True).click()
        expect(wang.get_by_role("button", name="打印")).to_be_visible()
        expect(wang.get_by_test_id("handover")).to_have_attribute("data-answer", "confirmed")
        wang.emulate_media(media="print")
        expect(wang.get_by_role("button", name="打印")).to_be_hidden()
        expect(wang.get_by_role("navigation")).to_be_hidden()
        wang.set_viewport_size({"width": 900, "height": 1200})
        shot(wang, "shift-print")

        with seat(browser, city, "sun", Role.AUDITOR) as auditor:
            auditor.get_by_test_id("handovers").get_by_role("link", name="2", exact=True).click()
            expect(auditor.get_by_text("居民两次来电")).to_be_visible()
            expect(auditor.get_by_role("link", name=str(numbers[0]), exact=True)).to_have_count(0)


@pytest.mark.thorough
def test_who_confirms_second_is_told_what_happened(city: City, page: Page) -> None:  # noqa: F811
    browser = page.context.browser
    assert browser is not None
    with seat(browser, city, "zhang") as zhang, seat(browser, city, "li") as li, somebody(city, "wang") as wang:
        zhang.get_by_role("button", name="开始当班").click()
        zhang.get_by_role("button", name="签字交班").click()
        expect(li.get_by_role("button", name="确认接班")).to_be_visible(timeout=10_000)
        li.route("**/api/shifts/current", lambda route: route.abort())  # li's page hears nothing more by itself
        li.route("**/api/shifts/handovers/1", lambda route: route.abort())
        taken = wang.post("/api/shifts/handovers/1/answer", json={"answer": "confirmed"})
        assert taken.status_code == 200
        li.get_by_role("button", name="确认接班").click()
        expect(li.get_by_text("情况已变化：handover 1 was confirmed by wang")).to_be_visible()
        with city.engine.begin() as connection:
            assert connection.execute(cases.select()).first() is None
