"""The room of algorithm versions: what stands in production, how it came there, and that nobody edited it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import ModelRef, Stage
from algorithm_repo.rollout import lanes
from cityvision.shipped import shipped
from models.zoo import Zoo
from tests.contract.test_algo_versions import CARD
from tests.contract.test_registry import entered, led, release
from tests.e2e.browser import shot
from tests.e2e.console_city import City
from tests.e2e.test_console_browser import city, clip, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]


def test_versions_and_their_ledger(city: City, page: Page) -> None:  # noqa: F811
    with city.engine.begin() as connection:
        ensure_shipped(connection, release("a" * 64, "litter", "waterlogging"), "0.1")
        led(connection, entered(connection, "1.1.0"), Stage.PRODUCTION)
        led(connection, entered(connection, "1.2.0"), Stage.CANARY)
    enter(page, city)
    page.goto(f"{city.url}/algorithms")
    rows = page.locator("tbody tr.ant-table-row")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("垃圾暴露")
    expect(rows.nth(1)).to_contain_text("1.1.0")
    expect(rows.nth(1)).to_contain_text("生产")
    expect(rows.nth(2)).to_contain_text("灰度")
    expect(rows.nth(3)).to_contain_text("退役")
    rows.nth(1).get_by_role("button").click()
    story = page.get_by_test_id("ledger")
    expect(story).to_contain_text("投产 → 生产")
    expect(story).to_contain_text("chen (审批人)")
    expect(story).to_contain_text("评测 → 已评测")
    expect(story).to_contain_text("通过 · 评测 0123456789ab")
    rows.nth(3).get_by_role("button").click()
    expect(page.get_by_test_id("ledger").last).to_contain_text("被替换 → 退役")
    expect(page.get_by_test_id("ledger").last).to_contain_text("另一版本 1.1.0")
    page.get_by_role("button", name="核验台账").click()
    expect(page.get_by_test_id("ledger-state")).to_contain_text("链完整")
    shot(page, "algorithms")
    with city.engine.begin() as connection:
        connection.execute(text("ALTER TABLE algorithm_ledger DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE algorithm_ledger SET who = 'nobody' WHERE number = 3"))
    page.get_by_role("button", name="核验台账").click()
    expect(page.get_by_test_id("ledger-state")).to_contain_text("ledger line 3 was changed")


def test_a_candidate_on_cameras_is_shown_and_ended_in_the_room(city: City, page: Page) -> None:  # noqa: F811
    with city.engine.begin() as connection:
        led(connection, entered(connection, "2.0.0", algorithm="crowding"), Stage.PRODUCTION)
        models = (ModelRef(role="water", name="other", sha256="f" * 64),)
        candidate = led(connection, entered(connection, "2.1.0", algorithm="crowding", models=models), Stage.SHADOW)
        (lane,) = (one for one in lanes.wanted(connection) if one.version_id == candidate.id)
        lanes.begin(connection, lane)
    enter(page, city)
    page.goto(f"{city.url}/algorithms")
    shown = page.get_by_test_id("lanes")
    expect(shown).to_contain_text("2.1.0")
    expect(shown).to_contain_text("影子")
    row = page.locator("tbody tr.ant-table-row").filter(has_text="2.1.0").last
    row.get_by_role("button").click()
    shot(page, "rollout")
    page.get_by_role("button", name=re.compile("^终 ?止$")).click()
    page.get_by_label("原因（写入台账）").fill("反光")
    page.get_by_role("dialog").locator(".ant-btn-primary").click()
    expect(page.get_by_test_id("lanes")).to_have_count(0)
    with city.engine.begin() as connection:
        assert service.get(connection, candidate.id).stage is Stage.REGISTERED
        assert ledger.of_version(connection, candidate.id)[-1].grounds.why == "反光"
    standing = page.locator("tbody tr.ant-table-row").filter(has_text="2.0.0").last
    standing.get_by_role("button").click()
    page.get_by_role("button", name=re.compile("^回 ?退$")).click()
    page.get_by_label("原因（写入台账）").fill("漏报")
    page.get_by_role("dialog").locator(".ant-btn-primary").last.click()
    expect(page.get_by_text("crowding 2.0.0 has replaced none")).to_be_visible()


def choose(page: Page, number: int, file: Path) -> None:  # noqa: F811
    with page.expect_file_chooser() as chooser:
        page.get_by_role("dialog").get_by_role("button", name="选择文件").nth(number).click()
    chooser.value.set_files(file)


def test_a_network_from_elsewhere_is_uploaded_and_refused_with_its_reasons(
    city: City,  # noqa: F811
    page: Page,  # noqa: F811
    tmp_path: Path,
) -> None:
    with city.engine.begin() as connection:
        ensure_shipped(connection, shipped("street"), "0.1")
    card, model = tmp_path / "wetter.yaml", tmp_path / "wetter.onnx"
    card.write_text(CARD.replace("192", "224"))
    model.write_bytes(Zoo().fetch("water")[0].read_bytes())
    enter(page, city)
    page.goto(f"{city.url}/algorithms")
    page.get_by_role("button", name="上传网络").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="检查并登记").click()
    expect(form.get_by_text("请选择文件")).to_have_count(2)
    choose(page, 0, model)
    choose(page, 1, card)
    form.get_by_label("算法").click()
    page.get_by_title(re.compile("^积水 · ")).click()
    form.get_by_label("版本").fill("2.0.0")
    form.get_by_role("button", name="检查并登记").click()
    expect(form.get_by_text("检查未通过")).to_be_visible(timeout=30_000)
    expect(form.get_by_test_id("faults")).to_contain_text("graph.input[images]")
    shot(page, "upload")
    card.write_text(CARD)
    form.get_by_role("button", name="检查并登记").click()
    expect(form.get_by_text("wetter.yaml 在选择之后改动过")).to_be_visible()
    choose(page, 1, card)
    form.get_by_role("button", name="检查并登记").click()
    expect(page.get_by_text("已登记版本 2.0.0")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("tbody tr.ant-table-row").filter(has_text="2.0.0")).to_contain_text("wetter-")


def test_other_parameters_become_a_version(city: City, page: Page) -> None:  # noqa: F811
    with city.engine.begin() as connection:
        ensure_shipped(connection, shipped("street"), "0.1")
    enter(page, city)
    page.goto(f"{city.url}/algorithms")
    page.locator("tbody tr.ant-table-row").filter(has_text="积水").get_by_role("button").click()
    page.get_by_role("button", name="调整参数").click()
    form = page.get_by_role("dialog")
    form.get_by_label("版本").fill("1.1.0")
    expect(form.get_by_label("hold", exact=True)).to_have_attribute("placeholder", "60")
    form.get_by_label("hold", exact=True).fill("soon")
    form.get_by_role("button", name="登记为新版本").click()
    expect(form.get_by_text("parameters.hold: not a duration")).to_be_visible()
    form.get_by_label("hold", exact=True).fill("90s")
    shot(page, "tune")
    form.get_by_role("button", name="登记为新版本").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.locator("tbody tr.ant-table-row").filter(has_text="1.1.0")
    row.get_by_role("button").click()
    expect(page.get_by_test_id("parameters")).to_contain_text("hold = 90")
    expect(page.get_by_test_id("ledger").last).to_contain_text("hold: as released → 90")
    shot(page, "tuned")
