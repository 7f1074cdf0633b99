"""What a version of training data is made of.

Geometry is normalised to the picture: x to the right and y down, both 0..1. Times within a clip are seconds from its
first picture. Media and masks are named by the SHA-256 of their bytes; where these lie is the object store's matter.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.records import Contract

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Point = tuple[Share, Share]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = ("train", "val", "test")
Task = Literal["detect", "segment", "classify", "events"]


class Box(Contract):
    """An upright box, x1 y1 x2 y2. `track` is the same for one thing in several pictures of a clip, shown at `at`."""

    kind: Literal["box"] = "box"
    label: Name
    box: tuple[Share, Share, Share, Share]
    track: int | None = Field(None, ge=0)
    at: Seconds | None = None
    attributes: dict[Name, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _upright(self) -> Self:
        x1, y1, x2, y2 = self.box
        if not (x1 < x2 and y1 < y2):
            raise ValueError("a box goes from its left upper to its right lower corner and has an area")
        return self


class Polygon(Contract):
    """An outline of at least three corners."""

    kind: Literal["polygon"] = "polygon"
    label: Name
    points: Annotated[tuple[Point, ...], Field(min_length=3, max_length=10_000)]
    track: int | None = Field(None, ge=0)
    at: Seconds | None = None
    attributes: dict[Name, str] = Field(default_factory=dict)


class Mask(Contract):
    """A grey PNG of the picture's size; what is 128 and above is of the label."""

    kind: Literal["mask"] = "mask"
    label: Name
    sha256: Sha256


class Tag(Contract):
    """A word for the whole picture or clip."""

    kind: Literal["tag"] = "tag"
    label: Name


class Interval(Contract):
    """An event on a clip's timeline: the truth of an event suite. `end` None: it goes on past the clip."""

    kind: Literal["interval"] = "interval"
    label: Name
    zone: str = Field("", max_length=80)
    start: Seconds
    end: Seconds | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("end: an interval ends after it has begun")
        return self


Label = Annotated[Box | Polygon | Mask | Tag | Interval, Field(discriminator="kind")]


class Source(Contract):
    """Where media come from, and on what terms.

    Attributes:
        licence: an SPDX expression, or words where there is none.
        passed_on: the media may be given to others.
        personal: faces and plates are in them: kept as long as `governance` says, masked before people label them.
    """

    name: Name
    licence: str = Field(min_length=1, max_length=200)
    address: str = Field("", max_length=500)
    passed_on: bool = False
    personal: bool = True


class Item(Contract):
    """One picture or clip with all that is said of it.

    Attributes:
        content: SHA-256 of the media's bytes.
        name: what people call it: a file name, or camera and moment.
        width, height: px.
        source: key of `Manifest.sources`.
        camera: that took it; "" where nobody knows.
        utc: when it was taken, s since 1970; None where nobody knows.
        slices: night, rain, a camera group …: figures are given for each.
        labels: none at all says that there is nothing to see, and is a label too.
        side: of the split; None before the version is frozen.
    """

    content: Sha256
    name: Name
    media: Literal["image", "clip"] = "image"
    width: int = Field(gt=0, le=100_000)
    height: int = Field(gt=0, le=100_000)
    source: Name
    camera: str = Field("", max_length=64)
    utc: float | None = Field(None, allow_inf_nan=False)
    slices: tuple[Name, ...] = ()
    labels: tuple[Label, ...] = ()
    side: Side | None = None


class Manifest(Contract):
    """A version: what it holds is its identity (`digest`), so it cannot change, only have children.

    Attributes:
        classes: labels in the order of the network's outputs.
        items: by `content`, each once.
        parent: digest of the version it was made from.
    """

    name: Name
    task: Task
    classes: tuple[Name, ...]
    sources: dict[Name, Source]
    items: tuple[Item, ...]
    parent: Sha256 | None = None
    note: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes: each once")
        contents = [item.content for item in self.items]
        if contents != sorted(set(contents)):
            raise ValueError("items: in the order of their content, each once")
        for number, item in enumerate(self.items):
            if item.source not in self.sources:
                raise ValueError(f"items[{number}].source: {item.source!r} is not among sources")
            strange = {one.label for one in item.labels} - set(self.classes)
            if strange:
                raise ValueError(f"items[{number}].labels: {sorted(strange)} are not among classes")
        return self

    @property
    def frozen(self) -> bool:
        """Each item has its side: training takes nothing else."""
        return bool(self.items) and all(item.side is not None for item in self.items)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form; who thought of it as what (`name`, `note`) is no part of it."""
        return hashlib.sha256(b"".join(self.lines())).hexdigest()

    @staticmethod
    def of_lines(data: bytes, name: str, note: str = "") -> Manifest:
        """Inverse of `lines` joined.

        Raises:
            ValueError: these bytes are no manifest; pydantic's ValidationError is one too.
        """
        head, *items = data.splitlines()
        told = _Head.model_validate_json(head)
        found = tuple(Item.model_validate_json(line) for line in items)
        return Manifest(**told.model_dump(), name=name, note=note, items=found)

    def lines(self) -> list[bytes]:
        """The canonical form: a head and one line of JSON an item, keys in order, no spaces."""
        head = _Head(task=self.task, classes=self.classes, sources=self.sources, parent=self.parent)
        return [_line(one) for one in (head, *self.items)]


class _Head(Contract):
    """What a version says of all its items, as its first line has it."""

    task: Task
    classes: tuple[Name, ...]
    sources: dict[Name, Source]
    parent: Sha256 | None


def _line(one: Contract) -> bytes:
    value = one.model_dump()
    return (
        json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    )
