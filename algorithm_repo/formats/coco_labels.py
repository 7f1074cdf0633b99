"""One annotation of a COCO file as a label, and back; and what the entries of such a file are checked against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from algorithm_repo.datasets.types import Box, Item, Label, Mask, Name, Polygon, Seconds, Side, Tag
from algorithm_repo.formats import rle
from algorithm_repo.formats.types import (
    FAR,
    GRID,
    MOST_SIDE,
    Facts,
    Faults,
    MaskOf,
    around,
    box_around,
    boxed,
    in_px,
    outlined,
)

OURS = "cityvision"
Number = Annotated[float, Field(ge=-FAR, le=FAR, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
_T = TypeVar("_T")


def _whole(value: object) -> object:
    """Other tools write 640 as 640.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _or(nothing: _T) -> BeforeValidator:
    """What other tools write for nothing."""
    return BeforeValidator(lambda value: nothing if value is None or value == [] else value)


Px = Annotated[int, BeforeValidator(_whole), Field(gt=0, le=MOST_SIDE, strict=True)]


class Entry(BaseModel):
    """Of a file of anybody's: unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Category(Entry):
    id: Whole
    name: Any


class Licence(Entry):
    id: Whole
    name: str = Field("", max_length=200)


class ImageFacts(Facts):
    """`Facts`, the side, and the tags with their places among the image's labels."""

    side: Side | None = None
    tags: tuple[tuple[Annotated[int, Field(ge=0)], Name], ...] = ()


class Image(Entry):
    id: Whole
    file_name: str
    width: Px
    height: Px
    license: Whole | None = None
    cityvision: ImageFacts | None = None


class AnnotationFacts(Entry):
    at: Seconds | None = None


class Annotation(Entry):
    image_id: Whole
    category_id: Whole
    bbox: Annotated[tuple[Number, Number, Number, Number] | None, _or(None)] = None
    segmentation: list[Any] | dict[str, Any] | None = None
    iscrowd: Annotated[int, _or(0)] = 0
    track_id: Whole | None = Field(None, ge=0)
    attributes: Annotated[dict[str, Any], _or({})] = Field(default_factory=dict)
    keypoints: Any = None
    cityvision: AnnotationFacts = AnnotationFacts()


@dataclass(slots=True)
class Reading:
    """One file while it is read; `boxes`: as boxes alone."""

    faults: Faults
    classes: dict[int, str]
    images: dict[int, Image]
    labels: dict[int, list[Label]] = field(default_factory=dict)
    masks: dict[str, bytes] = field(default_factory=dict)
    boxes: bool = False


def annotation_of(label: Box | Polygon | Mask, item: Item, mask_of: MaskOf) -> dict[str, Any]:
    """What COCO says of a label, less its ids.

    Raises:
        ConfigError: the mask is not of the picture's size.
    """
    # COCO's page has run lengths for crowds alone, but evaluations pass crowds over: a mask is a thing like others.
    found: dict[str, Any] = {"iscrowd": 0}
    if isinstance(label, Mask):
        pixels = rle.as_mask(mask_of(label.sha256), item.height, item.width, item.name)
        runs = {"size": [item.height, item.width], "counts": rle.packed(rle.coco_of(pixels))}
        area = int(pixels.sum())
        box = rle.cvat_of(pixels)[1] if area else (0, 0, 0, 0)
        return found | {"bbox": list(box), "area": area, "segmentation": runs}
    attributes: dict[str, Any] = dict(label.attributes)
    if label.track is not None:
        found["track_id"] = label.track
        attributes.setdefault("track_id", label.track)
    found |= _form(label, item.width, item.height) | {"attributes": attributes}
    return found if label.at is None else found | {OURS: {"at": label.at}}


def _form(label: Box | Polygon, width: int, height: int) -> dict[str, Any]:
    """bbox, area and segmentation, px."""
    if isinstance(label, Box):
        x1, y1, x2, y2 = label.box
        outline, area = [], (x2 - x1) * (y2 - y1)
    else:
        xs, ys = zip(*label.points, strict=True)
        x1, y1, x2, y2 = min(xs), min(ys), max(xs), max(ys)
        outline = [
            [in_px(part, size) for point in label.points for part, size in zip(point, (width, height), strict=True)]
        ]
        after = label.points[1:] + label.points[:1]
        area = abs(sum(x * b - a * y for (x, y), (a, b) in zip(label.points, after, strict=True))) / 2
    box = [in_px(x1, width), in_px(y1, height), in_px(x2 - x1, width), in_px(y2 - y1, height)]
    return {"bbox": box, "area": round(area * width * height, GRID), "segmentation": outline}


