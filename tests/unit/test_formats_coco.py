"""COCO's instances files: what is written reads back equal, others' files are understood, hostile ones refused."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from algorithm_repo.datasets.types import Box, Item, Mask, Polygon, Source, Tag
from algorithm_repo.formats import coco, rle
from algorithm_repo.formats.types import FormatFaults, Read, on_grid
from contracts.errors import ConfigError
from tests.effort import examples
from tests.unit.formats_scene import World, decoded, everything, item, manifest, worlds


def instances(**more: Any) -> dict[str, Any]:
    image = {"id": 7, "file_name": "a/1.jpg", "width": 200, "height": 100}
    fields = {"images": [image], "categories": [{"id": 3, "name": "car"}, {"id": 1, "name": "bus"}]}
    return fields | {"annotations": []} | more


def annotation(**more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 7, "category_id": 3} | more


def read(document: Any) -> Read:
    return coco.read(json.dumps(document).encode(), "x.json")


def labels(*annotations: dict[str, Any]) -> Any:
    return read(instances(annotations=annotations)).pictures[0].labels


def items_of(found: Read) -> list[Item]:
    items = []
    for one in found.pictures:
        assert one.facts is not None
        size = {"width": one.width, "height": one.height}
        items.append(Item(**one.facts.model_dump(), **size, labels=one.labels, side=one.side))
    return items


@given(worlds())
@settings(max_examples=examples(150), deadline=None)
def test_what_is_written_reads_back_equal(world: World) -> None:
    version = world.manifest
    written = coco.written(version, world.mask_of)
    assert written.warnings == ()
    items: list[Item] = []
    for path, text in written.texts.items():
        found = coco.read(text, path)
        assert found.classes == version.classes
        assert found.sources == version.sources
        assert found.warnings == ()
        masks = decoded(found)
        assert all(np.array_equal(masks[sha256], world.masks[sha256]) for sha256 in masks)
        items += items_of(found)
        folder = path.removeprefix("annotations/instances_").removesuffix(".json")
        assert [written.media[f"images/{folder}/{one.file}"] for one in found.pictures] == [
            one.content for one in items_of(found)
        ]
    again = version.model_copy(update={"items": tuple(sorted(items, key=lambda one: one.content))})
    assert again == version
    assert again.digest == version.digest


@given(worlds())
@settings(max_examples=examples(50), deadline=None)
def test_what_is_written_is_what_the_format_asks_for(world: World) -> None:
    """By hand what a schema would say, and what pycocotools relies on without looking."""
    for text in coco.written(world.manifest, world.mask_of).texts.values():
        data = json.loads(text)
        ids = {key: [one["id"] for one in data[key]] for key in ("images", "annotations", "categories", "licenses")}
        assert all(len(set(found)) == len(found) and all(number > 0 for number in found) for found in ids.values())
        sizes = {one["id"]: (one["width"], one["height"]) for one in data["images"]}
        assert all(one["license"] in ids["licenses"] and one["file_name"] for one in data["images"])
        for one in data["annotations"]:
            width, height = sizes[one["image_id"]]
            x, y, across, down = one["bbox"]
            assert one["category_id"] in ids["categories"]
            assert one["iscrowd"] == 0
            assert min(x, y, across, down) >= 0
            assert x + across <= width + 1e-6
            assert y + down <= height + 1e-6
            assert 0 <= one["area"] <= 2 * across * down + 1e-3  # a line that runs round twice counts twice
            form = one["segmentation"]
            if isinstance(form, dict):
                assert form["size"] == [height, width]
                assert sum(rle.unpacked(form["counts"])[1::2]) == one["area"]
            else:
                assert all(len(outline) >= 6 and len(outline) % 2 == 0 for outline in form)


def test_one_of_each_as_others_read_it() -> None:
    pixels = np.zeros((100, 200), np.bool_)
    pixels[10:20, 50:100] = True
    box = Box(label="bus", box=(0.25, 0.1, 0.5, 0.6), track=7, at=1.5, attributes={"colour": "red"})
    outline = Polygon(label="car", points=((0, 0), (0.5, 0), (0.5, 0.5)))
    mask = Mask(label="car", sha256=rle.png_of(pixels)[0])
    sources = {"city": Source(name="city cameras", licence="CC-BY-4.0", address="https://example.org")}
    one = item(1, box, Tag(label="bus"), outline, mask, width=200, height=100, side="val")
    written = coco.written(manifest(one, sources=sources), {mask.sha256: pixels}.__getitem__)
    assert list(written.texts) == ["annotations/instances_val.json"]
    assert written.media == {"images/val/1.jpg": one.content}
    data = json.loads(written.texts["annotations/instances_val.json"])
    assert data["licenses"] == [{"id": 1, "name": "CC-BY-4.0", "url": "https://example.org"}]
    assert [(one["id"], one["name"]) for one in data["categories"]] == [(1, "car"), (2, "bus")]
    first, second, third = data["annotations"]
    assert first == {
        "id": 1,
        "image_id": 1,
        "category_id": 2,
        "iscrowd": 0,
        "track_id": 7,
        "bbox": [50, 10, 50, 50],
        "area": 2500,
        "segmentation": [],
        "attributes": {"colour": "red", "track_id": 7},
        "cityvision": {"at": 1.5},
    }
    assert second["bbox"] == [0, 0, 100, 50]
    assert second["segmentation"] == [[0, 0, 100, 0, 100, 50]]
    assert second["area"] == 2500
    assert third["bbox"] == [50, 10, 50, 10]
    assert third["area"] == 500


def test_what_it_cannot_hold_is_named_and_the_rest_keeps_its_place() -> None:
    one = everything()
    written = coco.written(manifest(one, item(2, name="night.mp4", media="clip")), lambda _: np.zeros(0))
    assert sorted(written.warnings) == [
        "1.jpg: boxes thinner than a millionth of the picture left out of COCO (1)",
        "1.jpg: intervals left out of COCO (1)",
        "night.mp4: clips left out of COCO (1)",
    ]
    (text,) = written.texts.values()
    (again,) = items_of(coco.read(text, "x"))
    assert again.labels == (one.labels[0], one.labels[1], one.labels[3])


def test_coordinates_between_the_grid_are_kept_to_it() -> None:
    box = Box(label="car", box=(1 / 3, 1 / 7, 2 / 3, 0.9999999))
    outline = Polygon(label="car", points=((1 / 3, 1 / 7), (0.1234567, 1), (1e-9, 0)))
    (text,) = coco.written(manifest(item(1, box, outline, width=99_991)), lambda _: np.zeros(0)).texts.values()
    assert coco.read(text, "x").pictures[0].labels == (on_grid(box), on_grid(outline))


def test_a_mask_of_another_size_is_refused() -> None:
    mask = Mask(label="car", sha256="0" * 64)
    with pytest.raises(ConfigError, match=r"1\.jpg: its mask is \(3, 4\)"):
        coco.written(manifest(item(1, mask)), lambda _: np.zeros((3, 4), np.bool_))


def test_other_peoples_files() -> None:
    """As CVAT, Datumaro and COCO itself write them."""
    document = instances(
        info={"year": 2017},
        licenses=[{"id": 4, "name": "CC", "url": ""}],
        images=[
            {
                "id": 7,
                "file_name": "a/1.jpg",
                "width": 200,
                "height": 100,
                "license": 4,
                "coco_url": "",
                "flickr_url": "",
            },
            {"id": 8, "file_name": "2.jpg", "width": 2, "height": 2},
        ],
        annotations=[
            annotation(
                bbox=[20.0, 10, 60, 50],
                segmentation=[],
                area=1,
                attributes={"occluded": False, "track_id": 5, "rotation": 30.0, "name": "x", "n": None},
            ),
            annotation(segmentation=[[0, 0, 100, 0, 100, 50], [0, 0, 250, 0, 200, 100]], bbox=[0, 0, 1, 1]),
            annotation(image_id=8, iscrowd=1, segmentation={"size": [2, 2], "counts": [1, 2, 1]}, bbox=[0, 0, 2, 2]),
            annotation(image_id=8, segmentation={"size": [2, 2], "counts": "04"}, attributes={"occluded": False}),
            annotation(category_id=1),
            annotation(bbox=[0, 0, 0, 4]),
        ],
    )
    found = coco.read(json.dumps(document).encode(), "x.json", "test")
    assert found.classes == ("car", "bus")
    first, second = found.pictures
    assert (first.file, first.side, first.width, first.height, first.licence) == ("a/1.jpg", "test", 200, 100, "CC")
    attributes = {"occluded": "false", "rotation": "30.0", "name": "x", "n": "null"}
    around = (0.057596, 0, 0.442404, 0.716506)  # 60 x 50 px around (50, 35), turned by 30 degrees, cut to the picture
    assert first.labels == (
        Box(label="car", box=around, track=5, attributes=attributes),
        Polygon(label="car", points=((0, 0), (0.5, 0), (0.5, 0.5))),
        Polygon(label="car", points=((0, 0), (1, 0), (1, 1))),
        Tag(label="bus"),
    )
    masks = decoded(found)
    assert [masks[one.sha256].tolist() for one in second.labels if isinstance(one, Mask)] == [[[1, 1]] * 2]
    told = "\n".join(found.warnings)
    for what in (
        "annotations[0]: a turned box",
        "annotations[0]: the shape reached beyond",
        "annotations[1]: one thing of 2 outlines",
        "annotations[1]: the shape reached beyond",
        "annotations[2]: a crowd",
        "annotations[3]: a mask has neither",
        "annotations[5]: the box has no area",
    ):
        assert what in told
    assert len(found.warnings) == 7


def test_an_attribute_named_as_the_track_is_kept_apart_from_it() -> None:
    box = Box(label="car", box=(0, 0, 1, 1), track=3, attributes={"track_id": "3"})
    (text,) = coco.written(manifest(item(1, box)), lambda _: np.zeros(0)).texts.values()
    assert coco.read(text, "x").pictures[0].labels == (box,)


RLE = {"size": [100, 200], "counts": [20_000]}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"bbox": [0, 0, float("inf"), 1]}, "no number of JSON"),
        ({"bbox": [0, 0, float("nan"), 1]}, "no number of JSON"),
        ({"bbox": [0, 0, 1e300, 1]}, r"annotations\[0\]: bbox.2: .*less than or equal"),
        ({"bbox": [0, 0, 10**400, 1]}, r"annotations\[0\]: bbox.2"),
        ({"bbox": [0, 0, -1, 1]}, r"annotations\[0\].bbox: the box has a negative size"),
        ({"bbox": [0, 0, 1]}, "bbox"),
        ({"bbox": "abcd"}, "bbox"),
        ({"image_id": 9}, r"annotations\[0\]: its image_id 9 is of none"),
        ({"category_id": 9}, "its category_id 9 is of none"),
        ({"category_id": "3"}, "category_id"),
        ({"segmentation": [[0, 0, 1, 1]]}, "at least three points"),
        ({"segmentation": [[0, 0, 1, 1, 2, 2, 3]]}, "at least three points"),
        ({"segmentation": [[0, 0, 1, 1, 2, "x"]]}, "at least three points"),
        ({"segmentation": [[0, 0, 1, 1, 2, 10**400]]}, "at least three points"),
        ({"segmentation": [7]}, "at least three points"),
        ({"segmentation": [[0.5] * 20_002]}, "at most 10000"),
        ({"segmentation": RLE | {"size": [200, 100]}}, r"its size \[200, 100\] is not the image's"),
        ({"segmentation": RLE | {"counts": [20_001]}}, "from 0 to the number"),
        ({"segmentation": RLE | {"counts": "P"}}, "ends within a number"),
        ({"segmentation": RLE | {"counts": None}}, "neither a list nor text"),
        ({"segmentation": {}}, "its size None"),
        ({"bbox": [0, 0, 1, 1], "attributes": {"x" * 81: "1"}}, "at most 80 characters"),
        ({"bbox": [0, 0, 1, 1], "attributes": {"track_id": -1}}, "track"),
        ({"bbox": [0, 0, 1, 1], "cityvision": {"at": -1}}, "at"),
    ],
)
def test_an_annotation_that_cannot_be_meant_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(FormatFaults, match=told):
        labels(annotation(**more))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"file_name": "../1.jpg"}, "image 7: the file name '../1.jpg' does not stay"),
        ({"file_name": "/etc/passwd"}, "does not stay"),
        ({"file_name": "a\\..\\..\\1.jpg"}, "does not stay"),
        ({"file_name": "c:/1.jpg"}, "does not stay"),
        ({"file_name": ""}, "does not stay"),
        ({"width": 0}, r"images\[0\]: width"),
        ({"width": -5}, "width"),
        ({"width": 10**9}, "width"),
        ({"height": 1.5}, "height"),
        ({"height": None}, "height"),
        ({"id": None}, "id"),
        ({"cityvision": {"content": "x"}}, "cityvision.content"),
    ],
)
def test_an_image_that_cannot_be_meant_is_refused(more: dict[str, Any], told: str) -> None:
    image = {"id": 7, "file_name": "1.jpg", "width": 200, "height": 100}
    with pytest.raises(FormatFaults, match=told):
        read(instances(images=[image | more]))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\xfd", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b'{"images": [], "x": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"[]", "no list of images"),
        (b'{"images": 3}', "no list of images"),
        (b'{"images": [], "annotations": 3}', "annotations: it is no list"),
        (b'{"images": [], "categories": [{"id": 1, "name": ""}]}', "categories 0: .*at least 1"),
        (b'{"images": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}', "1 is there 2 times"),
        (
            b'{"images": [], "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}], "annotations": '
            b'[{"image_id": 1, "category_id": 1}, {"image_id": 1, "category_id": 2}]}',
            "'a' is there twice",
        ),
        (b'{"images": [], "cityvision": {"sources": {"a": {}}}}', "cityvision.sources: a.name"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(FormatFaults, match=told):
        coco.read(content, "x.json")


def test_faults_are_told_together_and_huge_masks_take_no_memory() -> None:
    size = {"width": 100_000, "height": 10_000}
    image = {"id": 7, "file_name": "1.jpg", **size}
    runs = {"size": [10_000, 100_000], "counts": [10**9]}
    document = instances(images=[image], annotations=[annotation(segmentation=runs), annotation(bbox=[0, 0, -1, 0])])
    content = json.dumps(document).encode()
    tracemalloc.start()
    try:
        with pytest.raises(FormatFaults, match="1000000000 pixels are more than") as told:
            coco.read(content, "x.json")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert len(told.value.faults) == 2


def test_tags_of_an_unknown_class_are_refused() -> None:
    (text,) = coco.written(manifest(item(1, Tag(label="car"))), lambda _: np.zeros(0)).texts.values()
    data = json.loads(text)
    data["images"][0]["cityvision"]["tags"] = [[5, "lorry"]]
    with pytest.raises(FormatFaults, match="the tag 'lorry' is not among categories"):
        read(data)


def test_what_real_files_hold_for_nothing_and_for_whole_numbers_is_taken() -> None:
    image = {"id": 7, "file_name": "1.jpg", "width": 200.0, "height": 100.0}
    box = Box(label="car", box=(0.1, 0.1, 0.4, 0.6))
    said: dict[str, Any] = {"bbox": [20, 10, 60, 50]}
    for more in (
        said | {"segmentation": [[]]},
        said | {"segmentation": [], "iscrowd": None},
        said | {"segmentation": None, "attributes": None, "track_id": None},
    ):
        (picture,) = read(instances(images=[image], annotations=[annotation(**more)])).pictures
        assert (picture.width, picture.height, picture.labels) == (200, 100, (box,))
    found = read(instances(annotations=[annotation(bbox=[], segmentation=[[]]), annotation(bbox=[], segmentation=[])]))
    assert found.pictures[0].labels == ()
    assert found.warnings == tuple(
        f"x.json: annotations[{n}]: it has neither box nor outline and is left out" for n in (0, 1)
    )
    assert labels(annotation(bbox=[], segmentation=[[0, 0, 100, 0, 100, 50]])) == (
        Polygon(label="car", points=((0, 0), (0.5, 0), (0.5, 0.5))),
    )


def test_a_category_that_names_only_the_group_of_another_is_passed_over() -> None:
    """As Roboflow writes it where the group is called as the class."""
    categories = [{"id": 0, "name": "car", "supercategory": "none"}, {"id": 3, "name": "car", "supercategory": "car"}]
    found = read(instances(categories=categories, annotations=[annotation(bbox=[20, 10, 60, 50])]))
    assert (found.classes, len(found.pictures[0].labels)) == (("car",), 1)
    assert found.warnings == ("x.json: categories: 'car' is there twice, the one that nothing is of is passed over",)
    assert read(instances(categories=categories)).classes == ("car",)


def test_boxes_are_taken_in_place_of_outlines_where_only_boxes_are_asked_for() -> None:
    outline = [[0, 0, 100, 0, 100, 50], [120, 0, 160, 0, 160, 80]]
    said = [
        annotation(bbox=[20, 10, 60, 50], segmentation=outline, track_id=4),
        annotation(bbox=[20, 10, 60, 50], segmentation={"size": [100, 200], "counts": "not read"}),
        annotation(segmentation=outline),
        annotation(bbox=[0, 0, 0, 0], segmentation=outline),
    ]
    found = coco.read(json.dumps(instances(annotations=said)).encode(), "x.json", boxes=True)
    near, around = (0.1, 0.1, 0.4, 0.6), (0, 0, 0.8, 0.8)
    assert found.pictures[0].labels == (
        Box(label="car", box=near, track=4),
        Box(label="car", box=near),
        Box(label="car", box=around),
        Box(label="car", box=around),
    )
    assert (found.masks, found.warnings) == ({}, ())


def test_what_labels_have_no_room_for_is_told_once_with_its_number() -> None:
    said = annotation(bbox=[20, 10, 60, 50], keypoints=[1, 2, 2], num_keypoints=1)
    found = read(instances(annotations=[said, said, annotation(bbox=[20, 10, 60, 50], keypoints=[])]))
    assert found.warnings == ("x.json: keypoints: said of 2 annotations, left out",)
