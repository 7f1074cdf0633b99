"""YOLO's files: what is written reads back equal, what cannot be held is named, what is hostile is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from algorithm_repo.datasets.types import Box, Item, Label, Polygon
from algorithm_repo.formats import yolo
from algorithm_repo.formats.types import FormatFaults, Read, on_grid
from tests.effort import examples
from tests.unit.formats_scene import World, everything, item, manifest, worlds

HEAD = b"train: images/train\nval: images/val\nnames: [car, bus]\n"


def read(files: dict[str, bytes]) -> Read:
    return yolo.read(files, files.__getitem__)


def one(lines: str, head: bytes = HEAD) -> Read:
    return read({"data.yaml": head, "images/train/a.jpg": b"", "labels/train/a.txt": lines.encode()})


def bare(one: Item, segment: bool) -> tuple[Label, ...]:
    """What YOLO holds of an item: class and shape, of one kind."""
    shapes = [label for label in one.labels if isinstance(label, Box | Polygon)]
    if len({label.kind for label in shapes}) > 1:
        shapes = [label for label in shapes if label.kind == ("polygon" if segment else "box")]
    return tuple(label.model_copy(update={"track": None, "at": None, "attributes": {}}) for label in shapes)


@given(worlds(sides=("train", "val", "test")))
@settings(max_examples=examples(150), deadline=None)
def test_what_is_written_reads_back_equal(world: World) -> None:
    version = world.manifest
    written = yolo.written(version)
    files = dict(written.files(lambda content: content.encode()))
    assert len({path.casefold() for path in files}) == len(written.texts) + len(version.items)
    assert all(re.fullmatch(r"data\.yaml|(images|labels)/(train|val|test)/[^/\\:<>\"|?*]+", path) for path in files)
    found = read(files)
    assert found.classes == version.classes
    assert found.warnings == ()
    pictures = {written.media[picture.file]: (picture.side, picture.labels) for picture in found.pictures}
    assert pictures == {one.content: (one.side, bare(one, version.task == "segment")) for one in version.items}


def test_the_lines_are_those_of_the_documentation() -> None:
    box = Box(label="bus", box=(0.1, 0.2, 0.300001, 0.4))
    outline = Polygon(label="car", points=((0, 0), (1, 0.5), (0.25, 1)))
    written = yolo.written(manifest(item(1, box), item(2, outline, side="val"), item(3)))
    assert yaml.safe_load(written.texts["data.yaml"]) == {
        "train": "images/train",
        "val": "images/val",
        "names": {0: "car", 1: "bus"},
    }
    assert written.texts["labels/train/1.txt"] == b"1 0.2000005 0.3 0.200001 0.2\n"
    assert written.texts["labels/val/2.txt"] == b"0 0 0 1 0.5 0.25 1\n"
    assert written.texts["labels/train/3.txt"] == b""
    assert len(written.texts) == 4


def test_what_it_cannot_hold_is_named_by_item() -> None:
    clip = item(2, name="night.mp4", media="clip")
    written = yolo.written(manifest(everything(), clip))
    assert sorted(written.warnings) == [
        "1.jpg: attributes left out of YOLO (1)",
        "1.jpg: boxes thinner than a millionth of the picture left out of YOLO (1)",
        "1.jpg: intervals left out of YOLO (1)",
        "1.jpg: outlines beside boxes left out of YOLO (1)",
        "1.jpg: tags left out of YOLO (1)",
        "1.jpg: times left out of YOLO (1)",
        "1.jpg: tracks left out of YOLO (1)",
        "night.mp4: clips left out of YOLO (1)",
    ]
    assert list(written.media) == ["images/train/1.jpg"]


def test_pictures_without_a_side_are_refused_together() -> None:
    with pytest.raises(FormatFaults, match="freeze the version") as told:
        yolo.written(manifest(item(1, side=None), item(2, side=None), item(3)))
    assert len(told.value.faults) == 2


def test_coordinates_between_the_grid_are_kept_to_it() -> None:
    box = Box(label="car", box=(1 / 3, 1 / 7, 2 / 3, 0.9999999))
    written = yolo.written(manifest(item(1, box)))
    (picture,) = read(dict(written.files(lambda _: b""))).pictures
    assert picture.labels == (on_grid(box),)
    assert picture.labels[0] == Box(label="car", box=(0.333333, 0.142857, 0.666667, 1))


def test_names_of_one_stem_or_one_case_do_not_share_a_label_file() -> None:
    boxes = [Box(label="car", box=(0, 0, n / 10, 1)) for n in range(1, 5)]
    names = ("a.jpg", "A.png", "b", "b.tif")
    version = manifest(*(item(n, box, name=name) for n, (box, name) in enumerate(zip(boxes, names, strict=True))))
    written = yolo.written(version)
    assert len({path.casefold() for path in written.texts}) == 5
    found = read(dict(written.files(lambda _: b"")))
    assert {written.media[one.file]: one.labels for one in found.pictures} == {
        one.content: one.labels for one in version.items
    }


def test_other_peoples_files() -> None:
    files: dict[str, bytes] = {
        "set/data.yaml": b"path: ../x\ntrain: [images/a, images/b/]\nval: images/b\nnames: {1: bus, 0: car}\nnc: 2",
        "set/images/a/1.JPG": b"",
        "set/images/a/deep/2.png": b"",
        "set/images/a/readme.md": b"",
        "set/images/b/3.jpg": b"",
        "set/labels/a/1.txt": b"\xef\xbb\xbf0 .5 0.5 1.0 1e0\r\n\r\n1 0.1 0.1 0.4 0.4\n",
        "set/labels/a/deep/2.txt": b"1 0 0 1.005 0 1 1\n1 0 0 0.2 0.2\n0 0.5 0.5 0 0.1\n",
        "set/labels/a/9.txt": b"",
    }
    found = yolo.read(files, files.__getitem__, "set/data.yaml")
    assert found.classes == ("car", "bus")
    assert [(one.file, one.side) for one in found.pictures] == [
        ("set/images/a/1.JPG", "train"),
        ("set/images/a/deep/2.png", "train"),
        ("set/images/b/3.jpg", "train"),
    ]
    whole, corner = Box(label="car", box=(0, 0, 1, 1)), Box(label="bus", box=(0, 0, 0.3, 0.3))
    assert found.pictures[0].labels == (whole, corner)
    assert found.pictures[1].labels == (
        Polygon(label="bus", points=((0, 0), (1, 0), (1, 1))),
        Box(label="bus", box=(0, 0, 0.1, 0.1)),
    )
    assert found.pictures[2].labels == ()
    told = "\n".join(found.warnings)
    for what in (
        "path: passed over",
        "images/b/3.jpg is on side train too",
        "1.txt: line 3: the shape reached beyond",
        "2.txt: line 1: the shape reached",
        "2.txt: line 3: the box has no area",
        "9.txt: it belongs to no picture",
        "images: 1 has no file of labels, so it shows nothing: set/images/b/3.jpg",
    ):
        assert what in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 nan 0.5 0.1 0.1", "line 1: it holds something else than numbers"),
        ("0 inf 0.5 0.1 0.1", "something else than numbers"),
        ("0 1e999 0.5 0.1 0.1", "something else than numbers"),
        ("0 1_0 0.5 0.1 0.1", "something else than numbers"),
        ("car 0.5 0.5 0.1 0.1", "something else than numbers"),
        ("0 0.5 0.5 0.1", "it holds 4 numbers"),
        ("0 0.5 0.5 0.1 0.1 0.2", "it holds 6 numbers"),
        ("2 0.5 0.5 0.1 0.1", "class 2 is not among the 2"),
        ("-1 0.5 0.5 0.1 0.1", "class -1 is not"),
        ("0.5 0.5 0.5 0.1 0.1", "class 0.5 is not"),
        ("0 0.5 0.5 -0.01 0.1", "negative size"),
        ("0 320 180 64 36", "divide them by the picture's width"),
        ("0 " + "0.5 " * 20_002, "at most 10000 items"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_with_its_place(line: str, told: str) -> None:
    with pytest.raises(FormatFaults, match=told) as error:
        one(line)
    assert error.value.faults[0].startswith("labels/train/a.txt: line 1: ")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"train: ../x\nnames: [a]", "train: the file name '../x' does not stay"),
        (b"train: /etc\nnames: [a]", "'/etc' does not stay"),
        (b"train: 'C:\\x'\nnames: [a]", "does not stay"),
        (b"train: list.txt\nnames: [a]", "is no folder"),
        (b"names: {0: a, 2: b}", "keys are not 0, 1, 2"),
        (b"names: [a, a]", "'a' is there twice"),
        (b"names: [yes]", "names 0: Input should be a valid string"),
        (b"names: ['']", "at least 1 character"),
        (b"names:", "it holds no classes"),
        (b"[" * 5000, "no YAML"),
        (b"\xff", "no YAML in UTF-8"),
        (b"7", "it holds no mapping"),
        (b"!!python/object/apply:os.system [ls]", "no YAML"),
    ],
)
def test_a_head_that_cannot_be_used_is_refused(head: bytes, told: str) -> None:
    with pytest.raises(FormatFaults, match=re.escape(told)):
        one("", head)


def test_a_list_of_aliases_is_refused_without_being_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    head = "\n".join([*lines, "train: [*a29]", "path: *a29", "names: [*a29]"]).encode()
    with pytest.raises(FormatFaults) as told:
        one("", head)
    assert [fault.partition(": ")[2] for fault in told.value.faults] == [
        "names 0: Input should be a valid string; write 1 to 80 printable characters, quoted where it is YAML",
        "train: a list is no folder; name a folder of pictures",
    ]


def test_all_faults_of_all_files_are_told_together() -> None:
    files: dict[str, Any] = {"data.yaml": HEAD, "images/train/a.jpg": b"", "images/val/b.jpg": b""}
    files |= {"labels/train/a.txt": b"9 0 0 0 0\n0 x", "labels/val/b.txt": b"\xff"}
    with pytest.raises(FormatFaults, match=r"\(and 2 more\)") as told:
        read(files)
    assert len(told.value.faults) == 3
    with pytest.raises(FormatFaults, match="missing"):
        read({})
    with pytest.raises(FormatFaults, match="does not stay below"):
        read({"data.yaml": HEAD, "images/train/../../../x.jpg": b""})


def test_data_of_roboflow_is_read_as_ultralytics_reads_it() -> None:
    head = b"train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: [car]"
    files = {
        "data.yaml": head,
        "train/images/1.jpg": b"",
        "train/labels/1.txt": b"0 0.5 0.5 0.5 0.5",
        "valid/images/2.jpg": b"",
    }
    found = yolo.read(files, lambda path: files[path])
    assert [(one.file, one.side, len(one.labels)) for one in found.pictures] == [
        ("train/images/1.jpg", "train", 1),
        ("valid/images/2.jpg", "val", 0),
    ]
    assert found.warnings == (
        "data.yaml: test: there is no picture in 'test/images'",
        "data.yaml: images: 1 has no file of labels, so it shows nothing: valid/images/2.jpg",
    )


def test_a_path_that_lies_below_is_where_the_sides_are() -> None:
    files = {
        "data.yaml": b"path: set\ntrain: images/train\nnames: [car]",
        "set/images/train/1.jpg": b"",
        "set/labels/train/1.txt": b"0 0.5 0.5 0.5 0.5",
    }
    found = yolo.read(files, lambda path: files[path])
    assert [(one.file, len(one.labels)) for one in found.pictures] == [("set/images/train/1.jpg", 1)]
    assert found.warnings == ()


def test_sides_without_any_picture_are_a_fault() -> None:
    files = {"data.yaml": b"train: imges/train\nval: images/vl\nnames: [car]", "images/train/1.jpg": b""}
    with pytest.raises(FormatFaults) as told:
        yolo.read(files, lambda path: files[path])
    assert "train, val: there is no picture in 'imges/train', 'images/vl'" in str(told.value)
