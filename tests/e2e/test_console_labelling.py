"""Pictures and clips labelled by keyboard in a browser, over a dead line too, and reviewed by a second person."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from algorithm_repo.collection import service as collection
from algorithm_repo.collection.types import Reason
from algorithm_repo.datasets.trackfit import Sighting, fitted
from algorithm_repo.datasets.tracks import Track
from algorithm_repo.datasets.types import Box, Interval, Polygon, Tag
from algorithm_repo.evaluation.suite import TruthEvent, read_suite
from algorithm_repo.formats.types import Picture
from algorithm_repo.labelling import answers, clip_exchange, exchange, projects, suggestions
from algorithm_repo.labelling.types import GivenAnswer, NewProject, Said, Suggestion
from cityvision import label_suite
from cityvision.clip_looks import look
from contracts.pool import Pool
from tests.contract.labelling_scene import ALL, CITY, accepted, car, labelled
from tests.e2e import console_city
from tests.e2e.browser import shot
from tests.e2e.console_city import City, Clip
from tests.e2e.test_console_browser import city, clip, enter, page, pytestmark  # noqa: F401

pytest_plugins = ["tests.embedded"]


def made(city: City, clip: Clip) -> list[int]:  # noqa: F811
    """Project 1 with four pictures: of the first a network says something, the last waits for a review."""
    with city.engine.begin() as connection:
        new = NewProject(name="路口车辆", classes=("car", "bus"), kinds=("box", "polygon", "tag"))
        project = projects.create(connection, new, "lin")
        numbers = []
        for n in range(4):
            by = "street 0.3" if n == 0 else None
            labels = Picture(f"{n}.jpg", (car(0.5),)) if n == 0 else None
            how = exchange.Import(CITY, "lin", by)
            number = exchange.take(connection, city.objects, project, f"{n}.jpg", clip.jpegs[5 * n], labels, how)
            assert number is not None
            numbers.append(number)
        labelled(connection, numbers[3], "lin", car())
        return numbers


def said(city: City, item: int, count: int) -> list[GivenAnswer]:  # noqa: F811
    end = time.monotonic() + 60
    while True:
        with city.engine.connect() as connection:
            found = answers.of_item(connection, item)
        if len(found) >= count:
            return found
        assert time.monotonic() < end, f"{len(found)} of {count} answers"
        time.sleep(0.1)


def drafted(city: City, item: int) -> list[dict[str, Any]] | None:  # noqa: F811
    with city.engine.connect() as connection:
        return answers.drafts(connection, [item], "admin").get(item)


def ready(page: Page, item: int) -> None:  # noqa: F811
    front = page.locator(f"[data-testid=task][data-item='{item}'][data-ready=true]")
    expect(front).to_be_visible(timeout=20_000)


def press(page: Page, *keys: str) -> None:  # noqa: F811
    for key in keys:
        page.keyboard.press(key)


def test_pictures_are_labelled_by_keyboard_and_reviewed(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    first, second, third, fourth = made(city, clip)
    enter(page, city)
    page.goto(f"{city.url}/labelling")
    expect(page.get_by_role("link", name="路口车辆")).to_be_visible()
    shot(page, "labelling-projects")
    page.get_by_role("link", name="路口车辆").click()
    page.get_by_role("button", name="开始标注").click()
    ready(page, first)

    # A box from (.5, .5) to (.6, .55) as a bus, taken back and done again; what the network says, taken over.
    press(page, "2", "Space", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Space")
    expect(page.get_by_test_id("labels").locator("li")).to_have_count(1)
    press(page, "u")
    expect(page.get_by_test_id("labels").locator("li")).to_have_count(0)
    press(page, "y")
    expect(page.get_by_test_id("suggested")).to_contain_text("street 0.3")
    shot(page, "labelling-annotator-1280")
    press(page, "g")
    expect(page.get_by_test_id("labels").locator("li")).to_have_count(2)
    press(page, "Enter")
    ready(page, second)
    (answer,) = said(city, first, 1)
    assert answer.labels == (Box(label="bus", box=(0.5, 0.5, 0.6, 0.55)), car(0.5))
    assert (answer.who, answer.said) == ("admin", Said.LABELS)

    # An outline and a tag, over a dead line and a reload.
    def dead(route: Route) -> None:
        if route.request.method in ("POST", "PUT"):
            route.abort()
        else:
            route.continue_()

    page.route("**/api/labelling/items/**", dead)
    press(page, "p", "Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter", "t", "1")
    expect(page.get_by_test_id("labels").locator("li")).to_have_count(2)
    expect(page.get_by_test_id("progress")).to_contain_text("1 件正在发送")
    assert drafted(city, second) is None
    press(page, "Enter")
    ready(page, third)
    expect(page.get_by_test_id("progress")).to_contain_text("1 件正在发送")
    page.unroute("**/api/labelling/items/**")
    page.reload()
    (answer,) = said(city, second, 1)
    outline = Polygon(label="car", points=((0.5, 0.5), (0.55, 0.5), (0.55, 0.55)))
    assert answer.labels == (outline, Tag(label="car"))
    expect(page.get_by_test_id("progress")).to_contain_text("已保存")

    # What is half done is there again after a reload.
    ready(page, third)
    press(page, "Space", "Shift+ArrowRight", "Shift+ArrowDown", "Space")
    end = time.monotonic() + 30
    while drafted(city, third) is None:
        assert time.monotonic() < end
        time.sleep(0.1)
    page.reload()
    ready(page, third)
    expect(page.get_by_test_id("labels").locator("li")).to_have_count(1)

    # A second person's turn: corrected and accepted. Nobody finds their own.
    page.goto(f"{city.url}/labelling/1/review")
    ready(page, fourth)
    expect(page.get_by_text("lin 标注")).to_be_visible()
    press(page, "Tab", "ArrowRight")
    expect(page.get_by_role("button", name="修正并通过")).to_be_visible()
    shot(page, "labelling-review-1280")
    press(page, "Enter")
    final = said(city, fourth, 2)[1]
    assert (final.said, final.who) == (Said.ACCEPTED, "admin")
    assert final.labels == (Box(label="car", box=(0.11, 0.2, 0.41, 0.6)),)
    expect(page.get_by_text("没有待处理的图片")).to_be_visible()
    page.goto(f"{city.url}/labelling/1")
    expect(page.get_by_test_id("agreement")).to_contain_text("对复核结果")
    shot(page, "labelling-project")
    collects(page, city)
    page.get_by_role("button", name="冻结为数据集版本").click()
    expect(page.get_by_test_id("frozen")).to_contain_text("1 张")


def collects(page: Page, city: City) -> None:  # noqa: F811
    """The project's page: what is to be collected from streams is set, and told."""
    panel = page.get_by_test_id("collection")
    expect(panel).to_contain_text("此项目不从视频流采集图片")
    panel.get_by_role("button", name="设定采集策略").click()
    page.get_by_label("随机无告警").fill("60")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("shares")
    page.get_by_label("按小时覆盖").fill("15")
    page.get_by_label("每路每天最多几张").fill("20")
    page.get_by_role("button", name=re.compile("保存$")).click()
    expect(panel).to_contain_text("6 路摄像头，每路每天最多 20 张，保留 90 天")
    expect(panel).to_contain_text("随机无告警 12")
    with city.engine.connect() as connection:
        standing = collection.policy_of(connection, 1)
    assert standing is not None
    assert (standing.set_by, standing.policy.shares[Reason.HOURLY]) == ("admin", 0.15)


