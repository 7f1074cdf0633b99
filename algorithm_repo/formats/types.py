"""What the formats share: what is written, what was read, the grid of coordinates, and faults told together.

Coordinates of a label are kept to `GRID` decimals of the picture's side. On that grid a coordinate in px has at most
as many decimals (k / 10^6 times the width is a whole number of millionths), so that shares and px turn into each other
exactly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, isfinite, radians, sin
from typing import Any

import numpy.typing as npt
from pydantic import Field, TypeAdapter, ValidationError

from algorithm_repo.datasets.types import Box, Item, Label, Name, Polygon, Sha256, Side, Source
from contracts.errors import ConfigError
from contracts.records import Contract

GRID = 6
MOST_SIDE = 100_000  # px, as `Item`
FAR = 1e9  # px beyond which a coordinate is a mistake, not a shape that reaches beyond its picture

MaskOf = Callable[[Sha256], npt.NDArray[Any]]  # [H,W] bool, or uint8 with the label where it is 128 and above

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


class FormatFaults(ConfigError):
    """A file cannot be used, or a version cannot be written; `faults` says everything that is wrong with it."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}")


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with one file, and what of it was not taken as it stands."""

    place: str
    found: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def add(self, where: str, what: str, fix: str) -> None:
        self.found.append(f"{self.place}: {where}: {what}; {fix}")

    def warn(self, where: str, what: str) -> None:
        self.warned.append(f"{self.place}: {where}: {what}")

    def tell(self) -> None:
        """Raises:
        FormatFaults: there are any.
        """
        if self.found:
            raise FormatFaults(self.found)


class Lost:
    """What a format cannot hold of which item: one warning for each item and kind of thing."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, item: Item, what: str) -> None:
        self.say(item, f"{what} left out of {self._holder}")

    def say(self, item: Item, what: str) -> None:
        self._counts[item.name, what] += 1

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{name}: {what} ({times})" for (name, what), times in self._counts.items())


@dataclass(frozen=True, slots=True)
class Written:
    """A version as files.

    Attributes:
        texts: path, relative and with "/", to the file's bytes.
        media: path to the SHA-256 of what lies there; the bytes stay in the object store until `files` asks for them.
        warnings: what the format cannot hold, by item.
    """

    texts: Mapping[str, bytes]
    media: Mapping[str, Sha256]
    warnings: tuple[str, ...] = ()

    def files(self, media_of: Callable[[Sha256], bytes]) -> Iterator[tuple[str, bytes]]:
        """Each file's path and bytes, the texts first, with one medium in memory at a time."""
        yield from self.texts.items()
        for path, content in self.media.items():
            yield path, media_of(content)


class Facts(Contract):
    """What only we say of an item; see `Item`. What a file says is a claim: its `content` is to be compared."""

    content: Sha256
    name: Name
    source: Name
    camera: str = Field("", max_length=64)
    utc: float | None = Field(None, allow_inf_nan=False)
    slices: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file says of one picture or clip.

    Attributes:
        file: relative path of the medium, as the format names it: never absolute, never with "..".
        width, height: px; None where the format does not say (YOLO).
        licence: words of a COCO file.
        facts: of a file that we wrote ourselves, where the format has room.
    """

    file: str
    labels: tuple[Label, ...]
    side: Side | None = None
    width: int | None = None
    height: int | None = None
    licence: str = ""
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What was read.

    Attributes:
        classes: in the file's order.
        masks: SHA-256, as in the labels, to the PNG's bytes (`rle.png_of`).
        sources: of a COCO file that we wrote ourselves.
        warnings: what was understood but not taken as it stands: cut to the picture, or left out.
    """

    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    masks: Mapping[Sha256, bytes] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


# --- numbers and the grid ---------------------------------------------------------------------------------------


def number_of(word: str) -> float:
    """A decimal number as text has it; NaN where it is none (Python's own reading takes `1_0`, `inf` and `٣` too)."""
    return float(word) if _NUMBER.fullmatch(word) else float("nan")


def in_px(part: float, size: int) -> float:
    """px of a share of a side of `size` px; divided by it and put on the grid, it is the share again."""
    return round(part * size, GRID)


def plain(number: float, decimals: int = GRID) -> str:
    """Without exponent and without zeros at the end."""
    return f"{number:.{decimals}f}".rstrip("0").rstrip(".")


