"""What labelling is made of: projects, items, what is said of them, and how it was answered.

Pictures have boxes, outlines and tags; clips tracks, intervals and tags. Geometry as in
`algorithm_repo.datasets.types`: shares of the picture, x to the right and y down. Times are s since 1970 UTC, within a
clip s from its first picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from algorithm_repo.datasets.tracks import Track
from algorithm_repo.datasets.types import Box, Interval, Name, Polygon, Sha256, Share, Source, Tag
from algorithm_repo.labelling.clips import ClipFacts, check_time
from contracts.errors import ConfigError
from contracts.records import Contract

MOST_LABELS = 1000
MOST_PEOPLE = 5

Kind = Literal["box", "polygon", "tag", "track", "interval"]
Shape = Annotated[Box | Polygon | Tag | Track | Interval, Field(discriminator="kind")]
Shapes = Annotated[tuple[Shape, ...], Field(max_length=MOST_LABELS)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$", description="sent again under it, it counts once")]


class ItemState(StrEnum):
    """Where an item is."""

    OPEN = "open"  # fewer people than asked for have labelled it
    LABELLED = "labelled"  # waits for a second person
    REJECTED = "rejected"  # to be labelled again
    ACCEPTED = "accepted"


class Said(StrEnum):
    """What an answer is."""

    LABELS = "labels"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class NewProject(Contract):
    """What is to be labelled.

    Attributes:
        kinds: of labels that are drawn or given.
        classes: in the order of the network's outputs, and of the keys 1 to 9.
        people: how many label each picture on their own before somebody else reviews it.
    """

    name: Name
    task: Literal["detect", "segment", "classify"] = "detect"
    kinds: tuple[Kind, ...] = Field(("box",), min_length=1, max_length=5)
    classes: tuple[Name, ...] = Field(min_length=1, max_length=200)
    people: int = Field(1, ge=1, le=MOST_PEOPLE)
    note: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for field, values in (("classes", self.classes), ("kinds", self.kinds)):
            if len(set(values)) != len(values):
                raise ValueError(f"{field}: each once")
        return self

    @property
    def of_pictures(self) -> bool:
        """Pictures are labelled; tags alone are given of these."""
        return not self.of_clips or not {"box", "polygon"}.isdisjoint(self.kinds)

    @property
    def of_clips(self) -> bool:
        """Clips are labelled."""
        return not {"track", "interval"}.isdisjoint(self.kinds)

    def check(self, labels: Sequence[Shape], clip: ClipFacts | None = None) -> None:
        """Args:
            clip: that is labelled; None: it is a picture.

        Raises:
            ConfigError: a label of another class or kind, or outside the clip; names it as `labels[number]`.
        """
        for number, one in enumerate(labels):
            if one.label not in self.classes:
                fix = f"one of {', '.join(self.classes)}"
                raise ConfigError(f"labels[{number}].label: {one.label!r} is no class of {self.name}", fix)
            if one.kind not in self.kinds:
                fix = f"one of {', '.join(self.kinds)}"
                raise ConfigError(f"labels[{number}].kind: {self.name} takes no {one.kind}", fix)
            timed = isinstance(one, Track | Interval)
            if one.kind != "tag" and timed != (clip is not None):
                fix = "of pictures give boxes, polygons and tags; of clips tracks, intervals and tags"
                raise ConfigError(f"labels[{number}].kind: a {one.kind} does not fit what is labelled", fix)
            if clip is not None and isinstance(one, Track | Interval):
                check_time(number, one, clip)


class Project(NewProject):
    """One project. `sources` of its pictures, by name."""

    id: int
    author: str
    created_utc: float
    sources: dict[Name, Source]


class Suggestion(Contract):
    """What a network, or another tool, would say; it never counts before somebody takes it over."""

    by: Name
    confidence: Share | None = None
    label: Shape


class Taken(Contract):
    """Where and when a picture was taken, as `governance.access.Place` asks; all empty: it is nobody's camera."""

    camera: str = Field("", max_length=200)
    department: str = Field("", max_length=200)
    grid: str = Field("", max_length=200)
    zone: str = Field("", max_length=200)
    type: str = Field("", max_length=64)
    utc: float | None = Field(None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _owned(self) -> Self:
        if self.camera and not self.department:
            raise ValueError("department: a camera's picture belongs to one")
        return self


class NewItem(Contract):
    """A picture, or a clip, to be labelled; its bytes are in the object store under `key`."""

    content: Sha256
    name: Name
    key: str = Field(max_length=512)
    media_type: str
    width: int = Field(gt=0, le=100_000)
    height: int = Field(gt=0, le=100_000)
    source: Source
    taken: Taken = Taken()
    verdict: int | None = None
    slices: tuple[Name, ...] = ()
    suggested: Annotated[tuple[Suggestion, ...], Field(max_length=MOST_LABELS)] = ()
    clip: ClipFacts | None = None


class Item(Contract):
    """A picture of a project, or a `clip`.

    `source`: key of the project's sources; `hidden`: a test that nobody is told of; `deleted_utc`: since when its bytes
    are gone by policy; what was said of it stays.
    """

    id: int
    project: int
    content: Sha256
    name: Name
    key: str
    media_type: str
    width: int
    height: int
    source: Name
    taken: Taken
    verdict: int | None
    slices: tuple[Name, ...]
    suggested: tuple[Suggestion, ...]
    hidden: bool
    state: ItemState
    final: int | None
    added_by: str
    added_utc: float
    deleted_utc: float | None = None
    clip: ClipFacts | None = None


class GivenAnswer(Contract):
    """One line of what was said of a picture: by whom, when, and how long it took them.

    Attributes:
        labels: the whole picture's; of one that accepts, what counts now.
        about: the answer that was reviewed.
    """

    id: int
    item: int
    said: Said
    labels: Shapes
    note: str
    about: int | None
    who: str
    utc: float
    spent_s: float


class NewAnswer(Contract):
    """What somebody says of a picture."""

    labels: Shapes
    note: str = Field("", max_length=500)
    spent_s: float = Field(0.0, ge=0, le=86_400)
    key: Key


class NewReview(Contract):
    """What a second person says of an answer; `labels` None: as they are."""

    answer: int
    accepted: bool
    labels: Shapes | None = None
    note: str = Field("", max_length=500)
    spent_s: float = Field(0.0, ge=0, le=86_400)
    key: Key

    @model_validator(mode="after")
    def _why(self) -> Self:
        if not self.accepted and (self.labels is not None or not self.note.strip()):
            raise ValueError("note: who rejects says why, and gives no labels")
        return self
