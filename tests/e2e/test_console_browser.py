"""The console as a person uses it: a real Chromium on the built page, the real server behind it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from contracts.pool import Pool
from events import queries
from simulator.rtsp.clips import Encoding, render_pattern
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.e2e import console_city
from tests.e2e.browser import chromium
from tests.e2e.console_city import PASSWORD, ROOT, City, Clip, make_event, not_watched, opened

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]

DIST = ROOT / "console" / "dist"


@pytest.fixture(scope="module")
def clip(mirror: Path) -> Clip:
    return Clip(mirror / "footage" / "residential_street.mp4", pictures=20)


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, clip: Clip) -> Iterator[City]:
    """Six cameras; five of them send pictures while watched."""
    if not (DIST / "index.html").is_file():
        pytest.fail("the console is not built: npm ci && npm run build in console/")
    stop = threading.Event()
    with console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST) as one:
        names = [camera.id for camera in Pool.model_validate(console_city.POOL).cameras]
        for name in names:
            one.report(name)
        player = threading.Thread(target=console_city.play, args=(valkey.url, clip, names[:5], stop))
        player.start()
        yield one
        stop.set()
        player.join(10)


@pytest.fixture
def page(city: City) -> Iterator[Page]:
    """A fresh browser for the console, closed before the city ends; nothing may fail in the page's own code."""
    with chromium() as browser:
        one = browser.new_page(viewport={"width": 1280, "height": 800})
        failures: list[str] = []
        one.on("pageerror", lambda error: failures.append(str(error)))
        yield one
    assert failures == []


def enter(page: Page, city: City) -> None:
    """In, as the administrator whose first password is changed already."""
    with city.client() as client:
        client.post("/api/login", json={"name": "admin", "password": city.first_password}).raise_for_status()
        client.post("/api/password", json={"old": city.first_password, "new": PASSWORD}).raise_for_status()
        session = client.cookies["cityvision_session"]
    page.context.add_cookies([{"name": "cityvision_session", "value": session, "url": city.url}])
    page.goto(city.url)
    expect(page.get_by_role("link", name="实时监看")).to_be_visible()


def enter_by_hand(page: Page, city: City) -> None:
    """Login with the first password and the change it demands."""
    page.goto(city.url)
    page.get_by_label("密码").fill("wrong password")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("用户名或密码不正确")).to_be_visible()
    page.get_by_label("密码").fill(city.first_password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("这是安装时生成的密码")).to_be_visible()
    page.get_by_label("当前密码").fill(city.first_password)
    page.get_by_label("新密码", exact=True).fill(PASSWORD)
    page.get_by_label("再输入一次新密码").fill(PASSWORD)
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_role("link", name="实时监看")).to_be_visible()


def publish_parking(city: City, clip: Clip, started: float) -> str:
    """An event as a worker tells it: opened with two photos, the clip in an update."""
    entry = city.keep(clip.jpegs[0], "entry", "jpg", started)
    decision = city.keep(clip.jpegs[5], "decision", "jpg", started + 34)
    first = make_event(started, evidence=(entry, decision))
    city.publish(opened(first))
    film = city.keep(clip.mp4(6), "clip", "mp4", started)
    city.publish(opened(make_event(started, seq=1, evidence=(entry, decision, film))))
    return first.id


