"""Events judged by keyboard in a browser: at speed, taken back, beside others, over a dead line; what was missed."""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from contracts.records import Event
from events.tables import event_verdicts
from tests.contract.evidence_scene import consumed
from tests.e2e.browser import shot
from tests.e2e.console_city import PASSWORD, City, Clip, make_event
from tests.e2e.test_console_browser import city, clip, enter, page, pytestmark  # noqa: F401

pytest_plugins = ["tests.embedded"]

JUDGED = 18


def happened(city: City, clip: Clip, count: int) -> list[Event]:  # noqa: F811
    """Events with a picture each, every third with a clip; the newest first, as the queue has them."""
    began, found = time.time() - 4000, []
    film = city.keep(clip.mp4(3), "clip", "mp4", began)
    for number in range(count):
        picture = city.keep(clip.jpegs[number], "decision", "jpg", began + 40 * number)
        pieces = (picture, film) if number % 3 == 0 else (picture,)
        found.append(make_event(began + 40 * number, subject=f"track:{number}", evidence=pieces, closed=True))
    consumed(city, *found)
    return found[::-1]


def stored(city: City) -> list[Any]:  # noqa: F811
    with city.engine.connect() as connection:
        return list(connection.execute(select(event_verdicts).order_by(event_verdicts.c.id)))


def wait_for(city: City, count: int) -> list[Any]:  # noqa: F811
    end = time.monotonic() + 60
    while len(rows := stored(city)) < count:
        assert time.monotonic() < end, f"{len(rows)} of {count} verdicts"
        time.sleep(0.05)
    return rows


def opened_room(page: Page, city: City) -> None:  # noqa: F811
    enter(page, city)
    page.get_by_role("link", name="复核", exact=True).click()
    expect(page.locator("[data-testid=review][data-ready=true]")).to_be_visible(timeout=20_000)


def ready(page: Page, event: Event) -> None:  # noqa: F811
    """The event is in front, and its picture was on the page."""
    front = page.locator(f"[data-testid=review][data-event='{event.id}'][data-ready=true]")
    expect(front).to_be_visible(timeout=20_000)


def test_events_are_judged_by_keyboard_alone(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    events = happened(city, clip, JUDGED + 2)
    opened_room(page, city)
    ready(page, events[0])
    expect(page.locator(".media polygon, .media rect")).to_have_count(2)  # zone and box
    shot(page, "review-1280")
    for number, event in enumerate(events[:JUDGED]):
        ready(page, event)
        if number % 4 == 1:
            page.keyboard.press("f")
            page.keyboard.press(str(number % 8 + 1))
        else:
            page.keyboard.press("j" if number % 2 else "Enter")
    rows = wait_for(city, JUDGED)
    assert [row.event_id for row in rows] == [event.id for event in events[:JUDGED]], "each once, in order"
    kinds = [("false_alarm" if number % 4 == 1 else "real") for number in range(JUDGED)]
    assert [row.kind for row in rows] == kinds
    reasons = ["object", "place", "short", "allowed", "light", "weather", "picture", "other"]
    assert [row.reason for row in rows if row.reason] == [reasons[n % 8] for n in range(1, JUDGED, 4)]
    expect(page.get_by_test_id("progress")).to_contain_text(f"本次已判 {JUDGED} 件")
    expect(page.get_by_test_id("progress")).to_contain_text("每分钟")
    ready(page, events[JUDGED])
    page.keyboard.press("f")
    expect(page.get_by_text("误报原因")).to_be_visible()
    shot(page, "review-why-1280")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1920, "height": 1080})
    shot(page, "review-1920")


