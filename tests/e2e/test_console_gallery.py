"""The gallery: somebody draws a zone on their own picture, has it tried, and asks for the algorithm on a camera."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from simulator.street import scenario
from tests.e2e.browser import shot
from tests.e2e.console_city import City
from tests.e2e.test_console_browser import city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


def test_a_picture_is_tried_and_the_algorithm_is_asked_for(city: City, page: Page, tmp_path: Path) -> None:  # noqa: F811
    street = scenario(5, "water_grow", size=(640, 360))
    middle = (street.truth[0].start + street.truth[0].end) / 2
    picture = tmp_path / "flood.jpg"
    cv2.imwrite(str(picture), street.picture(middle).bgr)
    enter(page, city)
    page.goto(f"{city.url}/gallery")
    page.get_by_label("图片或视频文件").set_input_files(picture)
    ground = page.get_by_label("绘制区域")
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    assert box is not None
    for x, y in street.camera["zones"][0]["polygon"]:
        ground.click(
            position={"x": min(max(x, 0.01), 0.99) * box["width"], "y": min(max(y, 0.01), 0.99) * box["height"]}
        )
    page.get_by_role("button", name="试一试").click()
    answer = page.get_by_test_id("gallery-answer")
    expect(answer).to_contain_text("区域内积水面积占", timeout=60_000)
    expect(answer).to_contain_text("water-")
    expect(answer.locator("img")).to_have_count(1)
    shot(page, "gallery")
    page.get_by_label("摄像机", exact=True).last.click()
    page.keyboard.type("gate")
    page.locator(".ant-select-item-option").first.click()
    page.keyboard.press("Escape")
    page.get_by_label("说明").fill("雨季")
    page.get_by_role("button", name="申请“积水”").click()
    expect(page.get_by_text("已提交申请")).to_be_visible()
    expect(page.locator("tbody tr.ant-table-row")).to_contain_text("雨季")
    page.get_by_label("理由").fill("下周一起")
    page.get_by_role("button", name=re.compile("^接 ?受$")).click()
    expect(page.locator("tbody tr.ant-table-row")).to_contain_text("已接受")
    shot(page, "gallery-requests")