def test_login_wall_event_arrives_detail_and_clip(city: City, clip: Clip, page: Page) -> None:
    enter_by_hand(page, city)

    # Pictures arrive on every camera that sends, and are not black.
    for camera in ("north-gate", "square", "street-3"):
        expect(page.locator(f"canvas[data-camera={camera}][data-pictures]")).to_be_visible()
    assert brightness(page, "north-gate") > 20
    expect(page.get_by_text("等待画面…")).to_have_count(1)

    # An event arrives in the open list by itself.
    city.publish(not_watched("square", time.time() - 5400, time.time() - 1800))
    page.get_by_role("link", name="事件", exact=True).click()
    expect(page.get_by_text("没有符合条件的事件")).to_be_visible()
    expect(page.locator("[data-testid=stream-state][data-connected=true]")).to_be_visible()
    event_id = publish_parking(city, clip, time.time() - 60)
    row = page.locator(f"tr[data-row-key='{event_id}']")
    expect(row).to_be_visible()
    expect(row).to_contain_text("北门消防通道")
    expect(page.get_by_text("1 起事件")).to_be_visible()
    expect(page.get_by_text("同期有 1.0 小时无人监看")).to_be_visible()

    # Its detail: reason in numbers, photos, course, and a clip that plays.
    row.click()
    expect(page.locator("[data-testid=photo]")).to_be_visible()
    expect(page.get_by_text("0.06", exact=True)).to_be_visible()
    expect(page.locator("[data-testid=transition]")).to_have_count(2)
    page.locator("button[data-role=clip]").click()
    wait_until(page, "() => document.querySelector('video')?.readyState >= 3")
    wait_until(page, "() => document.querySelector('video').currentTime > 0.2")

    # The end of the event reaches the open page.
    city.publish(opened(make_event(find_start(city, event_id), seq=2, closed=True)))
    expect(page.locator("[data-testid=transition]")).to_have_count(3)

    # English by a switch, kept over a reload.
    page.get_by_test_id("language").click()
    expect(page.get_by_role("link", name="Live wall")).to_be_visible()
    expect(page.get_by_text("A vehicle stood still").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Events", exact=True)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"


def wait_until(page: Page, question: str) -> None:
    """Asks the page until the answer is yes (the page's own policy forbids Playwright's way of waiting)."""
    end = time.monotonic() + 60
    while not page.evaluate(question):
        assert time.monotonic() < end, question
        page.wait_for_timeout(100)


def find_start(city: City, event_id: str) -> float:
    """When the event began, as its record says."""
    with city.engine.connect() as connection:
        found = queries.get_event(connection, event_id)
    assert found is not None
    return found.event.started_utc


def brightness(page: Page, camera: str) -> float:
    """Mean of the drawn pixels, 0..255."""
    script = """name => {
        const c = document.querySelector(`canvas[data-camera=${name}]`);
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let sum = 0; for (let i = 0; i < d.length; i += 4) sum += d[i] + d[i+1] + d[i+2];
        return sum / (d.length / 4 * 3); }"""
    page.wait_for_timeout(200)
    return float(page.evaluate(script, camera))


def test_zone_is_drawn_saved_and_a_conflict_has_a_way_out(city: City, clip: Clip, page: Page) -> None:
    enter(page, city)
    expect(page.locator("canvas[data-camera=north-gate][data-pictures]")).to_be_visible()
    page.goto(f"{city.url}/cameras/north-gate")
    expect(page.locator("canvas[data-pictures]")).to_be_visible()
    surface = page.get_by_test_id("zone-canvas")
    expect(surface.locator("polygon")).to_have_count(1)

    # Draw a rectangle, name it, save it.
    page.get_by_role("button", name="新建区域").click()
    box = surface.bounding_box()
    assert box is not None
    for x, y in ((0.05, 0.1), (0.25, 0.1), (0.25, 0.3), (0.05, 0.3)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.keyboard.press("Enter")
    expect(surface.locator("polygon")).to_have_count(2)
    page.get_by_label("名称").fill("西侧人行道口")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("区域已保存")).to_be_visible()
    with somebody_else(city) as client:
        camera = client.get("/api/cameras/north-gate").json()
        assert [zone["name"] for zone in camera["zones"]] == ["消防通道", "西侧人行道口"]
        assert camera["zones"][1]["polygon"][0] == pytest.approx([0.05, 0.1], abs=0.01)

        # A corner is nudged by keyboard, while somebody else saves first.
        page.get_by_role("button", name="顶点 1", exact=True).focus()
        page.keyboard.press("Shift+ArrowRight")
        expect(page.get_by_text("有未保存的修改")).to_be_visible()
        theirs = [dict(zone, name=zone["name"] + "（改）") for zone in camera["zones"]]
        saved = client.put(
            "/api/cameras/north-gate/zones", json={"zones": theirs}, headers={"if-match": str(camera["revision"])}
        )
        assert saved.status_code == 200
        page.get_by_role("button", name="保存", exact=True).click()
        expect(page.get_by_text("有人先改了")).to_be_visible()
        page.get_by_role("button", name="在最新版本上保存我的区域").click()
        expect(page.get_by_text("有未保存的修改")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)  # while it fades it takes the mouse
        now = client.get("/api/cameras/north-gate").json()
        assert now["zones"][1]["name"] == "西侧人行道口"
        assert now["zones"][1]["polygon"][0] == pytest.approx([0.06, 0.1], abs=0.01)

    # A shape that crosses itself cannot be saved: a lower corner goes through the upper edge.
    box = surface.bounding_box()
    assert box is not None
    corner = surface.get_by_role("button", name="顶点 3", exact=True).bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + 6, corner["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.02 * box["height"], steps=4)
    page.mouse.up()
    expect(page.get_by_text("有未保存的修改")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("保存$"))).to_be_disabled()


@pytest.mark.thorough
def test_leaving_with_unsaved_zones_asks_first(city: City, page: Page) -> None:
    enter(page, city)
    page.goto(f"{city.url}/cameras/north-gate")
    page.get_by_label("名称").fill("还没保存")
    expect(page.get_by_text("有未保存的修改")).to_be_visible()
    page.get_by_role("link", name="事件", exact=True).click()
    page.get_by_role("button", name="留在此页").click()
    expect(page.get_by_label("名称")).to_have_value("还没保存")
    page.get_by_role("link", name="事件", exact=True).click()
    page.get_by_role("button", name="放弃修改并离开").click()
    expect(page.get_by_role("heading", name="事件")).to_be_visible()


@pytest.mark.thorough
def test_a_clip_in_h265_plays_as_a_viewing_copy_that_says_so(city: City, tmp_path: Path, page: Page) -> None:
    film = render_pattern(tmp_path / "clip.mp4", 3.0, Encoding(size=(640, 360), codec="hevc", gop=25))
    event = make_event(time.time() - 60, evidence=(city.keep(film.read_bytes(), "clip", "mp4", time.time() - 60),))
    city.publish(opened(event))
    enter(page, city)
    page.goto(f"{city.url}/events/{event.id}")
    expect(page.get_by_text("观看副本；作为证据的是原始文件")).to_be_visible(timeout=20_000)
    expect(page.locator("video[data-source=masked]")).to_be_visible()
    wait_until(page, "() => document.querySelector('video').currentTime > 0.2")

    page.get_by_role("button", name="查看原件").click()
    page.get_by_label("用途").first.fill("行政复议")
    page.get_by_role("button", name="显示", exact=True).click()
    expect(page.get_by_text("已显示原件（用途：行政复议）")).to_be_visible()
    expect(page.locator("video[data-source=copy]")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("观看副本；作为证据的是原始文件")).to_be_visible(timeout=20_000)
    wait_until(page, "() => document.querySelector('video').currentTime > 0.2")


@pytest.mark.thorough
def test_cameras_are_searched_and_chosen_for_the_wall(city: City, page: Page) -> None:
    enter(page, city)
    page.get_by_role("link", name="摄像机", exact=True).click()
    page.get_by_label("名称、编号或网格").fill("和平路 3")
    expect(page.locator("tr[data-row-key]")).to_have_count(1)
    page.get_by_role("link", name="实时监看").click()
    expect(page.locator("canvas[data-camera]")).to_have_count(6)
    chooser = page.get_by_label("选择摄像机")
    chooser.click()
    chooser.fill("广场")
    page.get_by_title("中心广场", exact=True).click()
    expect(page.locator("canvas[data-camera]")).to_have_count(1)
    expect(page.locator("canvas[data-camera=square]")).to_be_visible()


@contextmanager
def somebody_else(city: City) -> Iterator[httpx.Client]:
    """A second person at the same city."""
    with city.client() as client:
        assert client.post("/api/login", json={"name": "admin", "password": PASSWORD}).status_code == 200
        yield client
