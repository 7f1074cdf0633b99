"""Cases as a dispatcher works on them: a real Chromium, from an event to 结案, with the second look's picture."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from cases import verify
from cases.book import read_book
from contracts.records import LookRecord
from tests.contract.test_api_cases import answer
from tests.e2e.browser import shot
from tests.e2e.console_city import City, Clip, make_event, opened
from tests.e2e.test_console_browser import city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


def test_from_an_event_to_the_end(city: City, clip: Clip, page: Page, tmp_path: Path) -> None:  # noqa: F811
    enter(page, city)
    began = time.time() - 9000
    seen = city.keep(clip.jpegs[5], "decision", "jpg", began)
    city.publish(opened(make_event(began, evidence=(seen,))))  # its two hours are over
    city.publish(opened(make_event(time.time() - 60, kind="crowding", camera="square", zone="plaza", subject="")))
    page.get_by_role("link", name="案件", exact=True).click()
    row = page.get_by_role("row").filter(has_text="机动车乱停放")
    expect(row.get_by_text("已派遣")).to_be_visible()
    expect(row.locator("[data-testid=case-clock][data-late=true]")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="人群聚集")).to_be_visible()
    shot(page, "cases")
    page.get_by_role("switch", name="仅看超期").click()
    expect(page.get_by_role("row").filter(has_text="人群聚集")).to_have_count(0)

    row.click()
    expect(page.get_by_role("heading", name="机动车乱停放")).to_be_visible()
    behind = page.get_by_test_id("event-behind").get_by_role("img")
    expect(behind).to_be_visible(timeout=20_000)  # the first masked copy loads the networks
    assert behind.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    photo = tmp_path / "place.jpg"
    photo.write_bytes(clip.jpegs[10])
    page.get_by_role("button", name="反馈", exact=True).click()
    page.get_by_role("button", name="确认反馈").click()
    expect(page.get_by_text("report lacks pictures")).to_be_visible()
    page.get_by_label("现场照片").set_input_files(photo)
    page.get_by_label("说明").fill("已劝离")
    page.get_by_role("button", name="确认反馈").click()
    expect(page.locator("[data-testid=case-line][data-action=report] img")).to_be_visible()
    shot(page, "case-reported")

    with city.engine.begin() as connection:  # what the consumer's process does each second
        assert verify.begin(connection, time.time(), read_book()) == 1
        (asked,) = verify.waiting(connection, time.time())
    expect(page.get_by_text("摄像机正在复核现场")).to_be_visible()
    now = city.keep(clip.jpegs[15], "latest", "jpg", time.time())
    city.publish(LookRecord(look=answer(asked.id, now)))
    closed = page.locator("[data-testid=case-line][data-action=close]")
    expect(closed.get_by_text("已消除")).to_be_visible()
    expect(closed.get_by_role("img")).to_have_count(2)  # before and at the second look
    for number in range(2):
        shown = closed.get_by_role("img").nth(number)
        assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    expect(
        page.get_by_text("指挥中心", exact=True)
    ).to_be_visible()  # whose it is again; it is none of the pool's departments
    shot(page, "case-closed")
    page.get_by_role("button", name="评价", exact=True).click()
    page.get_by_role("radio").nth(3).click()
    page.get_by_role("button", name="确认评价").click()
    expect(page.locator("[data-testid=case-line][data-action=rate]")).to_be_visible()
    assert httpx.get(f"{city.url}/api/cases").status_code == 401
