"""Versions of training data by door, over the real server: counts, leakage, what changed, who sees which picture."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.types import Box, Item, Manifest, Source
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.tables import label_items
from governance import audit
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import CAMERA, World, grant_all
from tests.contract.labelling_scene import CITY as PHOTOS
from tests.contract.labelling_scene import accepted, car, labelled, picture, project
from tests.e2e.console_city import City
from tests.unit.datasets_scene import manifest

pytest_plugins = ["tests.embedded"]
SOURCES = {"photos": PHOTOS, "city": Source(name="city cameras", licence="internal")}


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


@pytest.fixture
def engineer(world: World) -> httpx.Client:
    return world.clients[Role.ENGINEER]


def photo(city: City, number: int, *labels: Box, side: str = "train") -> Item:
    """Of `labelling_scene.project`, as a version has it."""
    with city.engine.connect() as connection:
        query = label_items.select().where(label_items.c.name == f"{number}.jpg")
        row = connection.execute(query).one()
    return Item.model_validate(
        {
            "content": row.content,
            "name": row.name,
            "width": 640,
            "height": 360,
            "source": "photos",
            "labels": labels,
            "side": side,
        }
    )


def theirs(world: World) -> Item:
    """The picture of the other department's camera."""
    return Item(
        content=world.ids["sha256"], name=f"{CAMERA} 1", width=64, height=36, source="city", camera=CAMERA, side="val"
    )


def kept(city: City, version: Manifest) -> str:
    with city.engine.begin() as connection:
        return archive.keep(connection, city.objects, version, [], "lin").digest


def two(world: World) -> tuple[str, str]:
    """A version and its child: one photo relabelled, one added, the other department's picture removed."""
    with world.city.engine.begin() as connection:
        project(connection, world.city.objects)
    before = manifest(
        photo(world.city, 0, car(), side="train"),
        photo(world.city, 1, car(), side="val"),
        theirs(world),
        sources=SOURCES,
    )
    parent = kept(world.city, before)
    after = manifest(
        photo(world.city, 0, car(), side="train"),
        photo(world.city, 1, car(0.3), car(label="bus"), side="val"),
        photo(world.city, 2, side="test"),
        sources={"photos": PHOTOS},
        parent=parent,
    )
    return parent, kept(world.city, after)


