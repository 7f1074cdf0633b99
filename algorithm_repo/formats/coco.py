"""COCO's instances files, written and read.

As "Data format" of COCO's site has it (images, categories, licenses, annotations with bbox [x, y, width, height] in px
and segmentation: lists x1 y1 x2 y2 … in px, or run lengths). `track_id` and text attributes stand in an annotation's
`attributes`, where CVAT and Datumaro have them. What only we know stands under the key `cityvision`, of which other
readers know nothing: an item's facts and tags, a label's time, the sources. Clips and intervals are left out with a
warning for each item.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from algorithm_repo.datasets.types import SIDES, Box, Item, Label, Manifest, Mask, Polygon, Side, Source, Tag
from algorithm_repo.formats.coco_labels import (
    OURS,
    Annotation,
    Category,
    Entry,
    Image,
    Licence,
    Reading,
    annotation_of,
    take,
)
from algorithm_repo.formats.names import file_names, safe_path
from algorithm_repo.formats.types import (
    Facts,
    Faults,
    FormatFaults,
    Lost,
    MaskOf,
    Picture,
    Read,
    Written,
    class_names,
    kept,
    pictures_of,
    said,
)

EntryT = TypeVar("EntryT", bound=Entry)
_SOURCES: TypeAdapter[dict[str, Source]] = TypeAdapter(dict[str, Source])

# --- writing ----------------------------------------------------------------------------------------------------


def written(manifest: Manifest, mask_of: MaskOf) -> Written:
    """The version as `annotations/instances_SIDE.json` for each side, `default` for none, and `images/SIDE/…`.

    Args:
        mask_of: pixels of a mask by its SHA-256, [H,W] bool or uint8; one is in memory at a time.

    Raises:
        ConfigError: a mask is not of its picture's size.
    """
    lost = Lost("COCO")
    items = pictures_of(manifest.items, lost)
    names = file_names(items)
    texts, media = dict[str, bytes](), dict[str, str]()
    for side in [side for side in (*SIDES, None) if any(item.side == side for item in items)] or [None]:
        own = [item for item in items if item.side == side]
        folder = side or "default"
        document = _document(manifest, own, names, mask_of, lost)
        texts[f"annotations/instances_{folder}.json"] = json.dumps(
            document, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
        media |= {f"images/{folder}/{names[item.content]}": item.content for item in own}
    return Written(texts, media, lost.warnings)


def _document(
    manifest: Manifest, items: Sequence[Item], names: dict[str, str], mask_of: MaskOf, lost: Lost
) -> dict[str, Any]:
    categories = {name: number for number, name in enumerate(manifest.classes, 1)}
    licences = {key: number for number, key in enumerate(manifest.sources, 1)}
    images, annotations = [], list[dict[str, Any]]()
    for number, item in enumerate(items, 1):
        labels = kept(item, lost, (Box, Polygon, Mask, Tag))
        facts = {key: getattr(item, key) for key in Facts.model_fields} | {"side": item.side}
        tags = [(place, label.label) for place, label in enumerate(labels) if isinstance(label, Tag)]
        size = {"width": item.width, "height": item.height, "license": licences[item.source]}
        ours = facts | {"tags": tags}
        images.append({"id": number, "file_name": names[item.content], **size, OURS: ours})
        for label in labels:
            if isinstance(label, Box | Polygon | Mask):
                ids = {"id": len(annotations) + 1, "image_id": number, "category_id": categories[label.label]}
                annotations.append(ids | annotation_of(label, item, mask_of))
    return {
        "info": {"description": manifest.name},
        "licenses": [
            {"id": licences[key], "name": one.licence, "url": one.address} for key, one in manifest.sources.items()
        ],
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
        "images": images,
        "annotations": annotations,
        OURS: {"sources": {key: source.model_dump() for key, source in manifest.sources.items()}},
    }


# --- reading ----------------------------------------------------------------------------------------------------


def read(content: bytes, file: str, side: Side | None = None, *, boxes: bool = False) -> Read:
    """What an instances file says.

    A thing of several outlines becomes several polygons; crowds and keypoints are left out; all of it is said.

    Args:
        content: the JSON.
        file: what it is called in faults and warnings.
        side: of images that do not say it (only ours do).
        boxes: things are read as their boxes, also those that have outlines or run lengths.

    Raises:
        FormatFaults: the file cannot be used, with every fault at its entry, and the fix.
    """
    faults = Faults(file)
    data = _json(content, file)
    annotations = _entries(data, "annotations", Annotation, faults)
    used = {one.category_id for one in annotations}
    categories = _used(_entries(data, "categories", Category, faults), used, faults)
    names = class_names([one.name for one in categories], faults, "categories")
    images = _entries(data, "images", Image, faults)
    _each_once([one.id for one in categories], "categories", faults)
    _each_once([one.id for one in images], "images", faults)
    paths = {one.id: safe_path(one.file_name, faults, f"image {one.id}") for one in images}
    _each_once([path for path in paths.values() if path], "images' file_name", faults)
    licences = {one.id: one.name for one in _entries(data, "licenses", Licence, faults)}
    sources = _sources(data.get(OURS), faults)
    faults.tell()
    reading = Reading(
        faults,
        {one.id: name for one, name in zip(categories, names, strict=True)},
        {one.id: one for one in images},
        {one.id: [] for one in images},
        boxes=boxes,
    )
    for number, annotation in enumerate(annotations):
        take(annotation, reading, f"annotations[{number}]")
    pointed = sum(bool(annotation.keypoints) for annotation in annotations)
    if pointed:
        faults.warn("keypoints", f"said of {pointed} annotations, left out")
    faults.tell()
    pictures = [_picture(one, paths[one.id], reading.labels[one.id], licences, side, faults, names) for one in images]
    faults.tell()
    return Read(names, tuple(pictures), reading.masks, sources, tuple(faults.warned))


def _picture(
    image: Image,
    path: str,
    labels: list[Label],
    licences: dict[int, str],
    side: Side | None,
    faults: Faults,
    names: Sequence[str],
) -> Picture:
    facts = None
    if image.cityvision is not None:
        side = image.cityvision.side
        facts = Facts.model_validate(image.cityvision.model_dump(include=set(Facts.model_fields)))
        for place, tag in image.cityvision.tags:
            if tag not in names:
                faults.add(f"image {image.id}", f"the tag {tag!r} is not among categories", "add it there")
            labels.insert(place, Tag(label=tag))
    licence = licences.get(image.license, "") if image.license is not None else ""
    return Picture(path, tuple(labels), side, image.width, image.height, licence, facts)


def _json(content: bytes, file: str) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    try:
        data = json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise FormatFaults([f"{file} is no JSON in UTF-8: {str(error)[:300]}; export it anew"]) from error
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        raise FormatFaults([f"{file} holds no list of images; name an instances file"])
    return data


def _entries(data: dict[str, Any], key: str, model: type[EntryT], faults: Faults) -> list[EntryT]:
    given = data.get(key, [])
    if not isinstance(given, list):
        faults.add(key, "it is no list", "write a list of objects")
        return []
    found = []
    for number, one in enumerate(given):
        try:
            found.append(model.model_validate(one))
        except ValidationError as error:
            faults.add(f"{key}[{number}]", said(error), "correct it there")
    return found


def _used(categories: list[Category], used: Collection[int], faults: Faults) -> list[Category]:
    """Without those whose name another has too and that nothing is of: Roboflow writes a group as one."""
    named = {repr(one.name) for one in categories if one.id in used}
    found = []
    for one in categories:
        if one.id not in used and repr(one.name) in named:
            what = f"{str(one.name)[:80]!r} is there twice, the one that nothing is of is passed over"
            faults.warn("categories", what)
        else:
            named.add(repr(one.name))
            found.append(one)
    return found


def _each_once(values: Sequence[object], what: str, faults: Faults) -> None:
    for value, times in Counter(values).items():
        if times > 1:
            faults.add(what, f"{value!r} is there {times} times", "write each once")


def _sources(ours: object, faults: Faults) -> dict[str, Source]:
    if not isinstance(ours, dict):
        return {}
    try:
        return _SOURCES.validate_python(ours.get("sources", {}))
    except ValidationError as error:
        faults.add(f"{OURS}.sources", said(error), "correct it there")
        return {}
