"""Silences of cases in the console: what one would hide is seen before it is kept, what it hides, and its end."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.e2e import console_city
from tests.e2e.browser import shot
from tests.e2e.console_city import City, make_event, opened
from tests.e2e.test_console_browser import DIST, enter, page  # noqa: F401 - fixtures
from tests.e2e.test_console_people import tick

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST) as one:
        yield one


@pytest.mark.thorough
def test_a_silence_of_cases_is_previewed_made_looked_into_and_ended(city: City, page: Page) -> None:  # noqa: F811
    crowd = make_event(time.time() - 600, kind="crowding", camera="square", department="grid", zone="plaza")
    city.publish(opened(make_event(time.time() - 600)), opened(crowd))
    enter(page, city)
    page.get_by_role("link", name="案件", exact=True).click()
    page.get_by_role("link", name="案件静默").click()
    expect(page.get_by_text("没有静默", exact=True)).to_be_visible()

    page.get_by_role("button", name="新建案件静默").click()
    preview = page.get_by_test_id("silence-preview")
    expect(preview).to_contain_text("会有 2 个事件不成案（其中 2 个新立案件）")
    tick(page, "类型", "违停")
    expect(preview).to_contain_text("会有 1 个事件不成案")
    expect(preview.get_by_test_id("hidden-events")).to_contain_text("北门消防通道 · 消防通道")
    expect(preview.get_by_role("link", name=re.compile("案件 "))).to_have_attribute("href", re.compile("/cases/"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("原因").fill("和平路施工")
    until = datetime.now() + timedelta(hours=3)
    dialog.get_by_label("结束时间").fill(until.strftime("%Y-%m-%dT%H:%M"))
    shot(page, "case-silences-new")
    page.get_by_role("button", name="开始静默").click()

    row = page.get_by_role("row").filter(has_text="和平路施工")
    expect(row).to_contain_text("生效中")
    expect(row).to_contain_text("0 个事件")
    event = make_event(time.time() + 1, camera="street-1", zone="road", subject="track:2")
    city.publish(opened(event))
    expect(row).to_contain_text("1 个事件", timeout=20_000)
    row.get_by_role("button", name=re.compile("展开")).click()
    link = page.get_by_test_id("hidden-events").get_by_role("link")
    expect(link).to_have_attribute("href", f"/events/{event.id}")
    shot(page, "case-silences")

    row.get_by_role("button", name="立即结束").click()
    page.get_by_role("button", name="确认").click()
    expect(row).to_contain_text("已结束")
    expect(row.get_by_role("button", name="立即结束")).to_have_count(0)
