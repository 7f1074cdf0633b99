"""The room of trainings in a browser: one is asked for, watched while it runs, and ended."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint
from algorithm_repo.registry.shipped import ensure_shipped
from cityvision.shipped import shipped
from models.zoo import Zoo
from tests.e2e.browser import shot
from tests.e2e.console_city import City
from tests.e2e.test_console_browser import city, clip, enter, page, pytestmark  # noqa: F401
from tests.unit.datasets_scene import item, manifest

pytest_plugins = ["tests.embedded"]
EPOCHS = 12


def told(city: City, number: int, token: str, steps: range) -> None:  # noqa: F811
    """What a worker that holds the job tells after each of these epochs."""
    with city.engine.begin() as connection:
        for step in steps:
            figures = {"box_loss": 2 / step, "map50": 0.6 - 0.5 / step, "rate": 0.001}
            service.tell(connection, number, token, CurvePoint(step=step, of=EPOCHS, figures=figures))


def test_a_training_is_submitted_watched_and_cancelled(city: City, page: Page) -> None:  # noqa: F811
    with city.engine.begin() as connection:
        version = manifest(item(1, side="train"), item(2, side="val"), name="路口车辆")
        digest = archive.keep(connection, city.objects, version, [], "lin").digest
        weather = manifest(item(3, side="train"), item(4, side="val"), name="天气", task="classify")
        tags = archive.keep(connection, city.objects, weather, [], "lin").digest
        water = manifest(item(5, side="train"), item(6, side="val"), name="积水", task="segment", classes=("water",))
        mask = archive.keep(connection, city.objects, water, [], "lin").digest
    enter(page, city)
    page.goto(f"{city.url}/trainings")
    expect(page.get_by_text("还没有训练任务")).to_be_visible()
    page.get_by_role("button", name="提交训练").click()
    form = page.get_by_role("dialog")
    form.get_by_label("名称").fill("路口车辆 夜间")
    # What is asked follows from what the version is of.
    asked = (("积水", mask, "冻结特征上的解码器（快）"), ("天气", tags, "yolo11n-cls"), ("路口车辆", digest, "yolo11n"))
    for name, chosen, network in asked:
        form.get_by_label("数据集版本").fill(chosen[:12])
        page.keyboard.press("Enter")
        expect(form).to_contain_text(f"{name} {chosen[:12]}")
        expect(form.get_by_title(network, exact=True)).to_be_visible()
    form.get_by_label("轮数").fill(str(EPOCHS))
    shot(page, "training-form")
    form.get_by_role("button", name="提交训练").click()

    # The page of the new one: it waits, runs, and its curves grow without a reload.
    expect(page.get_by_role("heading", name="路口车辆 夜间")).to_be_visible()
    expect(page.get_by_text("排队中")).to_be_visible()
    expect(page.get_by_text("还没有数据")).to_be_visible()
    with city.engine.begin() as connection:
        job = service.claim(connection, "worker", 600)
    assert job is not None
    assert (job.author, job.settings["epochs"], job.settings["optimizer"]) == ("admin", EPOCHS, "AdamW")
    with city.engine.begin() as connection:
        packages = {"python": "3.12.3", "torch": "2.9.1"}
        service.started(connection, job.id, "worker", service.MadeWith(code="c" * 64, environment=packages, starts=2))
    told(city, job.id, "worker", range(1, 4))
    loss = page.locator("[data-figure=box_loss]")
    expect(loss).to_contain_text("0.6667")
    told(city, job.id, "worker", range(4, 9))
    expect(loss).to_contain_text("0.25")
    expect(loss.locator("polyline")).to_have_attribute("points", re.compile(r"^0,0( [\d.]+,[\d.]+){7}$"))
    facts = page.get_by_test_id("training-facts")
    for text in ("8/12", "c" * 64, "python 3.12.3 · torch 2.9.1", "2 次"):
        expect(facts).to_contain_text(text)
    shot(page, "training-running")

    # Ended by whoever watches: the worker hears of it when it next looks.
    page.get_by_role("button", name="取消训练").click()
    page.locator(".ant-popconfirm").get_by_role("button", name="取消训练").click()
    expect(page.get_by_text("正在取消")).to_be_visible()
    with city.engine.begin() as connection:
        assert service.renew(connection, job.id, "worker", 600) is True
        service.end(connection, job.id, "worker", "cancelled")
    expect(page.get_by_text("已取消")).to_be_visible()
    expect(page.get_by_role("button", name="取消训练")).to_have_count(0)


@pytest.mark.thorough
def test_a_list_says_what_was_made_and_what_failed(city: City, page: Page) -> None:  # noqa: F811
    with city.engine.begin() as connection:
        version = manifest(item(1, side="train"), item(2, side="val"))
        digest = archive.keep(connection, city.objects, version, [], "lin").digest
        for name in ("first", "second", "third"):
            service.submit(connection, name, digest, {"detect": {"epochs": EPOCHS}}, "lin")
        for token in ("a", "b"):
            assert service.claim(connection, token, 600) is not None
    told(city, 1, "a", range(1, EPOCHS + 1))
    told(city, 2, "b", range(1, 3))
    with city.engine.begin() as connection:
        network = Zoo().fetch("street")[0].read_bytes()
        made = media.keep(city.objects, network, ".onnx", "application/octet-stream", "training")
        service.end(connection, 1, "a", "done", result={"detector.onnx": made})
        ensure_shipped(connection, shipped("street"), "0.1")
        service.end(connection, 2, "b", "failed", "the loss is no longer a number; lower the rate")
    enter(page, city)
    page.get_by_role("button", name="更多").click()
    page.get_by_role("link", name="训练", exact=True).click()
    rows = page.locator("tbody tr.ant-table-row")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("排队中")
    expect(rows.nth(1)).to_contain_text("the loss is no longer a number")
    expect(rows.nth(2)).to_contain_text("已完成")
    shot(page, "trainings")
    page.get_by_role("link", name="#1 first").click()
    expect(page.get_by_test_id("training-result")).to_contain_text(made)
    shot(page, "training-done")
    page.get_by_role("button", name="登记为新版本").click()
    form = page.get_by_role("dialog")
    form.get_by_label("算法").click()
    page.get_by_title(re.compile("^违停 ·")).click()
    form.get_by_label("版本").fill("1.1")
    form.locator(".ant-btn-primary").click()
    expect(form).to_contain_text("写三个数字")
    form.get_by_label("版本").fill("1.1.0")
    shot(page, "training-entered")
    form.locator(".ant-btn-primary").click()
    row = page.locator("tbody tr.ant-table-row").filter(has_text="1.1.0")
    expect(row).to_contain_text("已训练")
    row.get_by_role("button").click()
    page.get_by_role("button", name=re.compile("^退 ?役$")).click()
    page.get_by_label("原因（写入台账）").fill("试一试")
    page.get_by_role("dialog").locator(".ant-btn-primary").last.click()
    expect(row).to_contain_text("退役")
