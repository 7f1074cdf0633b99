"""What CVAT's two XML formats have in common: opening a document safely, its head, its texts, numbers and shapes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from algorithm_repo.datasets.types import Box, Label, Polygon
from algorithm_repo.formats.types import (
    FAR,
    MOST_SIDE,
    Faults,
    FormatFaults,
    around,
    boxed,
    class_names,
    in_px,
    number_of,
    outlined,
    plain,
)
from contracts.errors import ConfigError

XML_FILE = "annotations.xml"
_STRANGE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_LOST = ("occluded", "z_order", "group_id")
_EDGES = ("xtl", "ytl", "xbr", "ybr")


# --- writing ----------------------------------------------------------------------------------------------------


def element(tag: str, attributes: Mapping[str, object], inside: str = "") -> str:
    """An element and a line end; `inside` is XML already.

    Raises:
        ConfigError: an attribute holds characters that XML has no room for.
    """
    told = "".join(f" {key}={quoteattr(_fit(str(value)))}" for key, value in attributes.items())
    return f"<{tag}{told}>{inside}</{tag}>\n" if inside else f"<{tag}{told}/>\n"


def words(tag: str, value: object, attributes: Mapping[str, object] | None = None) -> str:
    """An element that holds a text, and a line end.

    Raises:
        ConfigError: as `element`.
    """
    # A bare carriage return would be read as a line end.
    return element(tag, attributes or {}, escape(_fit(str(value)), {"\r": "&#13;"}))


def _fit(text: str) -> str:
    strange = _STRANGE.search(text)
    if strange:
        raise ConfigError(f"{text[:80]!r}: XML has no room for {strange[0]!r}", "take it out of the label's text")
    return text


def shape(label: Box | Polygon, width: int, height: int, attributes: Mapping[str, object]) -> str:
    """`box` or `polygon` with its attributes; `attributes` are further ones of XML."""
    if isinstance(label, Box):
        px = [plain(in_px(part, size)) for part, size in zip(label.box, (width, height) * 2, strict=True)]
        form = dict(zip(_EDGES, px, strict=True))
    else:
        form = {"points": ";".join(f"{plain(in_px(x, width))},{plain(in_px(y, height))}" for x, y in label.points)}
    inside = "".join(words("attribute", value, {"name": name}) for name, value in label.attributes.items())
    return element(label.kind, dict(attributes) | form, inside)


def document(task: Iterable[str], classes: Sequence[str], labels: Iterable[Label], mutable: bool, body: str) -> bytes:
    """The whole file.

    Args:
        task: elements of the task besides its labels.
        labels: all that are in `body`: CVAT wants to know which attributes a class has.
        mutable: an attribute may change from frame to frame.
    """
    known: dict[str, set[str]] = {name: set() for name in classes}
    for label in labels:
        if isinstance(label, Box | Polygon):
            known[label.label].update(label.attributes)
    told = "".join(element("label", {}, words("name", name) + _declared(known[name], mutable)) for name in classes)
    head = element("meta", {}, element("task", {}, "".join(task) + element("labels", {}, told)))
    inside = words("version", "1.1") + head + body
    return f'<?xml version="1.0" encoding="utf-8"?>\n{element("annotations", {}, inside)}'.encode()


def _declared(names: set[str], mutable: bool) -> str:
    facts = words("mutable", mutable) + words("input_type", "text") + words("default_value", "") + words("values", "")
    told = "".join(element("attribute", {}, words("name", name) + facts) for name in sorted(names))
    return words("type", "any") + element("attributes", {}, told)


# --- reading ----------------------------------------------------------------------------------------------------


def opened(content: bytes, file: str) -> Element:
    """The root, `annotations`.

    Raises:
        FormatFaults: it is no XML, no annotations, or has a document type or entities: those can name other files and
            grow without end, and no file of CVAT has any.
    """
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise FormatFaults([f"{file}: a document type or entities are refused; take <!DOCTYPE …> out"]) from error
    except (ParseError, ValueError, LookupError) as error:
        raise FormatFaults([f"{file} is no XML: {error}; export it anew"]) from error
    if root.tag != "annotations":
        raise FormatFaults([f"{file}: its root is {root.tag[:80]}, not annotations; export it as CVAT 1.1"])
    return root


def classes_of(root: Element, faults: Faults) -> tuple[str, ...]:
    """Of the task, job or project in `meta`, in its order."""
    names = [node.text or "" for node in root.iterfind("meta/*/labels/label/name")]
    if not names:
        faults.add("meta", "it names no labels", "write task, labels, label and name below it")
    return class_names(names, faults, "meta label")


def named(node: Element, classes: Sequence[str], faults: Faults, where: str) -> str | None:
    """The class of an element; None, and a fault, where `meta` does not have it."""
    label = node.get("label", "")
    if label in classes:
        return label
    faults.add(where, f"the label {label[:80]!r} is not among those of meta", "add it there, or correct it")
    return None


def whole(node: Element, key: str, faults: Faults, where: str, least: int = 0, most: int | None = None) -> int | None:
    """A whole number of an XML attribute; None, and a fault, where it is none."""
    text = node.get(key, "")
    # Longer ones take Python long to read, and then it refuses.
    if text.isascii() and text.isdigit() and len(text) <= 1000:
        value = int(text)
        if least <= value and (most is None or value <= most):
            return value
    told = f"from {least} on" if most is None else f"from {least} to {most}"
    faults.add(where, f"{key} is no whole number {told}", "correct it there")
    return None


def sized(width: str | None, height: str | None, faults: Faults, where: str) -> tuple[int, int] | None:
    """A picture's size, px; None, and a fault, where it is none."""
    across, down = number_of(width or ""), number_of(height or "")
    if 1 <= across <= MOST_SIDE and 1 <= down <= MOST_SIDE and across == int(across) and down == int(down):
        return int(across), int(down)
    faults.add(where, f"width and height are not from 1 to {MOST_SIDE} px", "correct them there")
    return None


