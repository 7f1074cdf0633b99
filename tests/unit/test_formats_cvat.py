"""CVAT's XML: what is written reads back equal, files as CVAT writes them are understood, hostile ones refused."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithm_repo.datasets.types import Box, Item, Label, Mask, Polygon, Tag
from algorithm_repo.formats import cvat, cvat_video
from algorithm_repo.formats.types import FormatFaults, Read, on_grid
from contracts.errors import ConfigError
from tests.effort import examples
from tests.unit.formats_scene import TEXTS, World, decoded, everything, item, manifest, shapes, worlds

DATA = Path(__file__).parents[1] / "data" / "formats"
FPS = st.sampled_from((25.0, 30000 / 1001, 12.5, 1.0, 1000.0))


def nothing(_: str) -> Any:
    return np.zeros(0)


# --- for images -------------------------------------------------------------------------------------------------


@given(worlds())
@settings(max_examples=examples(150), deadline=None)
def test_what_is_written_reads_back_equal(world: World) -> None:
    version = world.manifest
    written = cvat.written(version, world.mask_of)
    found = cvat.read(written.texts["annotations.xml"])
    assert found.classes == version.classes
    assert found.warnings == ()
    assert {
        written.media[f"images/{one.file}"]: (one.side, one.width, one.height, one.labels) for one in found.pictures
    } == {one.content: (one.side, one.width, one.height, one.labels) for one in version.items}
    masks = decoded(found)
    assert all(np.array_equal(masks[sha256], world.masks[sha256]) for sha256 in masks)
    forgotten = {one.name for one in version.items if any(tracked(label) for label in one.labels)}
    assert {warning.rsplit(": tracks and times", 1)[0] for warning in written.warnings} == forgotten


def tracked(label: Label) -> bool:
    return isinstance(label, Box | Polygon) and (label.track is not None or label.at is not None)


def test_the_elements_are_those_of_the_documentation() -> None:
    box = Box(label="bus", box=(0.25, 0.1, 0.5, 0.6), track=7, at=1.5, attributes={"colour": "<red>\r"})
    outline = Polygon(label="car", points=((0, 0), (0.5, 0), (0.000001, 0.5)))
    one = item(1, box, Tag(label="car"), outline, width=200, height=100, side="val")
    text = cvat.written(manifest(one), nothing).texts["annotations.xml"]
    root = ElementTree.fromstring(text)
    assert [node.tag for node in root] == ["version", "meta", "image"]
    assert root.findtext("version") == "1.1"
    assert [node.text for node in root.iterfind("meta/task/labels/label/name")] == ["car", "bus"]
    declared = root.find("meta/task/labels/label[name='bus']/attributes/attribute")
    assert declared is not None
    assert [(node.tag, node.text) for node in declared] == [
        ("name", "colour"),
        ("mutable", "False"),
        ("input_type", "text"),
        ("default_value", None),
        ("values", None),
    ]
    image = root[2]
    assert image.attrib == {"id": "0", "name": "1.jpg", "width": "200", "height": "100", "subset": "val"}
    first, second, third = image
    common = {"source": "manual", "occluded": "0", "z_order": "0"}
    assert first.attrib == common | {
        "label": "bus",
        "track": "7",
        "at": "1.5",
        "xtl": "50",
        "ytl": "10",
        "xbr": "100",
        "ybr": "60",
    }
    assert (first[0].attrib, first[0].text) == ({"name": "colour"}, "<red>\r")
    assert (second.tag, second.attrib) == ("tag", {"label": "car", "source": "manual"})
    assert third.attrib == common | {"label": "car", "points": "0,0;100,0;0.0002,50"}


def test_what_it_cannot_hold_is_named() -> None:
    written = cvat.written(manifest(everything(), item(2, name="night.mp4", media="clip")), nothing)
    assert sorted(written.warnings) == [
        "1.jpg: boxes thinner than a millionth of the picture left out of CVAT's XML (1)",
        "1.jpg: intervals left out of CVAT's XML (1)",
        "1.jpg: tracks and times are there for CityVision alone, CVAT forgets them (1)",
        "night.mp4: clips left out of CVAT's XML (1)",
    ]


def test_coordinates_between_the_grid_are_kept_to_it() -> None:
    box = Box(label="car", box=(1 / 3, 1 / 7, 2 / 3, 0.9999999))
    outline = Polygon(label="car", points=((1 / 3, 1 / 7), (0.1234567, 1), (1e-9, 0)))
    written = cvat.written(manifest(item(1, box, outline, width=99_991)), nothing)
    assert cvat.read(written.texts["annotations.xml"]).pictures[0].labels == (on_grid(box), on_grid(outline))


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ufffe"])
def test_what_xml_has_no_room_for_is_refused(text: str) -> None:
    box = Box(label="car", box=(0, 0, 1, 1), attributes={"a": f"b{text}"})
    with pytest.raises(ConfigError, match="XML has no room for"):
        cvat.written(manifest(item(1, box)), nothing)


def test_a_file_as_cvat_writes_it() -> None:
    found = cvat.read((DATA / "cvat_images.xml").read_bytes(), "a.xml")
    assert found.classes == ("car", "积水")
    first, second, third = found.pictures
    assert [(one.file, one.side, one.width, one.height) for one in found.pictures] == [
        ("north/1.jpg", "train", 200, 100),
        ("2.png", "val", 10, 10),
        ("3.png", None, 10, 10),
    ]
    mask = first.labels[3]
    assert isinstance(mask, Mask)
    assert first.labels == (
        Box(label="car", box=(0.1, 0.1, 0.4, 0.6), attributes={"colour": "blue & white"}),
        Box(label="car", box=(0, 0, 0.214952, 1)),
        Polygon(label="积水", points=((0, 0), (0.5, 0), (0.5, 0.5))),
        mask,
        Tag(label="car"),
    )
    pixels = decoded(found)[mask.sha256]
    assert pixels.shape == (100, 200)
    assert np.argwhere(pixels).tolist() == [[98, 198], [98, 199]]
    assert second.labels == third.labels == ()
    told = "\n".join(found.warnings)
    for what in (
        "element 2 (box): a turned box",
        "element 2 (box): the shape reached",
        "element 5 (polyline): it is of no",
        "occluded: said of 1 shape, left out",
        "z_order: said of 1 shape, left out",
    ):
        assert what in told
    assert len(found.warnings) == 5


META = "<meta><task><labels><label><name>car</name></label></labels></task></meta>"
IMAGE = '<image name="1.jpg" width="20" height="10">'


def images(inside: str, image: str = IMAGE, meta: str = META) -> Read:
    return cvat.read(f"<annotations>{meta}{image}{inside}</image></annotations>".encode())


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (
            '<box label="car" xtl="nan" ytl="0" xbr="1" ybr="1"/>',
            r"image 0 \(1.jpg\), element 1 \(box\): its coordinates",
        ),
        ('<box label="car" xtl="0" ytl="0" xbr="inf" ybr="1"/>', "its coordinates are no numbers"),
        ('<box label="car" xtl="0" ytl="0" xbr="1e300" ybr="1"/>', "its coordinates are no numbers"),
        ('<box label="car" xtl="0" ytl="0" xbr="1"/>', "its coordinates are no numbers"),
        ('<box label="car" xtl="5" ytl="0" xbr="1" ybr="1"/>', "negative size"),
        ('<box label="bus" xtl="0" ytl="0" xbr="1" ybr="1"/>', "'bus' is not among those of meta"),
        ('<box xtl="0" ytl="0" xbr="1" ybr="1"/>', "'' is not among"),
        ('<box label="car" xtl="0" ytl="0" xbr="1" ybr="1" track="-1"/>', "track is no whole number from 0 on"),
        ('<box label="car" xtl="0" ytl="0" xbr="1" ybr="1" track="' + "9" * 5000 + '"/>', "track is no whole number"),
        ('<box label="car" xtl="0" ytl="0" xbr="1" ybr="1" at="x"/>', "at: Input should be"),
        ('<box label="car" xtl="0" ytl="0" xbr="1" ybr="1"><attribute/></box>', "attributes"),
        ('<polygon label="car" points="0,0;1,1"/>', "at least 3 items"),
        ('<polygon label="car" points="0,0;1,1;2"/>', "its coordinates are no numbers"),
        ('<polygon label="car"/>', "its coordinates are no numbers"),
        ('<mask label="car" rle="1, 1" left="0" top="0" width="1" height="1"/>', "2 pixels together, not 1"),
        ('<mask label="car" rle="0.5, 0.5" left="0" top="0" width="1" height="1"/>', "something else than whole"),
        ('<mask label="car" rle="-1, 2" left="0" top="0" width="1" height="1"/>', "from 0 to the number"),
        ('<mask label="car" rle="1e308" left="0" top="0" width="1" height="1"/>', "from 0 to the number"),
        ('<mask label="car" rle="" left="0" top="0" width="1" height="1"/>', "something else than whole"),
        ('<mask label="car" rle="2" left="20" top="0" width="2" height="1"/>', "does not lie in the picture"),
        ('<mask label="car" rle="0" left="0" top="0" width="0" height="1"/>', "width is no whole number from 1 on"),
        ('<mask label="car" rle="1" left="x" top="0" width="1" height="1"/>', "left is no whole number"),
    ],
)
def test_an_element_that_cannot_be_meant_is_refused(inside: str, told: str) -> None:
    with pytest.raises(FormatFaults, match=told):
        images(inside)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ('<image name="../1.jpg" width="20" height="10">', "'../1.jpg' does not stay below"),
        ('<image name="/1.jpg" width="20" height="10">', "does not stay below"),
        ('<image width="20" height="10">', "does not stay below"),
        ('<image name="1.jpg" width="0" height="10">', "width and height are not from 1 to 100000"),
        ('<image name="1.jpg" width="20" height="1000000000">', "width and height"),
        ('<image name="1.jpg" width="20.5" height="10">', "width and height"),
        ('<image name="1.jpg" width="nan" height="10">', "width and height"),
        ('<image name="1.jpg" width="20">', "width and height"),
        (IMAGE + "</image>" + IMAGE, "of this name came before"),
        ('<track id="1" label="car"/>' + IMAGE, "the file is for video"),
    ],
)
def test_an_image_that_cannot_be_meant_is_refused(image: str, told: str) -> None:
    with pytest.raises(FormatFaults, match=told):
        images("", image)


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"{BOMB}<annotations>&b;</annotations>".encode(), "document type or entities are refused"),
        (f"{FILE}<annotations>&a;</annotations>".encode(), "document type or entities are refused"),
        (b"<!DOCTYPE annotations><annotations/>", "document type or entities are refused"),
        (b'<!DOCTYPE a SYSTEM "x.dtd"><annotations/>', "document type or entities are refused"),
        (b"", "no XML"),
        (b"<annotations>", "no XML"),
        (b"<annotations>\xff</annotations>", "no XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><annotations/>', "no XML"),
        (b"<svg/>", "its root is svg"),
        (b"<annotations/>", "it names no labels"),
        (b"<annotations><meta><task><labels><label><name/></label></labels></task></meta></annotations>", "at least 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(FormatFaults, match=told):
        cvat.read(content)
    with pytest.raises(FormatFaults, match=told):
        cvat_video.read(content, 25)


def test_faults_are_told_together_and_huge_masks_take_no_memory() -> None:
    mask = '<mask label="car" rle="1" left="0" top="0" width="1" height="1"/>'
    image = '<image name="1.jpg" width="100000" height="10000">'
    tracemalloc.start()
    try:
        with pytest.raises(FormatFaults, match="1000000000 pixels are more than") as told:
            images(f'{mask}<box label="bus"/>', image)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert len(told.value.faults) == 2


def test_deep_nesting_does_no_harm() -> None:
    found = images("<x>" * 50_000 + "</x>" * 50_000)
    assert found.pictures[0].labels == ()


# --- for video --------------------------------------------------------------------------------------------------


@st.composite
def clips(draw: st.DrawFn) -> tuple[Item, float, int]:
    """Clips whose labels stand in the order in which the format gives them back."""
    fps, frames = draw(FPS), 50
    times = st.integers(0, frames - 1).map(lambda frame: round(frame / fps, 6))
    found: dict[Any, Label] = {}
    for number, label in enumerate(draw(st.lists(shapes(("car", "红 & <b>"), times), max_size=8))):
        track = label.track if label.track is None else label.track % 3
        key = (True, label.at, number) if track is None else (False, track, label.label, label.kind, label.at)
        found.setdefault(key, label.model_copy(update={"track": track}))
    labels = [found[key] for key in sorted(found)]
    name = draw(TEXTS.filter(lambda text: len(text) > 0 and "\t" not in text) | st.just("夜 1.mp4"))
    return item(1, *labels, name=name, media="clip", width=draw(st.integers(1, 4000))), fps, frames


@given(clips())
@settings(max_examples=examples(150), deadline=None)
def test_a_clip_reads_back_equal(clip: tuple[Item, float, int]) -> None:
    one, fps, frames = clip
    written = cvat_video.written(one, ("car", "红 & <b>"), fps, frames)
    assert written.warnings == ()
    found = cvat_video.read(written.texts["annotations.xml"], fps)
    (picture,) = found.pictures
    assert found.classes == ("car", "红 & <b>")
    assert written.media == {picture.file: one.content}
    assert (picture.width, picture.height) == (one.width, one.height)
    assert picture.labels == one.labels
    # What lies between is added; what was said is still there, and nothing outlives its last frame.
    filled = cvat_video.read(written.texts["annotations.xml"], fps, between=True).pictures[0].labels
    assert [label for label in filled if label in one.labels] == list(one.labels)
    ends: dict[Any, float] = {}
    for label in one.labels:
        assert isinstance(label, Box | Polygon)
        key = (label.track, label.label, label.kind)
        ends[key] = max(ends.get(key, 0), label.at or 0)
    for label in filled:
        assert isinstance(label, Box | Polygon)
        assert (label.at or 0) <= ends[label.track, label.label, label.kind]


def clip(*labels: Label, **more: Any) -> Item:
    return item(1, *labels, **({"name": "n.mp4", "media": "clip", "width": 200, "height": 100} | more))


def test_a_track_ends_with_a_frame_outside_except_at_the_clips_end() -> None:
    first = Box(label="car", box=(0, 0, 0.5, 0.5), track=7, at=0.4)
    last = first.model_copy(update={"at": 0.96})
    alone = Box(label="car", box=(0, 0, 0.5, 0.5), at=0.2)
    written = cvat_video.written(clip(last, alone, first), ("car",), 25, 26)
    tracks = ElementTree.fromstring(written.texts["annotations.xml"]).findall("track")
    assert [(one.get("id"), one.get("tracked"), one.get("label")) for one in tracks] == [
        ("7", None, "car"),
        ("9", "0", "car"),
    ]
    rows = [[(box.get("frame"), box.get("keyframe"), box.get("outside")) for box in one] for one in tracks]
    assert rows == [[("10", "1", "0"), ("24", "1", "0"), ("25", "1", "1")], [("5", "1", "0"), ("6", "1", "1")]]
    ending = cvat_video.written(clip(last), ("car",), 25, 25)
    assert b'outside="1"' not in ending.texts["annotations.xml"]


def test_what_a_clip_cannot_hold_is_named() -> None:
    one = everything()
    near = Box(label="car", box=(0, 0, 1, 1), track=1, at=1.01)
    twice = Box(label="car", box=(0, 0, 0.5, 1), track=1, at=1.0)
    written = cvat_video.written(
        clip(*one.labels, Mask(label="car", sha256="0" * 64), twice, near), ("car", "bus"), 25, 50
    )
    assert sorted(written.warnings) == [
        "n.mp4: boxes thinner than a millionth of the picture left out of CVAT's XML (1)",
        "n.mp4: further shapes of a track at one frame left out of CVAT's XML (1)",
        "n.mp4: intervals left out of CVAT's XML (1)",
        "n.mp4: masks left out of CVAT's XML (1)",
        "n.mp4: shapes without a time left out of CVAT's XML (1)",
        "n.mp4: tags left out of CVAT's XML (1)",
        "n.mp4: times between two frames were moved to the nearest one (2)",
    ]
    (picture,) = cvat_video.read(written.texts["annotations.xml"], 25).pictures
    assert twice in picture.labels


def test_a_clip_as_cvat_writes_it() -> None:
    content = (DATA / "cvat_video.xml").read_bytes()
    found = cvat_video.read(content, 10)
    (picture,) = found.pictures
    assert (picture.file, picture.width, picture.height) == ("night.mp4", 200, 100)

    def car(at: float, left: float, right: float, brakes: str, top: float = 0.1) -> Box:
        box = (left / 200, top, right / 200, top + 0.2)
        return Box(label="car", box=box, track=0, at=at, attributes={"brakes": brakes})

    outline = Polygon(label="area", points=((0, 0), (0.5, 0), (0.5, 0.5)), track=1, at=0.5)
    keys = (car(0.2, 0, 20, "false"), car(0.6, 40, 68, "true"), car(1.8, 100, 120, "true", 0))
    assert rounded(picture.labels) == rounded((*keys, outline))
    assert found.warnings == ()
    filled = cvat_video.read(content, 10, between=True)
    assert rounded(filled.pictures[0].labels) == rounded(
        (
            car(0.2, 0, 20, "false"),
            car(0.3, 10, 32, "false"),
            car(0.4, 20, 44, "false"),
            car(0.5, 30, 56, "false"),
            car(0.6, 40, 68, "true"),
            car(0.7, 50, 78, "true"),
            car(1.8, 100, 120, "true", 0),
            car(1.9, 100, 120, "true", 0),
            car(2.0, 100, 120, "true", 0),
            outline,
        )
    )
    assert [re.sub(r".*track 1: ", "", warning) for warning in filled.warnings] == [
        "between frames 5 and 9 outlines are not filled in"
    ]


def test_an_outline_that_was_gone_meanwhile_needs_no_filling() -> None:
    points = 'points="0,0;1,0;1,1"'
    gone = f'<polygon frame="1" {points}/><polygon frame="2" outside="1" {points}/><polygon frame="9" {points}/>'
    found = video(f'<track id="0" label="car">{gone}</track>', between=True)
    assert [getattr(label, "at", None) for label in found.pictures[0].labels] == [0.04, 0.36]
    assert found.warnings == ()


def rounded(labels: tuple[Label, ...]) -> list[Label | None]:
    return [on_grid(label) for label in labels]


VIDEO = META.replace("<labels>", "<original_size><width>20</width><height>10</height></original_size><labels>")
BOX = 'xtl="0" ytl="0" xbr="1" ybr="1"'


def video(inside: str, meta: str = VIDEO, **more: Any) -> Read:
    return cvat_video.read(f"<annotations>{meta}{inside}</annotations>".encode(), 25, **more)


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (f'<track id="0" label="bus"><box frame="0" {BOX}/></track>', "track 0: the label 'bus'"),
        (f'<track id="x" label="car"><box frame="0" {BOX}/></track>', "track x: id is no whole number"),
        (f'<track id="0" label="car"><box frame="-1" {BOX}/></track>', "track 0: frame is no whole number"),
        (f'<track id="0" label="car"><box frame="999999999" {BOX}/></track>', "frame is no whole number from 0 to"),
        (f'<track id="0" label="car"><box {BOX}/></track>', "frame is no whole number"),
        (
            f'<track id="0" label="car"><box frame="1" {BOX}/><box frame="1" {BOX}/></track>',
            "frame 1: it is there twice",
        ),
        ('<track id="0" label="car"><box frame="1" xtl="nan"/></track>', "frame 1: its coordinates"),
        ('<track id="0" label="car" task_id="1"/><track id="0" label="car" task_id="2"/>', "of several tasks"),
        (IMAGE + "</image>", "the file is for images"),
    ],
)
def test_a_track_that_cannot_be_meant_is_refused(inside: str, told: str) -> None:
    with pytest.raises(FormatFaults, match=told):
        video(inside)


def test_a_clip_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(FormatFaults, match="meta original_size: width and height"):
        video("", META)
    with pytest.raises(FormatFaults, match="meta source: the file name"):
        video("", VIDEO.replace("<labels>", "<source>../../x</source><labels>"))
    endless = VIDEO.replace("<labels>", "<size>100000000</size><labels>")
    track = f'<track id="0" label="car"><box frame="0" {BOX}/></track>'
    assert len(video(track, endless).pictures[0].labels) == 1
    with pytest.raises(FormatFaults, match="more than 1000000 frames"):
        video(track, endless, between=True)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1001])
def test_frames_per_second_have_a_range(fps: float) -> None:
    with pytest.raises(ConfigError, match="give the clip's frames per second"):
        cvat_video.read(b"", fps)
    with pytest.raises(ConfigError, match="give the clip's frames per second"):
        cvat_video.written(clip(), ("car",), fps, 1)


def test_only_a_clip_and_only_within_it() -> None:
    with pytest.raises(ConfigError, match="no clip"):
        cvat_video.written(item(1), ("car",), 25, 10)
    with pytest.raises(ConfigError, match="no clip"):
        cvat_video.written(clip(), ("car",), 25, 0)
    with pytest.raises(ConfigError, match=r"labels at frames \[10\] of 10"):
        cvat_video.written(clip(Box(label="car", box=(0, 0, 1, 1), at=0.4)), ("car",), 25, 10)


def xml(images: str) -> bytes:
    return f"<annotations>{META}{images}</annotations>".encode()


def test_one_name_in_two_subsets_is_two_pictures() -> None:
    images = "".join(
        f'<image id="0" name="1.jpg" subset="{subset}" width="10" height="10"><tag label="car"/></image>'
        for subset in ("train", "val")
    )
    found = cvat.read(xml(images))
    assert [(one.file, one.side) for one in found.pictures] == [("train/1.jpg", "train"), ("val/1.jpg", "val")]


def test_a_turned_box_becomes_the_one_around_it() -> None:
    box = '<box label="car" xtl="20" ytl="40" xbr="60" ybr="60" rotation="90"/>'
    found = cvat.read(xml(f'<image name="1.jpg" width="100" height="100">{box}</image>'))
    assert found.pictures[0].labels == (Box(label="car", box=(0.3, 0.3, 0.5, 0.7)),)
    assert "a turned box is read as the one around it" in found.warnings[0]


def test_what_labels_have_no_room_for_is_told_once_with_its_number() -> None:
    edges = 'label="car" xtl="2" ytl="4" xbr="6" ybr="6"'
    boxes = (
        f'<box {edges} occluded="1" z_order="3"/><box {edges} occluded="1" group_id="2"/><box {edges} occluded="0"/>'
    )
    found = cvat.read(xml(f'<image name="1.jpg" width="100" height="100">{boxes}</image>'))
    assert found.warnings == (
        "annotations.xml: occluded: said of 2 shapes, left out",
        "annotations.xml: z_order: said of 1 shape, left out",
        "annotations.xml: group_id: said of 1 shape, left out",
    )
