"""A field worker's telephone: a real Chromium at 390 × 844, from the list to a report that outlives a dead line."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cases import queries
from governance.roles import Role
from tests.contract.access_world import logged_in
from tests.contract.test_api_cases import act, photo
from tests.contract.test_api_doors import log_in
from tests.e2e.browser import chromium, shot
from tests.e2e.console_city import City, Clip, make_event, opened
from tests.e2e.test_console_browser import city, clip  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.fixture
def phone(city: City) -> Iterator[Page]:  # noqa: F811
    """Somebody of the traffic police, logged in, who lets the page know where they are."""
    with city.engine.begin() as connection:
        token = logged_in(city, connection, Role.OPERATOR).cookies["cityvision_session"]
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 390, "height": 844},
            has_touch=True,
            is_mobile=True,
            geolocation={"latitude": 31.2304, "longitude": 121.4842},
            permissions=["geolocation"],
        )
        context.add_cookies([{"name": "cityvision_session", "value": token, "url": city.url}])
        page = context.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(f"{city.url}/m")
        yield page
    assert failures == []


def test_a_report_outlives_a_dead_line(city: City, clip: Clip, phone: Page, tmp_path: Path) -> None:  # noqa: F811
    began = time.time()
    before = city.keep(clip.jpegs[5], "decision", "jpg", began)
    city.publish(
        opened(make_event(began - 9000, evidence=(before,))),  # its two hours are over
        opened(make_event(began - 60, camera="street-1", zone="road")),
        opened(make_event(began - 60, kind="crowding", camera="square", department="grid", zone="plaza", subject="")),
    )
    cards = phone.get_by_test_id("field-card")
    expect(cards).to_have_count(2, timeout=40_000)  # not the other department's; the list is asked for again by itself
    expect(cards.first).to_have_attribute("data-pressing", "late")
    expect(cards.first).to_contain_text("北门消防通道")
    expect(cards.first).to_contain_text("1.0 公里")
    shot(phone, "field-list")
    cards.first.tap()
    expect(phone).to_have_url(re.compile(r"/m/[0-9]+$"))
    number = int(phone.url.rsplit("/", 1)[1])

    way = phone.get_by_test_id("way")
    expect(way).to_have_attribute("href", "geo:31.230400,121.473700?q=31.230400,121.473700(%E5%8C%97%E9%97%A8"
                                  "%E6%B6%88%E9%98%B2%E9%80%9A%E9%81%93%20%C2%B7%20"
                                  "%E6%B6%88%E9%98%B2%E9%80%9A%E9%81%93)")  # fmt: skip
    shown = phone.get_by_test_id("before").get_by_role("img")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    phone.get_by_role("button", name="开始处置").tap()
    expect(phone.get_by_text("处置中")).to_be_visible()

    taken = tmp_path / "IMG_0001.jpg"
    taken.write_bytes(photo(size=(4000, 3000)))
    phone.get_by_label("现场照片").set_input_files(taken)
    phone.get_by_label("说明").fill("已劝离，通道恢复")
    expect(phone.get_by_role("button", name="删除照片")).to_be_visible()
    shot(phone, "field-case")
    small = [
        box
        for one in phone.get_by_role("button").or_(phone.get_by_role("link")).all()
        if (box := one.bounding_box()) is not None and box["height"] < 44
    ]
    assert small == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390

    phone.context.set_offline(True)
    phone.get_by_role("button", name="提交反馈").tap()
    expect(phone.get_by_text("网络不畅，内容已保存在本机")).to_be_visible()
    shot(phone, "field-offline")
    phone.context.set_offline(False)
    phone.route("**/actions", lambda route: (route.fetch(), route.abort())[1], times=1)  # done, but no answer arrives
    phone.reload()  # what is written outlives the page
    expect(phone.get_by_test_id("waiting")).to_be_visible()
    expect(phone.get_by_text("已反馈")).to_be_visible()
    expect(phone.get_by_test_id("waiting")).to_have_count(0)

    with city.client() as centre:
        log_in(centre, city)
        for note in ("再次劝离", "已拖离"):  # it did not last: the case comes back while its page is open
            assert act(centre, number, "verify").status_code == 200
            assert act(centre, number, "refuse", verdict="still_there", note="车辆仍在").status_code == 200
            phone.get_by_label("现场照片").set_input_files(taken)
            phone.get_by_label("说明").fill(note)
            phone.get_by_role("button", name="提交反馈").tap()
            expect(phone.get_by_text("已反馈")).to_be_visible()
            expect(phone.get_by_test_id("waiting")).to_have_count(0)
    phone.get_by_role("link", name="返回列表").tap()
    expect(cards).to_have_count(1)
    expect(phone.get_by_test_id("unsent")).to_have_count(0)
    with city.engine.connect() as connection:
        found = queries.get_case(connection, queries.Sight(everything=True), number)
    assert found is not None
    reports = [line for line in found.lines if line.action == "report"]
    assert [(line.facts.note, len(line.facts.pictures)) for line in reports] == [
        ("已劝离，通道恢复", 1),
        ("再次劝离", 1),
        ("已拖离", 1),
    ]
    phone.get_by_text("已反馈", exact=True).tap()
    expect(cards.first).to_contain_text("北门消防通道")
    shot(phone, "field-reported")


@pytest.mark.thorough
def test_a_browser_that_keeps_nothing_says_so_and_reports_all_the_same(
    city: City,  # noqa: F811
    phone: Page,
    tmp_path: Path,
) -> None:
    city.publish(opened(make_event(time.time() - 60)))
    phone.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    phone.reload()
    phone.get_by_test_id("field-card").tap(timeout=40_000)
    taken = tmp_path / "IMG_0001.jpg"
    taken.write_bytes(photo())
    phone.get_by_label("现场照片").set_input_files(taken)
    expect(phone.get_by_text("本机无法保存草稿")).to_be_visible()
    phone.get_by_role("button", name="提交反馈").tap()
    expect(phone.get_by_text("已反馈")).to_be_visible()