def take(annotation: Annotation, reading: Reading, where: str) -> None:
    """Puts what an annotation says among the labels of its image."""
    faults = reading.faults
    image, name = reading.images.get(annotation.image_id), reading.classes.get(annotation.category_id)
    if image is None or name is None:
        key = "image_id" if image is None else "category_id"
        faults.add(where, f"its {key} {getattr(annotation, key)} is of none in the file", "correct it there")
        return
    if annotation.iscrowd:
        faults.warn(where, "a crowd is no single thing and is left out")
        return
    form = annotation.segmentation
    if isinstance(form, list):
        form = [outline for outline in form if outline != []]
    labels: list[Label | None] = []
    if reading.boxes and annotation.bbox is not None and (min(annotation.bbox[2:]) > 0 or not form):
        labels = [_box(annotation.bbox, image, name, annotation, faults, where)]
    elif isinstance(form, dict):
        if annotation.attributes or annotation.track_id is not None:
            faults.warn(where, "a mask has neither attributes nor track: they are left out")
        labels = [_mask(form, image, name, reading, where)]
    elif form:
        if len(form) > 1 and not reading.boxes:
            faults.warn(where, f"one thing of {len(form)} outlines is read as as many polygons")
        labels = [_outline(outline, image, name, annotation, faults, where) for outline in form]
        if reading.boxes:
            labels = [box_around([one for one in labels if isinstance(one, Polygon)])]
    elif annotation.bbox is not None:
        labels = [_box(annotation.bbox, image, name, annotation, faults, where)]
    elif annotation.model_fields_set.isdisjoint({"bbox", "segmentation"}):
        labels = [Tag(label=name)]  # so Datumaro writes what is said of a whole image
    else:
        faults.warn(where, "it has neither box nor outline and is left out")
    reading.labels[image.id] += [label for label in labels if label is not None]


def _mask(form: dict[str, Any], image: Image, name: str, reading: Reading, where: str) -> Mask | None:
    counts = form.get("counts")
    try:
        if form.get("size") != [image.height, image.width]:
            raise ValueError(f"its size {str(form.get('size'))[:40]} is not the image's height and width")
        if not isinstance(counts, list | str):
            raise ValueError("counts is neither a list nor text")
        runs = rle.unpacked(counts) if isinstance(counts, str) else counts
        pixels = rle.from_coco(runs, image.height, image.width)
    except ValueError as error:
        reading.faults.add(f"{where}.segmentation", str(error), "export the run lengths anew")
        return None
    sha256, png = rle.png_of(pixels)
    reading.masks[sha256] = png
    return Mask(label=name, sha256=sha256)


def _outline(
    outline: object, image: Image, name: str, annotation: Annotation, faults: Faults, where: str
) -> Polygon | None:
    numbers: list[Any] = outline if isinstance(outline, list) else []
    if len(numbers) < 6 or len(numbers) % 2 or not all(type(n) in (int, float) and -FAR <= n <= FAR for n in numbers):
        faults.add(f"{where}.segmentation", "an outline is not at least three points in px", "write x1, y1, x2, y2 …")
        return None
    sizes = (image.width, image.height)
    shares = [one / sizes[place % 2] for place, one in enumerate(numbers)]
    return outlined(name, shares, faults, where, **_more(annotation))


def _box(
    box: Sequence[float], image: Image, name: str, annotation: Annotation, faults: Faults, where: str
) -> Box | None:
    x, y, across, down = box
    if across < 0 or down < 0:
        faults.add(f"{where}.bbox", "the box has a negative size", "write [x, y, width, height] in px")
        return None
    px, turn = [x, y, x + across, y + down], annotation.attributes.get("rotation")
    if type(turn) in (int, float) and turn:
        faults.warn(where, "a turned box is read as the one around it")
        px = around(px, turn)
    shares = [one / size for one, size in zip(px, (image.width, image.height) * 2, strict=True)]
    return boxed(name, shares, faults, where, **_more(annotation))


def _more(annotation: Annotation) -> dict[str, Any]:
    """Track, time and attributes. The key `track_id` is the track where it is a number, an attribute as text."""
    attributes, track = dict(annotation.attributes), annotation.track_id
    if type(attributes.get("track_id")) is int:
        told = attributes.pop("track_id")
        track = told if track is None else track
    texts = {key: one if isinstance(one, str) else json.dumps(one) for key, one in attributes.items()}
    return {"track": track, "at": annotation.cityvision.at, "attributes": texts}