@pytest.mark.thorough
def test_taken_back_beside_others_and_over_a_dead_line(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    events = happened(city, clip, 6)
    opened_room(page, city)
    ready(page, events[0])

    # Taken back and judged again: both stay, the newer one counts.
    page.keyboard.press("j")
    ready(page, events[1])
    page.keyboard.press("u")
    ready(page, events[0])
    expect(page.get_by_text("已判定过")).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.press("5")
    rows = wait_for(city, 2)
    assert [(row.event_id, row.kind, row.reason) for row in rows] == [
        (events[0].id, "real", ""),
        (events[0].id, "false_alarm", "light"),
    ]

    # Arrow keys look without judging; a clip is at hand.
    ready(page, events[1])
    page.keyboard.press("ArrowRight")
    ready(page, events[2])
    page.keyboard.press("c")
    expect(page.locator("video")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.press("ArrowLeft")
    ready(page, events[1])

    # Somebody else judges one that waits: it is skipped.
    with city.client() as other:
        assert other.post("/api/login", json={"name": "admin", "password": PASSWORD}).status_code == 200
        body = {"kind": "real", "key": uuid.uuid4().hex}
        assert other.post(f"/api/events/{events[3].id}/verdicts", json=body).status_code == 201
    expect(page.get_by_test_id("progress")).to_contain_text("他人已判 1 件", timeout=15_000)

    # The line dies: judging goes on, what was said waits, also over a reload.
    def dead(route: Route) -> None:
        if route.request.method == "POST":
            route.abort()
        else:
            route.continue_()

    page.route("**/api/events/*/verdicts", dead)
    page.keyboard.press("j")
    ready(page, events[2])
    expect(page.get_by_test_id("progress")).to_contain_text("1 件正在发送")
    assert len(stored(city)) == 3
    page.unroute("**/api/events/*/verdicts")
    page.reload()
    rows = wait_for(city, 4)
    assert (rows[-1].event_id, rows[-1].kind) == (events[1].id, "real")
    expect(page.get_by_test_id("progress")).not_to_contain_text("正在发送")


@pytest.mark.thorough
def test_what_was_missed_is_drawn_and_the_rates_tell_of_it(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    events = happened(city, clip, 4)
    opened_room(page, city)
    ready(page, events[0])
    page.keyboard.press("m")
    draw(page)
    page.get_by_placeholder("说明（可不填）", exact=True).fill("后面还有一辆")
    shot(page, "review-missed")
    page.get_by_role("button", name="提交漏报").click()
    missed = wait_for(city, 1)[0]
    assert (missed.kind, missed.camera, missed.type) == ("missed", "north-gate", "illegal_parking")
    assert missed.body["drawn_on"] == [events[0].id, events[0].evidence[0].sha256]
    assert [[round(v, 1) for v in corner] for corner in missed.body["polygon"]] == [
        [0.2, 0.3],
        [0.6, 0.3],
        [0.6, 0.7],
        [0.2, 0.7],
    ]

    # On what the camera sees now.
    page.keyboard.press("m")
    page.get_by_text("摄像机实时画面", exact=True).click()
    draw(page)
    page.get_by_role("button", name="提交漏报").click()
    live = wait_for(city, 2)[1]
    assert (live.camera, live.body["drawn_on"]) == ("north-gate", [])
    (frame,) = live.body["evidence"]
    kept = city.objects.get(frame["key"])
    assert hashlib.sha256(kept).hexdigest() == frame["sha256"]
    assert kept in clip.jpegs, "the camera's own picture, not the masked one that the page showed"
    assert abs(live.moment.timestamp() - time.time()) < 30

    ready(page, events[0])
    page.keyboard.press("j")
    ready(page, events[1])
    page.keyboard.press("f")
    page.keyboard.press("2")
    ready(page, events[2])
    wait_for(city, 4)
    page.get_by_role("link", name="误报率").click()
    expect(page.get_by_test_id("not-watched")).to_be_visible()
    row = page.get_by_test_id("rates").locator("tbody tr", has_text="北门消防通道")
    expect(row).to_contain_text("50 %")
    expect(row).to_contain_text("9–91 %")
    assert [cell.strip() for cell in row.locator("td.number").all_inner_texts()][:3] == ["4", "2", "1"]
    assert row.locator("td").last.inner_text() == "2", "missed"
    shot(page, "review-rates")

    # The event's own page shows it, and takes another verdict.
    page.goto(f"{city.url}/events/{events[1].id}")
    said = page.get_by_test_id("verdicts")
    expect(said.get_by_text("不在区域内")).to_be_visible()
    said.get_by_placeholder("说明").fill("再看一遍")
    said.get_by_role("button", name="真实").click()
    expect(said.get_by_text("已被更正")).to_be_visible()
    expect(said.locator("li").first).to_contain_text("再看一遍")
    # So does what a department has seen of it, which is something else than a verdict or a silence.
    seen = page.get_by_test_id("acknowledgements")
    seen.get_by_role("button", name="交通警察支队确认已知悉").click()
    expect(seen.locator("li")).to_contain_text("交通警察支队")
    expect(seen.get_by_role("button")).to_have_count(0)
    shot(page, "event-verdict")
    assert wait_for(city, 5)[4].kind == "real"


def draw(page: Page) -> None:  # noqa: F811
    """Drags a box from (.2, .3) to (.6, .7) of the picture."""
    picture = page.get_by_test_id("missed-picture")
    expect(picture.locator("img")).to_be_visible(timeout=15_000)
    page.wait_for_function("document.querySelector('[data-testid=missed-picture] img').naturalWidth > 0")
    page.wait_for_timeout(400)  # the dialog comes in by a movement
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
