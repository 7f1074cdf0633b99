"""The page that says why and why not, as a person uses it: from an event, and for a moment without one."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from contracts.trace import StepName, TracedCondition, TracedStep, TraceLine, ZoneCount
from tests.e2e.console_city import City, Clip, make_event, opened
from tests.e2e.test_console_browser import city, clip, enter, page, pytestmark  # noqa: F401

pytest_plugins = ["tests.embedded"]

TYPE = "illegal_parking"


def _line(utc: float, *matters: tuple[str, float, bool], step: tuple[str, StepName, str] | None = None) -> TraceLine:
    """Matters are (subject, seconds still, held back by a queue)."""
    conditions = []
    for subject, still, queue in matters:
        conditions.append(TracedCondition(TYPE, "lane", subject, "still_s", still, 30.0))
        conditions.append(TracedCondition(TYPE, "lane", subject, "held_back_by_queue", float(queue), 0.0, False))
    return TraceLine(
        time=utc,
        utc=utc,
        why="rule",
        every=2.0,
        gated=1,
        zones=(ZoneCount("lane", 1, len(matters), 0),),
        conditions=tuple(conditions),
        steps=(TracedStep(TYPE, "lane", *step),) if step else (),
    )


def _trace(began: float, event: str) -> list[TraceLine]:
    """A car parks for good at `began`; another stops for 20 s two minutes before."""
    brief = [_line(began - 120 + t, ("track:9", float(t), False)) for t in range(0, 20, 2)]
    gone = _line(began - 100, step=("track:9", "dissolved", "f" * 32))
    calm = [_line(began - 100 + t) for t in range(8, 96, 8)]
    parked = [
        _line(
            began + t,
            ("track:17", float(t), False),
            step=("track:17", "candidate", event) if t == 0 else ("track:17", "opened", event) if t == 30 else None,
        )
        for t in range(0, 40, 2)
    ]
    return [*brief, gone, *calm, *parked]


def test_why_from_an_event_and_why_not_for_a_moment(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    enter(page, city)
    began = time.time() - 200
    event = make_event(began, evidence=(city.keep(clip.jpegs[0], "decision", "jpg", began + 34),))
    city.publish(opened(event.model_copy(update={"confidence": 0.87, "utc": began + 30})))
    city.bus.add_traces({"north-gate": _trace(began, event.id)})

    # From the event: its confidence, and what made it.
    page.goto(f"{city.url}/events/{event.id}")
    expect(page.get_by_test_id("confidence")).to_have_text("87 %")
    page.get_by_role("link", name="为什么？").click()
    verdict = page.get_by_test_id("verdict")
    expect(verdict).to_contain_text("触发事件，依据：静止时长 30 秒（至少需 30 秒）；因排队暂缓：否")
    chart = page.get_by_test_id("why-chart")
    expect(chart.get_by_test_id("matter")).to_have_count(1)
    expect(chart).to_contain_text("✗ 0 秒 … 28 秒")
    expect(chart).to_contain_text("✓ 30 秒 … 38 秒")
    expect(verdict.get_by_role("link", name="打开该事件")).to_have_attribute("href", f"/events/{event.id}")

    # Two minutes earlier: why not.
    for _ in range(2):
        page.get_by_role("button", name="◀ 更早").click()
    expect(verdict).to_contain_text("没有事件：")
    expect(verdict).to_contain_text("未满足：静止时长 18 秒（至少需 30 秒），随后该对象消失")
    expect(chart).to_contain_text("消失")
    page.get_by_text("逐次所见").click()
    expect(page.get_by_role("cell", name="算法需要").first).to_be_visible()

    # Long ago nothing is known, and the page says what to do; then in English.
    page.get_by_label("时刻").fill("2020-01-01T12:00:00")
    expect(verdict).to_contain_text("没有这段时间的追踪记录")
    page.get_by_test_id("language").click()
    expect(verdict).to_contain_text("Nothing is known of that time")


@pytest.mark.thorough
def test_why_not_is_a_click_from_a_camera_and_bad_health_names_its_ailment(
    city: City,  # noqa: F811
    clip: Clip,  # noqa: F811
    page: Page,  # noqa: F811
) -> None:
    enter(page, city)
    page.goto(f"{city.url}/cameras/square")
    page.get_by_role("link", name="为什么没有事件？").click()
    expect(page.get_by_test_id("verdict")).to_be_visible()
    expect(page.get_by_label("类型")).to_be_visible()
    began = time.time() - 60
    covered = make_event(began, camera="square", kind="camera_health", zone="", subject="covered")
    subject = covered.subject.model_copy(update={"object_class": "covered", "track": None})
    city.publish(opened(covered.model_copy(update={"subject": subject})))
    page.get_by_role("link", name="事件", exact=True).click()
    row = page.locator(f"tr[data-row-key='{covered.id}']")
    expect(row).to_contain_text("摄像机异常：遮挡")
    expect(row).to_contain_text("整个画面")
