"""`cityvision label import`: whose labels go to which picture, and what is said of the rest, on a real Postgres."""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert

from algorithm_repo.datasets.types import Box, Polygon, Source, Tag
from algorithm_repo.formats import rle
from algorithm_repo.labelling import answers, exchange, freeze, projects
from algorithm_repo.labelling.types import Item, ItemState, NewProject, Shape, Taken
from cityvision.cli import cli
from governance.people import NewPerson, create
from governance.roles import Role
from governance.tables import camera_places
from store.objects import DiskObjects
from store.valkey import EmbeddedValkey
from tests.contract.labelling_scene import ALL, CITY, accepted, car, labelled, labellers, picture, project
from tests.unit.heads_scene import turned_jpeg

pytest_plugins = ["tests.embedded"]

Run = Callable[..., Result]
TERMS = ("--source", "photos", "--licence", "CC-BY-4.0", "--public")
BOX: dict[str, Any] = {"bbox": [64, 72, 192, 144]}  # car() in a picture of 640 x 360 px


@pytest.fixture
def run(
    engine: Engine, database_url: str, valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """`cityvision label … --who lin`; lin may label, ann may not."""
    for name, value in (("DATABASE_URL", database_url), ("REDIS_URL", valkey.url), ("DATA", str(tmp_path / "data"))):
        monkeypatch.setenv(f"CITYVISION_{name}", value)
    with engine.begin() as connection:
        labellers(connection)
        create(connection, NewPerson(name="ann", role=Role.AUDITOR), "test")

    def called(*arguments: object, who: str = "lin") -> Result:
        return CliRunner().invoke(cli, ["label", *map(str, arguments), "--who", who])

    return called


def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "data" / "objects")


def put(folder: Path, **files: bytes) -> Path:
    """Files by their paths, with "__" for "/" and "_" for "."."""
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def coco(path: Path, *images: tuple[str, list[dict[str, Any]]], size: tuple[int, int] = (640, 360)) -> Path:
    """An instances file of pictures with what is said of each, of the classes car and bus."""
    document = {
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
        "images": [
            {"id": number, "file_name": name, "width": size[0], "height": size[1]}
            for number, (name, _) in enumerate(images)
        ],
        "annotations": [
            {"image_id": number, "category_id": 1} | one for number, (_, said) in enumerate(images) for one in said
        ],
    }
    path.write_text(json.dumps(document, ensure_ascii=False))
    return path


def made(engine: Engine, name: str = "cars", **more: Any) -> None:
    fields = {"name": name, "classes": ("car", "bus"), "kinds": ("box",)} | more
    with engine.begin() as connection:
        projects.create(connection, NewProject.model_validate(fields), "lin")


def items_of(engine: Engine, name: str = "cars") -> list[Item]:
    with engine.connect() as connection:
        return projects.items(connection, projects.named(connection, name).id, ALL)


def said_of(engine: Engine, item: Item) -> list[tuple[Shape, ...]]:
    with engine.connect() as connection:
        return [one.labels for one in answers.of_item(connection, item.id)]


def test_labels_go_to_the_picture_of_their_path_and_not_to_one_of_the_same_name(
    engine: Engine, run: Run, tmp_path: Path
) -> None:
    made(engine)
    folder = put(tmp_path / "photos", train__1_jpg=picture(1), val__1_jpg=picture(2))
    labels = coco(tmp_path / "labels.json", ("train/1.jpg", [BOX]), ("val/1.jpg", [BOX | {"category_id": 2}]))
    done = run("import", "cars", folder, "--labels", labels, *TERMS)
    assert done.exit_code == 0, done.output
    assert [said_of(engine, one) for one in items_of(engine)] == [[(car(),)], [(car(0.1, "bus"),)]]
    made(engine, "more")
    of_one = coco(tmp_path / "one.json", ("train/1.jpg", [BOX]))
    assert run("import", "more", folder, "--labels", of_one, *TERMS).exit_code == 0
    assert [said_of(engine, one) for one in items_of(engine, "more")] == [[(car(),)], []]
    bare = coco(tmp_path / "bare.json", ("1.jpg", [BOX]))
    refused = run("import", "more", folder, "--labels", bare, *TERMS)
    assert refused.exit_code == 2
    assert "1.jpg: train/1.jpg and val/1.jpg may both be meant" in refused.output


