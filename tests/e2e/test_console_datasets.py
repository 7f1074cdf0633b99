"""The room of dataset versions in a browser: a tree, counts, and what changed in words and pictures."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from algorithm_repo.datasets.types import Side
from algorithm_repo.labelling import exchange, projects
from algorithm_repo.labelling.types import NewProject
from tests.contract.labelling_scene import CITY, car
from tests.contract.test_datasets_api import kept, photo
from tests.e2e.browser import shot
from tests.e2e.console_city import City, Clip
from tests.e2e.test_console_browser import city, clip, enter, page, pytestmark  # noqa: F401
from tests.unit.datasets_scene import manifest

pytest_plugins = ["tests.embedded"]


def versions(city: City, clip: Clip) -> tuple[str, str]:  # noqa: F811
    """A version and its child: one photo relabelled, one on another slice, two added, one removed."""
    with city.engine.begin() as connection:
        project = projects.create(connection, NewProject(name="路口车辆", classes=("car", "bus")), "lin")
        for n in range(5):
            how = exchange.Import(CITY, "lin")
            exchange.take(connection, city.objects, project, f"{n}.jpg", clip.jpegs[4 * n], None, how)
    sides: tuple[Side, ...] = ("train", "val", "train", "test", "train")
    photos = [photo(city, n, car(), side=side) for n, side in enumerate(sides)]
    more = {"name": "路口车辆", "sources": {"photos": CITY}}
    parent = kept(city, manifest(*photos[:3], **more))
    relabelled = photos[0].model_copy(update={"labels": (car(0.35), car(0.1, "bus"))})
    night = photos[1].model_copy(update={"slices": ("night",)})
    child = kept(city, manifest(relabelled, night, *photos[3:], **more, parent=parent, note="夜间补充"))
    return parent, child


def test_versions_their_counts_and_what_changed(city: City, clip: Clip, page: Page) -> None:  # noqa: F811
    parent, child = versions(city, clip)
    enter(page, city)
    page.goto(f"{city.url}/datasets")
    rows = page.locator("tbody tr.ant-table-row")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text(parent[:12])
    expect(rows.nth(1)).to_contain_text("夜间补充")
    expect(rows.nth(1)).to_have_class("ant-table-row ant-table-row-level-1")
    shot(page, "datasets")
    page.get_by_role("link", name=child[:12]).click()

    statistics = page.get_by_test_id("dataset-statistics")
    expect(statistics).to_contain_text("训练 2 / 验证 1 / 测试 1")
    expect(statistics).to_contain_text("CC-BY-4.0")
    # Four frames of one clip are nearly the same picture, and nobody said so when they were frozen: three pairs.
    expect(page.get_by_test_id("leakage")).to_contain_text("有泄漏：3 对近似图片")
    words = page.get_by_test_id("difference-words").locator("li")
    expect(words).to_have_text(
        [
            "新增 2 张：photos 2",
            "移除 1 张：photos 1",
            "改标 1 张：bus +1",
            "其他改动 1 张：切片 1",
        ]
    )
    expect(page.get_by_test_id("changes-added").locator("img")).to_have_count(2)
    relabelled = page.get_by_test_id("changes-relabelled")
    expect(relabelled.locator("rect.before")).to_have_count(1)
    expect(relabelled.locator("rect:not(.before)")).to_have_count(2)
    relabelled.locator("img").scroll_into_view_if_needed()
    expect(relabelled.locator("img")).to_have_js_property("complete", True)
    assert relabelled.locator("img").evaluate("one => one.naturalWidth") > 0
    expect(page.get_by_test_id("changes-otherwise")).to_contain_text("切片")
    page.set_viewport_size({"width": 1280, "height": 2000})
    shot(page, "dataset")

    # The parent has nothing to be compared with by itself, but takes any other; and one is trained on.
    page.get_by_role("link", name=parent).click()
    expect(page.get_by_test_id("difference-words")).to_have_count(0)
    page.get_by_label("与哪个版本比较").click()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("difference-words")).to_contain_text("新增 1 张")
    page.get_by_role("link", name="用此版本训练").click()
    expect(page.get_by_role("dialog")).to_contain_text(parent[:12])
