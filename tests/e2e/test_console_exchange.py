"""The room of the exchange: a platform that is away, refuses, and has come apart from us; in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from cases.exchange.tables import exchange_outbox
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.access_world import client_of
from tests.contract.exchange_scene import Scene, running, wait_until
from tests.e2e.browser import chromium, shot
from tests.e2e.test_console_browser import DIST

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.fixture
def scene(tmp_path: Path, engine: Engine, valkey: EmbeddedValkey, bus: Bus) -> Iterator[Scene]:
    if not (DIST / "index.html").is_file():
        pytest.fail("the console is not built: npm ci && npm run build in console/")
    with running(tmp_path, engine, valkey.url, calls=False) as one:
        one.start("api")
        yield one


@pytest.fixture
def page(scene: Scene) -> Iterator[Page]:
    """At the room, logged in as somebody of the centre."""
    url = f"http://127.0.0.1:{scene.settings.api_port}"
    with scene.engine.begin() as connection:
        token = client_of(url, connection, Role.ADMIN).cookies["cityvision_session"]
    with chromium() as browser:
        one = browser.new_page(viewport={"width": 1280, "height": 800})
        failures: list[str] = []
        one.on("pageerror", lambda error: failures.append(str(error)))
        one.context.add_cookies([{"name": "cityvision_session", "value": token, "url": url}])
        one.goto(f"{url}/exchange")
        yield one
    assert failures == []


@pytest.mark.thorough  # its doors are asked in test_exchange_desk
@pytest.mark.timeout(150)
def test_the_queue_a_refusal_and_a_reconciliation(scene: Scene, page: Page) -> None:
    queue, refused = page.get_by_test_id("exchange-queue"), page.get_by_test_id("exchange-refused")
    reconcile = page.get_by_test_id("exchange-reconcile")
    expect(queue).to_contain_text("全部送达")
    first, second, third = scene.happen(3)
    with scene.engine.begin() as connection:
        broken = exchange_outbox.update().where(exchange_outbox.c.case_id == first).values(body={"sourceId": "x"})
        connection.execute(broken)
    scene.start("exchange")
    expect(queue).to_contain_text("对方没有收下", timeout=30_000)
    expect(queue).to_contain_text("最早一条自")
    page.get_by_role("button", name="立即对账").click()
    expect(reconcile).to_contain_text("对方没有给出清单", timeout=30_000)
    shot(page, "exchange-away")

    scene.platform.start()
    expect(queue).to_contain_text("全部送达", timeout=30_000)
    rows = refused.get_by_role("row")
    expect(rows).to_have_count(3)  # with the head
    expect(rows.filter(has_text="HTTP 422")).to_have_count(2)
    expect(rows.filter(has_text="已有更新的推送")).to_have_count(1)
    refused.get_by_role("button", name="重新推送").click()
    wait_until(lambda: str(first) in scene.platform.book.tasks)
    expect(refused.get_by_role("button", name="重新推送")).to_have_count(0, timeout=15_000)

    tasks = scene.platform.book.tasks
    scene.platform.book.forget(str(second))
    tasks[str(third)].state, tasks[str(third)].seq = "4", 2
    page.get_by_role("button", name="立即对账").click()
    expect(reconcile).to_contain_text("2 件不一致", timeout=15_000)
    expect(reconcile.get_by_role("row").filter(has_text=f"案件 {second}")).to_contain_text("对方没有")
    expect(reconcile.get_by_role("row").filter(has_text=f"案件 {third}")).to_contain_text("对方有更新")
    shot(page, "exchange-differs")
    page.get_by_role("button", name="修复可安全修复的").click()
    page.get_by_role("button", name="修复", exact=True).click()
    expect(reconcile.get_by_text("已修复")).to_have_count(2, timeout=15_000)
    shot(page, "exchange-repaired")
    wait_until(lambda: scene.outlook().waiting == 0)
    page.get_by_role("button", name="立即对账").click()
    expect(reconcile).to_contain_text("0 件不一致", timeout=15_000)