def test_nothing_is_lost_without_a_word(engine: Engine, run: Run, tmp_path: Path) -> None:
    made(engine)
    decomposed = unicodedata.normalize("NFD", "Straße-é.jpg")
    folder = put(tmp_path / "photos", a_bmp=b"BM", b_jpg=picture(1))
    (folder / decomposed).write_bytes(picture(2))
    labels = coco(tmp_path / "l.json", ("Straße-é.jpg", [BOX]), ("a.bmp", [BOX]), ("gone.jpg", [BOX]))
    done = run("import", "cars", folder, "--labels", labels, *TERMS)
    assert done.exit_code == 0, done.output
    assert "2 added, 0 there already" in done.output
    assert "no picture of labels is there: 2, a.bmp, gone.jpg" in done.output
    assert "neither JPEG, PNG nor MP4, passed over: 1, a.bmp" in done.output
    assert "nothing is said of it: 1, b.jpg" in done.output
    assert {one.name: said_of(engine, one) for one in items_of(engine)}[decomposed] == [(car(),)]
    nothing = coco(tmp_path / "other.json", ("x.jpg", [BOX]))
    refused = run("import", "cars", folder, "--labels", nothing, *TERMS)
    assert refused.exit_code == 2
    assert "labels: none of the 1 pictures that they name is in" in refused.output


def test_labels_of_another_size_are_refused_and_those_of_the_stored_picture_are_turned_with_it(
    engine: Engine, run: Run, tmp_path: Path
) -> None:
    made(engine, kinds=("box", "polygon"))
    outline = [[0, 0, 50, 0, 50, 25]]
    said: list[dict[str, Any]] = [{"bbox": [10, 5, 30, 10]}, {"segmentation": outline}]
    folder = put(tmp_path / "photos", a_jpg=turned_jpeg(100, 50, 6))
    done = run("import", "cars", folder, "--labels", coco(tmp_path / "l.json", ("a.jpg", said), size=(100, 50)), *TERMS)
    assert done.exit_code == 0, done.output
    assert "turned with their picture, as its EXIF says: 1, a.jpg" in done.output
    (item,) = items_of(engine)
    assert (item.width, item.height) == (50, 100)
    assert said_of(engine, item) == [
        (
            Box(label="car", box=(0.7, 0.1, 0.9, 0.4)),
            Polygon(label="car", points=((1, 0), (1, 0.5), (0.5, 0.5))),
        )
    ]
    shown = coco(tmp_path / "s.json", ("a.jpg", said[:1]), size=(50, 100))
    assert "EXIF" not in run("import", "cars", folder, "--labels", shown, *TERMS).output, "surely of what is shown"
    put(folder, a_jpg=turned_jpeg(100, 50, 3))
    either = coco(tmp_path / "e.json", ("a.jpg", said[:1]), size=(100, 50))
    told = "shown turned as its EXIF says, look whether the labels fit: 1, a.jpg"
    assert told in run("import", "cars", folder, "--labels", either, *TERMS).output
    put(folder, a_jpg=turned_jpeg(100, 50, 1))
    wrong = coco(tmp_path / "w.json", ("a.jpg", said[:1]), size=(200, 120))
    refused = run("import", "cars", folder, "--labels", wrong, *TERMS)
    assert refused.exit_code == 2
    assert "a.jpg: its labels are of 200x120 px, the picture is 100x50" in refused.output


def test_pictures_that_are_there_already_get_their_labels(engine: Engine, run: Run, tmp_path: Path) -> None:
    made(engine)
    folder = put(tmp_path / "photos", a_jpg=picture(1), b_jpg=picture(2), c_jpg=picture(3))
    assert "3 added" in run("import", "cars", folder, *TERMS).output
    first, second, third = items_of(engine)
    with engine.begin() as connection:
        accepted(connection, third.id, labelled(connection, third.id, "lin", car()), "chen")
    boxes = coco(tmp_path / "l.json", ("a.jpg", [BOX]), ("b.jpg", []), ("c.jpg", []))
    done = run("import", "cars", folder, "--labels", boxes, *TERMS)
    assert "0 added, 3 there already, 2 of them labelled" in done.output
    assert "accepted already, their labels are passed over: 1, c.jpg" in done.output
    assert (said_of(engine, first), said_of(engine, second)) == ([(car(),)], [()])
    again = run("import", "cars", folder, "--labels", boxes, *TERMS)
    assert "3 there already, 0 of them labelled" in again.output
    assert said_of(engine, first) == [(car(),)], "the same labels count once"
    corrected = coco(tmp_path / "c.json", ("a.jpg", [BOX | {"category_id": 2}]))
    assert "1 of them labelled" in run("import", "cars", folder, "--labels", corrected, *TERMS).output
    assert said_of(engine, first) == [(car(),), (car(0.1, "bus"),)]
    assert "1 of them labelled" in run("import", "cars", folder, "--labels", boxes, *TERMS).output
    assert said_of(engine, first)[2:] == [(car(),)], "taken back"


