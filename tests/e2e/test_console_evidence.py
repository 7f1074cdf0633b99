"""Evidence as people handle it: held, released, deleted by policy; each step in the custody log."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from cases.tables import case_pictures, cases
from cityvision.retention import Sweeper
from store.database import at
from tests.contract.evidence_scene import consumed
from tests.contract.retention_scene import CASE_RULES, DAY, RULES, SIGNER, policy_in
from tests.e2e.browser import shot
from tests.e2e.console_city import City, Clip, make_event
from tests.e2e.test_console_browser import city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.mark.thorough
def test_a_hold_keeps_a_picture_and_without_it_its_page_says_that_it_is_gone(
    city: City,  # noqa: F811
    clip: Clip,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    then = time.time() - 40 * DAY
    picture = city.keep(clip.jpegs[5], "decision", "jpg", then)
    event = make_event(then - 34, kind="wrong_way", evidence=(picture,), closed=True)
    consumed(city, event)
    sweeper = Sweeper(city.engine, city.objects, SIGNER, policy_in(city.folder), lambda: False)
    enter(page, city)
    page.goto(f"{city.url}/events/{event.id}")
    expect(page.get_by_test_id("photo")).to_be_visible()
    holds, custody = page.get_by_test_id("holds"), page.get_by_test_id("custody")
    holds.get_by_label("理由").fill("法院调取")
    holds.get_by_role("button", name="封存").click()
    expect(holds.get_by_text("封存中")).to_be_visible()
    assert sweeper.sweep(time.time()).deleted == 0
    shot(page, "event-held")

    holds.get_by_role("button", name="解除封存").click()
    holds.get_by_label("理由").first.fill("案件已结")
    holds.get_by_role("button", name="解除封存").click()
    expect(holds.get_by_text("已解除")).to_be_visible()
    assert sweeper.sweep(time.time()).deleted == 1
    page.reload()
    expect(page.get_by_test_id("deleted")).to_contain_text("已按保存策略于")
    expect(page.locator(".strip img")).to_have_count(0)
    custody.get_by_text("保管记录").click()
    for line in ("删除", "解除封存", "封存", "查看", "采集"):
        expect(custody.locator("b").get_by_text(line, exact=True)).to_be_visible()
    shot(page, "event-deleted")


@pytest.mark.thorough
def test_a_picture_of_a_case_is_unmasked_for_a_purpose_and_gone_after_its_days(
    city: City,  # noqa: F811
    clip: Clip,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    consumed(city, make_event(time.time() - 60))
    with city.engine.begin() as connection:
        number: int = connection.execute(select(cases.c.id)).scalar_one()
    enter(page, city)
    case = f"{city.url}/api/cases/{number}"
    jpeg = {"content-type": "image/jpeg"}
    sent = page.request.post(f"{case}/pictures", data=clip.jpegs[10], headers=jpeg).json()
    told = {"action": "report", "facts": {"pictures": [sent["key"]], "note": "已劝离"}}
    assert page.request.post(f"{case}/actions", data=told).ok
    page.goto(f"{city.url}/cases/{number}")
    page.get_by_role("button", name="现场照片").click()
    large, dialog = page.get_by_test_id("case-picture-large"), page.get_by_role("dialog")
    expect(large.get_by_role("img")).to_be_visible(timeout=20_000)
    dialog.get_by_role("button", name="查看原件").click()
    dialog.get_by_label("用途").fill("行政复议取证")
    dialog.get_by_role("button", name="显示").click()
    expect(dialog.get_by_text("已显示原件（用途：行政复议取证）")).to_be_visible()
    expect(large.locator("img[src*=unmasked]")).to_be_visible()
    shot(page, "case-picture-unmasked")
    page.keyboard.press("Escape")
    custody = page.get_by_test_id("custody")
    custody.get_by_text("保管记录").click()
    expect(custody.get_by_text("行政复议取证")).to_be_visible()
    expect(custody.get_by_text("(原件)")).to_be_visible()

    with city.engine.begin() as connection:
        ended = {"status": "closed", "closed": at(time.time() - 60 * DAY)}
        connection.execute(update(cases).where(cases.c.id == number).values(ended))
        connection.execute(update(case_pictures).values(at=at(time.time() - 61 * DAY)))
    policy = policy_in(city.folder, RULES + CASE_RULES)
    assert Sweeper(city.engine, city.objects, SIGNER, policy, lambda: False).sweep(time.time()).deleted == 1
    page.reload()
    expect(page.get_by_test_id("deleted")).to_contain_text("已按保存策略于")
    expect(page.get_by_role("button", name="现场照片")).to_have_count(0)
    shot(page, "case-picture-deleted")
