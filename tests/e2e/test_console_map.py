"""The map as a person uses it: by mouse, wheel, fingers and keys, and with the cameras of a whole city."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Page, expect

from contracts.live import CameraState, CameraStatus
from contracts.pool import Pool
from pool.store import import_pool
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.e2e import console_city
from tests.e2e.browser import shot
from tests.e2e.console_city import City, make_event, not_watched, opened
from tests.e2e.test_console_browser import DIST, enter, page  # noqa: F401 - fixtures
from tests.soak import Soak

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]

GATE = {"lon": 121.4737, "lat": 31.2304}
CAMERAS = 12_000
EVENTS = 60  # of four types: fewer than make a mass incident
FEWER = 900  # cameras where nobody asked for the figures
FRAME_MS = 1000 / 60
# What our own callback of a frame costs, and how far apart frames are.
_TIMED = """
(() => {
  window.__costs = [];
  window.__frames = [];
  const ask = window.requestAnimationFrame.bind(window);
  const beat = (now) => { window.__frames.push(now); ask(beat); };
  ask(beat);
  window.requestAnimationFrame = (callback) => ask((now) => {
    const began = performance.now();
    callback(now);
    window.__costs.push(performance.now() - began);
  });
})();
"""


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    if not (DIST / "index.html").is_file():
        pytest.fail("the console is not built: npm ci && npm run build in console/")
    with console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST) as one:
        yield one


def canvas_box(page: Page) -> FloatRect:  # noqa: F811
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    return box


def test_an_event_arrives_on_the_map_and_leads_to_camera_event_and_case(city: City, page: Page) -> None:  # noqa: F811
    city.report("north-gate")
    enter(page, city)
    page.get_by_role("link", name="地图", exact=True).click()
    count = page.get_by_test_id("map-count")
    expect(count).to_contain_text("摄像机 6 路 · 未结事件 0 起 · 未结案件 0 件")
    expect(count).to_contain_text("5 路未在监看")  # only one has been heard of
    expect(count.get_by_test_id("not-watched")).to_have_text("近 24 小时全程监看")
    expect(count).to_contain_text("5 处无坐标")
    event = make_event(time.time() - 60)
    theirs = make_event(time.time() - 60, kind="crowding", camera="square", department="grid", zone="plaza")
    now = time.time()
    city.publish(not_watched("north-gate", now - 7200, now - 3600), not_watched("square", now - 10800, now - 3600))
    city.publish(opened(event), opened(theirs))
    expect(count).to_contain_text("未结事件 2 起 · 未结案件 2 件", timeout=20_000)

    # Counts are read with the hours in which nobody watched, of the cameras that they are about.
    lost = page.get_by_test_id("not-watched")
    page.reload()
    expect(lost).to_have_text("近 24 小时有 3.0 小时无人监看")
    page.goto(f"{city.url}/map?department=traffic")
    expect(lost).to_have_text("近 24 小时有 1.0 小时无人监看")
    page.goto(f"{city.url}/map?busy=true")
    expect(lost).to_have_text("近 24 小时有 3.0 小时无人监看")
    page.goto(f"{city.url}/map")
    shot(page, "map")

    # The one camera with a place stands in the middle.
    box = canvas_box(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    card = page.get_by_test_id("map-card")
    expect(card).to_contain_text("北门消防通道")
    expect(card).to_contain_text("31.23040, 121.47370")
    expect(card.get_by_test_id("not-watched")).to_have_text("近 24 小时有 1.0 小时无人监看")
    shot(page, "map-card")
    assert f"/events/{event.id}" in (card.get_by_test_id("map-event").get_attribute("href") or "")
    expect(card.get_by_test_id("map-case")).to_be_visible()
    card.get_by_role("button", name="关闭").click()
    expect(card).to_have_count(0)

    # What has no place on the map is in the list.
    listed = page.get_by_test_id("map-list")
    expect(listed.get_by_role("button")).to_have_count(2)
    page.get_by_text("无坐标 5", exact=True).click()
    expect(listed.get_by_role("button")).to_have_count(5)
    listed.get_by_role("button", name="中心广场").click()
    expect(card).to_contain_text("资源池未填坐标")
    expect(card).to_contain_text("人群聚集")
    card.get_by_test_id("map-camera").click()
    expect(page).to_have_url(re.compile("/cameras/square$"))


@pytest.mark.thorough
def test_keys_wheel_and_address(city: City, page: Page) -> None:  # noqa: F811
    city.report("north-gate")
    city.publish(opened(make_event(time.time() - 60)))
    enter(page, city)
    page.goto(f"{city.url}/map?at=31.2304,121.4737,15&state=running&state=unknown")
    where = page.get_by_test_id("map")
    expect(page.get_by_test_id("map-count")).to_contain_text("摄像机 6 路")
    where.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"at=31\.23\d+%2C121\.47\d+%2C15\.00"))
    moved = page.url
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("%2C16.00"))
    assert page.url.split("%2C")[1] == moved.split("%2C")[1]  # nearer around the middle
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("map-card")).to_contain_text("北门消防通道")
    shot(page, "map-keys")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("map-card")).to_have_count(0)
    box = canvas_box(page)
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.wheel(0, -240)
    expect(page).to_have_url(re.compile("%2C17.00"))
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile(r"at=31\.23040%2C121\.47370%2C16\.00"))

    # Filters stay in the address: a reload shows the same.
    page.get_by_role("switch", name="只看有未结事件或案件的").click()
    expect(page).to_have_url(re.compile("busy=true"))
    expect(page.get_by_test_id("map-count")).to_contain_text("摄像机 1 路")
    page.reload()
    expect(page.get_by_test_id("map-count")).to_contain_text("摄像机 1 路")
    assert "at=31.23040" in page.url
    assert page.url.count("state=") == 2


@pytest.mark.thorough
def test_two_fingers_zoom_the_map(city: City, page: Page) -> None:  # noqa: F811
    enter(page, city)
    page.goto(f"{city.url}/map?at=31.2304,121.4737,13")
    expect(page.get_by_test_id("map-count")).to_be_visible()
    box = canvas_box(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    cdp = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(points)]
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (x - 50, y), (x + 50, y))
    for step in range(1, 11):
        touch("touchMove", (x - 50 - 5 * step, y), (x + 50 + 5 * step, y))
    touch("touchEnd")
    expect(page).to_have_url(re.compile(r"at=31\.23\d+%2C121\.47\d+%2C14\.00"))
    expect(page.get_by_test_id("map-card")).to_have_count(0)


def whole_city(city: City, count: int) -> None:
    """`count` cameras of 44 departments in districts of different density, most of them running."""
    draw = random.Random(5)
    districts = [(121.2 + draw.random() * 0.6, 30.95 + draw.random() * 0.5, draw.random() * 0.05) for _ in range(60)]

    def camera(n: int) -> dict[str, Any]:
        lon, lat, spread = districts[n % len(districts)]
        at = {"lon": lon + draw.gauss(0, 0.01 + spread), "lat": lat + draw.gauss(0, 0.01 + spread)}
        return {
            "id": f"camera-{n:05}",
            "name": f"和平路 {n} 号",
            "department": f"d{n % 44}",
            "class": 1 + n % 3,
            "main": {"url": f"rtsp://10.{n // 65536}.{n // 256 % 256}.{n % 256}:554/main"},
            "grid": f"G-{at['lon'] * 100:.0f}-{at['lat'] * 100:.0f}",
            "position": at,
            "zones": [{"id": "road", "kind": "road", "polygon": ((0, 0.5), (1, 0.5), (1, 1), (0, 1))}],
            "algorithms": {"crowding": {"max_people": 30}},
        }

    document = {
        "departments": [{"id": f"d{n}", "name": f"部门 {n}"} for n in range(44)],
        "cameras": [camera(n) for n in range(count)],
    }
    with city.engine.begin() as connection:
        import_pool(connection, Pool.model_validate(document), "tests")
    now = time.time() + 120  # also while a slow machine takes its time
    states = [CameraState.RUNNING] * 90 + [CameraState.OFFLINE] * 4 + [CameraState.STALLED] * 3
    common = {"codec": "h264", "width": 1920, "height": 1080, "worker": "worker-1", "since_utc": now}
    for start in range(0, count, 1000):
        city.bus.set_status(
            [
                CameraStatus(camera=f"camera-{n:05}", state=states[n % len(states)], updated_utc=now, **common)
                for n in range(start, min(start + 1000, count))
            ]
        )
    kinds = ("illegal_parking", "crowding", "waterlogging", "litter")
    city.publish(
        *(
            opened(
                make_event(
                    time.time() - 60 - n, kind=kinds[n % 4], camera=f"camera-{n * count // EVENTS:05}", zone="road"
                )
            )
            for n in range(EVENTS)
        )
    )


@pytest.mark.timeout(280)
@pytest.mark.thorough
def test_a_whole_city_is_shown_and_panned(city: City, page: Page, soak: Soak) -> None:  # noqa: F811
    """With `--soak DIR` all twelve thousand, and what a frame of panning costs."""
    cameras = FEWER if soak.folder is None else CAMERAS
    whole_city(city, cameras)
    page.add_init_script(_TIMED)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.reload()
    enter(page, city)
    page.goto(f"{city.url}/map")
    expect(page.get_by_test_id("map-count")).to_contain_text(f"摄像机 {cameras} 路", timeout=30_000)
    expect(page.get_by_test_id("map-count")).to_contain_text(f"未结事件 {EVENTS} 起", timeout=60_000)
    page.wait_for_timeout(1500)
    shot(page, "map-city-1920")
    found = {"zoom 10, grouped": costs_of_panning(page)}
    page.get_by_test_id("map").focus()
    for _ in range(3):
        page.keyboard.press("+")
    found["zoom 13"] = costs_of_panning(page)
    shot(page, "map-city-near-1920")
    for _ in range(4):
        page.keyboard.press("+")
    found["zoom 17"] = costs_of_panning(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.keyboard.press("Home")
    page.wait_for_timeout(800)
    shot(page, "map-city-1280")
    soak.keep("map", {"cameras": cameras, "frame_ms": FRAME_MS, "panning": found})


def costs_of_panning(page: Page) -> dict[str, float]:  # noqa: F811
    """What frames cost while the map is dragged about: our own part of each, and how far apart they come, ms."""
    box = canvas_box(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("window.__costs.length = window.__frames.length = 0")
    for step in range(60):
        page.mouse.move(x + 300 * ((step % 40) / 20 - 1), y + 150 * ((step % 30) / 15 - 1))
    costs, moments = page.evaluate("[window.__costs, window.__frames]")
    page.mouse.up()
    assert len(costs) > 30
    gaps = sorted(after - before for before, after in itertools.pairwise(moments))
    costs.sort()
    return {
        "drawn": len(costs),
        "median_ms": costs[len(costs) // 2],
        "p95_ms": costs[int(len(costs) * 0.95)],
        "apart_median_ms": gaps[len(gaps) // 2],
        "apart_p95_ms": gaps[int(len(gaps) * 0.95)],
    }