def test_what_another_tool_suggests_of_pictures_that_are_there_stands_beside_them(
    engine: Engine, run: Run, tmp_path: Path
) -> None:
    made(engine)
    folder = put(tmp_path / "photos", a_jpg=picture(1))
    assert run("import", "cars", folder, *TERMS).exit_code == 0
    labels = coco(tmp_path / "l.json", ("a.jpg", [BOX]))
    done = run("import", "cars", folder, "--labels", labels, *TERMS, "--suggested-by", "tool")
    assert "1 there already, 1 of them labelled" in done.output
    (item,) = items_of(engine)
    assert [(one.by, one.label) for one in item.suggested] == [("tool", car())]
    assert (item.state, said_of(engine, item)) == (ItemState.OPEN, [])


def test_the_same_labelled_picture_comes_into_a_second_project(engine: Engine, run: Run, tmp_path: Path) -> None:
    folder = put(tmp_path / "photos", a_jpg=picture(1))
    labels = coco(tmp_path / "l.json", ("a.jpg", [BOX]))
    for name in ("cars", "again"):
        made(engine, name)
        done = run("import", name, folder, "--labels", labels, *TERMS)
        assert done.exit_code == 0, done.output
        (item,) = items_of(engine, name)
        assert said_of(engine, item) == [(car(),)]


def test_an_instances_file_of_boxes_with_outlines_fits_either_project(engine: Engine, run: Run, tmp_path: Path) -> None:
    mask = np.zeros((360, 640), np.bool_)
    mask[72:216, 64:256] = True
    runs = {"size": [360, 640], "counts": rle.coco_of(mask)}
    outline = BOX | {"segmentation": [[64, 72, 256, 72, 256, 216], [64, 72, 256, 216, 64, 216]], "iscrowd": 0}
    said = [outline, BOX | {"segmentation": runs}, BOX | {"segmentation": runs, "iscrowd": 1}]
    folder = put(tmp_path / "photos", a_jpg=picture(1))
    labels = coco(tmp_path / "l.json", ("a.jpg", said))
    made(engine, "boxes")
    done = run("import", "boxes", folder, "--labels", labels, *TERMS)
    assert done.exit_code == 0, done.output
    assert "a crowd is no single thing and is left out" in done.output
    (item,) = items_of(engine, "boxes")
    assert said_of(engine, item) == [(car(), car())]
    made(engine, "outlines", kinds=("polygon",))
    done = run("import", "outlines", folder, "--labels", labels, *TERMS)
    assert done.exit_code == 0, done.output
    assert "masks are taken as outlines" in done.output
    (item,) = items_of(engine, "outlines")
    ((first, second, third),) = said_of(engine, item)
    assert (first.kind, second.kind, third.kind) == ("polygon",) * 3


def test_facts_of_our_own_files_come_back(engine: Engine, run: Run, tmp_path: Path) -> None:
    source = Source(name="street", licence="MIT", personal=False)
    with engine.begin() as connection:
        one, _ = project(connection, objects(tmp_path), 0)
        how = exchange.Import(source, "lin")
        number = exchange.take(connection, objects(tmp_path), one, "a.jpg", picture(1), None, how)
        assert number is not None
        accepted(connection, number, labelled(connection, number, "lin", car(), Tag(label="bus")), "chen")
        files = exchange.exported(connection, one.id, ALL, "coco")
    (text,) = files.texts.values()
    document = json.loads(text)
    ours = document["images"][0]["cityvision"] | {"utc": 1e9, "slices": ["night"], "camera": "elsewhere"}
    document["images"][0]["cityvision"] = ours
    (tmp_path / "l.json").write_text(json.dumps(document))
    folder = put(tmp_path / "photos", a_jpg=picture(1))
    made(engine, "again", kinds=("box", "tag"))
    done = run("import", "again", folder, "--labels", tmp_path / "l.json", *TERMS)
    assert done.exit_code == 0, done.output
    assert "of a camera that is not known here, so of none: 1, elsewhere" in done.output
    (item,) = items_of(engine, "again")
    assert (item.source, item.taken.utc, item.slices, item.taken.camera) == ("street", 1e9, ("night",), "")
    with engine.begin() as connection:
        known = projects.named(connection, "again").sources["street"]
        connection.execute(insert(camera_places).values(camera="elsewhere", department="city", grid="g1"))
    assert (known.licence, known.personal) == ("MIT", False)
    made(engine, "third", kinds=("box", "tag"))
    private = TERMS[:-1]
    assert run("import", "third", folder, "--labels", tmp_path / "l.json", *private).exit_code == 0
    (item,) = items_of(engine, "third")
    assert item.taken == Taken(camera="elsewhere", department="city", grid="g1", utc=1e9)
    with engine.connect() as connection:
        known = projects.named(connection, "third").sources["street"]
    assert known.personal, "a file alone takes nobody's mask off"