def changed(client: httpx.Client, digest: str, kind: str, **more: Any) -> dict[str, Any]:
    answer = client.get(f"/api/datasets/{digest}/difference/items", params={"kind": kind, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_version_is_counted_without_naming_cameras_of_others(world: World, engineer: httpx.Client) -> None:
    parent, child = two(world)
    shown = engineer.get(f"/api/datasets/{parent}").json()
    counts = shown["statistics"]
    assert [counts[side] for side in ("train", "val", "test")] == [1, 2, 0]
    licences = {one["name"]: one["train"] + one["val"] for one in counts["licences"]}
    assert licences == {"CC-BY-4.0": 2, "internal": 1}
    assert ([one["name"] for one in counts["cameras"]], counts["cameras_withheld"]) == ([""], 1)
    everything = world.clients[Role.ADMIN].get(f"/api/datasets/{parent}").json()["statistics"]
    assert ([one["name"] for one in everything["cameras"]], everything["cameras_withheld"]) == (["", CAMERA], 0)
    listed = engineer.get("/api/datasets").json()
    assert {one["digest"]: one["parent"] for one in listed if one["digest"] in (parent, child)} == {
        parent: None,
        child: parent,
    }
    assert engineer.get("/api/datasets", params={"name": "nobody's"}).json() == []


def test_the_leakage_check_is_done_again(world: World, engineer: httpx.Client) -> None:
    parent, _ = two(world)
    check = engineer.get(f"/api/datasets/{parent}").json()["leakage"]
    assert check == {"compared": 3, "pairs": 0, "across": 0, "hours_across": 0}
    # Kept though it leaks: whoever froze it named no pairs. The same photo mirrored is on another side.
    with world.city.engine.begin() as connection:
        one = photo(world.city, 0)
        query = update(label_items).where(label_items.c.name == "1.jpg")
        source = label_items.select().with_only_columns(label_items.c.signature)
        same = source.where(label_items.c.content == one.content).scalar_subquery()
        connection.execute(query.values(signature=same))
    found = engineer.get(f"/api/datasets/{parent}").json()["leakage"]
    assert (found["pairs"], found["across"]) == (1, 1)


def test_what_changed_in_words_numbers_and_pictures(world: World, engineer: httpx.Client) -> None:
    parent, child = two(world)
    told = engineer.get(f"/api/datasets/{child}/difference").json()
    assert told["words"] == [
        "added 1 items: 1 of photos",
        "removed 1 items: 1 of city",
        "relabelled 1 items: bus +1",
    ]
    assert told["before"] == parent
    assert told["relabelled"] == {"items": 1, "by": {"bus": 1}}
    (one,) = changed(engineer, child, "relabelled")["items"]
    assert (one["name"], one["side"], one["fields"]) == ("1.jpg", "val", ["labels"])
    assert ([label["label"] for label in one["before"]], [label["label"] for label in one["after"]]) == (
        ["car"],
        ["car", "bus"],
    )
    answer = engineer.get(one["picture"])
    assert (answer.status_code, answer.content) == (200, picture(1)), "of a source that shows nobody, as it is"
    # The other way round, as two versions of different lines are compared.
    back = engineer.get(f"/api/datasets/{parent}/difference", params={"from": child}).json()
    assert (back["added"]["by"], back["removed"]["by"]) == ({"city": 1}, {"photos": 1})
    alone = engineer.get(f"/api/datasets/{parent}/difference")
    assert (alone.status_code, alone.json()["detail"]) == (422, "from: this version has no parent")
    for nothing in (f"/api/datasets/{'0' * 64}", f"/api/datasets/{parent}/difference?from={'0' * 64}"):
        assert engineer.get(nothing).status_code == 404


def test_pages_of_pictures(world: World, engineer: httpx.Client) -> None:
    with world.city.engine.begin() as connection:
        project(connection, world.city.objects, 5)
    parent = kept(world.city, manifest(photo(world.city, 0), sources={"photos": PHOTOS}))
    more = [photo(world.city, n) for n in range(5)]
    child = kept(world.city, manifest(*more, sources={"photos": PHOTOS}, parent=parent))
    first = changed(engineer, child, "added", limit=3)
    rest = changed(engineer, child, "added", limit=3, after=first["next_after"])
    names = [one["name"] for page in (first, rest) for one in page["items"]]
    assert (sorted(names), rest["next_after"]) == ([f"{n}.jpg" for n in range(1, 5)], None)


def test_a_picture_of_another_department_is_shown_by_grant_masked_and_noted(
    world: World, engineer: httpx.Client
) -> None:
    parent, child = two(world)
    address = f"/api/datasets/{parent}/pictures/{world.ids['sha256']}"
    assert engineer.get(address).status_code == 404
    assert changed(engineer, child, "removed") == {"items": [], "withheld": 1, "next_after": None}
    grant_all(world)
    (one,) = changed(engineer, child, "removed")["items"]
    assert (one["picture"], one["camera"], one["after"]) == (address, CAMERA, None)
    seen = engineer.get(address)
    assert seen.status_code == 200
    assert seen.headers["x-derived-from"] == world.ids["sha256"]
    with world.city.engine.connect() as connection:
        (line,) = audit.listed(connection, action="datasets.picture")
    assert line.what == {"version": parent, "camera": CAMERA, "sha256": world.ids["sha256"]}
    # Not of a version that does not have it.
    assert engineer.get(f"/api/datasets/{child}/pictures/{world.ids['sha256']}").status_code == 404


def test_hidden_tests_are_shown_to_those_alone_who_manage_their_project(world: World, engineer: httpx.Client) -> None:
    _, child = two(world)
    with world.city.engine.begin() as connection:
        connection.execute(update(label_items).where(label_items.c.name == "1.jpg").values(hidden=True))
    assert changed(engineer, child, "relabelled") == {"items": [], "withheld": 1, "next_after": None}
    test = photo(world.city, 1)
    assert engineer.get(f"/api/datasets/{child}/pictures/{test.content}").status_code == 404
    assert len(changed(world.clients[Role.ADMIN], child, "relabelled")["items"]) == 1


def test_hidden_tests_are_told_by_no_list_and_no_export_and_exports_are_noted(
    world: World, engineer: httpx.Client
) -> None:
    admin = world.clients[Role.ADMIN]
    with world.city.engine.begin() as connection:
        made, numbers = project(connection, world.city.objects, 3)
        for number in numbers[:2]:
            accepted(connection, number, labelled(connection, number, "lin", car()), "chen")
        projects.hide(connection, numbers[1], True)
    address = f"/api/labelling/projects/{made.id}"

    def names(client: httpx.Client, state: str) -> list[str]:
        return [one["name"] for one in client.get(f"{address}/items", params={"state": state}).json()]

    def exported(client: httpx.Client) -> list[str]:
        answer = client.get(f"{address}/export", params={"format": "coco"})
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
            told = json.loads(files.read("annotations/instances_default.json"))
        return sorted(one["file_name"].rpartition("/")[2] for one in told["images"])

    assert (names(admin, "accepted"), names(admin, "open")) == (["0.jpg", "1.jpg"], ["2.jpg"])
    assert (names(engineer, "accepted"), names(engineer, "open")) == (["0.jpg"], ["1.jpg", "2.jpg"])
    body = {"labels": [], "key": "a-key-of-mine"}
    assert engineer.post(f"/api/labelling/items/{numbers[1]}/answers", json=body).status_code == 201
    assert (names(engineer, "labelled"), names(engineer, "open")) == (["1.jpg"], ["2.jpg"])
    assert (exported(admin), exported(engineer)) == (["0.jpg", "1.jpg"], ["0.jpg"])
    with world.city.engine.connect() as connection:
        lines = audit.listed(connection, action="labels.exported")
    assert [line.what for line in lines] == [{"project": made.id, "format": "coco", "pictures": False}] * 2
