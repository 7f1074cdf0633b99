"""YOLO's text labels in ultralytics' layout, written and read.

As the pages "Object Detection Datasets" and "Instance Segmentation Datasets" of ultralytics' documentation have it:
`data.yaml` names the folders of each side and the classes, a picture below `images/` has its labels below `labels/`, a
line is `class cx cy w h` (a box) or `class x1 y1 x2 y2 …` (an outline), all as shares of the picture. A picture without
a label file shows nothing of the classes.

A label holds a class and a shape, nothing else: tracks, times, attributes, masks, tags, intervals and clips are left
out with a warning for each item.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isfinite
from pathlib import PurePosixPath
from typing import Any

import yaml

from algorithm_repo.datasets.types import SIDES, Box, Item, Label, Manifest, Polygon, Side
from algorithm_repo.formats.names import PICTURES, file_names, safe_path
from algorithm_repo.formats.types import (
    GRID,
    Faults,
    FormatFaults,
    Lost,
    Picture,
    Read,
    Written,
    boxed,
    class_names,
    kept,
    number_of,
    outlined,
    pictures_of,
    plain,
)

DATA_FILE = "data.yaml"
_BEYOND = 0.01  # how far past the picture ultralytics still takes a coordinate


def written(manifest: Manifest) -> Written:
    """The version as `data.yaml`, `images/SIDE/…` and `labels/SIDE/….txt`.

    A picture's file holds lines of one kind, since ultralytics takes them for one: of a picture with both, a version
    for segmentation keeps the outlines and any other the boxes.

    Raises:
        FormatFaults: pictures without a side; each is named.
    """
    lost = Lost("YOLO")
    items = pictures_of(manifest.items, lost)
    homeless = [f"{item.name}: it is on no side; freeze the version first" for item in items if item.side is None]
    if homeless:
        raise FormatFaults(homeless)
    sides = [side for side in SIDES if side != "test" or any(item.side == side for item in items)]
    head = {side: f"images/{side}" for side in sides} | {"names": dict(enumerate(manifest.classes))}
    # PyYAML writes these as they are, and reads them as line ends; elsewhere it would tell of Chinese by numbers.
    readable = not any(character in name for name in manifest.classes for character in "\x85\u2028\u2029")
    texts = {DATA_FILE: yaml.safe_dump(head, sort_keys=False, allow_unicode=readable).encode()}
    media = {}
    names = file_names(items)
    numbers = {name: number for number, name in enumerate(manifest.classes)}
    for item in items:
        media[f"images/{item.side}/{names[item.content]}"] = item.content
        # A picture that shows nothing has an empty file: without one, some readers take it for not yet labelled.
        lines = [_line(label, numbers) for label in _of_one_kind(item, manifest.task == "segment", lost)]
        stem = PurePosixPath(names[item.content]).with_suffix(".txt")
        texts[f"labels/{item.side}/{stem}"] = "".join(lines).encode()
    return Written(texts, media, lost.warnings)


def _of_one_kind(item: Item, outlines: bool, lost: Lost) -> list[Box | Polygon]:
    shapes = [label for label in kept(item, lost, (Box, Polygon)) if isinstance(label, Box | Polygon)]
    if len({label.kind for label in shapes}) > 1:
        kind = "polygon" if outlines else "box"
        for label in shapes:
            if label.kind != kind:
                lost.add(item, "outlines beside boxes" if kind == "box" else "boxes beside outlines")
        shapes = [label for label in shapes if label.kind == kind]
    for label in shapes:
        for what, there in (
            ("tracks", label.track is not None),
            ("times", label.at is not None),
            ("attributes", bool(label.attributes)),
        ):
            if there:
                lost.add(item, what)
    return shapes


def _line(label: Box | Polygon, numbers: dict[str, int]) -> str:
    if isinstance(label, Box):
        x1, y1, x2, y2 = label.box
        # A centre lies between two points of the grid, so it takes one decimal more.
        values = [plain((x1 + x2) / 2, GRID + 1), plain((y1 + y2) / 2, GRID + 1), plain(x2 - x1), plain(y2 - y1)]
    else:
        values = [plain(value) for point in label.points for value in point]
    return " ".join((str(numbers[label.label]), *values)) + "\n"


def read(files: Collection[str], read_file: Callable[[str], bytes], data_file: str = DATA_FILE) -> Read:
    """What `data.yaml` and the label files below it say. Pictures are not opened.

    Args:
        files: paths of all files, relative and with "/", as a ZIP file or a folder lists them.
        read_file: bytes of one of them.
        data_file: path of `data.yaml`; the others are found beside it.

    Raises:
        FormatFaults: the files cannot be read or used, with every fault at its file and line, and the fix.
    """
    faults = Faults(data_file)
    if data_file not in files:
        raise FormatFaults([f"{data_file} is missing; name the file that says names:, train: and val:"])
    data = _yaml(read_file(data_file), faults)
    classes = _classes(data.get("names"), faults)
    root = data_file.rpartition("/")[0]
    sides = _sides(data, f"{root}/" if root else "", sorted(files), faults)
    known, used, pictures = frozenset(files), set[str](), []
    for file, side in sides.items():
        labels: tuple[Label, ...] = ()
        path = _label_file(file)
        if path in known:
            used.add(path)
            labels = _labels(path, read_file(path), classes, faults)
        pictures.append(Picture(file, labels, side))
    bare = [file for file in sides if _label_file(file) not in known]
    if bare:
        first = f"{', '.join(bare[:3])}{', …' if len(bare) > 3 else ''}"
        have, they = ("has", "it shows") if len(bare) == 1 else ("have", "they show")
        faults.warn("images", f"{len(bare)} {have} no file of labels, so {they} nothing: {first}")
    for path in sorted(known - used):
        if "/labels/" in f"/{path}" and path.endswith(".txt"):
            faults.warned.append(f"{path}: it belongs to no picture")
    faults.tell()
    return Read(classes, tuple(pictures), warnings=tuple(faults.warned))


def _yaml(content: bytes, faults: Faults) -> dict[Any, Any]:
    try:
        data = yaml.safe_load(content.decode())
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise FormatFaults([f"{faults.place} is no YAML in UTF-8: {' '.join(str(error).split())[:300]}"]) from error
    if not isinstance(data, dict):
        raise FormatFaults([f"{faults.place}: it holds no mapping; write names:, train: and val:"])
    return data


def _classes(names: object, faults: Faults) -> tuple[str, ...]:
    if isinstance(names, dict):
        if any(type(key) is not int for key in names) or sorted(names) != list(range(len(names))):
            faults.add("names", "its keys are not 0, 1, 2 …", "number the classes without a gap")
            return ()
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        faults.add("names", "it holds no classes", "write a list, or 0: NAME and so on below it")
        return ()
    return class_names(names, faults, "names")


def _sides(data: dict[Any, Any], root: str, files: list[str], faults: Faults) -> dict[str, Side]:
    """Each picture below the folders of the sides."""
    found: dict[str, Side] = {}
    empty: list[tuple[Side, str]] = []
    base = _base(data.get("path"), root, files, faults)
    for side, below in _folders(data, base, files, faults):
        pictures = [file for file in files if _is_picture(file, f"{base}{below}/")]
        # `val` has to be named even where nothing is on it, so `written` does.
        if not pictures and below != f"images/{side}":
            empty.append((side, below))
        for file in pictures:
            if safe_path(file, faults, side) and found.setdefault(file, side) != side:
                faults.warn(side, f"{file} is on side {found[file]} too, and stays there")
    if empty and not found:
        where = ", ".join(dict.fromkeys(side for side, _ in empty))
        told = ", ".join(repr(below) for _, below in empty)
        faults.add(where, f"there is no picture in {told}", "name the folders of pictures as they lie beside this file")
    for side, below in empty:
        faults.warn(side, f"there is no picture in {below!r}")
    return found


def _folders(data: dict[Any, Any], base: str, files: list[str], faults: Faults) -> list[tuple[Side, str]]:
    """The folder of each side below `base`.

    Roboflow writes "../train/images" for what lies beside the file, and ultralytics takes it so: where one does, "../"
    is passed over.
    """
    told: list[tuple[Side, str]] = []
    for side in SIDES:
        folders = data.get(side) or []
        for folder in folders if isinstance(folders, list) else [folders]:
            if not isinstance(folder, str) or folder.endswith(".txt"):
                # Only a text is shown: aliases of YAML make a short file's list endless once it is written out.
                what = repr(folder[:200]) if isinstance(folder, str) else f"a {type(folder).__name__}"
                faults.add(side, f"{what} is no folder", "name a folder of pictures")
            else:
                told.append((side, folder))
    beside = any(
        folder.startswith("../") and any(_is_picture(file, f"{base}{folder[3:]}/") for file in files)
        for _, folder in told
    )
    safe = ((side, safe_path(one.removeprefix("../") if beside else one, faults, side)) for side, one in told)
    return [(side, below) for side, below in safe if below]


def _base(path: object, root: str, files: list[str], faults: Faults) -> str:
    """The folder that sides are looked for in, "" or with "/" at its end: `path` where it lies beside this file."""
    if path in (None, "", "."):
        return root
    unheard = Faults("")
    below = safe_path(path, unheard, "path") if isinstance(path, str) else ""
    if below and any(file.startswith(f"{root}{below}/") for file in files):
        return f"{root}{below}/"
    faults.warn("path", "passed over: what it names is looked for beside this file")
    return root


def _is_picture(file: str, below: str) -> bool:
    return file.startswith(below) and PurePosixPath(file).suffix.lower() in PICTURES


def _label_file(picture: str) -> str:
    before, between, name = f"/{picture}".rpartition("/images/")
    path = f"{before}/labels/{name}" if between else f"/{picture}"
    return path[1 : -len(PurePosixPath(path).suffix)] + ".txt"


def _labels(path: str, content: bytes, classes: tuple[str, ...], faults: Faults) -> tuple[Label, ...]:
    own = Faults(path, faults.found, faults.warned)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        own.add("its text", "it is not UTF-8", "write it as text")
        return ()
    found = []
    for number, line in enumerate(lines, 1):
        label = _label(line.split(), classes, own, f"line {number}") if line.strip() else None
        if label is not None:
            found.append(label)
    return tuple(found)


def _label(words: list[str], classes: tuple[str, ...], faults: Faults, where: str) -> Label | None:
    values = [number_of(word) for word in words]
    if not all(isfinite(value) for value in values):
        faults.add(where, "it holds something else than numbers", "write class cx cy w h, or class x1 y1 x2 y2 …")
    elif not (len(values) == 5 or (len(values) >= 7 and len(values) % 2)):
        faults.add(where, f"it holds {len(values)} numbers", "write 5, or a class and at least three points")
    elif values[0] not in range(len(classes)):
        faults.add(
            where, f"class {words[0][:40]} is not among the {len(classes)} of names", "correct it, or add its name"
        )
    elif not all(-_BEYOND <= value <= 1 + _BEYOND for value in values[1:]):
        faults.add(where, "coordinates are not from 0 to 1", "divide them by the picture's width and height")
    elif len(values) == 5:
        _, cx, cy, across, down = values
        if across < 0 or down < 0:
            faults.add(where, "the box has a negative size", "write class cx cy w h")
            return None
        corners = (cx - across / 2, cy - down / 2, cx + across / 2, cy + down / 2)
        return boxed(classes[int(values[0])], corners, faults, where)
    else:
        return outlined(classes[int(values[0])], values[1:], faults, where)
    return None