def on_grid(label: Label) -> Label | None:
    """The label as every format keeps it; None: a box that is thinner than the grid."""
    if isinstance(label, Box):
        x1, y1, x2, y2 = (round(value, GRID) for value in label.box)
        return label.model_copy(update={"box": (x1, y1, x2, y2)}) if x1 < x2 and y1 < y2 else None
    if isinstance(label, Polygon):
        return label.model_copy(update={"points": tuple((round(x, GRID), round(y, GRID)) for x, y in label.points)})
    return label


def kept(item: Item, lost: Lost, kinds: tuple[type, ...]) -> list[Label]:
    """The item's labels of these kinds, on the grid; the others are told to `lost`."""
    found = []
    for label in item.labels:
        near = on_grid(label)
        if not isinstance(label, kinds):
            lost.add(item, {"box": "boxes"}.get(label.kind, f"{label.kind}s"))
        elif near is None:
            lost.add(item, "boxes thinner than a millionth of the picture")
        else:
            found.append(near)
    return found


def pictures_of(items: Iterable[Item], lost: Lost) -> list[Item]:
    """Those that are pictures; clips are told to `lost`."""
    found = []
    for item in items:
        if item.media == "image":
            found.append(item)
        else:
            lost.add(item, "clips")
    return found


# --- shapes that were read --------------------------------------------------------------------------------------


def around(px: Sequence[float], degrees: float) -> list[float]:
    """The upright box around a box x1 y1 x2 y2 in px that is turned clockwise around its middle, as in CVAT."""
    x1, y1, x2, y2 = px
    if not isfinite(degrees):
        return list(px)
    cosine, sine = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    x, y, across, down = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
    wide, high = across * cosine + down * sine, across * sine + down * cosine
    return [x - wide, y - high, x + wide, y + high]


def box_around(outlines: Sequence[Polygon]) -> Box | None:
    """The box around all outlines of one thing, with what is said of the first; None where they have no area."""
    xs, ys = ([point[axis] for one in outlines for point in one.points] for axis in (0, 1))
    if not xs or min(xs) >= max(xs) or min(ys) >= max(ys):
        return None
    first = outlines[0]
    box = (min(xs), min(ys), max(xs), max(ys))
    return Box(label=first.label, box=box, track=first.track, at=first.at, attributes=first.attributes)


def boxed(label: str, corners: Sequence[float], faults: Faults, where: str, **more: Any) -> Box | None:
    """A box of x1 y1 x2 y2 in shares, cut to the picture; None where that leaves nothing, or `more` does not fit."""
    cut = [_cut(value) for value in corners]
    if not (cut[0] < cut[2] and cut[1] < cut[3]):
        faults.warn(where, "the box has no area in the picture and is left out")
        return None
    _tell_cut(corners, cut, faults, where)
    try:
        return Box(label=label, box=(cut[0], cut[1], cut[2], cut[3]), **more)
    except ValidationError as error:
        faults.add(where, said(error), "correct it there")
        return None


def outlined(label: str, numbers: Sequence[float], faults: Faults, where: str, **more: Any) -> Polygon | None:
    """A polygon of x1 y1 x2 y2 … in shares, each corner moved into the picture; None where it does not fit."""
    cut = [_cut(value) for value in numbers]
    _tell_cut(numbers, cut, faults, where)
    try:
        return Polygon(label=label, points=tuple(zip(cut[::2], cut[1::2], strict=True)), **more)
    except ValidationError as error:
        faults.add(where, said(error), "correct it there")
        return None


def _cut(value: float) -> float:
    return min(1.0, max(0.0, round(value, GRID)))


def _tell_cut(before: Sequence[float], after: Sequence[float], faults: Faults, where: str) -> None:
    if any(abs(one - other) > 2 * 10**-GRID for one, other in zip(before, after, strict=True)):
        faults.warn(where, "the shape reached beyond the picture and was cut to it")


def said(error: ValidationError) -> str:
    """The first thing wrong, with its path."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    return f"{path}: {first['msg']}" if path else str(first["msg"])


def class_names(names: Iterable[object], faults: Faults, where: str) -> tuple[str, ...]:
    """Checked: text, short enough for `Name`, each once. Faults are told."""
    found: dict[str, None] = {}
    for number, name in enumerate(names):
        try:
            text = _NAME.validate_python(name, strict=True)
        except ValidationError as error:
            faults.add(f"{where} {number}", said(error), "write 1 to 80 printable characters, quoted where it is YAML")
            continue
        if text in found:
            faults.add(f"{where} {number}", f"{text!r} is there twice", "name each class once")
        found[text] = None
    return tuple(found)
