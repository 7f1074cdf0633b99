"""Subscriptions as a department looks after them: a real Chromium and a real receiver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from store.bus import Bus
from store.valkey import EmbeddedValkey
from subscriptions.service import get
from tests.contract.test_api_subscriptions import receiver  # noqa: F401 - a fixture
from tests.e2e import console_city
from tests.e2e.browser import shot
from tests.e2e.console_city import City, make_event, opened
from tests.e2e.test_console_browser import DIST, enter, page  # noqa: F401 - fixtures
from tests.e2e.test_console_people import choose, tick

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    """Receivers may stand on this machine."""
    networks = {"delivery_networks": "127.0.0.0/8"}
    with console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST, **networks) as one:
        yield one


def test_a_webhook_is_made_tried_held_and_looked_through(
    city: City,
    page: Page,  # noqa: F811
    receiver: tuple[str, list[tuple[dict[str, str], bytes]]],  # noqa: F811
) -> None:
    url, got = receiver
    enter(page, city)
    page.get_by_role("link", name="订阅").click()
    expect(page.get_by_text("还没有订阅")).to_be_visible()
    page.get_by_role("button", name="新建订阅").click()
    page.get_by_label("名称").fill("城管平台")
    choose(page, "部门", "交通警察支队")
    page.get_by_label("地址").fill("ftp://nowhere")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".ant-form-item-explain-error")).to_be_visible()
    page.get_by_label("地址").fill(url)
    shot(page, "subs-new")
    page.get_by_role("button", name="保存").click()
    secret = page.get_by_test_id("shown-once").input_value()
    page.get_by_role("button", name="我已保存").click()
    expect(page.get_by_role("row").filter(has_text="城管平台").get_by_text("正常")).to_be_visible()
    shot(page, "subs")

    page.get_by_role("link", name="城管平台").click()
    page.get_by_role("button", name="试发一条").click()
    expect(page.get_by_test_id("test-answer")).to_contain_text("已送达 204")
    headers, body = got[0]
    assert Webhook(secret).verify(body, headers)["type"] == "cityvision.test"

    page.get_by_role("button", name="暂停").click()
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_text("已暂停：人工暂停")).to_be_visible()
    city.publish(opened(make_event(time.time() - 60)))
    expect(page.locator("tbody").get_by_text("待送")).to_be_visible(timeout=20_000)
    shot(page, "subs-log")
    page.locator(".ant-segmented").get_by_text("死信").click()
    expect(page.locator("tbody").get_by_text("待送")).to_have_count(0)


@pytest.mark.thorough
def test_hours_of_subscriptions_and_grants_are_entered_and_read(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.goto(f"{city.url}/subscriptions")
    page.get_by_role("button", name="新建订阅").click()
    page.get_by_label("名称").fill("夜班")
    choose(page, "部门", "交通警察支队")
    choose(page, "方式", "SSE（接收方来取）")
    page.get_by_text("指定时段", exact=True).click()
    page.get_by_label("开始时间").fill("22:00")
    page.get_by_label("结束时间").fill("06:00")
    page.get_by_label("节假日").fill("2026-10-01,next Friday,2026-10-02,")
    shot(page, "hours-new")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("link", name="夜班").click()
    expect(page.get_by_text("周一 22:00–24:00")).to_be_visible()
    expect(page.get_by_text("周二至周五 00:00–06:00、22:00–24:00")).to_be_visible()
    expect(page.get_by_text("节假日除外（2 天）")).to_be_visible()
    shot(page, "hours-subscription")
    with city.engine.connect() as connection:
        hours = get(connection, 1).wanted.hours
    assert hours is not None
    assert hours.week[0] == ((1320, 1440),)
    assert hours.week[5] == ((0, 360),)
    assert [day.isoformat() for day in hours.holidays] == ["2026-10-01", "2026-10-02"]
    assert hours.workday_hours == hours.week[0]

    page.get_by_role("button", name="修改", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("名称")).to_have_value("夜班")
    expect(dialog.get_by_label("开始时间")).to_have_value("22:00")
    expect(dialog.get_by_label("结束时间")).to_have_value("06:00")
    shot(page, "hours-change")
    dialog.get_by_label("结束时间").fill("05:00")
    dialog.get_by_label("名称").fill("夜班二")
    dialog.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", name="夜班二")).to_be_visible()
    expect(page.get_by_text("周二至周五 00:00–05:00、22:00–24:00")).to_be_visible()
    with city.engine.connect() as connection:
        changed = get(connection, 1)
    assert changed.wanted.hours is not None
    assert changed.wanted.hours.week[5] == ((0, 300),)
    assert changed.wanted.hours.holidays == hours.holidays
    assert (changed.channel.kind, changed.revision) == ("sse", 1)

    page.goto(f"{city.url}/grants")
    page.get_by_role("button", name="申请授权").click()
    choose(page, "申请部门", "交通警察支队")
    choose(page, "向哪个部门申请", "城管网格中心")
    page.get_by_text("指定时段", exact=True).click()
    page.get_by_label("用途").fill("早高峰巡查")
    page.get_by_role("button", name="提交申请").click()
    asked = page.get_by_role("row").filter(has_text="早高峰巡查")
    expect(asked).to_contain_text("周一至周五 08:00–18:00")
    shot(page, "hours-grant")


@pytest.mark.thorough
def test_groups_retries_and_a_window_to_replay_are_set_by_hand(city: City, page: Page) -> None:  # noqa: F811
    city.publish(opened(make_event(time.time() - 60)))
    enter(page, city)
    page.goto(f"{city.url}/subscriptions")
    page.get_by_role("button", name="新建订阅").click()
    page.get_by_label("名称").fill("数据平台")
    choose(page, "部门", "交通警察支队")
    choose(page, "方式", "Redis Stream")
    tick(page, "阶段", "触发")
    page.get_by_text("分组、凭据与重试").click()
    choose(page, "分组", "同摄像机合并")
    page.get_by_label("合并时长").fill("30")
    page.get_by_label("保留条数（约）").fill("500")
    page.get_by_label("重试间隔（秒）").fill("2, x")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("请填数字，用逗号隔开。")).to_be_visible()
    page.get_by_label("重试间隔（秒）").fill("2, 20")
    page.get_by_label("最长保留").fill("12")
    shot(page, "subs-more")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("link", name="数据平台").click()
    expect(page.get_by_text("同摄像机合并 · 合并时长 30 秒")).to_be_visible()
    with city.engine.connect() as connection:
        made = get(connection, 1)
    assert (made.channel.kind, made.grouping and made.grouping.by) == ("stream", "camera")
    assert made.channel.model_dump()["length"] == 500
    assert (made.retry.delays_s, made.retry.max_age_s) == ((2.0, 20.0), 12 * 3600.0)
    assert (made.retry.jitter, made.retry.max_attempts) == (0.2, 1000), "what was left empty is the server's"
    assert made.wanted.transitions == ("opened",)

    page.get_by_role("button", name="修改", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("重试间隔（秒）")).to_have_value("2, 20")
    expect(dialog.get_by_label("最长保留")).to_have_value("12")
    dialog.get_by_label("最多尝试次数").fill("7")
    shot(page, "subs-more-change")
    dialog.get_by_role("button", name="保存").click()
    expect(page.get_by_text("至多 7 次、12 小时")).to_be_visible()
    page.get_by_role("button", name="按时段重放").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("从", exact=True).fill("2020-01-01T00:00")
    shot(page, "subs-replay")
    dialog.get_by_role("button", name="重放").click()
    expect(page.get_by_text("1 条", exact=True)).to_be_visible()