@pytest.mark.thorough
def test_a_rejected_picture_says_why(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    *_, fourth = made(city, clip)
    enter(page, city)
    page.goto(f"{city.url}/labelling/1/review")
    ready(page, fourth)
    press(page, "r")
    page.get_by_placeholder("退回原因").fill("后面的公交车没有标")
    press(page, "Enter")
    no = said(city, fourth, 2)[1]
    assert (no.said, no.note, no.labels) == (Said.REJECTED, "后面的公交车没有标", ())


def clip_to_label(city: City, clip: Clip) -> int:  # noqa: F811
    """The only item of project 1: eight seconds of a street."""
    with city.engine.begin() as connection:
        new = NewProject(name="违停视频", classes=("illegal_parking", "car"), kinds=("interval", "track", "tag"))
        project = projects.create(connection, new, "lin")
        data = clip.mp4(8)
        seen = clip_exchange.looked_at("street.mp4", data, look)
        how = exchange.Import(CITY, "lin")
        number = clip_exchange.take(connection, city.objects, project, "street.mp4", data, seen, None, how)
        assert number is not None
        return number


@pytest.mark.thorough
def test_a_clip_is_labelled_by_keyboard_and_becomes_a_suite(
    city: City,  # noqa: F811
    clip: Clip,  # noqa: F811
    page: Page,  # noqa: F811
    tmp_path: Path,
) -> None:
    number = clip_to_label(city, clip)
    seen = fitted("car", [Sighting(at, (0.3 + at / 20, 0.4, 0.45 + at / 20, 0.6)) for at in (0.0, 2.0, 4.0)], gap_s=5)
    with city.engine.begin() as connection:
        suggestions.suggest(connection, 1, number, "detector", [Suggestion(by="detector", label=seen)])
    enter(page, city)
    page.goto(f"{city.url}/labelling/1/label")
    ready(page, number)
    labels = page.get_by_test_id("labels").locator("li")
    head = page.get_by_test_id("head")
    fps = look(clip.mp4(8)).facts.fps

    # What a detector suggests is drawn apart, and becomes one's own by a key.
    suggested = page.get_by_test_id("annotator").locator("rect.suggested")
    expect(suggested).to_have_count(1)
    shot(page, "labelling-clip-suggested")
    press(page, "g")
    expect(labels).to_have_count(1)
    press(page, "u")
    expect(labels).to_have_count(0)

    # An event from the second second on, a picture later, and its end two seconds after that.
    press(page, "Shift+ArrowRight", "ArrowRight", "[", "Shift+ArrowRight", "Shift+ArrowRight", "]")
    expect(labels).to_have_count(1)
    # Backspace takes it, U brings it back, and Tab goes through what there is.
    press(page, "Backspace")
    expect(labels).to_have_count(0)
    press(page, "u", "Tab", "Tab")
    expect(labels).to_have_count(1)

    # A car: a box by the keyboard's cross, then where it is two seconds earlier; between them it is reckoned.
    press(page, "Escape", "2", "k", "Shift+D", "Shift+D", "Shift+S", "Shift+S", "k")
    expect(labels).to_have_count(2)
    press(page, "Shift+ArrowLeft", "Shift+ArrowLeft", *["a"] * 10)
    press(page, "ArrowRight", "ArrowRight")
    shown = page.get_by_test_id("annotator").locator("rect.shape:not(.suggested)")
    expect(shown).to_have_count(1)
    expect(shown).to_have_attribute("stroke-dasharray", "7 4")
    shot(page, "labelling-clip-1280")
    page.set_viewport_size({"width": 1920, "height": 1080})
    shot(page, "labelling-clip-1920")
    page.set_viewport_size({"width": 1280, "height": 720})

    # It plays and stands still again, and what is half done survives a reload.
    film = page.get_by_test_id("annotator").locator("video")
    press(page, "Home", "Space")
    expect(head).not_to_have_text("0:00.00")
    press(page, "Space")
    expect(film).to_have_js_property("paused", True)
    end = time.monotonic() + 30
    while len(drafted(city, number) or ()) < 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    page.reload()
    ready(page, number)
    expect(labels).to_have_count(2)
    press(page, "Enter")
    (answer,) = said(city, number, 1)
    interval, track = answer.labels
    assert isinstance(interval, Interval)
    assert isinstance(track, Track)
    step = round(fps)
    moments = [round(frame / fps, 6) for frame in (step + 1, 3 * step + 1)]
    assert (interval.label, interval.start, interval.end) == ("illegal_parking", *moments)
    assert track.label == "car"
    assert [one.at for one in track.keys] == moments
    assert [one.box for one in track.keys] == [(0.4, 0.5, 0.5, 0.6), (0.5, 0.5, 0.6, 0.6)]

    # A second person accepts it; it becomes a suite that is taken.
    with city.engine.begin() as connection:
        accepted(connection, number, answer, "chen")
        cameras = {one.id: one for one in Pool.model_validate(console_city.POOL).cameras}
        files = label_suite.exported(connection, city.objects, 1, ALL, cameras.get, "north-gate")
    for path, data in files.files(lambda _: b""):
        (tmp_path / path).write_bytes(data)
    (found,) = read_suite(tmp_path).clips
    assert (found.file, found.camera.id) == ("street.mp4", "north-gate")
    assert found.truth == (TruthEvent(type="illegal_parking", zone="lane", start=moments[0], end=moments[1]),)
    page.goto(f"{city.url}/labelling/1")
    expect(page.get_by_text("视频 8 秒")).to_be_visible()
    shot(page, "labelling-clips-project")
