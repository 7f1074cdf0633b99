"""The room of silences: what one would hide is seen before it is kept, what it hides while it runs, and its end."""

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
from subscriptions import service
from subscriptions.types import NewSubscription, Sse
from tests.contract.subscription_scene import SEALER
from tests.e2e import console_city
from tests.e2e.browser import shot
from tests.e2e.console_city import City, make_event, opened
from tests.e2e.test_console_browser import DIST, enter, page  # noqa: F401 - fixtures
from tests.e2e.test_console_people import choose, tick

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST) as one:
        with one.engine.begin() as connection:
            wish = NewSubscription(department="traffic", name="城管平台", channel=Sse())
            service.create(connection, wish, "li", SEALER)
        yield one


@pytest.mark.thorough
def test_a_silence_is_previewed_made_looked_into_and_ended(city: City, page: Page) -> None:  # noqa: F811
    before = make_event(time.time() - 600)
    city.publish(opened(before), opened(make_event(time.time() - 600, kind="crowding", camera="street-1", zone="road")))
    enter(page, city)
    page.get_by_role("link", name="静默").click()
    expect(page.get_by_text("静默不是确认")).to_be_visible()
    expect(page.get_by_text("没有静默", exact=True)).to_be_visible()

    page.get_by_role("button", name="新建静默").click()
    preview = page.get_by_test_id("silence-preview")
    expect(preview).to_contain_text("选择部门后")
    page.get_by_role("button", name="开始静默").click()
    expect(page.locator(".ant-form-item-explain-error")).to_have_count(3)  # department, end, reason
    choose(page, "部门", "交通警察支队")
    expect(preview).to_contain_text("会隐藏 2 条推送")
    tick(page, "类型", "违停")
    expect(preview).to_contain_text("会隐藏 1 条推送")
    expect(preview.get_by_test_id("hidden-events")).to_contain_text("北门消防通道 · 消防通道")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("原因").fill("和平路施工")
    dialog.get_by_label("结束时间").fill("2020-01-01T00:00")
    expect(page.get_by_text("结束时间须晚于开始时间和现在")).to_be_visible()
    until = datetime.now() + timedelta(hours=3)
    dialog.get_by_label("结束时间").fill(until.strftime("%Y-%m-%dT%H:%M"))
    shot(page, "silences-new")
    page.get_by_role("button", name="开始静默").click()

    row = page.get_by_role("row").filter(has_text="和平路施工")
    expect(row).to_contain_text("生效中")
    expect(row).to_contain_text("0 条推送")
    event = make_event(time.time(), subject="track:2")
    city.publish(opened(event))
    expect(row).to_contain_text("1 条推送", timeout=20_000)
    row.get_by_role("button", name=re.compile("展开")).click()
    link = page.get_by_test_id("hidden-events").get_by_role("link")
    expect(link).to_have_attribute("href", f"/events/{event.id}")
    shot(page, "silences")

    row.get_by_role("button", name="立即结束").click()
    page.get_by_role("button", name="确认").click()
    expect(row).to_contain_text("已结束")
    expect(row.get_by_role("button", name="立即结束")).to_have_count(0)
    shot(page, "silences-over")
