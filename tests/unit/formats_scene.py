"""Random versions for the tests of formats: odd names, pictures of one pixel, no labels, many classes, masks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from algorithm_repo.datasets.types import Box, Interval, Item, Label, Manifest, Mask, Polygon, Source, Tag
from algorithm_repo.formats.rle import Pixels, png_of
from algorithm_repo.formats.types import Read

ODD = (
    "行人 “甲”",
    "a & <b> 'c' \"d\"",
    "..",
    "C:\\x",
    "a/b.jpg",
    "no",
    "1",
    " ",
    "路口 3 - 夜.jpg",
    "x: y # z",
    "\x85",
    "]]>",
)
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\ufffe\uffff\x7f", min_codepoint=32)
NAMES = st.sampled_from(ODD) | st.text(CHARACTERS, min_size=1, max_size=12)
TEXTS = st.sampled_from(("", "\r\n\t x ", "&#13;", "红")) | st.text(CHARACTERS, max_size=12)
SIZES = st.sampled_from(((1, 1), (1920, 1080), (100_000, 1), (99_991, 77_777))) | st.tuples(*[st.integers(1, 20)] * 2)
MILLIONTHS = st.integers(0, 10**6)
SHARES = MILLIONTHS.map(lambda n: n / 10**6)


@dataclass(frozen=True, slots=True)
class World:
    manifest: Manifest
    masks: dict[str, Pixels]

    def mask_of(self, sha256: str) -> Pixels:
        return self.masks[sha256]


def content(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def item(number: int, *labels: Label, **more: Any) -> Item:
    fields: dict[str, Any] = {"name": f"{number}.jpg", "width": 640, "height": 360, "source": "city", "side": "train"}
    return Item.model_validate(fields | {"content": content(number), "labels": labels} | more)


def manifest(*items: Item, **more: Any) -> Manifest:
    fields: dict[str, Any] = {"name": "v", "task": "detect", "classes": ("car", "bus")}
    fields["sources"] = {"city": Source(name="city cameras", licence="internal")}
    return Manifest.model_validate(fields | {"items": tuple(sorted(items, key=lambda one: one.content))} | more)


@st.composite
def spans(draw: st.DrawFn) -> tuple[float, float]:
    first, other = sorted(draw(st.lists(MILLIONTHS, min_size=2, max_size=2, unique=True)))
    return first / 10**6, other / 10**6


@st.composite
def shapes(draw: st.DrawFn, classes: tuple[str, ...], times: st.SearchStrategy[float | None]) -> Box | Polygon:
    more: dict[str, Any] = {"label": draw(st.sampled_from(classes)), "track": draw(st.none() | st.integers(0, 2**70))}
    more |= {"at": draw(times), "attributes": draw(st.dictionaries(NAMES | st.just("track_id"), TEXTS, max_size=2))}
    if draw(st.booleans()):
        (x1, x2), (y1, y2) = draw(spans()), draw(spans())
        return Box(box=(x1, y1, x2, y2), **more)
    return Polygon(points=tuple(draw(st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=6))), **more)


@st.composite
def masks(draw: st.DrawFn, classes: tuple[str, ...], size: tuple[int, int], store: dict[str, Pixels]) -> Mask:
    width, height = size
    cells = draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    pixels = np.array(cells, np.bool_).reshape(height, width)
    sha256, _ = png_of(pixels)
    store[sha256] = pixels
    return Mask(label=draw(st.sampled_from(classes)), sha256=sha256)


@st.composite
def worlds(draw: st.DrawFn, sides: tuple[str | None, ...] = ("train", "val", "test", None)) -> World:
    """Versions of pictures; what is on the grid is all there is, so that each format can be held to it exactly."""
    classes = tuple(draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)))
    if draw(st.booleans()):
        classes += tuple(f"class {number}" for number in range(300))
    store: dict[str, Pixels] = {}
    items = []
    for number in range(draw(st.integers(0, 3))):
        size = draw(SIZES)
        times = st.none() | st.floats(0, 1e9, allow_nan=False)
        kinds: list[st.SearchStrategy[Label]] = [shapes(classes, times), st.builds(Tag, label=st.sampled_from(classes))]
        if size[0] * size[1] <= 400:
            kinds.append(masks(classes, size, store))
        facts = {"name": draw(NAMES), "width": size[0], "height": size[1], "side": draw(st.sampled_from(sides))}
        facts |= {"camera": draw(TEXTS), "utc": draw(st.none() | st.floats(allow_nan=False, allow_infinity=False))}
        facts["slices"] = tuple(draw(st.lists(NAMES, max_size=2)))
        items.append(item(number, *draw(st.lists(st.one_of(kinds), max_size=4)), **facts))
    return World(manifest(*items, classes=classes, task=draw(st.sampled_from(("detect", "segment")))), store)


def everything() -> Item:
    """One of each label, for what a format cannot hold."""
    return item(
        1,
        Box(label="car", box=(0.1, 0.2, 0.3, 0.4), track=7, at=1.5, attributes={"colour": "red"}),
        Polygon(label="bus", points=((0.1, 0.2), (0.3, 0.4), (0.5, 0.1))),
        Box(label="car", box=(0.1, 0.2, 0.1 + 1e-8, 0.4)),
        Tag(label="car"),
        Interval(label="bus", start=1),
    )


def decoded(found: Read) -> dict[str, Pixels]:
    """Pixels of the masks that were read, out of their PNG."""
    import cv2

    pixels = {}
    for sha256, png in found.masks.items():
        assert hashlib.sha256(png).hexdigest() == sha256
        grey = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
        pixels[sha256] = np.asarray(grey >= 128, np.bool_)
    return pixels
