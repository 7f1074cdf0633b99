"""CVAT's XML 1.1 "for images", written and read; `cvat_video` has the one "for video".

As "XML annotation format" of CVAT's documentation has it: `image` elements with `box`, `polygon`, `mask` and `tag`,
each with `attribute` elements, coordinates in px. A side is the image's `subset`. Track and time of a label stand in
XML attributes of our own, `track` and `at`: CVAT passes over them, and what comes back from CVAT has none; that is said
for each item. Clips and intervals are left out with a warning for each item.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree.ElementTree import Element

from algorithm_repo.datasets.types import Box, Item, Label, Manifest, Mask, Polygon, Side, Tag
from algorithm_repo.formats import rle
from algorithm_repo.formats.cvat_xml import (
    XML_FILE,
    attributes_of,
    classes_of,
    corners,
    document,
    element,
    named,
    opened,
    shape,
    shaped,
    sized,
    tell_lost,
    whole,
    words,
)
from algorithm_repo.formats.names import file_names, safe_path
from algorithm_repo.formats.types import (
    Faults,
    Lost,
    MaskOf,
    Picture,
    Read,
    Written,
    kept,
    number_of,
    pictures_of,
)

_SIDES: dict[str, Side] = {"train": "train", "val": "val", "validation": "val", "valid": "val", "test": "test"}


def written(manifest: Manifest, mask_of: MaskOf) -> Written:
    """The version as `annotations.xml` and `images/…`.

    Args:
        mask_of: pixels of a mask by its SHA-256, [H,W] bool or uint8; one is in memory at a time.

    Raises:
        ConfigError: a mask is not of its picture's size, or a text holds characters that XML has no room for.
    """
    lost = Lost("CVAT's XML")
    items = pictures_of(manifest.items, lost)
    names = file_names(items)
    body, told = list[str](), list[Label]()
    for number, item in enumerate(items):
        labels = kept(item, lost, (Box, Polygon, Mask, Tag))
        told += labels
        if any(isinstance(one, Box | Polygon) and (one.track is not None or one.at is not None) for one in labels):
            lost.say(item, "tracks and times are there for CityVision alone, CVAT forgets them")
        facts = {"id": number, "name": names[item.content], "width": item.width, "height": item.height}
        sides = {} if item.side is None else {"subset": item.side}
        body.append(element("image", facts | sides, "".join(_element(label, item, mask_of) for label in labels)))
    task = [words("name", manifest.name), words("size", len(items)), words("mode", "annotation")]
    text = document(task, manifest.classes, told, False, "".join(body))
    media = {f"images/{names[item.content]}": item.content for item in items}
    return Written({XML_FILE: text}, media, lost.warnings)


def _element(label: Label, item: Item, mask_of: MaskOf) -> str:
    facts: dict[str, object] = {"label": label.label, "source": "manual"}
    if isinstance(label, Mask):
        pixels = rle.as_mask(mask_of(label.sha256), item.height, item.width, item.name)
        runs, box = rle.cvat_of(pixels)
        place = dict(zip(("left", "top", "width", "height"), box, strict=True))
        facts |= {"occluded": 0, "rle": ", ".join(map(str, runs)), **place, "z_order": 0}
        return element("mask", facts)
    if isinstance(label, Box | Polygon):
        ours = {key: one for key, one in (("track", label.track), ("at", label.at)) if one is not None}
        return shape(label, item.width, item.height, facts | {"occluded": 0, "z_order": 0, **ours})
    return element("tag", facts)


def read(content: bytes, file: str = XML_FILE) -> Read:
    """What an XML "for images" says.

    Args:
        content: the XML.
        file: what it is called in faults and warnings.

    Raises:
        FormatFaults: the file cannot be used, with every fault at its image and element, and the fix.
    """
    root = opened(content, file)
    faults = Faults(file)
    classes = classes_of(root, faults)
    if root.find("track") is not None:
        faults.add("track", "the file is for video", "read it with its frames per second")
    masks: dict[str, bytes] = {}
    pictures: dict[str, Picture] = {}
    names = Counter(node.get("name", "") for node in root.iterfind("image"))
    for number, node in enumerate(root.iterfind("image")):
        where = f"image {number} ({node.get('name', '')[:80]})"
        # A project has the same name in several subsets, each in a folder of its own.
        folder = f"{node.get('subset', '')}/" if names[node.get("name", "")] > 1 and node.get("subset") else ""
        path = safe_path(f"{folder}{node.get('name', '')}", faults, where)
        size = sized(node.get("width"), node.get("height"), faults, where)
        if path in pictures:
            faults.add(where, "an image of this name came before", "name each image once")
        if size is not None and path:
            labels = _labels(node, classes, size, masks, faults, where)
            pictures[path] = Picture(path, labels, _side(node, faults, where), *size)
    tell_lost(root.iterfind("image/*"), faults)
    faults.tell()
    return Read(classes, tuple(pictures.values()), masks, warnings=tuple(faults.warned))


def _side(node: Element, faults: Faults, where: str) -> Side | None:
    subset = node.get("subset", "").lower()
    if subset not in _SIDES and subset not in ("", "default"):
        faults.warn(where, f"the subset {subset[:80]!r} is no side")
    return _SIDES.get(subset)


def _labels(
    image: Element,
    classes: tuple[str, ...],
    size: tuple[int, int],
    masks: dict[str, bytes],
    faults: Faults,
    where: str,
) -> tuple[Label, ...]:
    found: list[Label] = []
    for number, node in enumerate(image, 1):
        place = f"{where}, element {number} ({node.tag[:40]})"
        if node.tag not in ("box", "polygon", "mask", "tag"):
            faults.warn(place, "it is of no kind that labels have, and is left out")
            continue
        name = named(node, classes, faults, place)
        label = None if name is None else _label(node, name, size, masks, faults, place)
        if label is not None:
            found.append(label)
    return tuple(found)


def _label(
    node: Element, name: str, size: tuple[int, int], masks: dict[str, bytes], faults: Faults, where: str
) -> Label | None:
    if node.tag in ("mask", "tag"):
        if node.find("attribute") is not None:
            faults.warn(where, "a mask or tag has no attributes: they are left out")
        return Tag(label=name) if node.tag == "tag" else _mask(node, name, size, masks, faults, where)
    more: dict[str, Any] = {"attributes": attributes_of(node)}
    if node.get("track") is not None:
        more["track"] = whole(node, "track", faults, where)
    if (at := node.get("at")) is not None:
        more["at"] = number_of(at)
    px = corners(node, faults, where)
    return None if px is None else shaped(node.tag, name, px, size, faults, where, **more)


def _mask(
    node: Element, name: str, size: tuple[int, int], masks: dict[str, bytes], faults: Faults, where: str
) -> Mask | None:
    left, top = (whole(node, key, faults, where) for key in ("left", "top"))
    across, down = (whole(node, key, faults, where, 1) for key in ("width", "height"))
    if left is None or top is None or across is None or down is None:
        return None
    runs = [number_of(word.strip()) for word in node.get("rle", "").split(",")]
    try:
        if not all(run == run // 1 for run in runs):
            raise ValueError("rle holds something else than whole numbers")
        pixels = rle.from_cvat([int(run) for run in runs], (left, top, across, down), size[1], size[0])
    except ValueError as error:
        faults.add(where, str(error), "export the mask anew")
        return None
    sha256, png = rle.png_of(pixels)
    masks[sha256] = png
    return Mask(label=name, sha256=sha256)
