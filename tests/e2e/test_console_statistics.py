"""Cases in numbers: a real Chromium, by day, department and algorithm; who only sees numbers gets there too."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from governance.roles import Role
from store.database import at
from tests.contract.test_shift_handover import HOUR, change_case, make_cases, somebody
from tests.e2e.browser import shot
from tests.e2e.console_city import City, make_event, not_watched, opened
from tests.e2e.test_console_browser import city, clip, page  # noqa: F401 - fixtures
from tests.e2e.test_console_shift import seat

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.mark.thorough
def test_cases_in_numbers(city: City, page: Page) -> None:  # noqa: F811
    with somebody(city, "maker") as maker:
        numbers = make_cases(city, maker, 6)
        for number in numbers[:2]:
            change_case(city, number, due=at(time.time() - HOUR), grid="G-0412")
        change_case(city, numbers[5], opened=at(time.time() - 40 * 24 * HOUR))
        hotline = {"source": "hotline", "category": "0999", "address": "人民路 3 号", "note": "井盖松动"}
        assert maker.post("/api/cases", json=hotline).status_code == 201
    city.publish(
        opened(make_event(time.time() - 60, kind="crowding", camera="square", department="grid", zone="plaza"))
    )
    city.publish(not_watched("square", time.time() - 3 * HOUR, time.time() - HOUR))
    browser = page.context.browser
    assert browser is not None
    with seat(browser, city, "zhang") as zhang:
        zhang.get_by_role("link", name="案件", exact=True).click()
        zhang.get_by_role("link", name="案件统计").click()
        total = zhang.get_by_test_id("statistics-sum")
        expect(total).to_have_text("受理 7 件，其中现已超期 2 件，结案 0 件")
        zhang.get_by_text("算法", exact=True).click()
        expect(zhang.get_by_role("row").filter(has_text="违停")).to_contain_text("5")
        expect(zhang.get_by_role("row").filter(has_text="人工、热线")).to_contain_text("1")
        expect(zhang.get_by_role("row").filter(has_text="拥挤")).to_contain_text("2.0 小时")
        expect(zhang.get_by_test_id("not-watched")).to_contain_text("同期有 2.0 小时无人监看")
        shot(zhang, "statistics-algorithm")
        zhang.get_by_text("处置部门", exact=True).click()
        expect(zhang.get_by_role("row").filter(has_text="交通警察支队")).to_contain_text("5")
        expect(zhang.get_by_role("row").filter(has_text="尚未派遣")).to_contain_text("1")
        zhang.get_by_text("网格", exact=True).click()
        expect(zhang.get_by_role("row").filter(has_text="G-0412")).to_contain_text("2")
        zhang.get_by_label("时段").click()
        zhang.get_by_text("近 90 天").click()
        expect(total).to_contain_text("受理 8 件")
        zhang.get_by_text("按日", exact=True).click()
        expect(zhang.get_by_role("row")).to_have_count(3)
        shot(zhang, "statistics-day")
    with seat(browser, city, "sun", Role.AUDITOR) as auditor:
        auditor.get_by_role("link", name="审计").click()
        auditor.get_by_role("link", name="案件统计").click()
        expect(auditor.get_by_test_id("statistics-sum")).to_contain_text("受理 7 件")