def test_facts_of_other_bytes_and_other_licences_are_told(engine: Engine, run: Run, tmp_path: Path) -> None:
    made(engine)
    folder = put(tmp_path / "photos", a_jpg=picture(1), b_jpg=picture(2))
    labels = coco(tmp_path / "l.json", ("a.jpg", [BOX]), ("b.jpg", [BOX]))
    document = json.loads(labels.read_text())
    document["images"][0]["cityvision"] = {"content": "0" * 64, "name": "x", "source": "street", "camera": "north"}
    document["images"][1]["license"] = 1
    document["licenses"] = [{"id": 1, "name": "no derivatives"}]
    labels.write_text(json.dumps(document))
    done = run("import", "cars", folder, "--labels", labels, *TERMS)
    assert done.exit_code == 0, done.output
    assert "speaks of other bytes: its camera, time and source are passed over: 1, a.jpg" in done.output
    assert "by the labels' file under 'no derivatives', here as --licence says: 1, b.jpg" in done.output
    assert [(one.source, one.name) for one in items_of(engine)] == [("photos", "a.jpg"), ("photos", "b.jpg")]


def test_of_the_same_bytes_under_two_names_the_first_counts(engine: Engine, run: Run, tmp_path: Path) -> None:
    made(engine)
    folder = put(tmp_path / "photos", a_jpg=picture(1), b_jpg=picture(1))
    labels = coco(tmp_path / "l.json", ("a.jpg", [BOX]), ("b.jpg", []))
    done = run("import", "cars", folder, "--labels", labels, *TERMS)
    assert "of the same bytes as one before it, passed over: 1, b.jpg" in done.output
    (item,) = items_of(engine)
    assert said_of(engine, item) == [(car(),)]


def test_what_is_wrong_is_named_by_field_and_picture(engine: Engine, run: Run, tmp_path: Path) -> None:
    made(engine)
    folder = put(tmp_path / "photos", a_jpg=picture(1))
    labels = coco(tmp_path / "l.json", ("a.jpg", [BOX]))
    labels.write_text(labels.read_text().replace('"car"', '"Car"'))
    for arguments, told in (
        (("import", "cars", folder, "--source", "", "--licence", "MIT"), "name: String should have at least 1"),
        (("import", "cars", folder, "--labels", labels, *TERMS), "a.jpg: labels[0].label: 'Car' is no class of cars"),
        (("new", "twice", "--class", "car", "--kind", "box", "--kind", "box"), "kinds: each once"),
        (("new", "n" * 81, "--class", "car"), "name: String should have at most 80"),
    ):
        refused = run(*arguments)
        assert (refused.exit_code, told in refused.output) == (2, True), refused.output
    put(tmp_path / "strange", **{"a\nb_jpg": picture(1)})
    refused = run("import", "cars", tmp_path / "strange", *TERMS)
    assert (refused.exit_code, "'a\\nb.jpg': name: " in refused.output) == (2, True), refused.output
    for who, told in (("ghost", "--who: there is no account 'ghost'"), ("ann", "ann may not")):
        refused = run("import", "cars", folder, *TERMS, who=who)
        assert (refused.exit_code, told in refused.output) == (2, True), refused.output
    assert items_of(engine) == []


def test_pictures_too_large_are_refused_by_their_head(engine: Engine, run: Run, tmp_path: Path) -> None:
    made(engine)
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    folder = put(tmp_path / "photos", a_png=b"\x89PNG\r\n\x1a\n" + chunk)
    refused = run("import", "cars", folder, *TERMS)
    assert refused.exit_code == 2
    assert "a.png: neither JPEG nor PNG that can be read: 60000x60000 px are more than 35 million" in refused.output


def test_a_project_goes_to_another_tool_and_comes_back_as_a_version(engine: Engine, run: Run, tmp_path: Path) -> None:
    with engine.begin() as connection:
        _, numbers = project(connection, objects(tmp_path), 4)
        for number in numbers:
            accepted(connection, number, labelled(connection, number, "lin", car()), "chen")
    done = run("export", "cars", tmp_path / "out", "--format", "cvat", "--pictures")
    assert done.exit_code == 0, done.output
    made(engine, "back")
    labels = tmp_path / "out" / "annotations.xml"
    done = run("import", "back", tmp_path / "out", "--labels", labels, "--format", "cvat", *TERMS)
    assert "4 added, 0 there already" in done.output
    with engine.begin() as connection:
        for item in projects.items(connection, projects.named(connection, "back").id, ALL):
            (answer,) = answers.newest(connection, [item.id])
            accepted(connection, item.id, answer, "chen")
        there = projects.named(connection, "back")
        version = freeze.freeze(connection, objects(tmp_path), there.id, ALL, "lin").version
    assert (version.items, there.sources) == (4, {"photos": CITY})
