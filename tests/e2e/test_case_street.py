"""One illegal parking on a simulated street, from the RTSP camera to 结案: nothing in between is played.

The camera, the worker, the consumer, the API and the page are what runs in a city. A field worker reports too early,
while the car still stands there: the camera looks and the case comes back. Reported again once it has left, it is
closed with the camera's picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cityvision.demo_street import DEPARTMENTS, SIMULATED, clip_path, render
from contracts.pool import Pool
from pool.export import export
from simulator.rtsp.camera import ServedCamera
from simulator.rtsp.media import load_clip
from simulator.rtsp.thread import ServerThread
from tests.e2e.browser import chromium, shot
from tests.e2e.test_console_browser import DIST
from tests.e2e.test_up import Up, until
from tests.soak import Soak

pytestmark = [pytest.mark.browser, pytest.mark.media]

# Long enough for a second look at the empty kerb before the clip begins again, and the car comes back.
KERB = replace(next(one for one in SIMULATED if one.kind == "parking_kerb"), seconds=95.0)
PASSWORD = "correct horse battery staple"


@pytest.fixture
def up(tmp_path: Path, mirror: Path) -> Iterator[Up]:
    if not (DIST / "index.html").is_file():
        pytest.fail("the console is not built: npm ci && npm run build in console/")
    render([KERB], tmp_path, lambda _done, _of: None)
    camera = ServedCamera(KERB.id, load_clip(clip_path(KERB, tmp_path)))
    with ServerThread([camera]) as server:
        port = int(server.url(KERB.id).rsplit(":", 1)[1].split("/")[0])
        pool = Pool.model_validate({"departments": DEPARTMENTS, "cameras": [KERB.entry(port)]})
        (tmp_path / "streams.yaml").write_text(export(pool))
        one = Up(tmp_path, CITYVISION_MIRROR=str(mirror))
        yield one
        if one.process.poll() is None:
            one.end()


@pytest.fixture
def page(up: Up) -> Iterator[Page]:
    url, first = str(up.said("url")), str(up.said("first_password"))
    with httpx.Client(base_url=url, trust_env=False) as client:
        assert client.post("/api/login", json={"name": "admin", "password": first}).status_code == 200
        assert client.post("/api/password", json={"old": first, "new": PASSWORD}).status_code == 200
    with chromium() as browser:
        one = browser.new_page(viewport={"width": 1280, "height": 900}, base_url=url)
        one.goto(url)
        one.get_by_label("密码").fill(PASSWORD)
        one.get_by_role("button", name="登录").click()
        expect(one.get_by_role("link", name="案件", exact=True)).to_be_visible()
        yield one


def report(page: Page, photo: Path, note: str) -> None:
    """What the field worker does."""
    page.get_by_role("button", name="反馈", exact=True).click()
    page.get_by_label("现场照片").set_input_files(photo)
    page.get_by_label("说明").fill(note)
    page.get_by_role("button", name="确认反馈").click()


@pytest.mark.timeout(400)
def test_from_the_street_to_the_end(up: Up, page: Page, tmp_path: Path, soak: Soak) -> None:
    photo = tmp_path / "place.jpg"
    cv2.imwrite(str(photo), np.full((240, 320, 3), 90, np.uint8))
    page.get_by_role("link", name="案件", exact=True).click()
    row = page.get_by_role("row").filter(has_text="机动车乱停放")
    expect(row.get_by_text("已派遣")).to_be_visible(timeout=120_000)
    shot(page, "street-1-dispatched")
    row.click()
    expect(page.get_by_role("heading", name="机动车乱停放")).to_be_visible()
    expect(page.get_by_test_id("event-behind").get_by_role("img")).to_be_visible(timeout=30_000)

    report(page, photo, "司机马上开走")
    expect(page.get_by_text("摄像机正在复核现场")).to_be_visible()
    shot(page, "street-2-verifying")
    refused = page.locator("[data-testid=case-line][data-action=refuse]")
    expect(refused.get_by_text("仍存在")).to_be_visible(timeout=90_000)
    expect(refused.get_by_role("img", name="复核时")).to_be_visible()
    shot(page, "street-3-given-back")

    until(lambda: bool(page.request.get("/api/events?state=closed").json()["events"]), 120)
    report(page, photo, "已劝离")
    closed = page.locator("[data-testid=case-line][data-action=close]")
    expect(closed.get_by_text("已消除")).to_be_visible(timeout=90_000)
    expect(closed.get_by_role("img", name="复核时")).to_be_visible()
    shot(page, "street-4-closed")
    detail = page.request.get(f"/api/cases/{page.url.rsplit('/', 1)[1]}").json()
    lines = [{"action": line["action"], "duty": line["duty"], "utc": line["utc"]} for line in detail["lines"]]
    soak.keep("street-case", {"status": detail["case"]["state"]["status"], "lines": lines})