def corners(node: Element, faults: Faults, where: str) -> list[float] | None:
    """px of a `box` (x1 y1 x2 y2) or `polygon` (x1 y1 x2 y2 …); None, and a fault, where they are none."""
    if node.tag == "box":
        told = [node.get(edge, "") for edge in _EDGES]
    else:
        told = node.get("points", "").replace(";", ",").split(",")
    values = [number_of(word) for word in told]
    if not all(-FAR <= value <= FAR for value in values) or len(values) % 2:
        faults.add(where, "its coordinates are no numbers in px", "write xtl, ytl, xbr, ybr, or points x,y;x,y")
        return None
    if node.tag == "box" and (values[0] > values[2] or values[1] > values[3]):
        faults.add(where, "the box has a negative size", "write its left upper corner as xtl, ytl")
        return None
    if node.tag == "box" and (turn := number_of(node.get("rotation", "0"))) != 0:
        faults.warn(where, "a turned box is read as the one around it")
        return around(values, turn)
    return values


def shaped(
    tag: str, label: str, px: Sequence[float], size: tuple[int, int], faults: Faults, where: str, **more: Any
) -> Box | Polygon | None:
    """The box or polygon of corners in px, cut to a picture of this width and height; None where it does not fit."""
    shares = [value / size[place % 2] for place, value in enumerate(px)]
    make = boxed if tag == "box" else outlined
    return make(label, shares, faults, where, **more)


def tell_lost(nodes: Iterable[Element], faults: Faults) -> None:
    """Warns of what CVAT says of shapes and labels have no room for, each once with its number."""
    counts = Counter(key for node in nodes for key in _LOST if node.get(key, "0") not in ("0", ""))
    for key in _LOST:
        if counts[key]:
            faults.warn(key, f"said of {counts[key]} shape{'s' if counts[key] > 1 else ''}, left out")


def attributes_of(node: Element) -> dict[str, str]:
    """What the `attribute` elements of a shape say."""
    return {one.get("name", ""): one.text or "" for one in node.iterfind("attribute")}
